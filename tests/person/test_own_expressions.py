"""A person's own way of a preset, in which it takes the place of everybody's."""

from __future__ import annotations

import numpy as np
import pytest

from head_samples import geometry_of
from hifi_portrait.head import EXPRESSION_NAMES, HeadGeometry
from hifi_portrait.person.own_expressions import MOST_BLINK, use_own_expressions
from hifi_portrait.person.target import Target

OWN_SMILE = {
    "mouthSmileLeft": 0.62,
    "mouthSmileRight": 0.55,
    "cheekSquintLeft": 0.2,
    "cheekSquintRight": 0.25,
    "jawOpen": 0.1,
    "mouthUpperUpLeft": 0.15,
}


def head_with(**coefficients: float) -> HeadGeometry:
    values = [coefficients.get(name, 0.0) for name in EXPRESSION_NAMES]
    return geometry_of(expression=np.array(values, np.float32))


def test_where_a_photo_smiles_a_smile_is_that_smile() -> None:
    smiling = head_with(**OWN_SMILE)
    target = use_own_expressions(Target("smile"), [head_with(), smiling])
    np.testing.assert_allclose(target.expression_vector(), smiling.expression, atol=1e-6)


def test_a_strength_scales_the_persons_own_smile() -> None:
    smiling = head_with(**OWN_SMILE)
    target = use_own_expressions(Target("smile:0.5"), [smiling])
    np.testing.assert_allclose(target.expression_vector(), smiling.expression / 2, atol=1e-6)


def test_a_mix_has_the_persons_own_smile_and_the_rest_as_asked() -> None:
    target = use_own_expressions(Target("smile+browDownLeft=0.7"), [head_with(**OWN_SMILE)])
    vector = dict(zip(EXPRESSION_NAMES, target.expression_vector(), strict=True))
    assert vector["mouthSmileLeft"] == pytest.approx(0.62)
    assert vector["browDownLeft"] == pytest.approx(0.7)


@pytest.mark.parametrize("heads", [[head_with()], [head_with(jawOpen=0.5, browInnerUp=0.4)]])
def test_a_preset_that_no_photo_shows_is_everybodys(heads: list[HeadGeometry]) -> None:
    target = use_own_expressions(Target("smile"), heads)
    np.testing.assert_allclose(target.expression_vector(), Target("smile").expression_vector())


def test_a_faint_smile_is_made_to_show() -> None:
    faint = {name: 0.6 * value for name, value in OWN_SMILE.items()}
    drawn = use_own_expressions(Target("smile"), [head_with(**faint)]).expression_vector()
    assert drawn[EXPRESSION_NAMES.index("mouthSmileLeft")] > 0.45


def test_a_laugh_is_more_than_the_photos_smile() -> None:
    heads = [head_with(**OWN_SMILE)]
    smile, laugh = (
        use_own_expressions(Target(name), heads).expression_vector() for name in ("smile", "laugh")
    )
    assert (
        laugh[EXPRESSION_NAMES.index("mouthSmileLeft")]
        > smile[EXPRESSION_NAMES.index("mouthSmileLeft")] + 0.1
    )
    assert laugh[EXPRESSION_NAMES.index("jawOpen")] > smile[EXPRESSION_NAMES.index("jawOpen")]


def test_eyes_that_a_smiling_photo_shuts_stay_open() -> None:
    target = use_own_expressions(Target("smile"), [head_with(**OWN_SMILE, eyeBlinkLeft=0.45)])
    assert target.expression_vector()[EXPRESSION_NAMES.index("eyeBlinkLeft")] <= MOST_BLINK


def test_coefficients_that_were_asked_for_stay() -> None:
    target = Target({"mouthSmileLeft": 0.4, "mouthSmileRight": 0.4})
    assert use_own_expressions(target, [head_with(**OWN_SMILE)]) == target
