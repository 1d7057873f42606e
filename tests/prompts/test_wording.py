"""Marks and spellings around words do not change what they say."""

from __future__ import annotations

import time

import pytest

from hifi_portrait.person.target import Target
from hifi_portrait.prompts.background import find_background
from hifi_portrait.prompts.effects import split_by_effect
from hifi_portrait.prompts.hair import find_hair
from hifi_portrait.prompts.wording import tidy


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ("A woman\nin a  park", "a woman in a park"),
        ("a woman in a park!", "a woman in a park."),
        ("woman – in a park – smiling", "woman, in a park, smiling"),
        ("woman in a park—oil painting", "woman in a park, oil painting"),
        ("in a park - smiling", "in a park, smiling"),
        ("a well-lit room", "a well-lit room"),
        ("“a woman in a park”", "a woman in a park"),
        ("a woman, 'in a park'", "a woman, in a park"),
        ("she doesn’t", "she doesn't"),
        ('a sign saying "park"', 'a sign saying ""'),
        ("a (red:1.2) dress, (brick wall:1.3)", "a red dress, brick wall"),
        ("brown_hair, simple_background", "brown hair, simple background"),
        ("in a park --ar 2:3 --no glasses", "in a park, --ar 2:3, --no glasses"),
        ("", ""),
    ],
)
def test_words_are_tidied_and_then_stay(words, plain):
    assert tidy(words) == plain
    assert tidy(plain) == plain


@pytest.mark.parametrize(
    "words",
    [
        "a woman in a park!",
        "in a park?",
        "woman – in a park – smiling",
        "woman in a park — oil painting",
        '"a woman in a park"',
        "“a woman in a park.”",
        "a woman (in a park)",
        "woman / in a park / smiling",
        "a woman in a park --ar 2:3",
    ],
)
def test_a_place_is_found_between_marks_of_all_kinds(words):
    assert find_background(words) == "park"


def test_tags_with_weights_are_read():
    assert find_hair("1girl, (brown_hair:1.2), solo") == "brown"


@pytest.mark.parametrize(
    "words",
    ["a" * 4000, "man and his " * 400, "no hat, cat or " * 300, "(" * 4000, ", " * 4000, " - " * 4000],
)
def test_long_prompts_are_read_in_a_moment(words):
    begun = time.process_time()
    split_by_effect(words, Target())
    assert time.process_time() - begun < 5
