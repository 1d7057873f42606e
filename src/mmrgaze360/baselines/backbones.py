"""Frozen networks of a user's, which describe a panorama: MobileNetV2, or DINOv2 as `transformers` has it."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from hifi_portrait.errors import ModelError
from hifi_portrait.evaluation.scorers.mobilenet import MEAN, STD, MobileNetV2Features

MOBILENET_FILE = "mobilenet_v2_imagenet.pth"
"""Name of torchvision's published weights in a folder."""
GRID = (32, 16)
"""Columns and rows of the description."""

_MOBILENET_LAYERS = 14
"""Layers up to the last of 96 channels, which has a cell for 16 pixels."""


class Backbone(nn.Module):
    """Describes panoramas by a grid of features; never trained.

    Parameters
    ----------
    kind
        "mobilenet" or "dinov2".
    network
        Which.
    channels
        Of its features.
    """

    def __init__(self, kind: str, network: nn.Module, channels: int) -> None:
        super().__init__()
        self.kind, self.network, self.channels = kind, network.eval().requires_grad_(False), channels

    @classmethod
    def load(cls, folder: str | Path) -> Backbone:
        """Load one from a folder.

        Parameters
        ----------
        folder
            Holds ``mobilenet_v2_imagenet.pth`` of torchvision's, or what `transformers.Dinov2Model` saves.

        Raises
        ------
        ModelError
            It holds neither, or what it holds is damaged.
        """
        root = Path(folder)
        try:
            if (root / MOBILENET_FILE).is_file():
                features = MobileNetV2Features.load(root / MOBILENET_FILE).features
                return cls("mobilenet", fold_batch_norms(features[:_MOBILENET_LAYERS].eval()), 96)
            config = root / "config.json"
            if config.is_file() and json.loads(config.read_text()).get("model_type") == "dinov2":
                from transformers import Dinov2Model

                model: Any = Dinov2Model.from_pretrained(root, local_files_only=True)
                return cls("dinov2", model, int(model.config.hidden_size))
        except Exception as error:  # torch, json and transformers raise many kinds for a damaged file
            raise ModelError(f"the backbone in {root} is damaged: {error}") from error
        where = str(folder) or "no folder"
        raise ModelError(
            f"no backbone in {where}: name a folder with {MOBILENET_FILE} of torchvision's or with a DINOv2 "
            "model (--set gaze_lle.network.backbone=DIR)"
        )

    @torch.no_grad()
    def forward(self, panorama: Tensor) -> Tensor:
        """Describe panoramas (B, 3, 256, 512) in [-1, 1] by features (B, channels, 16, 32)."""
        mean, std = (torch.tensor(v, device=panorama.device).view(3, 1, 1) for v in (MEAN, STD))
        picture = (panorama / 2 + 0.5 - mean) / std
        if self.kind == "mobilenet":
            described: Tensor = self.network(picture.contiguous(memory_format=torch.channels_last))
            return described.contiguous()
        side = int(self.network.config.patch_size)  # type: ignore[union-attr, arg-type]
        size = (GRID[1] * side, GRID[0] * side)
        picture = F.interpolate(picture, size=size, mode="bilinear", align_corners=False)
        tokens: Tensor = self.network(picture).last_hidden_state[:, 1:]
        return tokens.transpose(1, 2).reshape(len(panorama), self.channels, GRID[1], GRID[0])


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """Fold each batch norm that follows a convolution in an `nn.Sequential` into it, for a frozen network.

    Parameters
    ----------
    network
        In evaluation mode. It is changed in place, and returned.
    """
    for sequence in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for place, (before, after) in enumerate(pairwise(list(sequence))):
            if isinstance(before, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                sequence[place] = fuse_conv_bn_eval(before, after)
                sequence[place + 1] = nn.Identity()
    return network
