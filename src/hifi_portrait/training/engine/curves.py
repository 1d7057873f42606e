"""Curves of what a training run has logged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from hifi_portrait.errors import DatasetError, needs_extra

Curve = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""Steps and values, of equal length."""


def read_curves(run: Path, prefix: str = "train/") -> dict[str, Curve]:
    """Read everything that a run has logged under a prefix, by name.

    Parameters
    ----------
    run
        A run folder, the one given to ``train --out``.
    prefix
        ``train/`` or ``held_out/``.

    Raises
    ------
    DatasetError
        If the folder holds no logs.
    MissingExtraError
        If tensorboard is missing.
    """
    with needs_extra("train"):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    logs = EventAccumulator(str(run / "logs"), size_guidance={"scalars": 0})
    names: list[str] = []
    if (run / "logs").is_dir():
        names = [name for name in logs.Reload().Tags()["scalars"] if name.startswith(prefix)]
    if not names:
        raise DatasetError(f"{run} holds no logs of a training run: give the folder given to `train --out`")
    curves = {}
    for name in names:
        events = {event.step: event.value for event in logs.Scalars(name)}  # a resumed run logs steps twice
        steps = np.array(sorted(events), np.int64)
        curves[name.removeprefix(prefix)] = (steps, np.array([events[step] for step in steps.tolist()]))
    return curves


def smooth(values: npt.NDArray[np.float64], window: int) -> npt.NDArray[np.float64]:
    """Average each value with up to ``window`` - 1 values before it, window 1 or more."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    last = np.arange(1, len(values) + 1)
    first = np.maximum(0, last - window)
    means: npt.NDArray[np.float64] = (sums[last] - sums[first]) / (last - first)
    return means
