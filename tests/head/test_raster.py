from __future__ import annotations

import numpy as np
import pytest

from head_samples import geometry_of
from hifi_portrait.head import HeadModel, Part, Raster, SurfaceView, rasterise
from hifi_portrait.head.model import part_vertices
from hifi_portrait.head.raster import fill_slits

SQUARE = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def slow_reference(
    points: np.ndarray, inverse: np.ndarray, triangles: np.ndarray, size: int
) -> tuple[np.ndarray, ...]:
    """Pixel by pixel, triangle by triangle, by solving for barycentric coordinates."""
    triangle, depth = np.full((size, size), -1), np.full((size, size), np.inf)
    barycentric = np.zeros((size, size, 3))
    for j in range(size):
        for i in range(size):
            for f, corners in enumerate(triangles):
                system = np.concatenate([points[corners].T, np.ones((1, 3))])
                if abs(np.linalg.det(system)) < 1e-9:
                    continue
                weights = np.linalg.solve(system, [i + 0.5, j + 0.5, 1.0])
                if (weights < -1e-12).any():
                    continue
                correct = weights * inverse[corners]
                z = 1 / correct.sum()
                if z < depth[j, i]:
                    triangle[j, i], depth[j, i], barycentric[j, i] = f, z, correct * z
    return triangle, barycentric, depth


def test_equals_a_slow_reference(rng: np.random.Generator) -> None:
    points = rng.uniform(-4, 24, (30, 2))
    inverse = rng.uniform(0.5, 2, 30)
    triangles = rng.integers(0, 30, (25, 3)).astype(np.int32)
    raster = rasterise(points, inverse, triangles, 20, 20)
    triangle, barycentric, depth = slow_reference(points, inverse, triangles, 20)
    np.testing.assert_array_equal(raster.triangle, triangle)
    np.testing.assert_allclose(raster.barycentric, barycentric, atol=1e-5)
    np.testing.assert_allclose(raster.depth, depth, rtol=1e-5)


def test_barycentrics_recover_the_point_in_space() -> None:
    geometry = geometry_of()
    corners = np.array([[-0.1, 1.0, -0.1], [0.12, 1.6, -0.05], [0.0, 1.2, 0.15]])
    raster = rasterise(geometry.camera.project(corners), 1 / corners[:, 1], np.array([[0, 1, 2]]), 256, 256)
    rows, columns = np.nonzero(raster.mask)
    points = raster.barycentric[rows, columns] @ corners
    pixels = geometry.camera.project(points)
    np.testing.assert_allclose(pixels, np.stack([columns, rows], 1) + 0.5, atol=1e-3)
    np.testing.assert_allclose(points[:, 1], raster.depth[rows, columns], rtol=1e-5)


def test_shared_edges_leave_no_gap() -> None:
    points = np.array([[2.3, 2.1], [17.9, 3.3], [18.2, 16.7], [3.1, 17.4]])
    raster = rasterise(points, np.ones(4), SQUARE, 20, 20)
    assert raster.mask[5:15, 5:15].all()


