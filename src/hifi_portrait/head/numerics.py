"""Small formulas that several rooms share."""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array


def smoothstep(values: Array, low: float = 0.0, high: float = 1.0) -> Array:
    """Rise from 0 at ``low`` to 1 at ``high``, level at both ends: t^2 (3 - 2 t)."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def block_mean(values: Array, factor: int) -> Array:
    """Shrink (H, W) or (H, W, C) by a whole factor: to the mean of each block of factor x factor pixels.

    H and W must be multiples of the factor.
    """
    height, width = values.shape[0] // factor, values.shape[1] // factor
    return np.asarray(values.reshape(height, factor, width, factor, *values.shape[2:]).mean(axis=(1, 3)))
