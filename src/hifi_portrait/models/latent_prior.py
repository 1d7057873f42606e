"""A Gaussian prior of the picture: what a denoiser would answer that knows second moments and nothing else.

Latents of photos are strongly correlated, between channels and between neighbours, and a little with those of
the warp. In the basis of their principal components and the discrete cosine transform these correlations are
nearly diagonal, so that the best linear denoiser, Wiener's, has a closed form. A network that joins it is
left with what is not linear. It is the preconditioning of Karras et al. (arXiv 2206.00364, section 5) with a
mean that is not zero and a variance for each frequency.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

_MIN_VARIANCE = 1e-3
"""Variance of a scaled latent's component and frequency at least, so that nothing is certain."""
_MIN_UNEXPLAINED = 0.3
"""Fraction of a variance that the warp leaves unexplained at least."""


class LatentPrior(nn.Module):
    """Latents are Gaussian around a mean that depends on the warp.

    Buffers, for pictures of ``size`` x ``size`` latents; for others they are interpolated::

        basis     (C, C)        columns are the principal components of the channels
        mean      (C, h, w)     of latents
        gain      (C, h, w)     by component and frequency: what of the warp's deviation the latents share
        variance  (C, h, w)     by component and frequency: of what is left

    Fresh, it is a unit Gaussian around zero, whose expected velocity is zero.
    """

    basis: Tensor
    mean: Tensor
    gain: Tensor
    variance: Tensor

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        shape = (channels, size, size)
        self.register_buffer("basis", torch.eye(channels))
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("gain", torch.zeros(shape))
        self.register_buffer("variance", torch.ones(shape))

    @torch.no_grad()
    def calibrate(self, latents: Tensor, targets: Tensor, warps: Tensor, coverage: Tensor) -> None:
        """Measure the moments.

        Parameters
        ----------
        latents
            (P, C, h, w) scaled latents of photos.
        targets, warps, coverage
            (Q, C, h, w) latents of photos and of their warps from other photos, and (Q, 1, h, w) in [0, 1].
        """
        mean = latents.float().mean(0)
        deviation = latents.float() - mean
        channels = deviation.transpose(0, 1).flatten(1)
        basis = torch.linalg.eigh(channels @ channels.T / channels.shape[1]).eigenvectors
        self.basis.copy_(basis)
        self.mean.copy_(mean)
        variance = self._to_frequencies(deviation).square().mean(0)
        target = self._to_frequencies(targets.float() - mean)
        warp = self._to_frequencies(coverage.float() * (warps.float() - mean))
        shared, power = _by_radius((target * warp).mean(0)), _by_radius(warp.square().mean(0))
        gain = shared / power.clamp(min=1e-6)
        left = torch.maximum(variance - gain * shared, _MIN_UNEXPLAINED * variance)
        self.gain.copy_(gain)
        self.variance.copy_(left.clamp(min=_MIN_VARIANCE))

    def mean_given(self, warp: Tensor, coverage: Tensor) -> Tensor:
        """Return the expected latents (B, C, h, w) given those of the warp and its coverage (B, 1, h, w)."""
        mean, gain = self._sized(self.mean, warp.shape), self._sized(self.gain, warp.shape)
        deviation = coverage.float() * (warp.float() - mean)
        return mean + self._to_latents(gain * self._to_frequencies(deviation))

    def mean_alone(self, like: Tensor) -> Tensor:
        """Return the expected latents where there is no warp, in the shape (B, C, h, w) of ``like``."""
        return self._sized(self.mean, like.shape).expand(like.shape)

    def velocity(
        self, noisy: Tensor, alpha_bar: Tensor, mean: Tensor, noise_scale: Tensor | float = 1.0
    ) -> Tensor:
        """Return the expected velocity of noisy latents (B, C, h, w) whose clean ones have this mean.

        With alpha^2 = ``alpha_bar`` (B,), sigma^2 = 1 - alpha^2, the fraction g = ``noise_scale`` (B,) of the
        schedule's noise, z = alpha x + g sigma e and v = (alpha z - x) / sigma, for each component and
        frequency of variance s^2 it is
        E[v | z] = alpha sigma (g^2 - s^2) / (alpha^2 s^2 + g^2 sigma^2) (z - alpha m) - sigma m.
        Without noise it leads back to z / alpha: what is seen clearly needs no prior.
        """
        alpha_bar = alpha_bar.to(noisy.device, torch.float32).view(-1, 1, 1, 1)
        alpha, sigma = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
        variance = self._sized(self.variance, noisy.shape)
        scale = torch.as_tensor(noise_scale, device=noisy.device, dtype=torch.float32).view(-1, 1, 1, 1) ** 2
        gain = alpha * sigma * (scale - variance) / (alpha_bar * variance + scale * sigma**2)
        deviation = self._to_frequencies(noisy.float() - alpha * mean.float())
        return self._to_latents(gain * deviation) - sigma * mean.float()

    def _to_frequencies(self, values: Tensor) -> Tensor:
        rows, columns = (_cosines(side, values.device) for side in values.shape[-2:])
        with torch.autocast(values.device.type, enabled=False):
            return rows @ torch.einsum("ck,bchw->bkhw", self.basis.float(), values) @ columns.T

    def _to_latents(self, values: Tensor) -> Tensor:
        rows, columns = (_cosines(side, values.device) for side in values.shape[-2:])
        with torch.autocast(values.device.type, enabled=False):
            return torch.einsum("ck,bkhw->bchw", self.basis.float(), rows.T @ values @ columns)

    @staticmethod
    def _sized(buffer: Tensor, shape: torch.Size) -> Tensor:
        if buffer.shape[-2:] == shape[-2:]:
            return buffer.float()
        return F.interpolate(buffer[None].float(), tuple(shape[-2:]), mode="bilinear")[0]


