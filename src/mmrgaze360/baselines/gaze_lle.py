"""A decoder as Gaze-LLE's (Ryan et al., CVPR 2025), written anew, over a frozen backbone.

The picture is described once by a backbone that is not trained; a linear map takes its features to 256
channels; sines and cosines of the place are added, and a learnt vector where the head's box is; three
transformer blocks follow, with one more token that tells whether the target is in the picture. The heat map
has 64 x 64 cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrgaze360.baselines.backbones import GRID, Backbone
from mmrgaze360.baselines.inputs import flat_place

MAP_CELLS = 64
"""Cells of the map, across and up."""


@dataclass(frozen=True, kw_only=True)
class GazeLLEConfig:
    """Sizes of a `GazeLLE`."""

    backbone: str = ""
    """Folder of the frozen backbone (`Backbone.load`)."""
    width: int = 256
    """Channels of the tokens, a multiple of 8."""
    blocks: int = 3
    """Transformer blocks."""


class GazeLLE(nn.Module):
    """The compared network.

    Parameters
    ----------
    config
        Its sizes and its backbone.

    Raises
    ------
    ModelError
        There is no backbone.
    """

    config_class = GazeLLEConfig

    def __init__(self, config: GazeLLEConfig | None = None) -> None:
        super().__init__()
        self.config = config or GazeLLEConfig()
        # In a list, so that it is no part of the weights that are trained and saved.
        self._backbone = [Backbone.load(self.config.backbone)]
        width = self.config.width
        self.project = nn.Conv2d(self._backbone[0].channels, width, 1)
        self.head = nn.Parameter(torch.randn(width) * 0.02)
        self.in_or_out = nn.Parameter(torch.randn(width) * 0.02)
        block = nn.TransformerEncoderLayer(
            width, 8, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(block, self.config.blocks, enable_nested_tensor=False)
        self.up = nn.ConvTranspose2d(width, width // 4, 2, 2)
        self.out = nn.Conv2d(width // 4, 1, 1)
        self.in_view = nn.Sequential(nn.Linear(width, width // 2), nn.ReLU(), nn.Linear(width // 2, 1))
        nn.init.constant_(self.out.bias, -3.0)  # type: ignore[arg-type]

    def forward(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Give logits (B, 64, 64) of the heat map and (B,) of that the target is in view."""
        panorama = inputs["panorama"]
        backbone = self._backbone[0].to(panorama.device)
        features = self.project(backbone(panorama))
        where = head_cells(inputs["head_box"], inputs["head"])
        features = features + places_of_cells(features) + self.head[:, None, None] * where[:, None]
        tokens = features.flatten(2).transpose(1, 2)
        first = self.in_or_out.expand(len(tokens), 1, -1)
        said = self.blocks(torch.cat([first, tokens], 1))
        grid = said[:, 1:].transpose(1, 2).reshape(features.shape)
        small = self.out(F.gelu(self.up(grid)))
        logits = F.interpolate(small, size=(MAP_CELLS, MAP_CELLS), mode="bilinear", align_corners=False)
        return logits[:, 0].float(), self.in_view(said[:, 0])[:, 0].float()

    @torch.no_grad()
    def heat_map(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give heat maps (B, 64, 64), higher where the target is likelier."""
        logits: Tensor = self(inputs)[0]
        return logits.sigmoid()


def head_cells(box: Tensor, head: Tensor) -> Tensor:
    """Mark the cells (B, 16, 32) that boxes (B, 4) in degrees touch, over the seam too.

    Parameters
    ----------
    box
        (B, 4)
    head
        (B, 3) unit: their middles.
    """
    columns, rows = GRID
    place = flat_place(head)
    across = (torch.arange(columns, device=box.device) + 0.5) / columns
    down = (torch.arange(rows, device=box.device) + 0.5) / rows
    stretch = torch.hypot(head[:, 0], head[:, 1]).clamp(min=0.1)
    half = torch.stack([box[:, 2] / 720 / stretch + 0.5 / columns, box[:, 3] / 360 + 0.5 / rows], -1)
    beside = ((across[None] - place[:, :1] + 0.5) % 1 - 0.5).abs() <= half[:, :1]
    level = (down[None] - place[:, 1:]).abs() <= half[:, 1:]
    return (level[:, :, None] & beside[:, None]).to(head.dtype)


def places_of_cells(like: Tensor) -> Tensor:
    """Give sines and cosines (1, C, h, w) of columns and rows: half of the channels for each."""
    channels, height, width = like.shape[1:]
    quarter = channels // 4
    rate = torch.exp(-math.log(10000.0) * torch.arange(quarter, device=like.device) / quarter)
    parts = []
    for count, shape in ((width, (1, -1)), (height, (-1, 1))):
        angle = torch.arange(count, device=like.device)[None] * rate[:, None]
        waves = torch.cat([angle.sin(), angle.cos()])
        parts.append(waves.view(2 * quarter, *shape).expand(-1, height, width))
    return torch.cat(parts)[None].to(like.dtype)
