"""Checkpoints: one folder a step, complete or absent, from which training goes on exactly.

A checkpoint ``checkpoints/step-00001200/`` holds ``state.pt`` (weights, optimiser, averaged weights, step
and time so far) and ``ema/<part>/``, the averaged weights as model folders ready for use.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from hifi_portrait.errors import ModelError


def checkpoints(run: str | Path) -> list[Path]:
    """The complete checkpoints of a run, oldest first."""
    return sorted(path for path in (Path(run) / "checkpoints").glob("step-*") if path.suffix != ".partial")


def latest_checkpoint(run: str | Path) -> Path | None:
    """The newest complete checkpoint of a run, or None."""
    found = checkpoints(run)
    return found[-1] if found else None


def save_checkpoint(
    run: str | Path, step: int, state: dict[str, Any], save_parts: Callable[[Path], None], *, keep: int = 2
) -> Path:
    """Write a checkpoint, whole or not at all, and delete all but the newest ``keep``."""
    final = Path(run) / "checkpoints" / f"step-{step:08d}"
    if final.exists():
        return final
    partial = final.with_name(final.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    torch.save(state, partial / "state.pt")
    save_parts(partial / "ema")
    os.replace(partial, final)
    for old in checkpoints(run)[:-keep]:
        shutil.rmtree(old)
    return final


def load_state(checkpoint: Path) -> dict[str, Any]:
    """Read the state of a checkpoint. Raises ModelError where it is damaged."""
    try:
        state: dict[str, Any] = torch.load(checkpoint / "state.pt", map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise ModelError(
            f"checkpoint {checkpoint} cannot be read: {error}. Delete it to use the one before"
        ) from error
    return state
