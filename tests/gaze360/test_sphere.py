"""Directions, pixels, tangent patches, arcs and rotations of the sphere."""

from __future__ import annotations

import numpy as np
import py360convert
import pytest
import torch

from mmrgaze360 import sphere
from mmrgaze360.sphere import torch_patches

W, H = 256, 128


@pytest.fixture(scope="module")
def smooth() -> np.ndarray:
    """A panorama (H, W, 3) that is smooth on the sphere, over seam and poles."""
    d = sphere.direction_grid(W, H)
    return np.stack([d[..., 0], d[..., 1] * d[..., 2], np.sin(3 * d[..., 2] + d[..., 1])], -1)


@pytest.fixture(scope="module")
def directions() -> np.ndarray:
    return sphere.unit(np.random.default_rng(0).normal(size=(500, 3)))


def test_the_middle_of_the_picture_is_straight_ahead_and_the_edge_behind() -> None:
    assert np.allclose(sphere.direction_to_pixel((0, 1, 0), W, H), (W / 2, H / 2))
    assert np.allclose(sphere.direction_to_pixel((1, 0, 0), W, H), (W * 3 / 4, H / 2))
    assert np.allclose(sphere.direction_to_pixel((0, 0, 1), W, H)[1], 0)
    assert np.allclose(sphere.direction_to_pixel((0, -1, 0), W, H), (0, H / 2))  # the seam
    assert np.allclose(sphere.direction_grid(W, H)[0, 0], sphere.pixel_to_direction((0.5, 0.5), W, H))


def test_pixels_and_directions_are_inverse(directions: np.ndarray) -> None:
    place = sphere.direction_to_pixel(directions, W, H)
    assert (place[:, 0] >= 0).all() and (place[:, 0] < W).all()
    assert np.abs(sphere.pixel_to_direction(place, W, H) - directions).max() < 1e-12
    lonlat = sphere.direction_to_lonlat(directions)
    assert np.abs(sphere.lonlat_to_direction(*lonlat.T) - directions).max() < 1e-12


def test_distances_are_exact_where_cosines_are_flat() -> None:
    near = sphere.rotation_about_vertical(1e-6) @ (0, 1, 0)
    assert np.degrees(sphere.angle_between((0, 1, 0), near)) == pytest.approx(1e-6, rel=1e-6)
    assert np.degrees(sphere.angle_between((0, -1, 0), near)) == pytest.approx(180 - 1e-6, rel=1e-12)


