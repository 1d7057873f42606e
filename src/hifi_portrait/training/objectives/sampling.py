"""Draw pictures during training, to look at: a plain denoising loop over any predictor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from hifi_portrait.models.latents import decode_picture


@torch.no_grad()
def sample_latents(
    predict: Callable[[Tensor, Tensor], Tensor], scheduler: Any, noise: Tensor, steps: int
) -> Tensor:
    """Denoise ``noise`` (B, C, h, w) in ``steps`` of ``predict(latents, timesteps (B,))``."""
    scheduler.set_timesteps(steps, device=noise.device)
    latents = noise * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        output = predict(scheduler.scale_model_input(latents, timestep), timestep.expand(len(latents)))
        latents = scheduler.step(output.float(), timestep, latents).prev_sample
    return latents


@torch.no_grad()
def decode_latents(vae: Any, latents: Tensor, batch_size: int = 4) -> Tensor:
    """Pictures (B, 3, H, W), about in [-1, 1], of scaled latents."""
    return torch.cat([decode_picture(vae, part) for part in latents.split(batch_size)])
