"""An adversary in latent space: tells latents of photos from those that the networks draw from a warp.

Regression answers doubt with a mean, which is a blur. A critic that sees the warp beside the picture asks for
one picture that a photo could be (conditional adversarial training, arXiv 1611.07004; on latents rather than
pixels, arXiv 2403.12015).
"""

from __future__ import annotations

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


class LatentCritic(ModelMixin, ConfigMixin):
    """Scores patches of latents, beside the warp's, at a half and at a quarter of their resolution.

    Parameters
    ----------
    latent_channels
        Of pictures and warps alike.
    width
        Of the first layer; each halving of the resolution doubles it.
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
        """Scores (B, P) of all patches, higher for photos.

        Parameters
        ----------
        latents, warps
            (B, C, h, w) scaled latents.
        coverage
            (B, 1, h, w) in [0, 1], how well the warp is seen.
        """
        features = F.leaky_relu(self.stem(torch.cat([latents, warps, coverage], dim=1)), 0.2)
        half = F.leaky_relu(self.to_half(features), 0.2)
        quarter = F.leaky_relu(self.to_quarter(half), 0.2)
        return torch.cat([self.half_head(half).flatten(1), self.quarter_head(quarter).flatten(1)], dim=1)

    def frozen(self, latents: Tensor, warps: Tensor, coverage: Tensor) -> Tensor:
        """As `forward`; the gradient reaches the latents and not the critic's own parameters."""
        fixed = {name: parameter.detach() for name, parameter in self.named_parameters()}
        scores: Tensor = functional_call(self, fixed, (latents, warps, coverage))
        return scores


def hinge_critic_loss(photo_scores: Tensor, drawn_scores: Tensor) -> Tensor:
    """What the critic minimises (arXiv 1705.02894): photos above 1, drawings below -1."""
    return F.relu(1 - photo_scores).mean() + F.relu(1 + drawn_scores).mean()


def balance_gradients(loss: Tensor, other: Tensor, at: Tensor, share: float) -> Tensor:
    """`loss`, weighed so that its gradient at `at` has `share` of the length of `other`'s.

    The adaptive weight of VQGAN (arXiv 2012.09841, eq. 7), taken at the networks' output.
    """
    lengths = [torch.autograd.grad(term, at, retain_graph=True)[0].norm() for term in (other, loss)]
    return loss * (share * lengths[0] / lengths[1].clamp(min=1e-8)).clamp(max=1e4).detach()
