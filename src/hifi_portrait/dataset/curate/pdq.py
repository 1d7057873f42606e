"""PDQ, a perceptual hash of 256 bits: pictures that look alike have nearly the same bits.

Facebook, The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm (2019). It stands here
because the packages that offer it have to be compiled where they are installed.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, ByteArray, FloatArray

_LUMINANCE = np.array([[0.299, 0.587, 0.114]], np.float32)

_SMALL = 64
"""Side of the picture that is transformed."""

_KEPT = 16
"""Frequencies kept in each direction, from the first above the mean on."""

_LARGEST = 256
"""Longer side above which pictures are made smaller first."""


def pdq_of(picture: ByteArray) -> bytes:
    """Hash a uint8 RGB picture (H, W, 3): 32 bytes, whose differing bits are counted to compare two."""
    scale = min(_LARGEST / max(picture.shape[:2]), 1)
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    shrunk = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1 else picture
    small = _decimate(np.asarray(cv2.transform(np.asarray(shrunk, np.float32), _LUMINANCE)))
    spectrum = _COSINES @ small @ _COSINES.T
    return np.packbits((spectrum > np.median(spectrum)).ravel()[::-1]).tobytes()


def _decimate(luminance: FloatArray) -> FloatArray:
    """Blur (H, W) by two box filters, about a 128th of each side wide, and take 64 x 64 of its places."""
    height, width = luminance.shape
    window = _window(height, width)
    count = _places_in_windows(height, width)
    for _ in range(2):
        luminance = np.asarray(_box_sum(luminance, window) / count, np.float32)
    rows, columns = (((np.arange(_SMALL) + 0.5) * side / _SMALL).astype(int) for side in (height, width))
    return np.asarray(luminance[np.ix_(rows, columns)], np.float32)


def _window(height: int, width: int) -> list[int]:
    return [(side + 2 * _SMALL - 1) // (2 * _SMALL) for side in (width, height)]


@lru_cache(maxsize=8)
def _places_in_windows(height: int, width: int) -> FloatArray:
    """How many places (H, W) of a picture are in the box filter's window about each; kept for next time."""
    return _box_sum(np.ones((height, width), np.float32), _window(height, width))


def _box_sum(values: FloatArray, window: list[int]) -> FloatArray:
    """Sum (H, W) in windows, which reach as far back as forward or one less; beyond the edge is 0."""
    anchor = [(width - 1) // 2 for width in window]
    summed = cv2.boxFilter(values, -1, window, anchor=anchor, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(summed, np.float32)


def _cosines() -> Array:
    """Rows 1 to 16 of the discrete cosine transform of 64 values."""
    row, place = np.mgrid[1 : _KEPT + 1, 0:_SMALL]
    return np.asarray(np.sqrt(2 / _SMALL) * np.cos(np.pi / (2 * _SMALL) * row * (2 * place + 1)), np.float32)


_COSINES = _cosines()
