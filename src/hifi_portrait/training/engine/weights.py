"""The weights that a run starts from: parts and noise schedules found in folders, or made afresh."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler
from torch import nn

from hifi_portrait.errors import ModelError
from hifi_portrait.io.names import model_folder
from hifi_portrait.models.build import build, part_class, part_settings
from hifi_portrait.training.engine.checkpoint import latest_checkpoint

logger = logging.getLogger(__name__)


AUTOENCODERS = ("AutoencoderKL", "PatchedAutoencoder")
"""Classes of autoencoders: as they are, and with latents in patches."""

_OF_TRAINING = {"scaling_factor", "sample_size"}
"""Settings of an autoencoder that its training sets, or that change nothing."""

_HINTS = {"vae": ", or prepare the data with --vae"}
"""What else may be done about weights of a part that are missing."""


def find_part(folders: Sequence[str | Path], part: str, class_name: str = "") -> Path | None:
    """Find the folder of a part's weights, below the first of ``folders`` that has it.

    Parameters
    ----------
    folders
        Each may be a training run, of which the newest checkpoint counts, a checkpoint, a pipeline's
        folder, or the model's own; "bundled" is the pipeline that comes with the package.
    part
        Name of the part, such as "unet".
    class_name
        Class of the model, by which its own folder is known; without it such a folder does not count. An
        autoencoder is found whichever of `AUTOENCODERS` it is; `check_kind` tells them apart.

    Returns
    -------
    Path or None
        None where no folder has it.

    Raises
    ------
    ModelError
        A folder does not exist.
    """
    known = AUTOENCODERS if class_name in AUTOENCODERS else (class_name,)
    for folder in map(model_folder, folders):
        if not folder.is_dir():
            raise ModelError(f"no folder {folder} to take weights from")
        newest = latest_checkpoint(folder)
        places: list[Path] = [
            folder / part,
            folder / "ema" / part,
            *([newest / "ema" / part] if newest else ()),
        ]
        for place in places:
            if (place / "config.json").is_file():
                return place
        config = folder / "config.json"
        if config.is_file() and json.loads(config.read_text()).get("_class_name") in known:
            return folder
    return None


def load_parts(
    size: str,
    names: Sequence[str],
    init_from: Sequence[str | Path] = (),
    *,
    overrides: dict[str, dict[str, Any]] | None = None,
    required: Sequence[str] = (),
    fresh: Sequence[str] = (),
    half: Sequence[str] = (),
    seed: int = 0,
) -> dict[str, nn.Module]:
    """Load the parts of a model size, with the weights found in folders or fresh ones.

    Parameters
    ----------
    size
        Name of the model size, such as "bundled".
    names
        The parts to give.
    init_from
        Folders to look in, as `find_part` does.
    overrides
        Settings by part in place of the size's.
    required
        Parts that must be found.
    fresh
        Parts that are made afresh although a folder may have them.
    half
        Parts that become bfloat16 where they are found; all others are float32.
    seed
        Seed of fresh weights.

    Raises
    ------
    ModelError
        A required part is found nowhere, ``fresh`` names a part that is not asked for, one of this
        package's own parts was made with other settings than those of the size and ``overrides``, or an
        autoencoder is of another kind than the size's.
    """
    if unknown := set(fresh) - set(names):
        raise ModelError(
            f"no part {', '.join(sorted(unknown))} to start afresh: choose from {', '.join(names)}"
        )
    overrides = overrides or {}
    classes = {name: part_class(name, size) for name in names}
    found = {
        name: None if name in fresh else find_part(init_from, name, cls.__name__)
        for name, cls in classes.items()
    }
    if missing := [name for name in required if found[name] is None]:
        raise ModelError(
            f"no weights for {missing[0]!r} in {list(map(str, init_from))}: name a folder that has them in "
            "init_from" + _HINTS.get(missing[0], "")
        )
    parts = build(size, [name for name in names if found[name] is None], overrides=overrides, seed=seed)
    for name, folder in found.items():
        if folder is not None:
            logger.info("%s from %s", name, folder)
            check_kind(folder, classes[name].__name__, size)
            dtype = torch.bfloat16 if name in half else torch.float32
            parts[name] = classes[name].from_pretrained(folder, dtype=dtype)
            if classes[name].__module__.startswith("hifi_portrait."):  # a base model's are its maker's
                _check_settings(folder, parts[name], part_settings(size, name, overrides.get(name)))
    return {name: parts[name] for name in names}


def find_scheduler(folders: Sequence[str | Path]) -> DDIMScheduler | None:
    """Find the noise schedule of the first of ``folders`` that is a pipeline's; None without one."""
    for folder in map(model_folder, folders):
        if (folder / "scheduler" / "scheduler_config.json").is_file():
            scheduler: DDIMScheduler = DDIMScheduler.from_pretrained(folder / "scheduler")
            return scheduler
    return None


def check_kind(folder: Path, expected: str, size: str) -> None:
    """Check that an autoencoder is patched where those of a size are, and not where they are not.

    Parameters
    ----------
    folder
        The folder of a part.
    expected
        Name of the class that the size has for it.
    size
        Name of the model size.

    Raises
    ------
    ModelError
        It is of the other kind.
    """
    found = json.loads((folder / "config.json").read_text()).get("_class_name")
    if found != expected and {found, expected} == set(AUTOENCODERS):
        sizes_of = "bundled-16" if found == AUTOENCODERS[1] else "bundled"
        raise ModelError(
            f"{folder} holds a {found}, but the model size {size!r} has a {expected}: choose the size"
            f" {sizes_of!r}, or another autoencoder"
        )


def _check_settings(folder: Path, part: Any, requested: Mapping[str, Any]) -> None:
    for key, value in requested.items():
        if key in _OF_TRAINING and type(part).__name__ in AUTOENCODERS:
            continue
        found = part.config.get(key)
        if _plain(found) != _plain(value):
            way = 'match the recipe\'s settings to it, or set hifi.design = "as-given"'
            if type(part).__name__ in AUTOENCODERS:
                way = "choose the size that goes with it, or fold it anew (scripts/patch_autoencoder.py)"
            raise ModelError(f"{folder} was made with {key} = {found}, not {value}: {way}")


def _plain(value: Any) -> str:
    """Write a setting as JSON, where tuples are lists and the order of keys does not count."""
    return json.dumps(value, sort_keys=True)
