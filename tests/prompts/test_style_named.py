"""Styles of pictures that words name."""

import pytest

from hifi_portrait.prompts.style import find_style, find_style_words


@pytest.mark.parametrize(
    ("words", "style", "mention"),
    [
        ("oil painting of a man", "oil painting", "oil painting"),
        ("an impressionist painting", "oil painting", "impressionist painting"),
        ("a Black and White photo of a woman", "black and white photo", "black and white photo"),
        ("monochrome portrait", "black and white photo", "monochrome portrait"),
        ("sepia", "sepia photo", "sepia"),
        ("a watercolor of a girl", "watercolour", "watercolor"),
        ("pencil drawing of a girl", "pencil sketch", "pencil drawing"),
        ("vintage sepia photo of a man", "sepia photo", "sepia photo"),
        ("portrait in the style of an oil painting", "oil painting", "oil painting"),
        ("in comic book style", "comic", "comic book style"),
    ],
)
def test_a_style_is_found(words, style, mention):
    assert find_style(words) == style
    assert find_style_words(words) == mention


@pytest.mark.parametrize(
    "words",
    [
        "",
        "a photo",
        "wearing a black and white striped shirt",
        "a woman in a pencil skirt",
        "a man in front of a painting",
        "not a painting",
        "wearing a charcoal suit",
        "a pencil behind her ear",
        "a black and white jacket",
        "a t-shirt with a cartoon on it",
        "holding a painting",
        "a watercolor tattoo",
    ],
)
def test_other_words_name_none(words):
    assert find_style(words) is None
    assert find_style_words(words) == ""
