"""Several people in one picture: which part of it is whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.models.pixels import local_mean

Region = tuple[float, float, float, float] | Array
"""A box, left, top, right, bottom as fractions of width and height; or a mask (H, W) in [0, 1]."""

_FADING_WINDOW = 17
"""Pixels at 256 over which one person's part gives way to another's."""
_VERTICAL_WEIGHT = 0.4
"""How much a step up or down counts beside one sideways: bodies are below heads."""


@dataclass(frozen=True)
class Regions:
    """Which part of a picture is whose."""

    masks: Tensor
    """(P, 1, H, W) of P people, in [0, 1]; nowhere do they sum to more than 1."""
    _sizes: dict[tuple[int, int], Tensor] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def given(cls, regions: Sequence[Region], height: int, width: int) -> Regions:
        """Make them of boxes or masks; where they overlap, they have equal parts.

        Raises
        ------
        ValueError
            A box is empty or leaves the picture, or a mask is empty, not of its size or not in [0, 1].
        """
        masks = torch.stack([_make_mask(region, height, width) for region in regions])
        return cls(masks / masks.sum(dim=0).clamp(min=1))

    def filled(self, others: Regions) -> Regions:
        """Make soft masks with the same people's ``others`` where nobody is; sums are those of ``others``."""
        nobody = 1 - self.masks.sum(dim=0, keepdim=True)
        return Regions(local_mean(self.masks + nobody * others.masks, _FADING_WINDOW))

    @classmethod
    def around(cls, heads: Sequence[tuple[float, float, float]], height: int, width: int) -> Regions:
        """Share all of a picture between heads of the given sizes (fractions of the height) and places.

        Each head is size, x and y, as in a target's framing. Each point belongs to the head that is nearest
        in its own size.
        """
        y = (torch.arange(height) + 0.5)[:, None]
        x = (torch.arange(width) + 0.5)[None]
        distances = [
            ((x - at_x * width).square() + (_VERTICAL_WEIGHT * (y - at_y * height)).square()).sqrt()
            / (size * height)
            for size, at_x, at_y in heads
        ]
        nearest = torch.stack(distances).argmin(dim=0)
        masks = F.one_hot(nearest, len(heads)).permute(2, 0, 1)[:, None].float()
        return cls(local_mean(masks, _FADING_WINDOW))

    def at(self, height: int, width: int) -> Tensor:
        """Return the masks (P, 1, height, width), made once for each size: every layer of every step asks."""
        if (height, width) not in self._sizes:
            self._sizes[height, width] = F.adaptive_avg_pool2d(self.masks, (height, width))
        return self._sizes[height, width]

    def along(self, length: int) -> Tensor:
        """Return the masks (P, length, 1) of so many places of a picture, row by row."""
        height, width = self.masks.shape[-2:]
        rows = round((length * height / width) ** 0.5)
        if rows * (length // rows) != length:
            raise ValueError(f"{length} places are no picture of {height} x {width}")
        return self.at(rows, length // rows).flatten(2).transpose(1, 2)

    def blend(self, values: Sequence[Tensor]) -> Tensor:
        """Sum up each person's values (B, C, h, w) within the own part."""
        masks = self.at(*values[0].shape[-2:]).to(values[0])
        return torch.stack([value * mask for value, mask in zip(values, masks, strict=True)]).sum(dim=0)

    def to(self, device: torch.device | str) -> Regions:
        """Move the masks to a device."""
        return Regions(self.masks.to(device))


def _make_mask(region: Region, height: int, width: int) -> Tensor:
    values = np.asarray(region, np.float32)
    if values.shape == (4,):
        return _make_box(values, height, width)
    if values.shape != (height, width) or values.min() < 0 or values.max() > 1 or values.max() == 0:
        size = " x ".join(map(str, values.shape))
        raise ValueError(
            "each of `regions` must be a box (left, top, right, bottom) or a mask of "
            f"{height} x {width} in [0, 1] that is not empty, but one is {size} from {values.min():g} to "
            f"{values.max():g}"
        )
    return torch.from_numpy(values.copy())[None]


def _make_box(box: FloatArray, height: int, width: int) -> Tensor:
    """Make a mask (1, height, width) of a box; at least a pixel of it."""
    left, top, right, bottom = box.tolist()
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(
            "a box in `regions` must be left, top, right, bottom as fractions of width and height, but is "
            f"{(left, top, right, bottom)}"
        )
    mask = torch.zeros(1, height, width)
    row, column = min(round(top * height), height - 1), min(round(left * width), width - 1)
    rows = slice(row, max(round(bottom * height), row + 1))
    mask[:, rows, column : max(round(right * width), column + 1)] = 1
    return mask