def _cosines(size: int, device: torch.device) -> Tensor:
    """Make the matrix (size, size) of the orthonormal discrete cosine transform of type II."""
    places = torch.arange(size, device=device, dtype=torch.float32)
    matrix = torch.cos(math.pi / size * (places + 0.5) * places[:, None]) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix


def _by_radius(values: Tensor) -> Tensor:
    """Each frequency's (C, h, w) mean over those of about the same radius."""
    height, width = values.shape[-2:]
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    radius = torch.hypot(rows.float(), columns.float()).round().long().flatten().to(values.device)
    count = torch.bincount(radius).float()
    sums = torch.zeros(len(values), len(count), device=values.device)
    sums.index_add_(1, radius, values.flatten(1))
    return (sums / count)[:, radius].view_as(values)


def alpha_bar_at(alphas_cumprod: Tensor, timestep: Tensor | float) -> Tensor:
    """Cumulative product of alphas (B,) at timesteps (B,), which need not be whole numbers."""
    steps = torch.as_tensor(timestep, dtype=torch.float64).reshape(-1).clamp(0, len(alphas_cumprod) - 1)
    lower = steps.floor().long()
    upper = (lower + 1).clamp(max=len(alphas_cumprod) - 1)
    alphas = alphas_cumprod.double()
    return torch.lerp(alphas[lower], alphas[upper], steps - lower).float()


@contextmanager
def add_prior(
    unet: UNet2DConditionModel,
    prior: LatentPrior,
    mean: Tensor,
    alphas_cumprod: Tensor,
    noise_scale: float = 1.0,
) -> Iterator[None]:
    """Within this context the UNet's prediction has the prior's velocity added.

    ``mean`` is (B, C, h, w); ``noise_scale`` is the fraction of the schedule's noise that the samples have.
    The UNet may run on B samples, or on 2 B or 3 B of which the first are unconditional: those have the mean
    of a picture without a warp.
    """

    def add(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        noisy = args[0] if args else kwargs["sample"]
        timestep = args[1] if len(args) > 1 else kwargs["timestep"]
        known = mean.to(noisy.device, torch.float32)
        halves = len(noisy) // len(known)
        means = torch.cat([prior.mean_alone(noisy[: len(known)]), *[known] * (halves - 1)])
        means = known if halves == 1 else means
        alpha_bar = alpha_bar_at(alphas_cumprod, timestep).expand(len(noisy))
        velocity = prior.velocity(noisy, alpha_bar, means, noise_scale)
        prediction = output[0] + velocity.to(output[0].dtype)
        if isinstance(output, tuple):
            return (prediction, *output[1:])
        return type(output)(sample=prediction)

    hook = unet.register_forward_hook(add, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()
