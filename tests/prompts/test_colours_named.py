"""What prompts say of the colours of hair and clothes."""

from __future__ import annotations

import pytest

from hifi_portrait.prompts.clothes import CLOTHES_COLOURS, find_clothes, find_clothes_words
from hifi_portrait.prompts.glasses import find_glasses_words
from hifi_portrait.prompts.hair import HAIR_COLOURS, describe_hair, find_hair, find_hair_words


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
        ("a man with short hair in black suit", None),
        ("long hair with a red hair band", None),
        ("a light brown woman", None),
        ("she doesn't have red hair", None),
        ("no blond hair but black hair", "black"),
        ("blonde, blue-eyed woman", "blond"),
        ("dark brown, shoulder length hair", "dark-brown"),
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
    assert find_hair(words) == colour


@pytest.mark.parametrize("colour", HAIR_COLOURS)
def test_phrases_name_their_colour(colour):
    assert find_hair(f"a photo of a person with {describe_hair(colour)}") == colour


@pytest.mark.parametrize(
    ("words", "colour"),
    [
        ("a photo of a man with short auburn hair, wearing a purple t-shirt", "purple"),
        ("in a light blue polo shirt", "light-blue"),
        ("a dark red wool sweater", "burgundy"),
        ("wearing a navy-blue hoodie and a red scarf", "navy"),
        ("wearing a grey crew-neck jumper", "grey"),
        ("red hair, a black v-neck", "black"),
        ("wearing no white shirt", None),
        ("white hair and glasses", None),
        ("a red car behind a man in a suit", None),
        ("a white lab coat", "white"),
        ("blue long sleeve shirt", "blue"),
        ("instead of a red dress, a green dress", "green"),
        ("a red top hat", None),
        ("black dress shoes and a white shirt", "white"),
        ("a black man in a suit", None),
        ("brown hair and a coat", None),
        ("dressed in a beige coat", "beige"),
        ("a yellow turtleneck, a green jacket", "yellow"),
        ("blue background, white shirt", "white"),
        ("a woman in black", "black"),
        ("dressed in all white, smiling", "white"),
        ("a man wearing navy blue and a hat", "navy"),
        ("his shirt is red", "red"),
        ("a shirt in light blue", "light-blue"),
        ("a woman in a red room", None),
        ("in red light", None),
        ("a portrait of a woman in black and white", None),
        ("a face in red and blue light", None),
        ("a man in white and soft light", None),
        ("a man in grey with a hat", "grey"),
        ("", None),
    ],
)
def test_the_colour_is_that_of_the_clothes(words, colour):
    assert find_clothes(words) == colour


@pytest.mark.parametrize(
    ("words", "read", "said"),
    [
        ("a man with short red hair, tired", find_hair_words, "red hair"),
        ("a girl, dark brown, wavy hair", find_hair_words, "dark brown, wavy hair"),
        ("no red hair", find_hair_words, ""),
        ("with thick round glasses", find_glasses_words, "round glasses"),
        ("a man without glasses", find_glasses_words, "without glasses"),
        ("glasses with a round frame", find_glasses_words, "glasses with a round"),
        ("dark glasses", find_glasses_words, "dark glasses"),
        ("wine glasses", find_glasses_words, ""),
        ("a woman in black", find_clothes_words, "woman in black"),
    ],
)
def test_the_words_that_say_it_are_found(words, read, said):
    assert read(words) == said


@pytest.mark.parametrize("colour", CLOTHES_COLOURS)
def test_phrases_name_their_colour_of_clothes(colour):
    words = f"{colour.replace('-', ' ')} jumper"
    assert find_clothes(f"a photo of a person, wearing a {words}, outdoors") == colour
    assert find_clothes_words(f"a photo of a person, wearing a {words}, outdoors") == words
