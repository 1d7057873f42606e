"""Tileable noise, made once a process and shifted for each use."""

from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter

from hifi_portrait.head.arrays import FloatArray


@cache
def _tile(scale: float, size: int) -> FloatArray:
    generator = np.random.default_rng([int(scale * 16), size])
    tile = gaussian_filter(generator.standard_normal((size, size)).astype(np.float32), scale, mode="wrap")
    return np.asarray(tile / tile.std())


def noise(rng: np.random.Generator, scale: float, size: int) -> FloatArray:
    """Smooth noise (size, size), mean about 0, deviation 1, features about ``scale`` pixels wide."""
    tile = np.roll(_tile(scale, size), tuple(rng.integers(0, size, 2)), (0, 1))
    return tile[:: 1 if rng.random() < 0.5 else -1, :: 1 if rng.random() < 0.5 else -1]
