"""Turn the signs that a reader sees into degrees and coefficients, by photos whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.scorers.scorers import Reading


@dataclass(frozen=True)
class Ruler:
    """``true = signs @ weights + offset``; `error` and `correlation` are what it reached on its photos."""

    weights: tuple[float, ...]
    offset: float
    error: float
    correlation: float

    @classmethod
    def fit(cls, true: np.ndarray, signs: np.ndarray) -> Ruler:
        """Least squares over (N,) and (N, F); NaN rows, where no face was read, are left out."""
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

    def __call__(self, signs: np.ndarray) -> np.ndarray:
        """Signs (..., F) -> the quantity (...)."""
        return signs @ np.array(self.weights) + self.offset


@dataclass(frozen=True)
class Rulers:
    """One ruler for each quantity, and of how many photos they are."""

    photos: int
    rulers: Mapping[str, Ruler]

    @classmethod
    def fit(cls, true: Mapping[str, np.ndarray], readings: Sequence[Reading]) -> Rulers:
        """From the true quantities (N,) of N photos and what was read of them."""
        rulers = {name: Ruler.fit(values, _stack(readings, name)) for name, values in true.items()}
        return cls(len(readings), rulers)

    def __call__(self, readings: Sequence[Sequence[Reading]]) -> dict[str, np.ndarray]:
        """Every quantity (P, W) of pictures in people by wishes; NaN where no face was read."""
        return {
            name: np.array([ruler(_stack(row, name, len(ruler.weights))) for row in readings])
            for name, ruler in self.rulers.items()
        }

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Rulers:
        """Read what `save` wrote."""
        stored = json.loads(path.read_text())
        rulers = {
            name: Ruler(**(values | {"weights": tuple(values["weights"])}))
            for name, values in stored["rulers"].items()
        }
        return cls(stored["photos"], rulers)


def _stack(readings: Sequence[Reading], name: str, count: int | None = None) -> np.ndarray:
    """Signs (N, F) of one quantity, NaN where there are none."""
    if count is None:
        count = next((len(reading.signs[name]) for reading in readings if reading.signs), 1)
    none = np.full(count, np.nan)
    return np.array([reading.signs.get(name, none) for reading in readings]).reshape(-1, count)
