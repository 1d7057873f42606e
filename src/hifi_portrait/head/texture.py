"""Texture-space data of the head asset: where face, lips, lids, ears and the inside of the mouth lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.asset import read_asset

MASK_SIZE = 512
"""Side of the masks in pixels."""


@dataclass(frozen=True, eq=False)
class TextureMasks:
    """Masks over the head's island of the texture."""

    island: FloatArray
    """(2, 2) lowest and highest (u, v) of the island; v grows upward."""
    masks: dict[str, BoolArray]
    """Masks (512, 512) by name, with row 0 at the island's top (highest v): ``face``, ``lips``, ``eyelids``,
    ``ears`` and ``inside-mouth``."""

    @classmethod
    @cache
    def load(cls, path: str | Path | None = None) -> Self:
        """Load the masks of an asset, kept after the first call."""
        tensors, metadata = read_asset(path)
        names = metadata["mask_names"].split(",")
        bits = np.unpackbits(tensors["masks"]).astype(bool).reshape(len(names), MASK_SIZE, MASK_SIZE)
        return cls(tensors["mesh.island"], dict(zip(names, bits, strict=True)))

    def atlas(self, uv: Array) -> FloatArray:
        """Turn texture coordinates (..., 2) into places on the island: x rightward, y downward, in [0, 1]."""
        low, high = self.island
        place = (np.asarray(uv) - low) / (high - low)
        place[..., 1] = 1 - place[..., 1]
        return np.asarray(np.clip(place, 0, 1), np.float32)
