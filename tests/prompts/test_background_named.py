"""Places, walls and backdrops that words name."""

import pytest

from hifi_portrait.prompts.background import find_background, find_background_words, find_named_background
from hifi_portrait.scenery.backdrop import BACKDROP_COLOURS, PLACE_VIEWS, WALLS, Backdrop


@pytest.mark.parametrize(
    ("words", "name", "mention"),
    [
        ("portrait of a man in a forest", "forest", "in a forest"),
        ("a photo of a woman, city street, night", "city", "city street"),
        ("a woman at the beach at sunset", "sunset", "at the beach at sunset"),
        ("a man in the city at night", "bokeh", "in the city at night"),
        ("A man in a field at night, smiling", "night", "in a field at night"),
        ("a man in a dark suit in an old town at dusk", "old town", "in an old town at dusk"),
        ("a woman in a red dress on the beach", "seaside", "on the beach"),
        ("sitting in a cosy living room with a cat", "room", "sitting in a cosy living room"),
        ("in front of a white brick wall", "white brick wall", "in front of a white brick wall"),
        ("in a library", "bookshelf", "in a library"),
        ("wearing a blue shirt, green background", "green backdrop", "green background"),
        ("a man against a plain dark red wall", "burgundy backdrop", "against a plain dark red wall"),
        ("the background is dark blue", "navy backdrop", "background is dark blue"),
        ("a dark background", "dark-grey backdrop", "dark background"),
        ("portrait, simple background", "grey backdrop", "simple background"),
        ("85mm, blurred background", "blur", "blurred background"),
        ("golden hour", "sunset", "golden hour"),
        ("golden hour, in a bedroom", "bedroom", "golden hour"),
        ("a man at night in the city", "bokeh", "at night"),
        ("a man, cinematic, depth of field", "blur", "depth of field"),
        ("a man without a beard in front of a brick wall", "brick wall", "in front of a brick wall"),
        ("a woman in a park holding a dog", "park", "in a park"),
        ("brick background", "brick wall", "brick background"),
    ],
)
def test_what_is_behind_the_person_is_found(words, name, mention):
    assert find_background(words) == name
    assert find_background_words(words) == mention


@pytest.mark.parametrize(
    "words",
    [
        "",
        "a photo of a man",
        "wearing a forest green sweater",
        "a woman in a forest green sweater",
        "studio light, short hair",
        "a man in black",
        "a man in a white shirt with a dark green tie",
        "no background",
        "a man, not in a park",
        "without a brick wall",
        "golden hour light",
        "a woman with a street dog",
        "with a bar of chocolate",
        "holding a white paper",
        "an expert in the field of physics",
        "portrait of Dawn",
    ],
)
def test_other_words_name_nothing_behind_the_person(words):
    assert find_background(words) is None
    assert find_background_words(words) == ""


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("with a forest in the background", "forest"),
        ("a woman with the sea behind her", "seaside"),
        ("behind her is a brick wall", "brick wall"),
        ("behind him there is a bookshelf", "bookshelf"),
        ("next to a brick wall", "brick wall"),
        ("trees in the background", "forest"),
        ("books in the background", "bookshelf"),
        ("the background is a dark forest", "forest"),
        ("change the background to a beach", "seaside"),
        ("replace the background with a plain white one", "white backdrop"),
        ("mountains in the distance", "desert"),
        ("walking through a forest", "forest"),
        ("a stone wall", "concrete wall"),
        ("a dark and moody background", "dark-grey backdrop"),
        ("in the moonlight", "night"),
        ("a woman in a park by moonlight", "night"),
        ("walking through a field of lavender at sunset", "sunset"),
        ("in the city of Paris at night", "bokeh"),
        ("outdoor portrait", "park"),
        ("a man standing outside", "park"),
        ("studio portrait of a man", "studio"),
        ("woman, desert, at dawn", "desert"),
    ],
)
def test_plain_wordings_are_understood(words, name):
    assert find_background(words) == name


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("outdoor portrait in a forest", "forest"),
        ("studio portrait, white background", "white backdrop"),
        ("simple background, red background", "red backdrop"),
        ("blurred background, in a forest", "forest"),
        ("shallow depth of field, in a cafe", "shopping mall"),
        ("golden hour, in front of a brick wall", "brick wall"),
        ("outdoor photo at sunset", "sunset"),
    ],
)
def test_what_says_more_counts_before_what_says_less(words, name):
    assert find_background(words) == name


@pytest.mark.parametrize(
    "words",
    [
        "an expert in his field",
        "a man in the field of medicine",
        "a leader in the field",
        "Dawn, a woman",
        "Dawn is smiling",
        "Mr. Park",
        "a man outside the city",
        "a man far from the city",
        "in front of the Golden Gate Bridge",
        "a woman in front of a brick house",
        "a waiter in front of a restaurant",
        "a white house behind her",
        "a woman in a sea of flowers",
        "in a forest of skyscrapers",
        "a bar of soap",
        "a map of the city behind him",
        "a man with a dog in the background",
        "black turtleneck, studio lighting",
        "a t-shirt that says 'park' and a hat",
    ],
)
def test_words_that_only_sound_like_a_place_name_none(words):
    assert find_background(words) is None


@pytest.mark.parametrize("words", ["park", "in a park", "White brick wall", "grey backdrop", "library"])
def test_a_background_by_itself(words):
    assert find_named_background(words) is not None


@pytest.mark.parametrize("words", ["park.jpg", "a man in a park", "parks/one", "reddish"])
def test_words_that_say_more_are_no_background(words):
    assert find_named_background(words) is None


def test_every_name_is_found_and_can_be_painted():
    names = [*PLACE_VIEWS, *WALLS, *(f"{colour} backdrop" for colour in BACKDROP_COLOURS)]
    for name in names:
        assert Backdrop.named(name) is not None
        if "bokeh" not in name:  # "bokeh" alone is a blur, and the lights are asked for as "bokeh lights"
            assert find_named_background(name.replace("-", " ")) == name
    assert find_named_background("red bokeh lights") == "red bokeh"
    assert Backdrop.named("nowhere") is None
