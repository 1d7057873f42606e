"""What training computes once of samples' faces, and a memory of samples it has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hifi_portrait.errors import ModelError
from hifi_portrait.models.conditioning import Conditioning
from hifi_portrait.models.tensors import map_tensors
from hifi_portrait.training.engine.objective import Batch


@dataclass
class SampleFaces:
    """What does not depend on noise, timestep and caption, of a batch of samples."""

    condition: Conditioning
    """What the networks read of the faces."""

    latents: Tensor
    """(B, C, h, w) scaled latents of the targets."""

    importance: Tensor
    """(B, 1, h, w), 1 or more: how much an error of each latent counts."""

    coverage: Tensor
    """(B, 1, h, w) in [0, 1]: how much of each latent the warp shows."""


class SampleMemory:
    """Samples by number, kept in the CPU's memory in bfloat16.

    Parameters
    ----------
    count
        How many samples there are; numbers from there on begin again at the first.
    sample
        Makes a sample of a number.
    faces
        Computes the `SampleFaces` of a batch.
    collate
        Makes a batch of samples.
    """

    def __init__(
        self,
        count: int,
        sample: Callable[[int], Batch],
        faces: Callable[[Batch], SampleFaces],
        collate: Callable[[list[Batch]], Batch],
    ) -> None:
        self.count = count
        self._sample, self._faces, self._collate = sample, faces, collate
        self._known: dict[int, Batch] = {}

    def __getitem__(self, index: int) -> Batch:
        """Give sample ``index`` with `SampleFaces` as its ``faces``.

        Raises
        ------
        ModelError
            It is called in a loader's worker, whose memory nobody else sees.
        """
        if torch.utils.data.get_worker_info() is not None:
            raise ModelError("hifi.kept_samples needs trainer.workers = 0: workers share no memory")
        number = index % self.count
        if number not in self._known:
            sample = self._sample(number)
            known = {name: value for name, value in sample.items() if name not in _INPUTS}
            with torch.no_grad():
                known["faces"] = map_tensors(self._faces(self._collate([sample])), _to_half)
            self._known[number] = known
        return self._known[number]


_INPUTS = ("faces", "latents", "regraded", "picture", "chips", "embedding")
"""What of a sample `SampleFaces` stands for, or nothing needs any more."""


def _to_half(value: Tensor) -> Tensor:
    return value.to("cpu", torch.bfloat16 if value.is_floating_point() else value.dtype)
