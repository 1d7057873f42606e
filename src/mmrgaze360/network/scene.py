"""The scene network: from a panorama and one person's gaze to the heat map of their target.

Each person's panorama is turned about the vertical so that the head is in its middle: the seam is then always
behind the head, and a panorama that is turned gives the same heat map, turned.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrgaze360.network.generators import APERTURES, field_of_view
from mmrgaze360.network.patches import PatchModule
from mmrgaze360.network.reborn import RebornConv, RebornMLP
from mmrgaze360.sphere.torch_patches import directions_of_grid

PANORAMA_SIZE = (512, 256)
"""Columns and rows of the panorama that patches are read from; the global path takes half as many."""
MAP_SIZE = (128, 64)
"""Columns and rows of a heat map."""


@dataclass(frozen=True, kw_only=True)
class SceneNetworkConfig:
    """Sizes of a `SceneNetwork`, and which of its parts there are."""

    widths: tuple[int, int, int, int] = (40, 56, 80, 96)
    """Channels of the global path at 64 x 32 cells and at each halving."""
    scales: tuple[float, ...] = (20.0, 50.0)
    """Angles of view of the patches, degrees."""
    reborn: bool = True
    """Whether activations are reborn."""
    patches: bool = True
    """Whether there is a multi-task multi-scale module."""
    field_of_view: bool = True
    """Whether the 360-FoV is an input and a prior."""
    image: bool = True
    """Whether the panorama is an input."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneOutput:
    """What a `SceneNetwork` says of B people."""

    logits: Tensor
    """(B, 64, 128) log of the density of the target on the sphere, but for a constant."""
    in_view: Tensor
    """(B,) logit of that the panorama shows the target."""
    depth: Tensor | None
    """(B, N) log of the target's distance over the eyes', by patch."""
    scores: Tensor | None
    """(B, N) logit of that the patch holds the target."""
    rotations: Tensor | None
    """(B, N, 3, 3) of the patches."""


class GlobalPath(nn.Module):
    """A small U-Net over the whole panorama, whose left and right edge meet."""

    def __init__(self, config: SceneNetworkConfig) -> None:
        super().__init__()
        a, b, c, d = config.widths
        reborn = config.reborn

        def conv(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> RebornConv:
            return RebornConv(inputs, outputs, stride, kernel, reborn=reborn, wraps=True)

        maps = len(APERTURES) + 3
        self.stem = nn.Sequential(conv(3, 16, 2, 5), conv(16, 32, 2))
        self.at_1 = nn.Sequential(conv(32 + maps, a), conv(a, a))
        self.at_2 = nn.Sequential(conv(a, b, 2), conv(b, b))
        self.at_4 = nn.Sequential(conv(b, c, 2), conv(c, c))
        self.at_8 = nn.Sequential(conv(c, d, 2), conv(d, d))
        self.up_4, self.up_2, self.up_1 = conv(c + d, c), conv(b + c, b), conv(a + b, a)
        self.out = nn.Conv2d(a, 1, 1)
        for parameter in self.out.parameters():
            nn.init.zeros_(parameter)

    def forward(self, panorama: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Give logits (B, 1, 32, 64) and features (B, widths[3]) of a (B, 3, 128, 256) panorama."""
        first = self.at_1(torch.cat([self.stem(panorama), maps], 1))
        second = self.at_2(first)
        fourth = self.at_4(second)
        eighth = self.at_8(fourth)
        up = self.up_4(torch.cat([_enlarge(eighth, fourth), fourth], 1))
        up = self.up_2(torch.cat([_enlarge(up, second), second], 1))
        up = self.up_1(torch.cat([_enlarge(up, first), first], 1))
        return self.out(up), eighth.mean((2, 3))


def _enlarge(small: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(small, size=like.shape[-2:], mode="bilinear", align_corners=False)


class SceneNetwork(nn.Module):
    """Global path, multi-task multi-scale module, and their fusion with the 360-FoV.

    Parameters
    ----------
    config
        Its sizes and parts.
    """

    config_class = SceneNetworkConfig

    def __init__(self, config: SceneNetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config or SceneNetworkConfig()
        self.whole = GlobalPath(self.config)
        self.prior = nn.Parameter(torch.tensor(1.0))
        facts = self.config.widths[-1] + 3
        token = 0
        if self.config.patches:
            self.module = PatchModule(self.config.scales, self.config.reborn)
            token = self.module.score.in_features
            self.mix = RebornMLP((token + 1, 32, 1), reborn=self.config.reborn)
        self.in_view = RebornMLP((facts + token, 48, 1), reborn=self.config.reborn, dropout=0.1)

    def forward(self, panorama: Tensor, head: Tensor, gaze: Tensor, kappa: Tensor) -> SceneOutput:
        """Find the targets of B people.

        Parameters
        ----------
        panorama
            (B, 3, 256, 512) in [-1, 1], turned so that the head is in its middle column.
        head, gaze
            (B, 3) unit, in the turned panorama's frame; the first component of ``head`` is 0.
        kappa
            (B,) concentration of the gaze.
        """
        if not self.config.image:
            panorama = torch.zeros_like(panorama)
        small = F.avg_pool2d(panorama, 2)
        coarse = directions_of_grid(64, 32, like=head)
        fine = directions_of_grid(*MAP_SIZE, like=head)
        cones, _ = field_of_view(coarse[None], head, gaze, kappa)
        _, log_prior = field_of_view(fine[None], head, gaze, kappa)
        if not self.config.field_of_view:
            cones, log_prior = torch.zeros_like(cones), torch.zeros_like(log_prior)
        own = torch.exp(300 * ((coarse[None] * head[:, None, None]).sum(-1) - 1))
        along = (coarse[None] * gaze[:, None, None]).sum(-1)
        latitude = coarse[..., 2].expand_as(own)
        maps = torch.cat([cones, torch.stack([own, along, latitude], 1)], 1)
        out, features = self.whole(small, maps.to(small.dtype))
        logits = F.interpolate(out, size=fine.shape[:2], mode="bilinear", align_corners=False)[:, 0].float()
        logits = logits + self.prior * log_prior
        facts = [features, torch.log(kappa)[:, None], gaze[:, 2:], (head * gaze).sum(1, keepdim=True)]
        if not self.config.patches:
            in_view = self.in_view(torch.cat([fact.float() for fact in facts], 1))[:, 0]
            return SceneOutput(logits=logits, in_view=in_view, depth=None, scores=None, rotations=None)
        rotations, patch_maps, scores, depth, tokens = self.module(panorama, head, gaze)
        weight = self.mix(torch.cat([tokens, scores[..., None]], -1))[..., 0].float()
        laid = self.module.on_sphere(rotations, patch_maps.float(), coarse)
        mixed = (laid * torch.sigmoid(weight)[..., None, None]).sum(1, keepdim=True)
        logits = logits + F.interpolate(mixed, size=fine.shape[:2], mode="bilinear")[:, 0]
        share = torch.softmax(scores.float(), 1)
        facts.append((tokens.float() * share[..., None]).sum(1))
        in_view = self.in_view(torch.cat([fact.float() for fact in facts], 1))[:, 0]
        return SceneOutput(logits=logits, in_view=in_view, depth=depth, scores=scores, rotations=rotations)


def sphere_log_density(logits: Tensor) -> Tensor:
    """Turn logits (B, h, w) into the log of the probability of each cell of the sphere."""
    grid = directions_of_grid(logits.shape[2], logits.shape[1], like=logits)
    area = torch.log((1 - grid[..., 2] ** 2).clamp(min=1e-9).sqrt())
    return torch.log_softmax((logits + area).flatten(1), 1).view_as(logits)
