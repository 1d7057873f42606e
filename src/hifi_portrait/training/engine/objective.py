"""What every objective gives the trainer: parts, data, the loss of a batch, a picture to look at."""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn

from hifi_portrait.errors import ModelError
from hifi_portrait.models.build import build
from hifi_portrait.training.engine.checkpoint import latest_checkpoint

logger = logging.getLogger(__name__)

Batch = dict[str, Any]

ENDLESS = 2**31 - 1
"""Length of a stream of samples that does not end."""


class Objective(nn.Module, ABC):
    """A training objective: ``parts`` holds the models by part name, ``trainable`` names those that learn.

    The models are sub-modules, so that device, precision and distribution are handled from outside.
    Everything random in :meth:`forward` comes from torch's global generator, which the trainer seeds anew
    at each step.
    """

    def __init__(self, parts: Mapping[str, nn.Module], trainable: Sequence[str]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(parts)
        unknown = set(trainable) - set(self.parts)
        if unknown:
            raise ModelError(
                f"cannot train {', '.join(sorted(unknown))}: the parts are {', '.join(self.parts)}"
            )
        self.trainable = tuple(trainable)
        for name, part in self.parts.items():
            part.requires_grad_(name in self.trainable)
            part.train(name in self.trainable)

    def part(self, name: str) -> Any:
        """The model of a part's name."""
        return self.parts[name]

    @abstractmethod
    def sample(self, index: int) -> Batch:
        """Training sample ``index`` of an endless stream: the same index always gives the same sample."""

    def collate(self, samples: list[Batch]) -> Batch:
        """Join samples into a batch."""
        batch: Batch = torch.utils.data.default_collate(samples)
        return batch

    @abstractmethod
    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Weighted loss terms of a batch, by name; training minimises their sum. ``progress`` in [0, 1]."""

    @abstractmethod
    def sheet(self) -> np.ndarray:
        """A uint8 (H, W, 3) picture of what the parts can do now, always for the same held-out input."""

    def metrics(self) -> dict[str, float]:
        """Figures on held-out data, by name. None by default."""
        return {}

    def finish(self) -> None:
        """Last touch before the parts are saved for use, such as a config value that training determines."""

    def save_parts(self, folder: Path) -> None:
        """Save every trainable part as a model folder below ``folder``, after `finish`."""
        for name in self.trainable:
            self.part(name).save_pretrained(folder / name)


class SampleStream(torch.utils.data.Dataset[Batch]):
    """The endless stream of an objective's samples as a map-style data set."""

    def __init__(self, sample: Callable[[int], Batch], length: int) -> None:
        self.sample = sample
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Batch:
        return self.sample(index)


def find_part(folders: Sequence[str | Path], part: str, class_name: str = "") -> Path | None:
    """The folder of a part's weights below the first of ``folders`` that has it.

    Each folder may be a training run (its newest checkpoint counts), a checkpoint, a pipeline folder with one
    sub-folder a part, or a model's own folder, if the model is of ``class_name``. Raises ModelError for a
    folder that does not exist.
    """
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise ModelError(f"no folder {folder} to take weights from")
        newest = latest_checkpoint(folder)
        for place in (folder / part, folder / "ema" / part, *([newest / "ema" / part] if newest else ())):
            if (place / "config.json").is_file():
                return place
        config = folder / "config.json"
        if config.is_file() and json.loads(config.read_text()).get("_class_name") == class_name:
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
    """Parts of a model size, with the weights found in ``init_from`` or fresh ones.

    Parts named in ``fresh`` are not looked for; found ones named in ``half`` become bfloat16, others float32.

    Raises ModelError where a part of ``required`` is found nowhere, or where a face part was made with other
    settings than those of the size and ``overrides``.
    """
    if unknown := set(fresh) - set(names):
        raise ModelError(
            f"no part {', '.join(sorted(unknown))} to start afresh: choose from {', '.join(names)}"
        )
    with torch.device("meta"):  # large ones that are found need not be made first
        wanted = build(size, names, overrides=overrides)
    found = {
        name: None if name in fresh else find_part(init_from, name, type(part).__name__)
        for name, part in wanted.items()
    }
    if missing := [name for name in required if found[name] is None]:
        raise ModelError(
            f"no weights for {missing[0]!r} in {list(map(str, init_from))}: set init_from in the recipe"
        )
    parts = build(size, [name for name in names if found[name] is None], overrides=overrides, seed=seed)
    for name, folder in found.items():
        if folder is not None:
            logger.info("%s from %s", name, folder)
            dtype = torch.bfloat16 if name in half else torch.float32
            parts[name] = type(wanted[name]).from_pretrained(folder, dtype=dtype)
            _check_settings(folder, parts[name], wanted[name])
    return {name: parts[name] for name in names}


def find_scheduler(folders: Sequence[str | Path]) -> DDIMScheduler | None:
    """The noise schedule of the first of ``folders`` that is a pipeline's; None without one."""
    for folder in map(Path, folders):
        if (folder / "scheduler" / "scheduler_config.json").is_file():
            scheduler: DDIMScheduler = DDIMScheduler.from_pretrained(folder / "scheduler")
            return scheduler
    return None


def _check_settings(folder: Path, part: Any, wanted: Any) -> None:
    """Compare our own parts' settings; a base model's are its maker's business."""
    if not type(part).__module__.startswith("hifi_portrait."):
        return
    for key, value in wanted.config.items():
        found = part.config.get(key)
        if not key.startswith("_") and _plain(found) != _plain(value):
            raise ModelError(
                f"{folder} was made with {key} = {found}, not {value}: match the recipe's settings to it, or "
                'set hifi.design = "as-given"'
            )


def _plain(value: Any) -> str:
    """A setting as JSON, where tuples are lists and the order of keys does not count."""
    return json.dumps(value, sort_keys=True)


@lru_cache(maxsize=4)
def _permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(count)


def shuffled(index: int, count: int, seed: int) -> int:
    """Place of sample ``index`` in an endless pass over ``count`` items, each pass in an order of its own."""
    epoch, place = divmod(index, count)
    return int(_permutation(count, seed, epoch)[place])
