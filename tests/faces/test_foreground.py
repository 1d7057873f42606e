from __future__ import annotations

import cv2
import numpy as np
import pytest

from hifi_portrait.faces.foreground import estimate_foreground
from hifi_portrait.head.arrays import ByteArray, FloatArray

HAIR, BACKDROP = np.array([50.0, 35.0, 25.0]), np.array([225.0, 230.0, 235.0])


@pytest.fixture(scope="module")
def strands() -> tuple[ByteArray, FloatArray]:
    """A dark head with thin strands before a light backdrop, and its matte."""
    matte = np.zeros((128, 128), np.float32)
    cv2.circle(matte, (64, 64), 30, 1.0, -1)
    for angle in np.linspace(0, 2 * np.pi, 40):
        end = (round(64 + 50 * np.cos(angle)), round(64 + 50 * np.sin(angle)))
        cv2.line(matte, (64, 64), end, 0.7, 1, cv2.LINE_AA)
    cv2.circle(matte, (64, 64), 28, 1.0, -1)
    matte = cv2.GaussianBlur(matte, (0, 0), 0.6)
    mixed = matte[..., None] * HAIR + (1 - matte[..., None]) * BACKDROP
    return mixed.round().astype(np.uint8), matte


def test_strands_get_the_hairs_colour_back(strands: tuple[ByteArray, FloatArray]) -> None:
    picture, matte = strands
    mixed = (matte > 0.1) & (matte < 0.9)
    colours = estimate_foreground(picture, matte)[mixed]
    assert np.abs(colours - HAIR).max(axis=1).mean() < 6
    assert np.abs(picture[mixed] - HAIR).max(axis=1).mean() > 60  # so far off is the photo itself


def test_a_new_background_shows_no_light_rim(strands: tuple[ByteArray, FloatArray]) -> None:
    picture, matte = strands
    weight = matte[..., None]
    on_black = weight * estimate_foreground(picture, matte)
    assert np.abs(on_black - weight * HAIR).max() < 12


def test_the_person_alone_is_left_as_the_photo_shows_it(strands: tuple[ByteArray, FloatArray]) -> None:
    picture, matte = strands
    inside = matte == 1
    np.testing.assert_array_equal(estimate_foreground(picture, matte)[inside], picture[inside])


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_matte_without_edges_gives_finite_colours(value: float) -> None:
    picture = np.full((32, 40, 3), 90, np.uint8)
    colours = estimate_foreground(picture, np.full((32, 40), value, np.float32))
    assert colours.shape == picture.shape
    assert colours.dtype == np.float32
    assert np.isfinite(colours).all()


def test_a_matte_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the picture's height and width"):
        estimate_foreground(np.zeros((32, 40, 3), np.uint8), np.zeros((40, 32), np.float32))
