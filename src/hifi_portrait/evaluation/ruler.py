"""Set a head-pose reader's zero and scale by photos whose head pose is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hifi_portrait.evaluation.scorers import Reading


@dataclass(frozen=True)
class PoseRuler:
    """``true = gain * read + offset`` for yaw, pitch, roll in degrees; `error` is the mean error left."""

    gain: tuple[float, float, float]
    offset: tuple[float, float, float]
    error: tuple[float, float, float]

    @classmethod
    def fit(cls, true: np.ndarray, read: np.ndarray) -> PoseRuler:
        """Least squares per axis over (N, 3) and (N, 3); NaN rows, where no face was read, are left out."""
        known = np.isfinite(read).all(axis=1)
        true, read = true[known], read[known]
        lines = np.array([np.polyfit(read[:, axis], true[:, axis], 1) for axis in range(3)])
        error = np.abs(read * lines[:, 0] + lines[:, 1] - true).mean(axis=0)
        return cls(_triple(lines[:, 0]), _triple(lines[:, 1]), _triple(error))

    def __call__(self, read: np.ndarray) -> np.ndarray:
        """Read angles (N, 3) -> true angles (N, 3)."""
        return read * np.array(self.gain) + np.array(self.offset)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> PoseRuler:
        """Read what `save` wrote."""
        return cls(**{name: _triple(values) for name, values in json.loads(path.read_text()).items()})


def poses(readings: Sequence[Reading]) -> np.ndarray:
    """Head poses (N, 3) in degrees as read, NaN where there is none."""
    return np.array([np.full(3, np.nan) if r.pose is None else r.pose for r in readings]).reshape(-1, 3)


def _triple(values: np.ndarray | Sequence[float]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z