def test_triangles_behind_the_camera_and_not_numbers_are_left_out() -> None:
    points = np.array([[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [np.nan, 9.0]])
    raster = rasterise(points, np.array([1.0, 1.0, -1.0, 1.0]), SQUARE, 9, 9)
    assert not raster.mask.any()


def test_empty_mesh_gives_an_empty_picture() -> None:
    raster = rasterise(np.zeros((0, 2)), np.zeros(0), np.zeros((0, 3), np.int32), 4, 5)
    assert raster.triangle.shape == (4, 5)
    assert not raster.mask.any()


def test_faces_outside_the_vertices_are_refused() -> None:
    with pytest.raises(ValueError, match="there are 2"):
        rasterise(np.zeros((2, 2)), np.ones(2), SQUARE, 4, 4)


def test_interpolation_is_exact_for_linear_functions() -> None:
    points = np.array([[0.0, 0.0], [20.0, 0.0], [20.0, 20.0], [0.0, 20.0]])
    values = rasterise(points, np.ones(4), SQUARE, 20, 20).interpolate(points, SQUARE)
    x, y = np.meshgrid(np.arange(20) + 0.5, np.arange(20) + 0.5)
    np.testing.assert_allclose(values, np.stack([x, y], axis=-1), atol=1e-4)


def test_thin_openings_close_and_wide_ones_stay() -> None:
    triangle = np.zeros((20, 20), np.int32)
    triangle[5, 3:17] = 1
    triangle[10:16, 3:17] = 1
    raster = Raster(triangle, np.zeros((20, 20, 3), np.float32), np.ones((20, 20), np.float32))
    fill_slits(raster, np.array([0, 1], np.uint8), width=2.0)
    assert not raster.triangle[5].any()
    assert raster.triangle[10:16, 3:17].all()


def test_the_front_of_a_head_is_seen_and_its_back_is_not(model: HeadModel) -> None:
    view = SurfaceView.from_geometry(model, geometry_of())
    mean = model.mean[: model.num_vertices]
    nose, crown_back = mean[:, 1].argmin(), mean[:, 1].argmax()
    assert view.visibility[nose] > 0.8
    assert view.visibility[crown_back] == 0
    assert view.visibility.min() >= 0
    assert view.visibility.max() <= 1


def test_the_far_cheek_is_less_visible_on_a_turned_head(model: HeadModel) -> None:
    from hifi_portrait.head import HeadPose

    turned = SurfaceView.from_geometry(model, geometry_of(pose=HeadPose(yaw=45)))
    x = model.mean[: model.num_vertices, 0]
    face = model.mean[: model.num_vertices, 1] < -0.06
    far, near = face & (x > 0.04), face & (x < -0.04)
    assert turned.visibility[near].mean() > 2 * turned.visibility[far].mean()


def test_what_lies_outside_the_picture_is_not_visible(model: HeadModel) -> None:
    geometry = geometry_of().replace(translation=np.array([0.3, 1.4, 0.0]))
    view = SurfaceView.from_geometry(model, geometry)
    outside = (view.xy < 0).any(1) | (view.xy >= 1).any(1)
    assert outside.any()
    assert not view.visibility[outside].any()


def test_vertices_are_seen_as_far_as_they_face_the_camera_and_nothing_hides_them(model: HeadModel) -> None:
    geometry = geometry_of(size=512)
    view, posed = SurfaceView.from_geometry(model, geometry), model.posed(geometry)
    towards = -posed / np.linalg.norm(posed, axis=1, keepdims=True)
    facing = (model.normals(posed) * towards).sum(axis=1).clip(0, 1)
    assert (view.visibility <= facing + 1e-6).all()
    tongue, skin = part_vertices(model, Part.TONGUE), part_vertices(model, Part.SKIN)
    assert facing[tongue].max() > 0.5 and view.visibility[tongue].max() < 0.01  # behind closed lips
    front = skin[facing[skin] > 0.9]
    assert np.median(np.abs(view.visibility - facing)[front]) < 1e-6


def test_triangles_that_are_not_shown_hide_nothing_and_keep_their_numbers() -> None:
    points = np.array([[0, 0], [8, 0], [8, 8], [0, 8], [0, 0], [8, 0], [8, 8]], float)
    inverse = np.array([1, 1, 1, 1, 2, 2, 2], float)  # the third triangle is before the first
    triangles = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6]], np.int32)
    everything = rasterise(points, inverse, triangles, 8, 8)
    assert set(np.unique(everything.triangle)) == {1, 2}
    without = rasterise(points, inverse, triangles, 8, 8, np.array([0]))
    assert set(np.unique(without.triangle)) == {-1, 0}
    last = rasterise(points, inverse, triangles, 8, 8, np.array([2]))
    assert np.array_equal(last.triangle == 2, everything.triangle == 2)


def test_a_window_shows_what_the_picture_shows_there() -> None:
    raster = rasterise(np.array([[0, 0], [8, 0], [8, 8.0]]), np.ones(3), np.array([[0, 1, 2]]), 8, 8)
    window = slice(1, 4), slice(2, 7)
    cut = raster.crop(window)
    assert np.array_equal(cut.triangle, raster.triangle[window])
    assert np.array_equal(cut.barycentric, raster.barycentric[window])
    assert np.array_equal(cut.depth, raster.depth[window])
