"""Turn the signs that a reader sees into degrees and coefficients, by photos whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.scorers.scorers import Reading
from hifi_portrait.head.arrays import Array


@dataclass(frozen=True)
class LinearCalibration:
    """One quantity as a linear function of its signs: ``signs @ weights + offset``."""

    weights: tuple[float, ...]
    """Of each sign."""
    offset: float
    """In the quantity's unit: degrees, or a coefficient in [0, 1]."""
    error: float
    """Mean absolute error left on the photos it was fitted to."""
    correlation: float
    """Pearson's correlation reached on these photos."""

    @classmethod
    def fit(cls, true: Array, signs: Array) -> LinearCalibration:
        """Fit true values (N,) to signs (N, F) by least squares.

        Rows with NaN, where no face was read, are left out.
        """
        known = np.isfinite(signs).all(axis=1)
        true, signs = true[known], signs[known]
        solved, *_ = np.linalg.lstsq(np.column_stack([signs, np.ones(len(signs))]), true, rcond=None)
        read = signs @ solved[:-1] + solved[-1]
        return cls(
            tuple(float(weight) for weight in solved[:-1]),
            float(solved[-1]),
            float(np.abs(read - true).mean()),
            metrics.correlation(true, read),
        )

    def __call__(self, signs: Array) -> Array:
        """Work the quantity (...) out from its signs (..., F)."""
        values: Array = signs @ np.array(self.weights) + self.offset
        return values


@dataclass(frozen=True)
class Calibration:
    """The calibration of every quantity."""

    photos: int
    """How many photos it was fitted to."""
    quantities: Mapping[str, LinearCalibration]
    """By the quantity's name, see `hifi_portrait.evaluation.scorers.control`."""

    @classmethod
    def fit(cls, true: Mapping[str, Array], readings: Sequence[Reading]) -> Calibration:
        """Fit every true quantity (N,) of N photos to what was read off them."""
        fitted = {
            name: LinearCalibration.fit(values, _stack(readings, name)) for name, values in true.items()
        }
        return cls(len(readings), fitted)

    def __call__(self, readings: Sequence[Sequence[Reading]]) -> dict[str, Array]:
        """Work every quantity out, (P, R) of people by requests; NaN where no face was read."""
        return {
            name: np.array([linear(_stack(row, name, len(linear.weights))) for row in readings])
            for name, linear in self.quantities.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, under the keys that saved files have."""
        return {
            "photos": self.photos,
            "rulers": {name: asdict(linear) for name, linear in self.quantities.items()},
        }

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_dict()))

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """Read what `save` wrote."""
        stored = json.loads(path.read_text())
        quantities = {
            name: LinearCalibration(**(values | {"weights": tuple(values["weights"])}))
            for name, values in stored["rulers"].items()
        }
        return cls(stored["photos"], quantities)


def _stack(readings: Sequence[Reading], name: str, count: int | None = None) -> Array:
    """Stack the signs of one quantity, (N, F); NaN where there are none."""
    if count is None:
        count = next((len(reading.signs[name]) for reading in readings if reading.signs), 1)
    none = np.full(count, np.nan)
    return np.array([reading.signs.get(name, none) for reading in readings]).reshape(-1, count)
