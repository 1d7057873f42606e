"""Texture-space data of the head asset: where face, lips, lids, ears and the inside of the mouth lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.asset import read_asset

MASK_SIZE = 512


@dataclass(frozen=True, eq=False)
class TextureMasks:
    """Masks over the head's island of the texture.

    Attributes:
        island: (2, 2) lowest and highest (u, v) of the island; v grows upward.
        masks: name -> (512, 512) bool, row 0 at the island's top (highest v); the names are ``face``,
            ``lips``, ``eyelids``, ``ears`` and ``inside-mouth``.
    """

    island: npt.NDArray[np.float32]
    masks: dict[str, npt.NDArray[np.bool_]]

    @classmethod
    @cache
    def load(cls, path: str | Path | None = None) -> Self:
        """Masks of an asset, kept after the first call."""
        tensors, metadata = read_asset(path)
        names = metadata["mask_names"].split(",")
        bits = np.unpackbits(tensors["masks"]).astype(bool).reshape(len(names), MASK_SIZE, MASK_SIZE)
        return cls(tensors["mesh.island"], dict(zip(names, bits, strict=True)))

    def atlas(self, uv: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Texture coordinates (..., 2) as places on the island: x rightward, y downward, each in [0, 1]."""
        low, high = self.island
        place = (np.asarray(uv) - low) / (high - low)
        place[..., 1] = 1 - place[..., 1]
        return np.clip(place, 0, 1).astype(np.float32)
