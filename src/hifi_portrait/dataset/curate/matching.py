"""How alike faces are: by the recogniser's cosine, and by what the collection itself teaches.

The plain cosine decides first, strictly, and gives groups that are pure. Their scatter about their means, the
within-person covariance, says in which directions photos of one person differ; whitened by it, vectors tell
people apart better (the self-training of WebFace260M, Zhu et al., CVPR 2021). Whitening that is learnt on
most of a collection can draw together people of another kind who are few. So two faces belong together only
where the plain cosine says so too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.arrays import FloatArray

Rows = npt.NDArray[np.int64]
"""(M,) indices of faces."""

LOWEST_MARGIN = -8.0
"""Margin below which two faces are as unlike as any."""

_PLAIN_SPREAD = 0.02
"""Standard deviation of the default recogniser's cosine among photos of one person."""

_WHITENED_SPREAD = 0.12
"""The same of the whitened cosine."""

_SHRINKAGE = 0.2
"""Weight of a round covariance of the same size beside the measured one."""

_LEAST_GROUP = 3
"""Faces that a group needs to say something of the scatter within a person."""

_LEAST_SCATTER = 2
"""Faces in such groups a dimension of the vectors, from which on a covariance is learnt."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Matcher:
    """Vectors of N faces, and the thresholds from which on two of them are one person's."""

    plain: FloatArray
    """(N, E) unit vectors, as the recogniser gives them."""
    whitened: FloatArray | None = None
    """(N, E) unit vectors by `whiten`; None where the collection is too small to learn from."""
    plain_threshold: float
    """Cosine of plain vectors."""
    whitened_threshold: float = 0.0
    """Cosine of whitened vectors; of no meaning where there are none."""

    def at(self, *, plain: float, whitened: float) -> Self:
        """Give the same with other thresholds."""
        return replace(self, plain_threshold=plain, whitened_threshold=whitened)

    @property
    def vectors(self) -> FloatArray:
        """(N, E) the vectors that tell people apart better: the whitened ones where there are any."""
        return self.plain if self.whitened is None else self.whitened

    @property
    def threshold(self) -> float:
        """The threshold of `vectors`."""
        return self.plain_threshold if self.whitened is None else self.whitened_threshold

    def margins(self, rows: Rows, others: Rows | None = None) -> FloatArray:
        """Compute how far pairs of faces are above the thresholds.

        Parameters
        ----------
        rows, others
            (M,) and (K,) indices of faces; where ``others`` is None, pairs among ``rows``.

        Returns
        -------
        ndarray
            (M, K), 0 at the thresholds and positive for one person's: the lesser of both cosines' distances
            from their thresholds, each in the spread that it has among photos of one person.
        """
        others = rows if others is None else others
        plain = (self.plain[rows] @ self.plain[others].T - self.plain_threshold) / _PLAIN_SPREAD
        if self.whitened is None:
            return np.asarray(plain)
        whitened = self.whitened[rows] @ self.whitened[others].T - self.whitened_threshold
        return np.asarray(np.minimum(plain, whitened / _WHITENED_SPREAD))

    def mean_margin(self, rows: Rows, others: Rows) -> float:
        """Compute the mean margin between two groups of faces."""
        return float(np.maximum(self.margins(rows, others), LOWEST_MARGIN).mean())

    def centres(self, groups: list[Rows]) -> FloatArray:
        """Compute the unit vector in the middle of each group's `vectors`: (G, E)."""
        centres = np.stack([self.vectors[rows].mean(axis=0) for rows in groups])
        return np.asarray(centres / np.linalg.norm(centres, axis=1, keepdims=True))


def rows_by_label(labels: npt.NDArray[np.int64]) -> list[Rows]:
    """Find the indices of each label among (N,), for one label after the other, smallest first."""
    if not len(labels):
        return []
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)


def least_scatter(width: int) -> int:
    """Tell how many faces in groups of three and more are needed to learn from, by the width of vectors."""
    return _LEAST_SCATTER * width


def whiten(vectors: FloatArray, groups: npt.NDArray[np.int64]) -> FloatArray | None:
    """Whiten vectors by the scatter within groups that are pure.

    Parameters
    ----------
    vectors
        (N, E) unit vectors.
    groups
        (N,) number of each face's group; -1 for none.

    Returns
    -------
    ndarray or None
        (N, E) unit vectors; None where the groups have too few faces.
    """
    scatter, mean = [], vectors.mean(axis=0)
    for rows in rows_by_label(groups):
        if len(rows) >= _LEAST_GROUP and groups[rows[0]] >= 0:
            apart = vectors[rows] - vectors[rows].mean(axis=0)
            scatter.append(apart * np.sqrt(len(rows) / (len(rows) - 1)))
    width = vectors.shape[1]
    if sum(map(len, scatter)) < least_scatter(width):
        return None
    stacked = np.concatenate(scatter).astype(np.float64)
    covariance = stacked.T @ stacked / len(stacked)
    covariance *= 1 - _SHRINKAGE
    covariance += _SHRINKAGE * np.trace(covariance) / (1 - _SHRINKAGE) / width * np.eye(width)
    values, axes = np.linalg.eigh(covariance)
    moved = ((vectors - mean) @ ((axes * values**-0.5) @ axes.T)).astype(np.float32)
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12))
