"""The head-pose ruler."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.evaluation.ruler import PoseRuler, poses
from hifi_portrait.evaluation.scorers import Reading

TRUE = np.array([[-40.0, -10, -5], [0, 0, 0], [20, 5, 10], [40, 10, 0]])
READ = (TRUE - [3, -2, 1]) / [1.1, 0.9, 1.0]


def test_a_linear_reader_is_put_right():
    ruler = PoseRuler.fit(TRUE, READ)
    np.testing.assert_allclose(ruler(READ), TRUE, atol=1e-9)
    np.testing.assert_allclose(ruler.error, 0, atol=1e-9)


def test_pictures_without_a_face_do_not_count():
    read = np.vstack([READ, np.full(3, np.nan)])
    true = np.vstack([TRUE, [90.0, 90, 90]])
    assert PoseRuler.fit(true, read).gain == pytest.approx((1.1, 0.9, 1.0))


def test_a_ruler_is_read_back_as_it_was(tmp_path):
    ruler = PoseRuler.fit(TRUE, READ)
    ruler.save(tmp_path / "new" / "ruler.json")
    assert PoseRuler.load(tmp_path / "new" / "ruler.json") == ruler


def test_poses_are_not_a_number_where_none_was_read():
    read = poses([Reading(), Reading(pose=np.array([1.0, 2, 3]))])
    np.testing.assert_array_equal(read, [[np.nan] * 3, [1, 2, 3]])
