from __future__ import annotations

import json

import numpy as np
import pytest

from hifi_portrait.errors import TargetError
from hifi_portrait.head import EXPRESSION_NAMES
from hifi_portrait.person.expressions import mix_parts, parse_expression
from hifi_portrait.person.target import Target


def coefficient(target: Target, name: str) -> float:
    return float(target.expression_vector()[EXPRESSION_NAMES.index(name)])


def test_a_strength_scales_a_preset() -> None:
    half = Target("smile:0.5").expression_vector()
    np.testing.assert_allclose(half, Target("smile").expression_vector() / 2)


def test_a_mix_has_the_largest_of_each_coefficient() -> None:
    mixed = Target("smile:0.9 + wink").expression_vector()
    smile, wink = Target("smile:0.9").expression_vector(), Target("wink").expression_vector()
    np.testing.assert_allclose(mixed, np.maximum(smile, wink))


def test_coefficients_may_be_written_and_mixed_with_presets() -> None:
    assert parse_expression("jawOpen=0.4, mouthSmileLeft=1") == (("jawOpen", 0.4), ("mouthSmileLeft", 1.0))
    mixed = Target("smile:0.5+jawOpen=0.3,browInnerUp=0.2")
    assert coefficient(mixed, "jawOpen") == pytest.approx(0.3)
    assert coefficient(mixed, "browInnerUp") == pytest.approx(0.2)
    assert coefficient(mixed, "mouthSmileLeft") == pytest.approx(
        coefficient(Target("smile"), "mouthSmileLeft") / 2
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("smile:1.5", r"strength of smile = 1\.5 is out of range"),
        ("smile:much", r"'smile:much' is not preset:strength, such as smile:0\.5"),
        ("smile+", "unknown expression preset ''"),
        ("smile+winc", r"'winc'\. Did you mean wink"),
        ("jawOpen=wide", r"'jawOpen=wide' is not name=number"),
        ("jawOpn=0.4", r"'jawOpn'\. Did you mean jawOpen"),
        ("jawOpen=2.4", r"jawOpen = 2\.4 is out of range"),
    ],
)
def test_words_that_are_no_expression(words: str, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        Target(words)


def test_a_target_knows_what_its_expression_was_mixed_of() -> None:
    parts = (("smile", 0.5), ("wink", 1.0))
    target = Target("smile:0.5+wink").replace(gaze=(3, 0))
    assert target.expression_parts == parts
    assert Target.from_dict(json.loads(json.dumps(target.to_dict()))).expression_parts == parts
    assert Target.preset("smile+wink", 0.5).expression_parts == (("smile", 0.5), ("wink", 0.5))


def test_another_expression_has_not_the_parts_of_the_one_before() -> None:
    assert Target("smile").replace(expression={"jawOpen": 0.3}).expression_parts == ()
    assert Target("smile").replace(expression="wink:0.5").expression_parts == (("wink", 0.5),)


def test_a_mix_takes_a_persons_own_presets() -> None:
    own = {"smile": tuple(np.eye(52)[3])}
    assert mix_parts((("smile", 0.5), ("jawOpen", 0.2)), own)[3] == 0.5
