"""The interface between what is trained and the training loop.

To train something new, add an objective:

1. Write a subclass of `Objective` in ``training/objectives`` with a frozen, keyword-only dataclass of its
   settings beside it. Its constructor takes ``(settings, data, *, seed)``, builds or loads the models
   (`hifi_portrait.training.engine.weights.load_parts`) and hands them to `Objective.__init__`.
2. Implement `Objective.sample`, `Objective.forward` and `Objective.sheet`.
3. Name both classes in ``training/recipes/reading.py`` and write a recipe, a TOML file, beside it.

To log another figure at each step, add a term to what `Objective.forward` gives: each term is logged as
``train/<name>``. A term of weight 0 is logged and teaches nothing. To log another figure of held-out data,
add it to what `Objective.metrics` gives: it is logged as ``held_out/<name>``. Nothing in the engine
changes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hifi_portrait.errors import ModelError
from hifi_portrait.head.arrays import ByteArray

Batch = dict[str, Any]
"""What `Objective.collate` makes of samples: tensors by name, or what holds tensors."""


class Objective(nn.Module, ABC):
    """What is trained: models, samples, and the loss of a batch of them.

    The models are sub-modules, so that the trainer handles device, precision and several processes. A
    sample's randomness must follow from its index alone, and that of `forward` from torch's global
    generator, which the trainer seeds anew for each batch. So a run that was killed continues to the same
    weights.

    Parameters
    ----------
    parts
        The models by part name. A part that learns must have diffusers' or transformers' ``save_pretrained``.
    trainable
        Names of the parts that learn; the others are frozen and put into evaluation mode.

    Attributes
    ----------
    parts : torch.nn.ModuleDict
        The models by part name.
    trainable : tuple of str
        Names of the parts that learn.
    fresh_parameters : set of str
        Names of the parameters that start from nothing beside others that were learnt before. The trainer may
        give them a learning rate of their own. None here; an objective that knows adds them.

    Raises
    ------
    ModelError
        ``trainable`` names a part that there is not.
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
        self.fresh_parameters: set[str] = set()
        for name, part in self.parts.items():
            part.requires_grad_(name in self.trainable)
            part.train(name in self.trainable)

    def part(self, name: str) -> Any:
        """Give the model of a part's name."""
        return self.parts[name]

    @abstractmethod
    def sample(self, index: int) -> Batch:
        """Make sample ``index``, 0 or more, of an endless stream.

        The same index must always give the same sample. It is called in the training process or in one of
        its loader's workers.
        """

    def collate(self, samples: list[Batch]) -> Batch:
        """Join samples into a batch: by default, stack their tensors name by name."""
        batch: Batch = torch.utils.data.default_collate(samples)
        return batch

    @abstractmethod
    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Compute the loss terms of a batch.

        Parameters
        ----------
        batch
            What `collate` made, on the training device.
        progress
            Fraction of the run that is done, in [0, 1].

        Returns
        -------
        dict of str to torch.Tensor
            Scalars by name, times their weights. Training minimises their sum, and each is logged.
        """

    @abstractmethod
    def sheet(self) -> ByteArray:
        """Draw a picture (H, W, 3) of what the parts can do now, always of the same held-out input."""

    def metrics(self) -> dict[str, float]:
        """Measure the parts on held-out data. Gives figures by name; none by default."""
        return {}

    def finish(self) -> None:
        """Make the parts ready to be saved for use, such as by a setting that training determines."""

    def save_parts(self, folder: Path) -> None:
        """Save every part that learns as a model folder ``folder/<name>``, after `finish`."""
        for name in self.trainable:
            self.part(name).save_pretrained(folder / name)
