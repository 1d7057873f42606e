"""The analysed photos of one person, as plain data that every later step reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
    covered: FloatArray | None = None
    """(N, V) in [0, 1], how far something before the face hides each vertex of the head: a hand, a mask. None
    where nothing does."""
    label_maps: ByteArray | None = None
    """(N, P, P) uint8, the `hifi_portrait.faces.FaceLabel` of each place of the crops; None where they were
    not parsed: then hair and skin are told apart by their colours."""

    wide_crops: ByteArray | None = None
    """(N, S + 2 M, S + 2 M, 3), the crops with more of the photos on each side, M of
    `hifi_portrait.faces.geometry.wide_margin`; None where the photos show no more."""
    wide_mattes: FloatArray | None = None
    """(N, S + 2 M, S + 2 M) in [0, 1], their mattes."""

    def __post_init__(self) -> None:
        make_arrays_read_only(self)

    @property
    def uncovered(self) -> FloatArray:
        """How far nothing is before each vertex: (N, V), or (N, 1) where nothing is before any."""
        return np.ones((len(self), 1), np.float32) if self.covered is None else 1 - self.covered

    def __len__(self) -> int:
        return len(self.crops)
