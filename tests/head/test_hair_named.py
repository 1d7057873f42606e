"""What prompts say of the colour of hair."""

from __future__ import annotations

import pytest

from hifi_portrait.head.hair_named import HAIR_COLOURS, hair_in, hair_phrase


@pytest.mark.parametrize(
    ("words", "colour"),
    [
        ("a photo of a man with short curly black hair", "black"),
        ("a woman with Light  Blond hair in a bun", "light-blond"),
        ("platinum blonde hair", "light-blond"),
        ("a black jacket and curly hair", None),
        ("wearing a red dress, long hair", None),
        ("a blonde woman", "blond"),
        ("a brunette man in blue", "brown"),
        ("a black man with grey hair", "grey"),
        ("a white woman", None),
        ("a red-haired girl", "red"),
        ("no red hair", None),
        ("not a blond man, but with auburn curls", "auburn"),
        ("a photo of a woman, a dark brown bob with a fringe", "dark-brown"),
        ("her hair is dyed, hair dyed pink", "pink"),
        ("blue eyes and blond hair", "blond"),
        ("side-parted silver hair", "grey"),
        ("", None),
    ],
)
def test_the_colour_is_that_of_the_hair(words, colour):
    assert hair_in(words) == colour


@pytest.mark.parametrize("colour", HAIR_COLOURS)
def test_phrases_name_their_colour(colour):
    assert hair_in(f"a photo of a person with {hair_phrase(colour)}") == colour
