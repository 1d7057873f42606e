"""The measures of the benchmark, as plain functions of arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg, stats

from hifi_portrait.head.arrays import Array, BoolArray, ByteArray, IntArray


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % confidence interval."""

    value: float
    """Of all people."""
    low: float
    """The 2.5th percentile of the resampled values."""
    high: float
    """The 97.5th."""


def normalise(vectors: Array) -> Array:
    """Scale vectors (..., D) to unit length; a zero vector, which stands for "no face found", stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Array = np.divide(vectors, length, out=np.zeros_like(vectors, dtype=np.float64), where=length > 0)
    return unit


def cosine_similarity(a: Array, b: Array) -> Array:
    """Compare row by row, (N, D) and (N, D) -> (N,); (N, D) and (D,) broadcast."""
    cosines: Array = (normalise(a) * normalise(b)).sum(-1)
    return cosines


def similarity_matrix(queries: Array, gallery: Array) -> Array:
    """Compare every query (N, D) with every gallery entry (M, D) by cosine similarity: (N, M)."""
    cosines: Array = normalise(queries) @ normalise(gallery).T
    return cosines


def rank_one(similarity: Array, labels: IntArray) -> BoolArray:
    """Tell whether each query's best gallery entry is the right one, (N, M) and (N,) -> bool (N,).

    A tie counts as wrong, so that a query without a face, equally far from everybody, is never right.
    """
    own = np.take_along_axis(similarity, labels[:, None], axis=1)
    others = np.where(np.arange(similarity.shape[1]) == labels[:, None], -np.inf, similarity)
    right: BoolArray = own[:, 0] > others.max(axis=1)
    return right


def area_under_curve(positive: Array, negative: Array) -> float:
    """Compute the chance that a positive score exceeds a negative one (Mann-Whitney U / nm).

    Ties count half.
    """
    ranks = stats.rankdata(np.concatenate([positive, negative]))
    rank_sum = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(rank_sum / (len(positive) * len(negative)))


def correlation(requested: Array, measured: Array) -> float:
    """Compute Pearson's correlation of the entries where both are numbers; NaN if one never varies."""
    known = np.isfinite(requested) & np.isfinite(measured)
    if not known.any():
        return float("nan")
    a, b = requested[known] - requested[known].mean(), measured[known] - measured[known].mean()
    spread = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / spread) if spread > 0 else float("nan")


def angle_between(a: Array, b: Array) -> Array:
    """Compute the degrees by which one rotation must be turned to become the other.

    Both are (..., 3, 3); they broadcast.
    """
    trace = (a * b).sum(axis=(-2, -1))
    degrees: Array = np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))
    return degrees


def peak_signal_to_noise(a: ByteArray, b: ByteArray) -> float:
    """Compute the PSNR in decibels of two uint8 pictures of one shape; infinite if they are equal."""
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def frechet_distance(a: Array, b: Array) -> float:
    """Compute the squared Frechet distance of the Gaussians fitted to two feature sets, (N, D) and (M, D).

    ``|mu_a - mu_b|^2 + Tr(C_a + C_b - 2 (C_a C_b)^(1/2))``, Dowson and Landau, 1982. Which features they are
    must be said wherever the figure is given; with other features than Inception's it is not the FID.
    """
    mean_a, mean_b = a.mean(0), b.mean(0)
    x, y = (a - mean_a) / np.sqrt(len(a) - 1), (b - mean_b) / np.sqrt(len(b) - 1)
    # C_a = x'x and C_b = y'y, so the trace of the product's root is the sum of the singular values of x y'.
    shared = linalg.svdvals(x @ y.T).sum()
    distance = ((mean_a - mean_b) ** 2).sum() + (x**2).sum() + (y**2).sum() - 2 * shared
    return float(max(distance, 0.0))


def bootstrap_over_people(
    statistic: Callable[[IntArray], float], people: int, *, rounds: int = 1000, seed: int = 0
) -> Interval:
    """Compute a statistic with its 95 % interval.

    People are resampled, not pictures, as one person's pictures are not independent.

    Parameters
    ----------
    statistic:
        Takes the indices of the people drawn, with repeats, and gives the value.
    """
    rng = np.random.default_rng(seed)
    draws = [statistic(rng.integers(0, people, people)) for _ in range(rounds)]
    known = [value for value in draws if np.isfinite(value)]
    low, high = np.percentile(known, [2.5, 97.5]) if known else (np.nan, np.nan)
    return Interval(statistic(np.arange(people)), float(low), float(high))
