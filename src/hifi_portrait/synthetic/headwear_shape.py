"""What all headwear is made of: pieces of cloth about the skull, and the directions they are laid out in.

Shapes are made in the base shape's space about ``hair_strands.CENTRE`` and moved to the person like hair is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.synthetic.hair_strands import CENTRE

AZIMUTHS = 160
ROOM = 0.003
"""How far inside a hat hair ends, metres."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A mesh of cloth in the base shape's space."""

    vertices: FloatArray
    """(N, 3) metres."""
    triangles: Array
    """(F, 3) rows of ``vertices``."""
    tone: FloatArray
    """(N,) factor on the cloth's colour: knit, seams, folds."""
    dye: int = 1
    """Which of the photo's colours it has: 1 the headwear's own, 2 its ribbon's."""
    keep: FloatArray | None = None
    """(N,) drawn where not negative; all of it when None."""


@dataclass(frozen=True, eq=False)
class Headwear:
    """A piece of headwear that fits one person."""

    pieces: tuple[Piece, ...]
    reach: Callable[[Array], tuple[Array, BoolArray]]
    """From points (..., 3) to how far from ``CENTRE`` hair may be there, and where that limit holds."""
    covered: BoolArray
    """(V,) vertices of the head that are not drawn, such as ears under a scarf."""
    loose: float = 0.0
    """1 where its lower part lies on the shoulders, which do not turn with the head; 0 for a hat."""


def sample_radius(shield: Array, azimuth: Array, elevation: Array) -> Array:
    """Radius of a map by direction, angles in radians."""
    rows, columns = shield.shape
    u = (azimuth / (2 * np.pi) + 0.5) * columns - 0.5
    v = np.clip((elevation / np.pi + 0.5) * rows - 0.5, 0, rows - 1)
    return np.asarray(map_coordinates(shield, (v, u), order=1, mode="grid-wrap"))


def angles_about_centre(points: Array) -> tuple[Array, Array, Array]:
    """Azimuth (0 behind, +-pi in front), elevation and distance about ``CENTRE`` of points (..., 3)."""
    q = points - CENTRE
    r = np.linalg.norm(q, axis=-1)
    return np.arctan2(q[..., 0], q[..., 1]), np.arcsin(np.clip(q[..., 2] / np.maximum(r, 1e-9), -1, 1)), r


def smooth_shield(shield: Array) -> Array:
    """Smooth small bumps out of the skull's distance by direction."""
    return np.asarray(gaussian_filter(shield, 2.0, mode=("nearest", "wrap")))


def unit_directions(azimuth: Array, elevation: Array) -> Array:
    """Give unit vectors (..., 3) of angles in radians; azimuth is 0 behind and +-pi in front."""
    flat = np.cos(elevation)
    return np.stack([np.sin(azimuth) * flat, np.cos(azimuth) * flat, np.sin(elevation)], -1)


def turns_around(columns: int) -> Array:
    """Evenly spaced azimuths (columns,) around the head, from and to the front."""
    return np.linspace(-np.pi, np.pi, columns, endpoint=False)
