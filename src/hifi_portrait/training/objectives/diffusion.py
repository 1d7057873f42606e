"""The diffusion process in training: timesteps and noise of a sample, velocities, and drawing by steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def draw_warp_starts(possible: Tensor, fraction: float) -> Tensor:
    """Draw which noisings (B,) noise the warp instead of the photo: a fraction of those ``possible`` (B,)."""
    return possible & (torch.rand(len(possible), device=possible.device) < fraction)


def draw_timesteps(
    from_warp: Tensor, steps: int, *, draws: int, shift: float, warp_range: tuple[float, float]
) -> Tensor:
    """Draw timesteps (B,) in [0, steps).

    Parameters
    ----------
    from_warp
        (B,) bool, which noisings noise the warp instead of the photo.
    steps
        Timesteps of the schedule.
    draws
        Noisings in a row that are of one sample. They come from as many equal parts of the schedule.
    shift
        Above 1 it moves a photo's timesteps to more noise (arXiv 2403.03206, section 5.3.2).
    warp_range
        Least and greatest timestep of noisings of the warp, as fractions of the schedule.
    """
    part = torch.arange(len(from_warp), device=from_warp.device) % draws
    even = torch.rand(len(part), device=part.device)
    place = (part + even) / draws
    place = shift * place / (1 + (shift - 1) * place)
    least, most = warp_range
    place = torch.where(from_warp, least + (most - least) * even, place)
    return (place * steps).long().clamp(max=steps - 1)


def draw_noise_scale(from_warp: Tensor, warp_range: tuple[float, float]) -> Tensor:
    """Draw noise scales (B,): of a photo 1, the schedule's noise, and of a warp within ``warp_range``."""
    least, most = warp_range
    drawn = least + (most - least) * torch.rand(len(from_warp), device=from_warp.device)
    return torch.where(from_warp, drawn, 1.0)


def min_snr_weight(
    alphas_cumprod: Tensor, timesteps: Tensor, gamma: float = 5.0, predicted: str = "v_prediction"
) -> Tensor:
    """Weigh the error of a velocity by the ratio of signal to noise (SNR): Min-SNR (arXiv 2303.09556).

    A velocity's squared error is SNR + 1 times that of the clean latents; the weight cuts this factor off at
    ``gamma``. The paper's min(SNR, gamma) / (SNR + 1) is 0 where there is no signal, which is where sampling
    with a zero-SNR schedule begins, so that min(SNR + 1, gamma) / (SNR + 1) is used in its place.

    Parameters
    ----------
    alphas_cumprod
        (T,) cumulative products of the schedule's alphas.
    timesteps
        (B,) in [0, T).
    gamma
        Where the weight is cut off, above 0.
    predicted
        What the networks predict. For "epsilon" the weight is the paper's, with which the noise's squared
        error weighs min(1, gamma / SNR).

    Returns
    -------
    torch.Tensor
        (B,) in [0, 1].
    """
    alpha = alphas_cumprod[timesteps].float()
    inverse = 1 - alpha  # 1 / (SNR + 1)
    most = alpha if predicted == "epsilon" else torch.ones_like(alpha)
    return torch.minimum(gamma * inverse, most)


def clean_from_velocity(noisy: Tensor, velocity: Tensor, alphas_cumprod: Tensor, timesteps: Tensor) -> Tensor:
    """Compute the clean latents (B, C, h, w) that a v-prediction means (arXiv 2202.00512, appendix D)."""
    alpha = alphas_cumprod[timesteps].view(-1, 1, 1, 1).to(noisy)
    return alpha.sqrt() * noisy - (1 - alpha).sqrt() * velocity


def velocity_to(clean: Tensor, noisy: Tensor, alphas_cumprod: Tensor, timesteps: Tensor) -> Tensor:
    """Compute the velocity that leads from noisy latents to clean ones, both (B, C, h, w).

    It inverts :func:`clean_from_velocity`.

    For noise added to the clean latents it is v (arXiv 2202.00512). For noise added to others, such as a
    damaged version of them, it is what a single step needs to arrive at the clean ones.
    """
    alpha = alphas_cumprod[timesteps].view(-1, 1, 1, 1).to(noisy)
    return (alpha.sqrt() * noisy - clean) / (1 - alpha).sqrt()


def velocity_from_noise(noise: Tensor, noisy: Tensor, alphas_cumprod: Tensor, timesteps: Tensor) -> Tensor:
    """Compute the velocity that a prediction of the noise means (arXiv 2202.00512, appendix D)."""
    alpha = alphas_cumprod[timesteps].view(-1, 1, 1, 1).to(noisy)
    return (noise - (1 - alpha).sqrt() * noisy) / alpha.sqrt()


def step_by_ddim(latents: Tensor, clean: Tensor, here: Tensor, there: Tensor) -> Tensor:
    """Take a step of DDIM (arXiv 2010.02502, eq. 12) from one noise level to another.

    Parameters
    ----------
    latents
        (B, C, h, w) at the noise level ``here``.
    clean
        (B, C, h, w), what they are taken to be without noise.
    here, there
        Cumulative products of alphas of both levels, of a shape that broadcasts; ``here`` is below 1.
    """
    noise = (latents - here.sqrt() * clean) / (1 - here).sqrt()
    return there.sqrt() * clean + (1 - there).sqrt() * noise


def draw_in_few_steps(
    predict: Callable[[Tensor, Tensor], Tensor], alphas_cumprod: Tensor, noise: Tensor, steps: int
) -> Tensor:
    """Draw clean latents from noise by DDIM (arXiv 2010.02502, eq. 12), with a gradient through all steps.

    Parameters
    ----------
    predict
        Gives the velocity (B, C, h, w) of noisy latents at timesteps (B,).
    alphas_cumprod
        (T,) cumulative products of the schedule's alphas.
    noise
        (B, C, h, w) of unit variance.
    steps
        How many, 1 or more; evenly from the last timestep on, as models of few steps have them.
    """
    total = len(alphas_cumprod)
    places = [total - 1 - step * total // steps for step in range(steps)]
    latents, clean = noise, noise
    for number, place in enumerate(places):
        times = torch.full((len(noise),), place, device=noise.device)
        clean = clean_from_velocity(latents, predict(latents, times), alphas_cumprod, times)
        if number + 1 < steps:
            here, there = alphas_cumprod[place], alphas_cumprod[places[number + 1]]
            latents = step_by_ddim(latents, clean, here, there)
    return clean


@torch.no_grad()
def sample_latents(
    predict: Callable[[Tensor, Tensor], Tensor], scheduler: Any, noise: Tensor, steps: int
) -> Tensor:
    """Draw latents by a plain denoising loop over any predictor, to look at during training.

    Parameters
    ----------
    predict
        Gives what the scheduler takes, of latents (B, C, h, w) and timesteps (B,).
    scheduler
        A scheduler of diffusers'. It is set to ``steps``.
    noise
        (B, C, h, w) of unit variance.
    steps
        How many steps to take, 1 or more.
    """
    scheduler.set_timesteps(steps, device=noise.device)
    latents = noise * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        output = predict(scheduler.scale_model_input(latents, timestep), timestep.expand(len(latents)))
        latents = scheduler.step(output.float(), timestep, latents).prev_sample
    drawn: Tensor = latents
    return drawn
