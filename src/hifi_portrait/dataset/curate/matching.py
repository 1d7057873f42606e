"""How alike faces are: by the recogniser's cosine, and by what the collection itself teaches.

The plain cosine decides first, strictly, and gives groups that are nearly pure. From these the likelihood
ratio is learnt, which tells people apart better; and once more from the groups that it gives itself (the
self-training of WebFace260M, Zhu et al., CVPR 2021). What is learnt on most of a collection can draw together
people of another kind who are few. So two faces belong together only where the plain cosine says so too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from hifi_portrait.dataset.curate.likelihood import LikelihoodRatios
from hifi_portrait.dataset.curate.rows import Rows
from hifi_portrait.head.arrays import FloatArray

LOWEST_MARGIN = -8.0
"""Margin below which two faces are as unlike as any."""

_PLAIN_SPREAD = 0.02
"""Standard deviation of the default recogniser's cosine among photos of one person."""

_RATIO_SPREAD = 10.0
"""The same of the logarithm of the likelihood ratio, roughly."""

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False, kw_only=True)
class Matcher:
    """Vectors of N faces, and the thresholds from which on two of them are one person's."""

    plain: FloatArray
    """(N, E) unit vectors, as the recogniser gives them."""
    ratios: LikelihoodRatios | None = None
    """Likelihood ratios; None where the collection is too small to learn from."""
    plain_threshold: float
    """Cosine of plain vectors."""
    ratio_threshold: float = 0.0
    """Logarithm of the likelihood ratio; of no meaning where there are none."""

    def at(self, *, plain: float, ratio: float) -> Self:
        """Give the same with other thresholds."""
        return replace(self, plain_threshold=plain, ratio_threshold=ratio)

    def search_vectors(self, rows: Rows) -> FloatArray:
        """Give (M, E) unit vectors whose cosines find the faces most alike."""
        if self.ratios is None:
            return self.plain[rows]
        return _unit(self.ratios.points[rows])

    def margins(self, rows: Rows, others: Rows | None = None) -> FloatArray:
        """Compute how far pairs of faces are above the thresholds.

        Parameters
        ----------
        rows, others
            (M,) and (K,) indices of faces; where ``others`` is None, pairs among ``rows``.

        Returns
        -------
        ndarray
            (M, K), 0 at the thresholds and positive for one person's: the lesser of both distances from the
            thresholds, each in the spread that it has among photos of one person.
        """
        others = rows if others is None else others
        plain = (self.plain[rows] @ self.plain[others].T - self.plain_threshold) / _PLAIN_SPREAD
        if self.ratios is None:
            return np.asarray(plain)
        ratio = (self.ratios.of(rows, others) - self.ratio_threshold) / _RATIO_SPREAD
        return np.asarray(np.minimum(plain, ratio))

    def margins_of_pairs(self, rows: Rows, others: Rows) -> FloatArray:
        """Compute those of (M,) faces each with (M, K) others: (M, K)."""
        found = [np.zeros((0, others.shape[1]), np.float32)]
        for at in range(0, len(rows), _ROWS_AT_ONCE):
            here, there = rows[at : at + _ROWS_AT_ONCE], others[at : at + _ROWS_AT_ONCE]
            cosines = np.einsum("me,mke->mk", self.plain[here], self.plain[there])
            margins = (cosines - self.plain_threshold) / _PLAIN_SPREAD
            if self.ratios is not None:
                ratio = self.ratios.of_pairs(here, there) - self.ratio_threshold
                margins = np.minimum(margins, ratio / _RATIO_SPREAD)
            found.append(margins)
        return np.concatenate(found)

    def mean_margin(self, rows: Rows, others: Rows) -> float:
        """Compute the mean margin between two groups of faces."""
        return float(np.maximum(self.margins(rows, others), LOWEST_MARGIN).mean())

    def centres(self, groups: list[Rows]) -> FloatArray:
        """Compute the unit vector in the middle of each group's `search_vectors`: (G, E)."""
        return _unit(np.stack([self.search_vectors(rows).mean(axis=0) for rows in groups]))


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
