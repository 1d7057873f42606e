"""What prompts deny is not drawn, whatever denies it."""

from __future__ import annotations

import pytest

from hifi_portrait.prompts.background import find_background
from hifi_portrait.prompts.clothes import find_clothes
from hifi_portrait.prompts.glasses import find_glasses, find_glasses_words
from hifi_portrait.prompts.hair import find_hair
from hifi_portrait.prompts.light import find_light
from hifi_portrait.prompts.style import find_style


@pytest.mark.parametrize(
    "words",
    [
        "a woman who doesn't wear glasses",
        "a woman who doesnt wear glasses",
        "a woman who doesn’t wear glasses in a park",
        "a man with neither glasses nor a hat",
        "a man with neither a hat nor glasses",
        "don't add glasses",
        "she never wears glasses",
        "she has stopped wearing glasses",
        "he took his glasses off",
        "he took off his glasses",
        "a man with his glasses off in a park",
        "glasses removed",
        "remove the glasses",
        "a man whose glasses are off",
        "glasses are not visible",
        "glasses-free",
        "eyes free of glasses",
        "a woman minus glasses",
        "w/o glasses",
        "no-glasses",
        "anything but glasses",
        "contact lenses instead of glasses",
        "contact lenses rather than round glasses",
        "no hat, glasses or scarf",
        "no hat, scarf, or glasses",
        "no hat and glasses",
        "a woman --no glasses, hat",
        "avoid: hats, glasses",
        "glasses: none",
    ],
)
def test_denied_glasses_are_none(words):
    assert find_glasses(words) == "none"


@pytest.mark.parametrize(
    ("words", "glasses"),
    [
        ("no sunglasses but round glasses", "round"),
        ("he is not wearing a hat, but square glasses", "square"),
        ("no hat wearing round glasses", "round"),
        ("not only glasses but also a hat", "rectangular"),
        ("never seen without her round glasses", "round"),
        ("he can't see without his glasses", "rectangular"),
        ("why not add sunglasses?", "sunglasses"),
        ("a man without a beard and glasses", "rectangular"),
        ("replace his glasses with sunglasses", "sunglasses"),
        ("don't remove the glasses", None),
        ("keep his glasses", None),
        ("with or without glasses", None),
    ],
)
def test_what_is_affirmed_beside_a_denial_counts(words, glasses):
    assert find_glasses(words) == glasses


def test_the_words_that_deny_are_found_with_what_they_deny():
    assert find_glasses_words("a man who doesn't wear glasses, smiling") == "doesn't wear glasses"
    assert find_glasses_words("his glasses are off") == "glasses are off"


@pytest.mark.parametrize(
    ("find", "words", "found"),
    [
        (find_hair, "hair not blond but red", "red"),
        (find_hair, "her hair isn't brown but blond", "blond"),
        (find_hair, "a non-blond man", None),
        (find_hair, "change her blond hair to black", "black"),
        (find_clothes, "rather than a red dress, a blue dress", "blue"),
        (find_clothes, "his shirt is not red but green", "green"),
        (find_clothes, "no tie, red jacket or hat", None),
        (find_background, "anything but a red background", None),
        (find_background, "the red background is not red but blue", "blue backdrop"),
        (find_background, "change the red background to blue", "blue backdrop"),
        (find_background, "neither in a park nor in a forest", None),
        (find_background, "not in a park or garden", None),
        (find_background, "not in a park but in a forest", "forest"),
        (find_background, "avoid brick walls", None),
        (find_background, "not smiling in a park", "park"),
        (find_background, "a man who doesn't wear a hat in a park", "park"),
        (find_light, "not in soft light", None),
        (find_light, "without make-up in soft light", "soft studio light"),
        (find_light, "no studio light, but natural light", "window light"),
        (find_style, "avoid painting", None),
        (find_style, "a photo rather than a painting", None),
        (find_style, "not as a pencil sketch", None),
        (find_style, "not in black and white", None),
        (find_style, "no text or watermark, oil painting", "oil painting"),
        (find_style, "negative prompt: glasses, painting", None),
    ],
)
def test_all_readers_take_denials_alike(find, words, found):
    assert find(words) == found
