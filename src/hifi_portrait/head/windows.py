"""Windows of a picture: the part of it that is worked on."""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray

Window = tuple[slice, slice]
"""Rows and columns."""


def window_around(where: BoolArray, margin: int = 2) -> Window:
    """Find the smallest window with all places of a mask (H, W), and so many more on each side."""
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    low, high = slice(max(rows[0] - margin, 0), rows[-1] + margin + 1), columns[-1] + margin + 1
    return low, slice(max(columns[0] - margin, 0), high)


def box_around(pixels: Array) -> Window:
    """Find the smallest window of a picture with all of some pixels (P, 2), and two more around."""
    low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - 2, 0)
    high = np.maximum(np.ceil(pixels.max(axis=0)).astype(int) + 3, 0)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))
