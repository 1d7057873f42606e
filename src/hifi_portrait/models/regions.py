"""Several people in one picture: which part of it is whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from hifi_portrait.pixels import local_mean

Region = tuple[float, float, float, float] | npt.NDArray[Any]
"""A box, left, top, right, bottom as shares of width and height; or a mask (H, W) in [0, 1]."""

_SOFT = 17  # pixels at 256 over which one person's part gives way to another's
_UPRIGHT = 0.4  # how much a step up or down counts beside one sideways, for bodies are below heads


@dataclass(frozen=True)
class Regions:
    """Masks (P, 1, H, W) of P people, in [0, 1], that nowhere sum to more than 1."""

    masks: Tensor

    @classmethod
    def given(cls, regions: Sequence[Region], height: int, width: int) -> Regions:
        """From boxes or masks; where they overlap, those in it share alike.

        Raises
        ------
        ValueError
            A box is empty or leaves the picture, or a mask is not of its size or in [0, 1].
        """
        masks = torch.stack([_mask(region, height, width) for region in regions])
        return cls(masks / masks.sum(dim=0).clamp(min=1))

    @classmethod
    def around(cls, heads: Sequence[tuple[float, float, float]], height: int, width: int) -> Regions:
        """All of a picture, shared between heads of the given sizes (shares of the height) and places.

        Each head is size, x and y, as in a target's framing. Each point belongs to the head that is nearest
        in its own size.
        """
        y = (torch.arange(height) + 0.5)[:, None]
        x = (torch.arange(width) + 0.5)[None]
        distances = [
            ((x - at_x * width).square() + (_UPRIGHT * (y - at_y * height)).square()).sqrt() / (size * height)
            for size, at_x, at_y in heads
        ]
        nearest = torch.stack(distances).argmin(dim=0)
        masks = F.one_hot(nearest, len(heads)).permute(2, 0, 1)[:, None].float()
        return cls(local_mean(masks, _SOFT))

    def at(self, height: int, width: int) -> Tensor:
        """The masks (P, 1, height, width)."""
        return F.adaptive_avg_pool2d(self.masks, (height, width))

    def along(self, length: int) -> Tensor:
        """The masks (P, length, 1) of a picture's places, in rows, of which there are so many."""
        height, width = self.masks.shape[-2:]
        rows = round((length * height / width) ** 0.5)
        if rows * (length // rows) != length:
            raise ValueError(f"{length} places are no picture of {height} x {width}")
        return self.at(rows, length // rows).flatten(2).transpose(1, 2)

    def blend(self, values: Sequence[Tensor]) -> Tensor:
        """Sum (B, C, h, w) of each person's values (B, C, h, w) within the own part."""
        masks = self.at(*values[0].shape[-2:]).to(values[0])
        return torch.stack([value * mask for value, mask in zip(values, masks, strict=True)]).sum(dim=0)

    def filled(self) -> Regions:
        """The same with what is nobody's shared by all."""
        rest = 1 - self.masks.sum(dim=0, keepdim=True)
        return Regions(self.masks + rest / len(self.masks))

    def to(self, device: torch.device | str) -> Regions:
        """On a device."""
        return Regions(self.masks.to(device))


def _mask(region: Region, height: int, width: int) -> Tensor:
    if isinstance(region, np.ndarray):
        mask = torch.from_numpy(np.array(region, np.float32))
        if mask.shape != (height, width) or not 0 <= float(mask.min()) <= float(mask.max()) <= 1:
            raise ValueError(
                f"a mask in `regions` must be ({height}, {width}) in [0, 1], but is {tuple(mask.shape)} "
                f"from {float(mask.min()):g} to {float(mask.max()):g}"
            )
        return mask[None]
    left, top, right, bottom = region
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(
            "a box in `regions` must be left, top, right, bottom as shares of width and height, but is "
            f"{region}"
        )
    mask = torch.zeros(1, height, width)
    rows = slice(round(top * height), max(round(bottom * height), round(top * height) + 1))
    mask[:, rows, round(left * width) : max(round(right * width), round(left * width) + 1)] = 1
    return mask
