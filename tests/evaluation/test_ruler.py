"""Rulers: from signs to degrees and coefficients."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.evaluation.scorers.calibration import Ruler, Rulers
from hifi_portrait.evaluation.scorers.scorers import Reading

SIGNS = np.array([[0.0, 1], [1, 0], [2, 5], [3, 1], [5, 2]])
TRUE = 2 * SIGNS[:, 0] - SIGNS[:, 1] + 3


def test_a_linear_reader_is_put_right():
    ruler = Ruler.fit(TRUE, SIGNS)
    np.testing.assert_allclose(ruler(SIGNS), TRUE, atol=1e-9)
    assert ruler.error == pytest.approx(0, abs=1e-9)
    assert ruler.correlation == pytest.approx(1)


def test_pictures_without_a_face_do_not_count():
    ruler = Ruler.fit(np.append(TRUE, 90.0), np.vstack([SIGNS, [np.nan, np.nan]]))
    assert ruler.weights == pytest.approx((2, -1))


def test_the_error_left_is_the_mean_absolute_one():
    ruler = Ruler.fit(np.array([0.0, 1, 0, 1]), np.zeros((4, 1)))
    assert ruler.error == pytest.approx(0.5)


def test_rulers_are_read_back_as_they_were(tmp_path):
    rulers = Rulers(4, {"yaw": Ruler((1.5,), 0.25, 0.5, 0.9)})
    rulers.save(tmp_path / "new" / "rulers.json")
    assert Rulers.load(tmp_path / "new" / "rulers.json") == rulers


def test_a_picture_without_a_face_is_not_a_number():
    rulers = Rulers(4, {"smile": Ruler((1.0, 2.0), 0.5, 0, 1)})
    read = rulers([[Reading(), Reading(signs={"smile": np.array([1.0, 1.0])})]])
    np.testing.assert_array_equal(read["smile"], [[np.nan, 3.5]])
