from functools import cache
from typing import Any

import numpy as np
import pytest

from hifi_portrait.synthetic import Person, PhotoSetup
from hifi_portrait.synthetic.caption import article, caption
from hifi_portrait.synthetic.photograph import describe


@cache
def captions() -> list[tuple[dict[str, Any], str]]:
    drawn = [describe(Person.sample(seed), PhotoSetup.sample(seed)) for seed in range(200)]
    return [(attributes, caption(attributes, np.random.default_rng(k))) for k, attributes in enumerate(drawn)]


def test_glasses_are_said_only_where_they_are_worn():
    assert all(attributes["glasses"] != "none" for attributes, text in captions() if "glasses" in text)


def test_a_beard_is_said_only_where_there_is_one():
    said = [
        a
        for a, text in captions()
        if any(word in text for word in ("beard", "stubble", "goatee", "moustache"))
    ]
    assert said
    assert all(attributes["beard"] != "none" for attributes in said)


def test_the_clothing_said_is_the_clothing_worn():
    for attributes, text in captions():
        if "wearing" in text:
            assert attributes["clothing"] in text


def test_head_pose_is_never_said():
    words = ("yaw", "turned", "tilted", "left", "right", "profile", "degrees")
    assert not any(word in text.split() for _, text in captions() for word in words)


def test_a_style_other_than_photo_is_always_said():
    attributes = describe(Person.sample(3), PhotoSetup.sample(3, style="watercolour"))
    assert "watercolour" in caption(attributes, np.random.default_rng(0))


def test_captions_vary():
    attributes = describe(Person.sample(3), PhotoSetup.sample(3))
    assert len({caption(attributes, np.random.default_rng(seed)) for seed in range(50)}) > 30


def test_no_caption_has_a_gap_or_two_articles():
    for _, text in captions():
        assert "  " not in text
        assert " a a " not in text and " a an " not in text


@pytest.mark.parametrize(("phrase", "expected"), [("olive top", "an olive top"), ("red top", "a red top")])
def test_articles(phrase: str, expected: str):
    assert article(phrase) == expected