def test_solid_angles_fill_the_sphere() -> None:
    angles = sphere.solid_angles(W, H)
    assert angles.sum() == pytest.approx(4 * np.pi)
    upper_cap = angles[: H // 6].sum()  # within 30 degrees of the zenith
    assert upper_cap == pytest.approx(2 * np.pi * (1 - np.cos(np.pi * (H // 6) / H)))


@pytest.mark.parametrize("view", [(0, 0), (40, -20), (180, 10), (-90, 60), (12, 90)])
def test_patches_are_those_of_py360convert(smooth: np.ndarray, view: tuple[float, float]) -> None:
    size, fov = 32, 70.0
    patch = sphere.TangentPatch(
        rotation=sphere.rotation_of_view(sphere.lonlat_to_direction(*view)), fov=fov, size=size
    )
    if view[1] == 90:  # there "up" of the picture is where each library wants it
        turn = sphere.rotation_about_vertical(view[0])
        patch = sphere.TangentPatch(rotation=turn @ patch.rotation, fov=fov, size=size)
    # Its outermost samples lie on the edge of the view, ours half a pixel inside.
    theirs = np.degrees(2 * np.arctan(np.tan(np.radians(fov) / 2) * (size - 1) / size))
    expected = py360convert.e2p(smooth, theirs, view[0], view[1], (size, size))
    assert np.abs(patch.read(smooth) - expected).max() < 0.01


def test_patch_places_lead_back_to_the_directions() -> None:
    patch = sphere.TangentPatch(rotation=sphere.rotation_of_view((1, -1, 0.5), 20), fov=50, size=16)
    places = patch.project(patch.directions())
    columns, rows = np.meshgrid(np.arange(16) + 0.5, np.arange(16) + 0.5)
    assert np.abs(places - np.stack([columns, rows], -1)).max() < 1e-9
    assert np.isnan(patch.project(-patch.rotation[:, 1])).all()


def test_a_patch_at_the_seam_or_a_pole_has_no_edge(smooth: np.ndarray) -> None:
    d = sphere.direction_grid(W, H)
    for view in ((0, -1, 0), (0, 0, 1), (0, 0, -1)):
        patch = sphere.TangentPatch(rotation=sphere.rotation_of_view(view), fov=40, size=24)
        exact = sphere.unit(patch.directions())
        read = patch.read(np.stack([d[..., 0], d[..., 1], d[..., 2]], -1))
        assert np.abs(read - exact).max() < 1e-3


@pytest.mark.parametrize("fov", [0, 180])
def test_a_patch_of_half_the_sphere_is_refused(fov: float) -> None:
    with pytest.raises(ValueError, match="fov"):
        sphere.TangentPatch(rotation=np.eye(3), fov=fov, size=8)


def test_torch_reads_what_numpy_reads(smooth: np.ndarray) -> None:
    views = sphere.unit(np.array([(0, -1, 0.1), (0.2, 1, -3), (0, 0, 1.0)]))
    rotations = torch_patches.view_rotations(torch.from_numpy(views))
    rays = torch_patches.patch_directions(rotations, 60, 16)
    picture = torch.from_numpy(smooth).permute(2, 0, 1)[None].expand(3, -1, -1, -1)
    read = torch_patches.read_directions(picture, rays).permute(0, 2, 3, 1).numpy()
    for k, view in enumerate(views):
        patch = sphere.TangentPatch(rotation=sphere.rotation_of_view(view), fov=60, size=16)
        assert np.abs(rays[k].numpy() - sphere.unit(patch.directions())).max() < 1e-9
        assert np.abs(read[k] - patch.read(smooth)).max() < 1e-4
    grid = torch_patches.directions_of_grid(W, H, like=torch.zeros(1, dtype=torch.float64))
    assert np.abs(grid.numpy() - sphere.direction_grid(W, H)).max() < 1e-12


def test_sight_lines_lie_on_the_arc_from_eye_to_gaze(directions: np.ndarray) -> None:
    eye, gaze = np.array((1.2, 0.7, -0.3)), directions[0]
    seen = sphere.unit(eye + np.array((0.0, 0.5, 2.0, 30.0))[:, None] * gaze)
    offset, along = sphere.arc_offset(seen, sphere.unit(eye), gaze)
    assert offset.max() < 1e-7
    assert along[0] == pytest.approx(0, abs=1e-9) and (np.diff(along) > 0).all() and along[-1] < 1


def test_arc_points_are_evenly_spaced_and_offsets_measure_from_them() -> None:
    a, b = sphere.lonlat_to_direction(170, 10), sphere.lonlat_to_direction(-140, -20)  # across the seam
    points = sphere.arc_points(a, b, np.linspace(0, 1, 9))
    steps = sphere.angle_between(points[1:], points[:-1])
    assert np.ptp(steps) < 1e-12 and np.allclose(points[[0, -1]], [a, b])
    offset, along = sphere.arc_offset(points, a, b)
    assert offset.max() < 1e-7 and np.allclose(along, np.linspace(0, 1, 9))
    beyond, _ = sphere.arc_offset(sphere.arc_points(a, b, [1.5]), a, b)
    assert beyond[0] == pytest.approx(float(sphere.angle_between(a, b)) / 2)
    assert np.allclose(sphere.arc_points(a, a, [0.0, 1.0]), a)


def test_rotations_move_what_they_say() -> None:
    turned = sphere.rotation_about_vertical(30) @ sphere.lonlat_to_direction(170, 20)
    assert np.allclose(sphere.direction_to_lonlat(turned), (-160, 20))
    for end in ((0, 0, 1), (0, -1, 0), (0.6, 0.8, 0)):
        rotation = sphere.rotation_from_to((0, 1, 0), end)
        assert np.allclose(rotation @ (0, 1, 0), end)
        assert np.allclose(rotation @ rotation.T, np.eye(3)) and np.linalg.det(rotation) == pytest.approx(1)


def test_random_rotations_are_spread_evenly() -> None:
    rng = np.random.default_rng(1)
    rotations = np.stack([sphere.random_rotation(rng) for _ in range(4000)])
    assert np.abs(rotations.mean(0)).max() < 0.04
    assert np.abs((rotations**2).mean(0) - 1 / 3).max() < 0.03
    tilted = np.stack([sphere.random_rotation(rng, 30) for _ in range(300)])
    assert tilted[:, 2, 2].min() > np.cos(np.radians(30)) - 1e-9


def test_a_rotated_panorama_shows_the_same_sphere(smooth: np.ndarray) -> None:
    rotation = sphere.random_rotation(np.random.default_rng(2))
    turned = sphere.rotate_panorama(smooth, rotation)
    d = sphere.direction_grid(W, H) @ rotation  # where each pixel's content was
    exact = np.stack([d[..., 0], d[..., 1] * d[..., 2], np.sin(3 * d[..., 2] + d[..., 1])], -1)
    assert np.abs(turned - exact).max() < 2e-3
    back = sphere.rotate_panorama(turned, rotation.T)
    assert np.abs(back - smooth).max() < 4e-3


def test_rotating_bytes_rounds_and_keeps_their_type(smooth: np.ndarray) -> None:
    picture = np.uint8(np.clip(smooth * 100 + 128, 0, 255))
    turned = sphere.rotate_panorama(picture, sphere.rotation_about_vertical(360 * 5 / W))
    assert turned.dtype == np.uint8
    assert (turned == np.roll(picture, 5, 1)).mean() > 0.999


def test_turns_of_columns_add_up_to_the_last_digit(smooth: np.ndarray) -> None:
    picture = smooth + np.random.default_rng(3).normal(size=smooth.shape)  # noise: no smoothness helps
    picture = sphere.turn_columns(picture, 0, W)
    assert np.allclose(sphere.turn_columns(picture, 360 * 7 / W), np.roll(picture, 7, 1))
    twice = sphere.turn_columns(sphere.turn_columns(picture, 17.3), -58.8)
    whole = sphere.turn_columns(picture, -41.5)
    nyquist = 3 * np.abs(np.fft.rfft(picture, axis=1)[:, -1]).max() / W  # half a wave, which no shift keeps
    assert np.abs(twice - whole).max() < nyquist + 1e-9
    narrow = sphere.turn_columns(picture, -41.5, 64)
    assert np.abs(sphere.turn_columns(sphere.turn_columns(picture, 17.3), -58.8, 64) - narrow).max() < 1e-9


def test_fewer_columns_show_the_same_directions(smooth: np.ndarray) -> None:
    narrow = sphere.turn_columns(smooth, 0, 64)
    centres = sphere.pixel_to_direction(
        np.stack(np.meshgrid((np.arange(64) + 0.5) * 4, np.arange(H) + 0.5), -1), W, H
    )
    assert np.abs(narrow[..., 0] - centres[..., 0]).max() < 0.01
