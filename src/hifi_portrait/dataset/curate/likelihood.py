"""How much likelier two faces are if they are of one person than of two, learnt on the collection itself.

The two-covariance model (Ioffe, "Probabilistic linear discriminant analysis", ECCV 2006): a vector is its
person's place, one of a normal distribution over people, and a deviation from it, one of a normal
distribution over photos. Both covariances are measured: within groups that are nearly pure, and over all
faces. The whitened cosine knows how photos of one person differ; this knows, too, in which directions people
do, so that faces which are alike in what nearly all people share are not taken for one person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hifi_portrait.dataset.curate.rows import Rows, rows_by_label
from hifi_portrait.head.arrays import Array, FloatArray

_SHRINKAGE = 0.2
"""Weight of a round covariance of the same size beside the measured one."""

_LEAST_GROUP = 3
"""Faces that a group needs to say something of the scatter within a person."""

_LEAST_SCATTER = 2
"""Faces in such groups a dimension of the vectors, from which on covariances are learnt."""

_LEAST_BETWEEN = 1e-3
"""Variance between people, in variances within them, below which a direction says nothing."""


@dataclass(frozen=True, eq=False)
class LikelihoodRatios:
    """Of N faces what each ratio is made of: ``offsets[i] + offsets[j] + points[i] @ points[j]``."""

    points: FloatArray
    """(N, E)."""
    offsets: FloatArray
    """(N,)."""

    def of(self, rows: Rows, others: Rows) -> FloatArray:
        """Compute the natural logarithms of the ratios: (M, K) for (M,) and (K,) indices of faces."""
        products = self.points[rows] @ self.points[others].T
        return np.asarray(products + self.offsets[rows][:, None] + self.offsets[others])

    def of_pairs(self, rows: Rows, others: Rows) -> FloatArray:
        """Compute those of (M,) faces each with (M, K) others: (M, K)."""
        products = np.einsum("me,mke->mk", self.points[rows], self.points[others])
        return np.asarray(products + self.offsets[rows][:, None] + self.offsets[others])


def least_scatter(width: int) -> int:
    """Tell how many faces in groups of three and more are needed to learn from, by the width of vectors."""
    return _LEAST_SCATTER * width


def learn_ratios(vectors: FloatArray, groups: npt.NDArray[np.int64]) -> LikelihoodRatios | None:
    """Learn both covariances, and prepare the faces for comparison.

    Parameters
    ----------
    vectors
        (N, E) unit vectors.
    groups
        (N,) number of each face's group, nearly pure; -1 for none.

    Returns
    -------
    LikelihoodRatios or None
        None where the groups have too few faces.
    """
    groups_of = [rows for rows in rows_by_label(groups) if len(rows) >= _LEAST_GROUP and groups[rows[0]] >= 0]
    if sum(map(len, groups_of)) < least_scatter(vectors.shape[1]):
        return None
    points = (vectors - vectors.mean(axis=0)) @ _whitening(vectors, groups_of)
    points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)  # tails become normal
    points = points @ _whitening(points, groups_of)
    points -= points.mean(axis=0)
    values, axes = np.linalg.eigh(points.T @ points / len(points) - np.eye(points.shape[1]))
    between = np.maximum(values, _LEAST_BETWEEN)
    points = points @ axes
    offsets = -0.5 * np.square(points) @ (between**2 / ((1 + between) * (1 + 2 * between)))
    offsets += 0.5 * (np.log1p(between) - 0.5 * np.log1p(2 * between)).sum()
    points *= np.sqrt(between / (1 + 2 * between))
    return LikelihoodRatios(points.astype(np.float32), offsets.astype(np.float32))


def _whitening(vectors: Array, groups_of: list[Rows]) -> Array:
    """Compute the matrix (E, E) after which the scatter within groups is round, with variance 1."""
    scatter = []
    for rows in groups_of:
        apart = vectors[rows] - vectors[rows].mean(axis=0)
        scatter.append(apart * np.sqrt(len(rows) / (len(rows) - 1)))
    stacked = np.concatenate(scatter).astype(np.float64)
    width = stacked.shape[1]
    covariance = stacked.T @ stacked / len(stacked)
    covariance *= 1 - _SHRINKAGE
    covariance += _SHRINKAGE * np.trace(covariance) / (1 - _SHRINKAGE) / width * np.eye(width)
    values, axes = np.linalg.eigh(covariance)
    return np.asarray((axes * values**-0.5) @ axes.T)
