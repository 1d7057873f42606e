"""What HiFi-Net is conditioned on: the faces in a batch of pictures, whatever the timestep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from hifi_portrait.models.regions import Regions
from hifi_portrait.models.tensors import map_tensors


@dataclass
class HiFiCondition:
    """What HiFi-Net needs to know of a batch of targets, the same for every timestep."""

    latent_map: Tensor
    """(B, C, h, w), added after the first convolution, at latent resolution."""
    lower_map: Tensor | None
    """(B, C, h / 2, w / 2), added one level below."""
    tokens: Tensor | None
    """(B, K, D) face tokens, or None where the cross-attention reads the prompt only."""
    prior_mean: Tensor | None = None
    """(B, in_channels, h, w) of the clean latents, expected of the warp; None without `latent_prior`."""
    unconditional_tokens: Tensor | None = None
    """(B, K, D) that the unconditional half of guidance reads in place of `tokens`; None where that half is
    left to the base model."""
    warp_map: Tensor | None = None
    """(B, C, h, w), the warp's share of `latent_map`; None where it is not held apart."""

    @property
    def batch_size(self) -> int:
        """Number of pictures it is for."""
        return len(self.latent_map)

    def expand(self, batch_size: int) -> HiFiCondition:
        """Repeat for `batch_size` pictures, each sample's copies side by side, as diffusers orders them.

        Raises
        ------
        ValueError
            If `batch_size` is no multiple of the condition's.
        """
        if batch_size % self.batch_size:
            raise ValueError(
                f"`batch_size` must be a multiple of the condition's {self.batch_size}, but is {batch_size}"
            )
        copies = batch_size // self.batch_size
        return map_tensors(self, lambda t: t.repeat_interleave(copies, dim=0))

    def for_both_halves(self) -> HiFiCondition:
        """For `2 batch_size` samples of guidance, the unconditional half first, as diffusers orders them."""
        if self.tokens is None or self.unconditional_tokens is None:
            raise ValueError("a condition without unconditional tokens is for conditional samples only")
        tokens = torch.cat([self.unconditional_tokens.to(self.tokens), self.tokens])
        both = map_tensors(self, lambda t: torch.cat([t, t]))
        return replace(both, tokens=tokens, unconditional_tokens=None)

    def fade_warp(self, timestep: Tensor, first: float, last: float) -> HiFiCondition:
        """Let the warp guide in full at the timestep `first`, less from there on, and not at all at `last`.

        `timestep` is one number or (B,). A condition that does not hold the warp apart stays as it is.
        """
        if self.warp_map is None:
            return self
        faded = 1 - ((timestep.float().reshape(-1, 1, 1, 1) - last) / (first - last)).clamp(0, 1)
        return replace(self, latent_map=self.latent_map - (faded * self.warp_map).to(self.warp_map.dtype))

    def to(self, *args: Any, **kwargs: Any) -> HiFiCondition:
        """Move or cast every tensor, as `Tensor.to`."""
        return map_tensors(self, lambda t: t.to(*args, **kwargs))


@dataclass
class SharedPicture:
    """Conditions of several people in the same pictures, and which part is whose."""

    conditions: Sequence[HiFiCondition]
    """Of each person, for the same number of pictures."""
    regions: Regions
    """Within which each person's residuals count."""


def join_coverage(name: str, values: Tensor | None, coverage: Tensor | None) -> Tensor:
    """Join a source of guidance (B, C, h, w) and its coverage (B, 1, h, w).

    Raises
    ------
    ValueError
        One of them is missing; the message says so of ``name``.
    """
    if values is None or coverage is None:
        raise ValueError(
            f"`{name}` and its coverage are missing, but this HiFi-Net has that source switched on"
        )
    return torch.cat([values, coverage.to(values.dtype)], dim=1)
