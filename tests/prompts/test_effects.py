"""What prompts name, read as people mean it, and which of their words are drawn."""

from __future__ import annotations

import pytest

from hifi_portrait.person.target import Target
from hifi_portrait.prompts.clothes import find_clothes
from hifi_portrait.prompts.effects import split_by_effect
from hifi_portrait.prompts.glasses import find_glasses
from hifi_portrait.prompts.hair import find_hair


@pytest.mark.parametrize(
    ("words", "hair"),
    [
        ("blond beard, black hair", "black"),
        ("black hair and a blond beard", "black"),
        ("a man with a blonde moustache", None),
        ("a man with blond short stubble and brown hair", "brown"),
        ("a blond bearded man", "blond"),
        ("blond eyebrows, red hair", "red"),
        ("a redhead", "red"),
        ("a red-headed woman", "red"),
        ("two redheads", "red"),
        ("a ginger man", "red"),
        ("ginger tea", None),
    ],
)
def test_hair_is_not_beard(words, hair):
    assert find_hair(words) == hair


@pytest.mark.parametrize(
    ("words", "colour"),
    [
        ("red and white striped shirt", "red"),
        ("a navy and white polka dot dress", "navy"),
        ("wearing a red, white and blue sweater", "red"),
        ("a blue-white checked shirt", "blue"),
        ("black and white photo of a woman in a green coat", "green"),
        ("a black-and-white portrait", None),
        ("her hair is black, white shirt", "white"),
    ],
)
def test_the_first_colour_of_a_garment_of_several_counts(words, colour):
    assert find_clothes(words) == colour


@pytest.mark.parametrize(
    ("words", "glasses"),
    [
        ("sunglasses on the table", None),
        ("sunglasses are lying on the old desk", None),
        ("a woman with sunglasses pushed up on her head", None),
        ("holding her glasses", None),
        ("a man with glasses in his hand", None),
        ("sunglasses hanging from his shirt", None),
        ("sunglasses on the beach", "sunglasses"),
        ("sunglasses in a garden", "sunglasses"),
        ("round glasses on his nose", "round"),
    ],
)
def test_glasses_count_where_they_are_worn(words, glasses):
    assert find_glasses(words) == glasses


@pytest.mark.parametrize(
    ("prompt", "drawn", "in_vain"),
    [
        ("", [], []),
        ("a photo of a woman", [], []),
        ("a woman with blond hair, wearing a navy dress", ["navy dress", "blond hair"], []),
        ("a man in a garden, oil painting", ["in a garden", "oil painting"], []),
        ("a man without glasses in a park", ["without glasses", "in a park"], []),
        ("a man with a beard, white background", ["white background"], ["beard"]),
        ("blond beard, black hair", ["black hair"], ["blond beard"]),
        ("sunglasses on the table", [], ["sunglasses on the table"]),
        ("studio light, round glasses", ["round glasses", "studio light"], []),
    ],
)
def test_a_prompt_is_split_into_what_is_drawn_and_what_is_not(prompt, drawn, in_vain):
    found = split_by_effect(prompt, Target())
    assert sorted(found[0]) == sorted(drawn)
    assert found[1] == in_vain


def test_what_the_target_names_itself_holds():
    assert split_by_effect("blond hair", Target(hair="black")) == ([], ["blond hair"])
    assert split_by_effect("blond hair", Target(hair="blond")) == (["blond hair"], [])


def test_a_given_scene_keeps_its_colours():
    assert split_by_effect("blond hair, round glasses", Target(), keeps_colours=True) == (
        ["round glasses"],
        ["blond hair"],
    )


def test_from_noise_place_and_light_are_the_networks():
    prompt = "blond hair, in a park, neon light, oil painting"
    assert split_by_effect(prompt, Target(), from_noise=True) == (
        ["blond hair", "oil painting"],
        ["park", "neon light"],
    )
