"""Which picture a training sample is noised from, how far, and with how much of the schedule's noise."""

from __future__ import annotations

import torch
from torch import Tensor


def draw_starts(possible: Tensor, share: float) -> Tensor:
    """Which of the noisings (B,), where ``possible`` (B,), noise the warp instead of the photo."""
    return possible & (torch.rand(len(possible), device=possible.device) < share)


def draw_timesteps(
    from_warp: Tensor, steps: int, *, draws: int, shift: float, warp_range: tuple[float, float]
) -> Tensor:
    """Timesteps (B,) in [0, steps).

    A photo's ``draws`` come from equal parts of the schedule, moved to more noise by ``shift`` above 1
    (arXiv 2403.03206, section 5.3.2); where noisings start ``from_warp`` (B,), from ``warp_range``, shares of
    the schedule.
    """
    part = torch.arange(len(from_warp), device=from_warp.device) % draws
    even = torch.rand(len(part), device=part.device)
    share = (part + even) / draws
    share = shift * share / (1 + (shift - 1) * share)
    least, most = warp_range
    share = torch.where(from_warp, least + (most - least) * even, share)
    return (share * steps).long().clamp(max=steps - 1)


def draw_grain(from_warp: Tensor, warp_range: tuple[float, float]) -> Tensor:
    """The share (B,) of the schedule's noise that is added: all of it to photos."""
    least, most = warp_range
    drawn = least + (most - least) * torch.rand(len(from_warp), device=from_warp.device)
    return torch.where(from_warp, drawn, 1.0)
