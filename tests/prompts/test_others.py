"""What prompts say of somebody else, or of things that nobody wears."""

from __future__ import annotations

import pytest

from hifi_portrait.prompts.clothes import find_clothes
from hifi_portrait.prompts.glasses import find_glasses
from hifi_portrait.prompts.hair import find_hair


@pytest.mark.parametrize(
    ("words", "hair"),
    [
        ("a man with his blond wife", None),
        ("a woman with a blond child", None),
        ("a blond boy's mother", None),
        ("a mother of a blond boy", None),
        ("a man whose wife has red hair", None),
        ("a man, his wife has red hair", None),
        ("a man and a woman with black hair", None),
        ("a blond woman with her son", "blond"),
        ("a photograph of a blond woman's face", "blond"),
        ("portrait of my blond wife", "blond"),
        ("a blond man with a man bun", "blond"),
        ("a woman with her mother's red hair", "red"),
    ],
)
def test_the_hair_is_the_persons_own(words, hair):
    assert find_hair(words) == hair


@pytest.mark.parametrize(
    ("words", "colour"),
    [
        ("a green jacket hanging behind a man in blue", "blue"),
        ("a red dress on a hanger, a woman in white", "white"),
        ("a woman holding a red jacket", None),
        ("a woman holding a baby in a yellow dress", None),
        ("a woman with a dog in a red sweater", None),
        ("a woman next to a man in red", None),
        ("a woman in a red dress on the bed", "red"),
        ("a woman in a red jacket over a white shirt", "red"),
        ("a woman in her husband's blue shirt", "blue"),
        ("dressed all in black", "black"),
        ("make his shirt blue", "blue"),
    ],
)
def test_the_clothes_are_those_that_the_person_wears(words, colour):
    assert find_clothes(words) == colour


@pytest.mark.parametrize(
    ("words", "glasses"),
    [
        ("a man who hates glasses", None),
        ("a man with a glasses case", None),
        ("a man selling glasses", None),
        ("he forgot his round glasses", None),
        ("a man raising glasses", None),
        ("a man next to a woman with glasses", None),
        ('a sign saying "no glasses"', None),
        ("she has glasses on, round ones", "round"),
        ("round-framed glasses", "round"),
        ("glasses with thin square frames", "square"),
        ("glasses, square jaw", "rectangular"),
        ("aviator glasses", "sunglasses"),
        ("a bespectacled man", "rectangular"),
        ("a child wearing her father's glasses", "rectangular"),
    ],
)
def test_the_glasses_are_those_that_the_person_wears(words, glasses):
    assert find_glasses(words) == glasses


@pytest.mark.parametrize(
    ("words", "colour"),
    [
        ("a woman looking at camera red dress", "red"),
        ("man looking at the viewer, blue shirt", "blue"),
        ("a woman with her dog wearing a red dress", "red"),
        ("a man looking at a red shirt", None),
    ],
)
def test_who_looks_at_the_camera_or_has_a_dog_wears_what_is_named(words, colour):
    assert find_clothes(words) == colour
