"""How alike two faces are: by the recogniser's cosine, and by what the collection itself teaches.

The plain cosine decides first, strictly, and gives groups that are pure. Their scatter about their means, the
within-person covariance, says in which directions photos of one person differ; whitened by it, vectors tell
people apart better (the self-training of WebFace260M, Zhu et al., CVPR 2021). A metric that is learnt on most
of a collection can draw together people of another kind who are few. So the plain cosine stays as a guard:
two faces belong together only where both say so.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from hifi_portrait.errors import DatasetError
from hifi_portrait.head.arrays import FloatArray

_SHRINKAGE = 0.2
"""Weight of a round covariance of the same size beside the measured one."""

_LEAST_GROUP = 3
"""Faces that a group needs to say something of the scatter within a person."""

_LEAST_SCATTER = 2
"""Faces in such groups, in dimensions of the vectors, from which on a covariance is learnt."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Thresholds of a recogniser, made by ``python -m hifi_portrait.dataset.calibrate``."""

    recogniser: str
    """Name of the recogniser they are for."""
    strict: float
    """Cosine above which faces are surely one person: what the scatter is learnt from."""
    plain: float
    """Cosine above which faces are one person where nothing could be learnt, if purity is not all."""
    guard: float
    """Cosine below which two faces are not taken for one person, whatever the learnt metric says."""
    learnt: float
    """Whitened cosine above which two faces are one person, if the guard agrees."""
    strict_learnt: float
    """The same where purity counts more than completeness."""
    folder_guard: float
    """Cosine that takes the guard's place inside a folder that says who is in it."""
    folder_learnt: float
    """Whitened cosine inside such a folder."""
    false_match_rate: float
    """Of pairs of two people, the fraction above ``strict``, on the people it was calibrated on."""
    made_of: str = ""
    """The people it was calibrated on."""

    @classmethod
    def load(cls, recogniser: str, file: Path | None = None) -> Self:
        """Read the calibration of a recogniser: the package's, or that of a file.

        Raises
        ------
        DatasetError
            There is none, or the file is damaged.
        """
        place = file or Path(__file__).with_name("calibrations") / f"{recogniser}.json"
        try:
            loaded = cls(**json.loads(place.read_text()))
        except FileNotFoundError as error:
            raise DatasetError(
                f"there is no calibration of the recogniser {recogniser!r}: make one by `python -m"
                " hifi_portrait.dataset.calibrate`, and give it as --calibration FILE"
            ) from error
        except (OSError, ValueError, TypeError) as error:
            raise DatasetError(f"{place} is no calibration: {error}") from error
        if loaded.recogniser != recogniser:
            raise DatasetError(f"{place} is of the recogniser {loaded.recogniser!r}, not of {recogniser!r}")
        return loaded

    def save(self, file: Path) -> None:
        """Write it as JSON."""
        file.write_text(json.dumps(asdict(self), indent=2) + "\n")


@dataclass(frozen=True, eq=False)
class Metric:
    """Vectors of N faces, as the recogniser gives them and whitened."""

    vectors: FloatArray
    """(N, E) unit vectors."""
    whitened: FloatArray | None
    """(N, E) unit vectors; None where the collection is too small to learn from."""

    @property
    def best(self) -> FloatArray:
        """(N, E) the whitened vectors, or the plain ones where nothing could be learnt."""
        return self.vectors if self.whitened is None else self.whitened

    def affinity(self, rows: npt.NDArray[np.int64], guard: float, learnt: float) -> FloatArray:
        """Compute how far above the thresholds pairs of some faces are.

        Parameters
        ----------
        rows
            (M,) indices of the faces.
        guard, learnt
            Thresholds of the plain and of the whitened cosine.

        Returns
        -------
        ndarray
            (M, M), 0 at the thresholds: the lesser of both cosines' distances from them, each in the spread
            that it has among photos of one person.
        """
        plain = (self.vectors[rows] @ self.vectors[rows].T - guard) / _PLAIN_SPREAD
        if self.whitened is None:
            return np.asarray(plain)
        white = (self.whitened[rows] @ self.whitened[rows].T - learnt) / _WHITENED_SPREAD
        return np.asarray(np.minimum(plain, white))


_PLAIN_SPREAD = 0.02
"""Standard deviation of the default recogniser's cosine among photos of one person."""

_WHITENED_SPREAD = 0.12
"""The same of the whitened cosine."""


def rows_by_label(labels: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Find the indices of each label among (N,), for one label after the other, smallest first."""
    if not len(labels):
        return []
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)


def learn_metric(vectors: FloatArray, groups: npt.NDArray[np.int64]) -> Metric:
    """Learn the whitening from groups that are pure.

    Parameters
    ----------
    vectors
        (N, E) unit vectors.
    groups
        (N,) number of each face's group; -1 for none.
    """
    scatter, mean = [], vectors.mean(axis=0)
    for rows in rows_by_label(groups):
        if len(rows) >= _LEAST_GROUP and groups[rows[0]] >= 0:
            apart = vectors[rows] - vectors[rows].mean(axis=0)
            scatter.append(apart * np.sqrt(len(rows) / (len(rows) - 1)))
    width = vectors.shape[1]
    if sum(map(len, scatter)) < _LEAST_SCATTER * width:
        return Metric(vectors, None)
    stacked = np.concatenate(scatter).astype(np.float64)
    covariance = stacked.T @ stacked / len(stacked)
    covariance *= 1 - _SHRINKAGE
    covariance += _SHRINKAGE * np.trace(covariance) / (1 - _SHRINKAGE) / width * np.eye(width)
    values, axes = np.linalg.eigh(covariance)
    moved = (vectors - mean) @ ((axes * values**-0.5) @ axes.T)
    moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12)
    return Metric(vectors, moved.astype(np.float32))
