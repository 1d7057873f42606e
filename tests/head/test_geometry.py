from __future__ import annotations

import json

import numpy as np
import pytest

from head_samples import geometry_of
from hifi_portrait.head import Camera, HeadGeometry, HeadPose


@pytest.mark.parametrize("pose", [(0, 0, 0), (60, 40, 40), (-35, 20, -10), (12, -40, 3)])
def test_pose_survives_its_matrix(pose: tuple[float, float, float]) -> None:
    back = HeadPose.from_matrix(HeadPose(*pose).matrix())
    assert (back.yaw, back.pitch, back.roll) == pytest.approx(pose, abs=1e-9)


def test_positive_yaw_turns_the_nose_to_the_images_right() -> None:
    assert (HeadPose(yaw=30).matrix() @ [0, -1, 0])[0] > 0.4


def test_positive_pitch_looks_up() -> None:
    assert (HeadPose(pitch=20).matrix() @ [0, -1, 0])[2] > 0.3


def test_positive_roll_leans_the_crown_clockwise() -> None:
    assert (HeadPose(roll=20).matrix() @ [0, 0, 1])[0] > 0.3


def test_camera_projects_by_the_documented_formula() -> None:
    camera = Camera(focal=500.0, cx=100.0, cy=80.0, width=200, height=160)
    point = np.array([[0.1, 2.0, 0.3]])
    np.testing.assert_allclose(camera.project(point), [[100 + 25.0, 80 - 75.0]])


def test_field_of_view_spans_the_height() -> None:
    camera = Camera.from_fov((300, 200), fov=20.0)
    top = np.array([0.0, 1.0, np.tan(np.radians(10.0))])
    np.testing.assert_allclose(camera.project(top), [150.0, 0.0], atol=1e-9)


def test_scaling_keeps_the_picture() -> None:
    geometry = geometry_of(size=256)
    point = np.array([0.03, 1.3, -0.05])
    before, after = (
        geometry.camera.project(point) / 256,
        geometry.scaled_to(1024).camera.project(point) / 1024,
    )
    np.testing.assert_allclose(before, after)


def test_geometry_survives_json(rng: np.random.Generator) -> None:
    geometry = geometry_of(identity=rng.normal(size=80), pose=HeadPose(10, 5, -3), gaze=(3.0, -2.0))
    stored = json.loads(json.dumps({name: value.tolist() for name, value in geometry.to_dict().items()}))
    back = HeadGeometry.from_dict(stored)
    assert (back.camera.width, back.camera.height) == (256, 256)
    for name, value in geometry.to_dict().items():
        np.testing.assert_array_equal(back.to_dict()[name], value)


def test_geometry_survives_packing(rng: np.random.Generator) -> None:
    geometry = geometry_of(identity=rng.normal(size=80), pose=HeadPose(10, 5, -3), gaze=(3.0, -2.0))
    back = HeadGeometry.from_vector(geometry.to_vector())
    for name, value in geometry.to_dict().items():
        np.testing.assert_array_equal(back.to_dict()[name], value)


def test_packed_geometry_has_the_layout_of_files_already_written(rng: np.random.Generator) -> None:
    geometry = geometry_of(identity=rng.normal(size=80), pose=HeadPose(10, 5, -3), gaze=(3.0, -2.0))
    vector, camera = geometry.to_vector(), geometry.camera
    assert vector.shape == (151,)
    np.testing.assert_array_equal(vector[:80], geometry.identity)
    np.testing.assert_array_equal(vector[80:132], geometry.expression)
    np.testing.assert_array_equal(vector[132:141], geometry.rotation.ravel())
    np.testing.assert_array_equal(vector[141:144], geometry.translation)
    np.testing.assert_array_equal(vector[144:146], geometry.gaze)
    lens = [camera.focal, camera.cx, camera.cy, camera.width, camera.height]
    np.testing.assert_array_equal(vector[146:], np.float32(lens))


def test_a_camera_of_double_precision_is_not_rounded() -> None:
    focal = 700 + 1 / 3
    stored = {**geometry_of().to_dict(), "camera": [focal, 128.1, 127.9, 256, 256]}
    assert HeadGeometry.from_dict(stored).camera.focal == focal


def test_wrong_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r"expression must have shape \(52,\), got \(51,\)"):
        geometry_of(expression=np.zeros(51))
