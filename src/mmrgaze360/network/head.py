"""The head network: from a close-up of a head to the direction of the gaze, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrgaze360.network.reborn import RebornConv, RebornMLP


@dataclass(frozen=True, kw_only=True)
class HeadNetworkConfig:
    """Sizes of a `HeadNetwork`."""

    size: int = 64
    """Pixels of a close-up, a multiple of 16."""
    widths: tuple[int, ...] = (24, 48, 96, 128)
    """Channels after each halving; four of them."""
    hidden: int = 128
    """Width of the MLP."""
    dropout: float = 0.2
    reborn: bool = True
    """Whether activations are reborn."""


class HeadNetwork(nn.Module):
    """Reads the gaze from the tangent patch about a head.

    Parameters
    ----------
    config
        Its sizes.
    """

    config_class = HeadNetworkConfig

    def __init__(self, config: HeadNetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config or HeadNetworkConfig()
        layers: list[nn.Module] = []
        inputs = 3
        for k, width in enumerate(self.config.widths):
            layers.append(RebornConv(inputs, width, 2, 5 if k == 0 else 3, reborn=self.config.reborn))
            if k:
                layers.append(RebornConv(width, width, reborn=self.config.reborn))
            inputs = width
        self.trunk = nn.Sequential(*layers)
        side = self.config.size // 2 ** len(self.config.widths)
        self.mlp = RebornMLP(
            (inputs * side * side, self.config.hidden, 4),
            reborn=self.config.reborn,
            dropout=self.config.dropout,
        )

    def forward(self, close_up: Tensor) -> tuple[Tensor, Tensor]:
        """Read gazes.

        Parameters
        ----------
        close_up
            (B, 3, size, size) in [-1, 1].

        Returns
        -------
        gaze, concentration
            (B, 3) unit, in the patch's frame (x right, y forward, z up), and (B,) above 1: kappa of a von
            Mises-Fisher distribution about it.
        """
        raw = self.mlp(self.trunk(close_up).flatten(1)).float()
        return F.normalize(raw[:, :3], dim=1), F.softplus(raw[:, 3]) + 1


def von_mises_fisher_loss(gaze: Tensor, concentration: Tensor, truth: Tensor) -> Tensor:
    """Negative log-likelihood (B,) of true directions, but for a constant; finite for large kappa."""
    kappa = concentration
    log_norm = torch.log(kappa) - torch.log1p(-torch.exp(-2 * kappa))
    return kappa * (1 - (gaze * truth).sum(1)) - log_norm
