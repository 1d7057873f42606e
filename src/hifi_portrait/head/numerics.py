"""Small formulas that several rooms share, and what counts as a number."""

from __future__ import annotations

import math
from typing import Any

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
    if factor == 2:  # in the order in which NumPy itself adds up, and much faster
        a, b, c, d = values[::2, ::2], values[::2, 1::2], values[1::2, ::2], values[1::2, 1::2]
        colours = values.ndim == 3 and values.shape[2] > 1
        return np.asarray((a + b + c + d if colours else (a + b) + (c + d)) / 4)
    height, width = values.shape[0] // factor, values.shape[1] // factor
    return np.asarray(values.reshape(height, factor, width, factor, *values.shape[2:]).mean(axis=(1, 3)))


def as_number(value: Any) -> float | None:
    """Read a finite number, of Python, NumPy or torch, or an array of one; None if it is none.

    Text and truth values are no numbers.
    """
    if isinstance(value, bool | np.bool_ | str | bytes) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None
    return number if math.isfinite(number) else None


def as_whole(value: Any) -> int | None:
    """Read a whole number, as `as_number`; 2.0 is one, and 2.5 is not."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value  # of any size
    number = as_number(value)
    return int(number) if number is not None and number == int(number) else None
