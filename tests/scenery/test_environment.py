from pathlib import Path

import cv2
import numpy as np
import pytest

from hifi_portrait.errors import DatasetError
from hifi_portrait.scenery.environment import (
    Environment,
    camera_rotation,
    directions,
    harmonics,
    irradiance_harmonics,
    light_from,
    load_environments,
    read_panorama,
    rotate_harmonics,
    solid_angles,
    view,
)

ROWS = 64


def smooth_panorama() -> np.ndarray:
    """A sky that is brighter on one side, and a darker ground."""
    d = directions(ROWS)
    sky = 1.0 + 0.5 * d[..., :1] + 0.3 * d[..., 2:]
    return sky * np.array((1.0, 0.8, 0.6))


def panorama_with_sun(azimuth: float = 70.0, elevation: float = 30.0, power: float = 400.0) -> np.ndarray:
    a, e = np.radians(azimuth), np.radians(elevation)
    sun = np.array((np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)))
    return smooth_panorama() + power * (directions(ROWS) @ sun > np.cos(np.radians(4)))[..., None]


def write_hdr(path: Path, radiance: np.ndarray) -> None:
    cv2.imwrite(str(path), np.ascontiguousarray(radiance[..., ::-1], np.float32))


def test_solid_angles_add_up_to_the_sphere():
    assert solid_angles(ROWS).sum() * 2 * ROWS == pytest.approx(4 * np.pi)


def test_harmonics_give_the_irradiance_of_a_numeric_integral():
    radiance = smooth_panorama()
    normal = np.array((0.48, -0.6, 0.64))
    cosine = np.maximum(directions(ROWS) @ normal, 0)
    integral = (radiance * (cosine * solid_angles(ROWS))[..., None]).sum((0, 1)) / np.pi
    np.testing.assert_allclose(harmonics(normal) @ irradiance_harmonics(radiance), integral, rtol=0.01)


def test_keys_and_ambient_keep_the_panoramas_energy():
    radiance = panorama_with_sun()
    environment = Environment.from_radiance("sunny", radiance)
    total = (radiance * solid_angles(ROWS)[..., None]).sum((0, 1))
    # The constant harmonic holds the mean irradiance over pi of the rest, which is its total over 4 pi.
    rest = environment.ambient[0] * 0.282095 * 4 * np.pi
    keys = np.pi * np.sum([key.rgb for key in environment.keys], axis=0)
    np.testing.assert_allclose(rest + keys, total, rtol=0.01)


def test_a_sun_becomes_one_key_light_in_its_direction():
    environment = Environment.from_radiance("sunny", panorama_with_sun(70, 30))
    a, e = np.radians(70), np.radians(30)
    sun = np.array((np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)))
    (key,) = environment.keys
    assert key.direction @ sun > np.cos(np.radians(2))
    assert key.softness < 0.5


def test_rotated_harmonics_are_those_of_the_rotated_frame():
    coefficients = irradiance_harmonics(panorama_with_sun())
    rotation = camera_rotation(37, 12)
    normals = directions(8).reshape(-1, 3)
    rotated = harmonics(normals) @ rotate_harmonics(coefficients, rotation)
    np.testing.assert_allclose(rotated, harmonics(normals @ rotation.T) @ coefficients, atol=1e-4)


@pytest.mark.parametrize("yaw", [0.0, 70.0, 160.0, -110.0])
def test_light_and_background_turn_together(yaw: float):
    environment = Environment.from_radiance("sunny", panorama_with_sun(70, 0, 4000))
    rotation = camera_rotation(yaw, 0)
    direction = light_from(environment, rotation).lights.direction[0]
    expected = np.radians(70 - yaw)
    np.testing.assert_allclose(direction, (np.sin(expected), np.cos(expected), 0), atol=0.03)
    seen = view(environment, rotation, 60, 64, 0.01)
    assert (seen.max() > 100) == (direction[1] > np.cos(np.radians(35)))


def test_the_sun_is_seen_where_its_light_comes_from():
    environment = Environment.from_radiance("sunny", panorama_with_sun(70, 10, 4000))
    rotation = camera_rotation(60, 5)
    x, y, z = light_from(environment, rotation).lights.direction[0]
    seen = view(environment, rotation, 60, 128, 0.01).mean(-1)
    row, column = np.argwhere(seen > seen.max() / 2).mean(0)
    focal = 64 / np.tan(np.radians(30))
    assert column == pytest.approx(64 + focal * x / y, abs=4)
    assert row == pytest.approx(64 - focal * z / y, abs=4)


def test_a_view_is_blurred_without_loss_of_light():
    environment = Environment.from_radiance("plain", np.full((ROWS, 2 * ROWS, 3), 0.7))
    np.testing.assert_allclose(view(environment, camera_rotation(10, 5), 40, 32, 0.05), 0.7, rtol=1e-4)


def test_panoramas_are_read_in_the_order_of_their_names(tmp_path: Path):
    for name in ("pmndrs_forest", "dark_beach"):
        write_hdr(tmp_path / f"{name}.hdr", smooth_panorama())
    first, second = load_environments(tmp_path)
    assert (first.name, second.name) == ("dark_beach", "pmndrs_forest")
    assert first.place.phrases == ("in a dark beach",)
    assert second.place.name == "forest"


def test_an_exr_file_is_read(tmp_path: Path):
    openexr = pytest.importorskip("OpenEXR")
    radiance = smooth_panorama().astype(np.float32)
    openexr.File({}, {"RGB": radiance}).write(str(tmp_path / "sky.exr"))
    np.testing.assert_allclose(read_panorama(tmp_path / "sky.exr"), radiance, rtol=1e-5)


def test_a_sun_that_lost_red_and_green_is_white(tmp_path: Path):
    radiance = smooth_panorama()
    radiance[20, 30] = (0, 0, 5000)
    write_hdr(tmp_path / "sun.hdr", radiance)
    red, green, blue = read_panorama(tmp_path / "sun.hdr")[20, 30]
    assert red == green == blue > 4000


def test_no_folder_is_an_error(tmp_path: Path):
    with pytest.raises(DatasetError, match="no folder of environments"):
        load_environments(tmp_path / "nowhere")


def test_a_folder_without_panoramas_is_an_error(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"no \.exr or \.hdr"):
        load_environments(tmp_path)


@pytest.mark.parametrize("ending", ["exr", "hdr"])
def test_a_broken_file_is_an_error(tmp_path: Path, ending: str):
    if ending == "exr":
        pytest.importorskip("OpenEXR")
    (tmp_path / f"broken.{ending}").write_bytes(b"not a picture")
    with pytest.raises(DatasetError, match="broken"):
        load_environments(tmp_path)


def test_a_picture_of_another_shape_is_an_error(tmp_path: Path):
    write_hdr(tmp_path / "square.hdr", np.ones((32, 32, 3)))
    with pytest.raises(DatasetError, match="twice as wide"):
        load_environments(tmp_path)
