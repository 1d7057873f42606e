"""The dual pathway of Li et al. 2021 ("Looking here or there?", ICCV), written anew from what is published.

Head and target are both put on the unit sphere. From the close-up and the head's place the chord between them
is regressed, in the head's own frame: its other end is the middle of the distant region. A cone in the flat
picture beside the head is the local region. Two small convolutional networks make a heat map of each region,
and a third joins them. Maps have 56 x 56 cells, and the panorama is not turned: both as theirs. The network
of the close-up is of the size of our head network, in place of their ResNet-50, so that the rows differ by
their method and not by what they were pretrained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrgaze360.baselines.inputs import CLOSE_UP_SIZE, flat_place
from mmrgaze360.network.reborn import RebornConv, RebornMLP
from mmrgaze360.sphere.torch_patches import directions_of_grid, view_rotations

MAP_CELLS = 56
"""Cells of the maps, across and up."""

_CONV = partial(RebornConv, reborn=False)
_STEP = 0.05
"""Length along the chord that tells which way it leads in the flat picture."""
_LOCAL = 0.35
"""Reach of the local region, in the picture's heights."""
_DISTANT = 25.0
"""Concentration of the distant region."""


@dataclass(frozen=True, kw_only=True)
class DualPathwayConfig:
    """Sizes of a `DualPathway`."""

    head_widths: tuple[int, ...] = (24, 48, 96, 128)
    """Channels of the close-up's network after each halving."""
    widths: tuple[int, int, int, int] = (16, 32, 48, 64)
    """Channels of each pathway at each halving."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DualOutput:
    """What a `DualPathway` says of B people."""

    chord: Tensor
    """(B, 3) from head to target in the head's frame: right, ahead, up."""
    end: Tensor
    """(B, 3) unit: where the chord ends, in the panorama's frame."""
    local: Tensor
    """(B, 56, 56) heat map of the local pathway."""
    distant: Tensor
    """(B, 56, 56) that of the distant one."""
    joined: Tensor
    """(B, 56, 56) that of both."""


class Pathway(nn.Module):
    """A small U-Net from a picture and a region to a heat map (B, 1, 56, 56) and features."""

    def __init__(self, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        a, b, c, d = widths
        self.at_4 = nn.Sequential(_CONV(4, a, 2, 5), _CONV(a, b, 2))
        self.at_8, self.at_16 = _CONV(b, c, 2), nn.Sequential(_CONV(c, d, 2), _CONV(d, d))
        self.down_16, self.down_8 = nn.Conv2d(d, c, 1), nn.Conv2d(c, b, 1)
        self.up_8, self.up_4 = _CONV(c, c), _CONV(b, b)
        self.out = nn.Conv2d(b, 1, 1)

    def forward(self, picture: Tensor, region: Tensor) -> tuple[Tensor, Tensor]:
        """Look at a picture (B, 3, 224, 224) where a region (B, 1, 224, 224) says."""
        fourth = self.at_4(torch.cat([picture, region], 1))
        eighth = self.at_8(fourth)
        up = self.up_8(eighth + F.interpolate(self.down_16(self.at_16(eighth)), scale_factor=2.0))
        up = self.up_4(fourth + F.interpolate(self.down_8(up), scale_factor=2.0))
        return self.out(up), up


class DualPathway(nn.Module):
    """The compared network.

    Parameters
    ----------
    config
        Its sizes.
    """

    config_class = DualPathwayConfig

    def __init__(self, config: DualPathwayConfig | None = None) -> None:
        super().__init__()
        self.config = config or DualPathwayConfig()
        layers: list[nn.Module] = []
        inputs = 3
        for k, width in enumerate(self.config.head_widths):
            layers.append(_CONV(inputs, width, 2, 5 if k == 0 else 3))
            if k:
                layers.append(_CONV(width, width))
            inputs = width
        self.trunk = nn.Sequential(*layers)
        side = CLOSE_UP_SIZE // 2 ** len(self.config.head_widths)
        self.place = RebornMLP((3, 32, 32), reborn=False)
        self.chord = RebornMLP((inputs * side * side + 32, 128, 3), reborn=False, dropout=0.2)
        self.local, self.distant = Pathway(self.config.widths), Pathway(self.config.widths)
        b = self.config.widths[1]
        self.join = nn.Sequential(_CONV(2 * b + 2, b), _CONV(b, b), nn.Conv2d(b, 1, 1))

    def forward(self, inputs: dict[str, Tensor]) -> DualOutput:
        """Find the targets of B people, of `inputs.make_inputs`."""
        head = inputs["head"]
        described = torch.cat([self.trunk(inputs["close_up"]).flatten(1), self.place(head)], 1)
        chord = self.chord(described)
        along = torch.einsum("bij,bj->bi", view_rotations(head), chord)
        end = F.normalize(head + along, dim=-1, eps=1e-6)
        side = 4 * MAP_CELLS
        picture = F.interpolate(inputs["panorama"], size=(side, side), mode="area")
        regions = [F.interpolate(r[:, None], size=(side, side)) for r in regions_of(head, along, end)]
        local, local_features = self.local(picture, regions[0])
        distant, distant_features = self.distant(picture, regions[1])
        joined = self.join(torch.cat([local, distant, local_features, distant_features], 1))
        return DualOutput(chord=chord, end=end, local=local[:, 0], distant=distant[:, 0], joined=joined[:, 0])

    @torch.no_grad()
    def heat_map(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give heat maps (B, 56, 56), higher where the target is likelier."""
        out: DualOutput = self(inputs)
        return out.joined


def regions_of(head: Tensor, along: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Draw the local and the distant region (B, 56, 56) in the flat picture.

    Parameters
    ----------
    head, end
        (B, 3) unit: both ends of the chord.
    along
        (B, 3) the chord in the panorama's frame.
    """
    aspect = torch.tensor((2.0, 1.0), device=head.device)  # the picture is two of its heights wide
    start = flat_place(head) * aspect
    way = flat_place(head + _STEP * along) * aspect - start
    way = torch.stack([(way[:, 0] + 1) % 2 - 1, way[:, 1]], -1)
    way = F.normalize(way, dim=-1, eps=1e-6)
    cells = (torch.arange(MAP_CELLS, device=head.device) + 0.5) / MAP_CELLS
    down, across = torch.meshgrid(cells, 2 * cells, indexing="ij")
    offset = torch.stack([across, down], -1)[None] - start[:, None, None]
    away = offset.norm(dim=-1)
    cosine = (offset * way[:, None, None]).sum(-1) / away.clamp(min=1e-4)
    local = torch.exp(6 * (cosine - 1)) * torch.exp(-((away / _LOCAL) ** 2) / 2)
    grid = directions_of_grid(MAP_CELLS, MAP_CELLS, like=head)
    return local, torch.exp(_DISTANT * ((grid[None] * end[:, None, None]).sum(-1) - 1))
