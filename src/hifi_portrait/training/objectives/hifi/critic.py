"""The critic of adversarial one-step fine-tuning: it tells latents of photos from those drawn from a warp.

Where several pictures are possible, regression gives their mean, which is a blur. A critic that sees the warp
beside the picture asks for one picture that a photo could be (conditional adversarial training, arXiv
1611.07004; on latents rather than pixels, arXiv 2403.12015).
"""

from __future__ import annotations

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

_MAX_BALANCE = 1e4
"""Greatest weight of a loss whose gradient vanishes, as VQGAN's code has it."""


class LatentCritic(ModelMixin, ConfigMixin):
    """Scores patches of latents, beside the warp's, at a half and at a quarter of their resolution.

    Parameters
    ----------
    latent_channels
        Channels of the latents of pictures, and of those of warps.
    width
        Channels of the first layer; each halving of the resolution doubles them.
    """

    @register_to_config
    def __init__(self, latent_channels: int = 16, width: int = 64) -> None:
        super().__init__()
        self.stem = spectral_norm(nn.Conv2d(2 * latent_channels + 1, width, 3, padding=1))
        self.to_half = spectral_norm(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1))
        self.to_quarter = spectral_norm(nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1))
        self.half_head = nn.Conv2d(2 * width, 1, 1)
        self.quarter_head = nn.Conv2d(4 * width, 1, 1)

    def forward(self, latents: Tensor, warps: Tensor, coverage: Tensor) -> Tensor:
        """Score all patches, higher for photos, as (B, P).

        Parameters
        ----------
        latents, warps
            (B, C, h, w) scaled latents.
        coverage
            (B, 1, h, w) in [0, 1], how much of each latent the warp shows.
        """
        features = F.leaky_relu(self.stem(torch.cat([latents, warps, coverage], dim=1)), 0.2)
        half = F.leaky_relu(self.to_half(features), 0.2)
        quarter = F.leaky_relu(self.to_quarter(half), 0.2)
        return torch.cat([self.half_head(half).flatten(1), self.quarter_head(quarter).flatten(1)], dim=1)

    def score_frozen(self, latents: Tensor, warps: Tensor, coverage: Tensor) -> Tensor:
        """Score as `forward` does, with a gradient for the latents and none for the critic's parameters."""
        fixed = {name: parameter.detach() for name, parameter in self.named_parameters()}
        scores: Tensor = functional_call(self, fixed, (latents, warps, coverage))
        return scores


def hinge_critic_loss(photo_scores: Tensor, drawn_scores: Tensor, counted: Tensor) -> Tensor:
    """Compute the hinge loss of a critic (arXiv 1705.02894): photos above 1, drawn latents below -1.

    The scores are (B, P), of which those of the samples ``counted``, a bool (B,), are averaged.
    """
    return mean_of(F.relu(1 - photo_scores) + F.relu(1 + drawn_scores), counted)


def mean_of(scores: Tensor, counted: Tensor) -> Tensor:
    """Average scores (B, P) of the samples ``counted``, a bool (B,); 0 if none is, without asking the GPU."""
    per_sample = scores.mean(dim=1) * counted
    return per_sample.sum() / counted.sum().clamp(min=1)


def balance_gradients(loss: Tensor, other: Tensor, at: Tensor, fraction: float) -> Tensor:
    """Weigh a loss so that its gradient has a fraction of the length of another's.

    It is the adaptive weight of VQGAN (arXiv 2012.09841, eq. 7), taken at the networks' output.

    Parameters
    ----------
    loss, other
        Scalars that depend on ``at``.
    at
        Where the lengths of the gradients are compared.
    fraction
        Length of the gradient of the weighed loss, beside that of ``other``'s, 0 or more.
    """
    lengths = [torch.autograd.grad(term, at, retain_graph=True)[0].norm() for term in (other, loss)]
    weight: Tensor = (fraction * lengths[0] / lengths[1].clamp(min=1e-8)).clamp(max=_MAX_BALANCE).detach()
    return loss * weight
