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
