"""The warp as a prior of the picture: what a denoiser would answer that knows the warp and nothing else.

Where the references see the surface, the clean latents are taken as Gaussian around the warp's; elsewhere as
unit Gaussian around zero, which is what a v-prediction of zero stands for. The networks are left with the
rest. It is the preconditioning of Karras et al. (arXiv 2206.00364, section 5) with a mean that is not zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor


def prior_velocity(noisy: Tensor, alpha_bar: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """Expected velocity of clean latents that are Gaussian with `mean` and `variance`.

    With alpha^2 = `alpha_bar`, sigma^2 = 1 - alpha^2, z = alpha x + sigma e and v = alpha e - sigma x, it is
    E[v | z] = alpha sigma (1 - s^2) / (alpha^2 s^2 + sigma^2) (z - alpha m) - sigma m.

    Parameters
    ----------
    noisy, mean, variance
        (B, C, h, w).
    alpha_bar
        (B,) in [0, 1).
    """
    alpha_bar = alpha_bar.to(noisy.device, torch.float32).view(-1, 1, 1, 1)
    alpha, sigma = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    mean, variance = mean.float(), variance.float()
    gain = alpha * sigma * (1 - variance) / (alpha_bar * variance + sigma**2)
    return gain * (noisy.float() - alpha * mean) - sigma * mean


def alpha_bar_at(alphas_cumprod: Tensor, timestep: Tensor | float) -> Tensor:
    """Cumulative product of alphas (B,) at timesteps (B,), which need not be whole numbers."""
    steps = torch.as_tensor(timestep, dtype=torch.float64).reshape(-1).cpu().clamp(0, len(alphas_cumprod) - 1)
    lower = steps.floor().long()
    upper = (lower + 1).clamp(max=len(alphas_cumprod) - 1)
    alphas = alphas_cumprod.double().cpu()
    return torch.lerp(alphas[lower], alphas[upper], steps - lower).float()


@contextmanager
def prior_added(
    unet: UNet2DConditionModel, mean: Tensor, variance: Tensor, alphas_cumprod: Tensor, scale: float = 1.0
) -> Iterator[None]:
    """Within this context the UNet's prediction has the prior added, weighed by `scale`.

    `mean` and `variance` are (B, C, h, w). The UNet may run on B samples, or on 2 B of which the second half
    is conditional: the unconditional half is left alone.
    """

    def add(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        noisy = args[0] if args else kwargs["sample"]
        timestep = args[1] if len(args) > 1 else kwargs["timestep"]
        count = len(mean)
        conditional = noisy[-count:]
        alpha_bar = alpha_bar_at(alphas_cumprod, timestep).expand(len(noisy))[-count:]
        prior = scale * prior_velocity(
            conditional, alpha_bar, mean.to(noisy.device), variance.to(noisy.device)
        )
        prediction = output[0]
        prediction = torch.cat([prediction[:-count], prediction[-count:] + prior.to(prediction.dtype)])
        if isinstance(output, tuple):
            return (prediction, *output[1:])
        return type(output)(sample=prediction)

    hook = unet.register_forward_hook(add, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()
