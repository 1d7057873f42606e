from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.faces.geometry import (
    crop_size,
    crop_square,
    cut_out,
    similarity,
    square_transform,
    transform_points,
)


def test_similarity_recovers_a_known_one() -> None:
    points = np.random.default_rng(0).normal(size=(6, 2)) * 50
    matrix = square_transform(np.array([30.0, 70.0]), 80.0, 150, 25.0)
    np.testing.assert_allclose(similarity(points, transform_points(points, matrix)), matrix, atol=1e-9)


def test_square_transform_puts_the_centre_in_the_middle() -> None:
    matrix = square_transform(np.array([30.0, 70.0]), 80.0, 256, 40.0)
    np.testing.assert_allclose(transform_points(np.array([[30.0, 70.0]]), matrix), [[128, 128]])


def test_landmark_depth_is_scaled_with_the_picture() -> None:
    matrix = square_transform(np.zeros(2), 100.0, 200)
    assert transform_points(np.array([[1.0, 2.0, 3.0]]), matrix)[0, 2] == pytest.approx(6.0)


def test_cut_out_of_the_whole_picture_is_the_picture(portrait: np.ndarray) -> None:
    matrix = square_transform(np.array([128.0, 128.0]), 256.0, 256)
    assert np.array_equal(cut_out(portrait, matrix, 256), portrait)


@pytest.mark.parametrize("size", [96, 40, 600])
def test_points_land_where_the_pixels_do(size: int) -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    y, x = np.mgrid[0:300, 0:400] + 0.5
    spot = np.array([[231.0, 118.0]])
    image[:] = (255 * np.exp(-((x - spot[0, 0]) ** 2 + (y - spot[0, 1]) ** 2) / 200))[..., None]
    matrix = square_transform(np.array([200.0, 150.0]), 250.0, size, 20.0)
    seen = cut_out(image, matrix, size)[:, :, 0].astype(float)
    v, u = np.mgrid[0:size, 0:size] + 0.5
    centre = np.array([(u * seen).sum(), (v * seen).sum()]) / seen.sum()
    np.testing.assert_allclose(centre, transform_points(spot, matrix)[0], atol=0.1)


def test_what_is_made_smaller_is_averaged(rng: np.random.Generator) -> None:
    """Of noise an eighth of its deviation is left at an eighth of the size; picked pixels would keep half."""
    noise = rng.normal(128, 40, (512, 512, 1)).clip(0, 255).astype(np.uint8).repeat(3, axis=2)
    small = cut_out(noise, square_transform(np.array([256.0, 256.0]), 512.0, 64), 64)
    assert small[4:-4, 4:-4].std() < 40 / 8 * 1.4


def test_beyond_the_picture_its_edge_is_repeated() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[:, 99] = 200
    crop = cut_out(image, square_transform(np.array([150.0, 50.0]), 80.0, 40), 40)
    assert (crop[:, 5:] == 200).all()


def test_crop_is_made_large_only_where_there_are_pixels() -> None:
    sides = (80, 256, 383, 384, 767, 768, 3000)
    assert [crop_size(side) for side in sides] == [256, 256, 256, 512, 512, 1024, 1024]


def test_crop_follows_scale_and_shift() -> None:
    landmarks = np.random.default_rng(0).normal(size=(478, 3)) * 30
    centre, side = crop_square(landmarks)
    moved, larger = crop_square(landmarks * 2 + [5, 7, 0])
    assert larger == pytest.approx(2 * side)
    np.testing.assert_allclose(moved, 2 * centre + [5, 7])
