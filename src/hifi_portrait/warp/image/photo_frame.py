"""Where a portrait crop shows its photo: beyond the photo a crop repeats the photo's edge.

Drawn on a shoulder or behind a head, repeated edges are streaks.
"""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray


def in_photo(crop: Array) -> FloatArray:
    """1 where a crop (S, S, 3) shows its photo, 0 on repeated edges; (S, S).

    Crops are scaled and moved, not turned, so that repeated edges are equal rows and columns. Equal ones of a
    single colour count as photo: they may be a plain backdrop, and make no streaks.
    """
    shown = np.zeros(crop.shape[:2], np.float32)
    columns = crop.swapaxes(0, 1)
    top, left = _repeated(crop), _repeated(columns)
    bottom, right = len(crop) - _repeated(crop[::-1]), len(columns) - _repeated(columns[::-1])
    shown[top:bottom, left:right] = 1
    return shown


def _repeated(rows: Array) -> int:
    """How many rows (S, S, 3) at the beginning repeat one that comes after them."""
    first = rows[0]
    if (first == first[0]).all():
        return 0
    return next((number for number, row in enumerate(rows[1:]) if (row != first).any()), 0)
