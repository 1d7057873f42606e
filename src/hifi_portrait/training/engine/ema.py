"""Averaged weights: what a run gives, steadier than the weights of its last step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from hifi_portrait.training.engine.fsdp import joined, own_share, replaced, shared_like


class AveragedWeights:
    """Exponential means of the parameters that learn; each process keeps as much as of the parameters.

    Parameters
    ----------
    learning
        The parameters by name.
    decay
        Of a mean, for each step.
    device
        On which the means are kept.
    """

    def __init__(self, learning: Mapping[str, nn.Parameter], decay: float, device: torch.device) -> None:
        self.shares = [own_share(parameter) for parameter in learning.values()]
        self._learning = dict(learning)
        self._device = device
        self._means = EMAModel(self.shares, decay=decay, foreach=True)
        self._means.to(device)

    def step(self) -> None:
        """Take the parameters in, as they are now."""
        self._means.step(self.shares)

    def state(self) -> dict[str, Any]:
        """For a checkpoint, with whole means; all processes must ask for it."""
        whole = joined(self._means.shadow_params, list(self._learning.values()))
        return self._means.state_dict() | {"shadow_params": whole}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        means = zip(state["shadow_params"], self._learning.values(), strict=True)
        shares = [own_share(shared_like(mean, parameter)) for mean, parameter in means]
        self._means.load_state_dict({**state, "shadow_params": shares})
        self._means.to(self._device)

    @contextmanager
    def used(self) -> Iterator[None]:
        """The means in place of the parameters, which come back at the end; in all processes."""
        self._means.store(self.shares)
        self._means.copy_to(self.shares)
        try:
            yield
        finally:
            self._means.restore(self.shares)

    @contextmanager
    def used_whole(self, module: nn.Module, state: Mapping[str, Any]) -> Iterator[None]:
        """The whole means of a `state` in place of a module's parameters, to save them; in one process."""
        means: list[Tensor] = state["shadow_params"]
        with replaced(module, dict(zip(self._learning, means, strict=True))):
            yield
