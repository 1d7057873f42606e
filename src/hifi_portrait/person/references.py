"""The analysed photos of one person, as plain data that every later step reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hifi_portrait.head.arrays import ByteArray, FloatArray, make_arrays_read_only
from hifi_portrait.head.geometry import HeadGeometry


@dataclass(frozen=True, eq=False, kw_only=True)
class References:
    """N analysed photos of one person. Its arrays are read-only views.

    The warp and the networks read nothing else of a person. `Identity` is one, made of photos for a portrait;
    training makes its own of the photos of a prepared folder.
    """

    crops: ByteArray
    """(N, S, S, 3) RGB portrait crops."""
    mattes: FloatArray
    """(N, S, S) in [0, 1], 1 on the person."""
    landmarks: FloatArray
    """(N, 478, 2 or 3) in crop pixels, y down; NaN where the geometry is the truth rather than a fit."""
    embeddings: FloatArray
    """(N, E), as the recogniser gave them: of unit length by the default one."""
    quality: FloatArray
    """(N,) in [0, 1]: how well each photo shows the face."""
    geometries: Sequence[HeadGeometry]
    """The N heads in crop pixels: one shared shape, each with its expression, pose and gaze."""

    def __post_init__(self) -> None:
        make_arrays_read_only(self)

    def __len__(self) -> int:
        return len(self.crops)
