"""Checkpoints: one folder a step, complete or absent, from which training continues exactly.

A checkpoint ``checkpoints/step-00001200/`` holds ``state.pt`` (weights, optimiser, averaged weights, step
and time so far) and ``ema/<part>/``, the averaged weights as model folders ready for use.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from hifi_portrait.errors import ModelError
from hifi_portrait.io.atomic import atomic_write


def checkpoints(run: str | Path) -> list[Path]:
    """List the complete checkpoints of a run, oldest first."""
    return sorted(path for path in (Path(run) / "checkpoints").glob("step-*") if path.suffix != ".partial")


def latest_checkpoint(run: str | Path) -> Path | None:
    """Find the newest complete checkpoint of a run; None without one."""
    found = checkpoints(run)
    return found[-1] if found else None


def save_checkpoint(
    run: str | Path, step: int, state: dict[str, Any], save_parts: Callable[[Path], None], *, keep: int = 2
) -> Path:
    """Write the checkpoint of a step atomically, and delete all but the newest ``keep``.

    Parameters
    ----------
    run
        The run's folder.
    step
        Steps done so far. A checkpoint of it that is there already stays as it is.
    state
        What `load_state` gives back: numbers, strings and tensors in dicts and lists.
    save_parts
        Saves the averaged weights of the trainable parts below the folder that it is given.
    keep
        How many checkpoints stay, 1 or more.

    Returns
    -------
    Path
        The checkpoint's folder.
    """
    final = Path(run) / "checkpoints" / f"step-{step:08d}"
    if final.exists():
        return final
    with atomic_write(final) as partial:
        partial.mkdir(parents=True)
        torch.save(state, partial / "state.pt")
        save_parts(partial / "ema")
    for old in checkpoints(run)[:-keep]:
        shutil.rmtree(old)
    return final


def load_state(checkpoint: Path) -> dict[str, Any]:
    """Read the state of a checkpoint.

    Raises
    ------
    ModelError
        The file is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(checkpoint / "state.pt", map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise ModelError(
            f"checkpoint {checkpoint} cannot be read: {error}. Delete it to use the one before"
        ) from error
    return state
