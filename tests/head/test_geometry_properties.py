"""What holds for every head pose, camera and geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hifi_portrait.head import Camera, HeadGeometry, HeadPose

angles = st.floats(-179, 179, width=32)
pitches = st.floats(-88, 88, width=32)
poses = st.builds(HeadPose, yaw=angles, pitch=pitches, roll=angles)
sizes = st.tuples(st.integers(32, 1024), st.integers(32, 1024))
cameras = st.builds(Camera.from_fov, sizes, fov=st.floats(5, 90))
places = arrays.arrays("float64", (5, 3), elements=st.floats(-0.5, 0.5, width=32)).map(
    lambda points: np.add(points, (0, 2, 0))
)


def vectors(count, low, high):
    return arrays.arrays("float32", count, elements=st.floats(low, high, width=32))


geometries = st.builds(
    HeadGeometry,
    identity=vectors(80, -3, 3),
    expression=vectors(52, 0, 1),
    rotation=poses.map(HeadPose.matrix),
    translation=vectors(3, -2, 2),
    gaze=vectors(2, -40, 40),
    camera=cameras,
)


@given(poses)
def test_a_pose_is_a_rotation(pose):
    rotation = pose.matrix()
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)


@given(poses)
def test_a_pose_comes_back_from_its_matrix(pose):
    again = HeadPose.from_matrix(pose.matrix())
    np.testing.assert_allclose(
        (again.yaw, again.pitch, again.roll), (pose.yaw, pose.pitch, pose.roll), atol=1e-4
    )


@given(geometries)
def test_a_geometry_comes_back_from_its_arrays(geometry):
    again = HeadGeometry.from_dict(geometry.to_dict())
    for name in ("identity", "expression", "rotation", "translation", "gaze"):
        np.testing.assert_array_equal(getattr(again, name), getattr(geometry, name))
    assert (again.camera.width, again.camera.height) == (geometry.camera.width, geometry.camera.height)
    np.testing.assert_allclose(
        (again.camera.focal, again.camera.cx, again.camera.cy),
        (geometry.camera.focal, geometry.camera.cx, geometry.camera.cy),
        rtol=1e-6,
    )


@given(geometries)
def test_a_geometry_comes_back_from_plain_lists(geometry):
    """As JSON and tables hold it."""
    lists = {name: value.tolist() for name, value in geometry.to_dict().items()}
    again = HeadGeometry.from_dict(lists)
    np.testing.assert_array_equal(again.rotation, geometry.rotation)
    np.testing.assert_array_equal(again.expression, geometry.expression)


@given(cameras, places, st.tuples(st.integers(32, 1024), st.integers(32, 1024)))
def test_a_picture_of_another_size_shows_points_at_the_same_shares_of_its_height(camera, points, size):
    scaled = camera.scaled_to(size[1])
    np.testing.assert_allclose(
        scaled.project(points)[:, 1] / scaled.height, camera.project(points)[:, 1] / camera.height, atol=1e-9
    )


@given(cameras, places)
def test_points_above_are_drawn_above_and_points_to_the_right_to_the_right(camera, points):
    moved = np.add(points, (0.01, 0, 0.01))
    shift = camera.project(moved) - camera.project(points)
    assert (shift[:, 0] > 0).all() and (shift[:, 1] < 0).all()
