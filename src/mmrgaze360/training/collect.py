"""Putting the averaged weights of runs into one folder, each under the name of its recipe."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from hifi_portrait.errors import ModelError, OutputError

_PARTS = ("patches", "field_of_view", "reborn", "image")


def collect_weights(runs: Sequence[Path], out: Path) -> dict[str, Path]:
    """Copy the newest averaged weights of runs into ``out/<recipe>``.

    Parameters
    ----------
    runs
        Folders of `mmrgaze360 train`.
    out
        The model's folder; what it holds besides is left as it is.

    Returns
    -------
    dict
        Where each came from, by name.

    Raises
    ------
    ModelError
        A folder is not a run with a checkpoint, or two are of one recipe.
    OutputError
        The weights would go into the folder of a run, or cannot be written.
    """
    found: dict[str, Path] = {}
    for run in runs:
        name, part = _name_of(run)
        checkpoints = sorted((run / "checkpoints").glob(f"step-*/ema/{part}"))
        if not checkpoints:
            raise ModelError(f"{run} has no checkpoint yet")
        if name in found:
            raise ModelError(f"{run} and {found[name]} are both runs of {name}")
        found[name] = checkpoints[-1]
    folders = {run.resolve() for run in runs}
    for name in found:
        if (out / name).resolve() in folders:
            raise OutputError(
                f"--out {out}: {out / name} is a run, whose weights are taken: name another folder"
            )
    for name, source in found.items():
        try:
            shutil.copytree(source, out / name, dirs_exist_ok=True)
        except OSError as error:
            raise OutputError(f"{out / name} cannot be written: {error.strerror or error}") from error
    return found


def _name_of(run: Path) -> tuple[str, str]:
    """Give the name of a run's recipe, and that of the part it trains."""
    try:
        recipe = json.loads((run / "recipe.json").read_text("utf-8"))
        part = str(recipe["objective"])
        network = recipe[part].get("network", {})
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{run} is not the folder of a run: {error}") from error
    missing = [name for name in _PARTS if part == "scene" and network.get(name) is False]
    return "_without_".join([part, *missing]), part
