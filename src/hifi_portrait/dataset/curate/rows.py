"""Indices of faces, sorted by what they are labelled with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
"""(M,) indices of faces."""


def rows_by_label(labels: npt.NDArray[np.int64]) -> list[Rows]:
    """Find the indices of each label among (N,), for one label after the other, smallest first."""
    if not len(labels):
        return []
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
