"""The diffusion process in training: timesteps and noise of a sample, velocities, and drawing by steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def draw_warp_starts(possible: Tensor, share: float) -> Tensor:
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


def draw_noise_scale(from_warp: Tensor, warp_range: tuple[float, float]) -> Tensor:
    """The share (B,) of the schedule's noise that is added: all of it to photos."""
    least, most = warp_range
    drawn = least + (most - least) * torch.rand(len(from_warp), device=from_warp.device)
    return torch.where(from_warp, drawn, 1.0)


def min_snr_weight(
    alphas_cumprod: Tensor, timesteps: Tensor, gamma: float = 5.0, predicted: str = "v_prediction"
) -> Tensor:
    """Weight (B,) of a velocity's error, min(SNR + 1, gamma) / (SNR + 1), in (0, 1].

    A velocity's error counts as a clean-image error SNR + 1 times; the weight cuts that off at ``gamma``
    (arXiv 2303.09556). Unlike that min(SNR, gamma) / (SNR + 1) it is not zero at zero SNR, where sampling
    with a zero-SNR schedule begins. For networks that predict the noise (``predicted`` "epsilon") it is
    min(SNR, gamma) / (SNR + 1), for which the noise's error has a weight of min(1, gamma / SNR).
    """
    alpha = alphas_cumprod[timesteps].float()
    inverse = 1 - alpha  # 1 / (SNR + 1)
    most = alpha if predicted == "epsilon" else torch.ones_like(alpha)
    return torch.minimum(gamma * inverse, most)


def clean_from_velocity(noisy: Tensor, velocity: Tensor, alphas_cumprod: Tensor, timesteps: Tensor) -> Tensor:
    """Predicted clean latents from noisy latents and a v-prediction (arXiv 2202.00512, appendix D)."""
    alpha = alphas_cumprod[timesteps].view(-1, 1, 1, 1).to(noisy)
    return alpha.sqrt() * noisy - (1 - alpha).sqrt() * velocity


def velocity_to(clean: Tensor, noisy: Tensor, alphas_cumprod: Tensor, timesteps: Tensor) -> Tensor:
    """Velocity that leads from noisy latents to clean ones; the inverse of :func:`clean_from_velocity`.

    For noise added to the clean latents it is v (arXiv 2202.00512). For noise added to others, such as a
    damaged version of them, it is what a single step needs to arrive at the clean ones.
    """
    alpha = alphas_cumprod[timesteps].view(-1, 1, 1, 1).to(noisy)
    return (alpha.sqrt() * noisy - clean) / (1 - alpha).sqrt()


def velocity_from_noise(noise: Tensor, noisy: Tensor, alphas_cumprod: Tensor, timesteps: Tensor) -> Tensor:
    """Velocity that a prediction of the noise amounts to (arXiv 2202.00512, appendix D)."""
    alpha = alphas_cumprod[timesteps].view(-1, 1, 1, 1).to(noisy)
    return (noise - (1 - alpha).sqrt() * noisy) / alpha.sqrt()


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
