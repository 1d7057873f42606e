"""Lights that words name."""

import pytest

from hifi_portrait.prompts.light import find_light, find_light_words
from hifi_portrait.scenery.studio import LIGHT_NAMES


@pytest.mark.parametrize(
    ("words", "light", "mention"),
    [
        ("a man, golden hour light", "evening light", "golden hour light"),
        ("warm evening light", "evening light", "warm evening light"),
        ("a woman in dramatic lighting", "low-key light", "dramatic lighting"),
        ("low-key", "low-key light", "low-key"),
        ("lit by soft window light", "window light", "window light"),
        ("natural light", "window light", "natural light"),
        ("in bright sunlight", "sunlight", "bright sunlight"),
        ("Professional studio lighting", "soft studio light", "professional studio lighting"),
        ("soft light, 85mm", "soft studio light", "soft light"),
        ("soft diffused light", "soft studio light", "soft diffused light"),
        ("pink neon lights", "neon light", "pink neon lights"),
    ],
)
def test_a_light_is_found(words, light, mention):
    assert find_light(words) == light
    assert find_light_words(words) == mention


@pytest.mark.parametrize(
    "words",
    [
        "",
        "light blue shirt",
        "no studio light",
        "a soft light green sweater",
        "in a studio",
        "sunglasses",
        "natural light blonde hair",
        "a soft light-coloured sweater",
        "soft light pink sweater",
        "backlit",
    ],
)
def test_other_words_name_none(words):
    assert find_light(words) is None


def test_every_light_is_found_by_its_name():
    assert [find_light(name) for name in LIGHT_NAMES] == list(LIGHT_NAMES)
