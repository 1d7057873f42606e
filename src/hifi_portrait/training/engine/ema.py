"""Averaged weights: exponential moving averages (EMA) of what learns, steadier than its last values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from hifi_portrait.training.engine.fsdp import gather_shards, local_shard, replace_parameters, shard_like


class AveragedWeights:
    """Exponential moving averages of the parameters that learn, sharded as these are.

    Parameters
    ----------
    learning
        The parameters by name.
    decay
        What an average keeps of itself at each step, in [0, 1). The first averages keep less (diffusers'
        ``EMAModel``).
    device
        Where the averages are kept.

    Attributes
    ----------
    shards : list of torch.Tensor
        This process's shards of the parameters, not of the averages.
    """

    def __init__(self, learning: Mapping[str, nn.Parameter], decay: float, device: torch.device) -> None:
        self.shards = [local_shard(parameter) for parameter in learning.values()]
        self._learning = dict(learning)
        self._device = device
        self._decay = decay
        self._ema = EMAModel(self.shards, decay=decay, foreach=True)
        self._ema.to(device)

    def step(self) -> None:
        """Take the parameters in as they are now."""
        self._ema.step(self.shards)

    def state_dict(self) -> dict[str, Any]:
        """Give the state for a checkpoint, with gathered averages. All processes must call it."""
        gathered = gather_shards(self._ema.shadow_params, list(self._learning.values()))
        state: dict[str, Any] = self._ema.state_dict()
        return state | {"shadow_params": gathered}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` gave, with this object's own decay."""
        averages = zip(state["shadow_params"], self._learning.values(), strict=True)
        shards = [local_shard(shard_like(average, parameter)) for average, parameter in averages]
        self._ema.load_state_dict({**state, "decay": self._decay, "shadow_params": shards})
        self._ema.to(self._device)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averages in place of the parameters, in every process that calls it, until the end."""
        self._ema.store(self.shards)
        self._ema.copy_to(self.shards)
        try:
            yield
        finally:
            self._ema.restore(self.shards)

    @contextmanager
    def applied_gathered(self, module: nn.Module, state: Mapping[str, Any]) -> Iterator[None]:
        """Put the gathered averages of a `state_dict` in place of a module's parameters, in one process."""
        averages: list[Tensor] = state["shadow_params"]
        with replace_parameters(module, dict(zip(self._learning, averages, strict=True))):
            yield
