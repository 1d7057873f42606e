"""Labels checked against the photo's own colours.

The network learns on rendered people and trusts places more than colours. Within one photo colours tell
much: what lies over the forehead and has the hair's colour is hair. So the colours of each kind of thing are
counted where the network finds it, and the network's shares, taken softly, are weighed with them, over and
over, as GrabCut does (Rother et al. 2004). Edges then follow those of the picture (He et al. 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray


@dataclass(frozen=True, kw_only=True)
class ColourSettings:
    """How far colours may change what the network found; pixels are those of the network's output."""

    rounds: int = 2
    """How often colours are counted and labels weighed anew."""

    weight: float = 0.5
    """Exponent of the colours' likelihood beside the network's shares; 0 leaves the shares as they are."""

    blur: float = 4.0
    """Standard deviation of the blur of the network's shares: how wrong its outlines may be."""

    wide_blur: float = 6.0
    """Standard deviation of a second blur, for what is farther off."""

    wide_share: float = 0.3
    """How much the second blur counts, in [0, 1]."""

    enough: float = 40.0
    """Pixels of a kind of thing from which on its colours count fully."""

    edge_reach: int = 3
    """Reach of the filter that finds edges again, in pixels of the label map."""

    edge_contrast: float = 8.0
    """Contrast of 255 above which it keeps an edge."""


_KINDS: tuple[tuple[FaceLabel, ...], ...] = (
    (FaceLabel.BACKGROUND,),
    (FaceLabel.SKIN, FaceLabel.EARS, FaceLabel.NECK, FaceLabel.EYES, FaceLabel.MOUTH),
    (FaceLabel.HAIR,),
    (FaceLabel.BEARD,),
    (FaceLabel.CLOTHES,),
    (FaceLabel.GLASSES,),
    (FaceLabel.HEADWEAR,),
    (FaceLabel.OCCLUDER,),
)
"""Labels that have colours in common; within a kind the network alone decides."""

_NOWHERE = 0.2
"""What has no greater share anywhere is left out."""

_LIGHTNESS_STEP, _HUE_STEP = 5.2, 5.0
"""Widths of a cell in which colours are counted, in CIELAB's units."""

_CELL_BLUR = 0.8
"""Standard deviation, in cells, of the blur of these counts."""


def weigh_colours(shares: FloatArray, picture: ByteArray, settings: ColourSettings) -> FloatArray:
    """Weigh the network's shares with the colours of a photo.

    Parameters
    ----------
    shares
        (s, s, L) of each label, in [0, 1].
    picture
        (S, S, 3) uint8 RGB, as large or larger.
    settings
        How far they may change.

    Returns
    -------
    ndarray
        (S, S, L) the changed shares.
    """
    small, large = shares.shape[1::-1], picture.shape[1::-1]
    reduced = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)
    kinds = np.stack([shares[..., list(kind)].sum(axis=2) for kind in _KINDS], axis=2)
    near, wide = (cv2.GaussianBlur(kinds, (0, 0), sigma) for sigma in (settings.blur, settings.wide_blur))
    prior = near + settings.wide_share * (wide - near)
    cells, alike = _count_cells(reduced)
    weighed: Array = kinds
    for _ in range(settings.rounds):
        likelihood = np.stack(
            [_likelihood(weighed[..., kind], cells, alike, settings) for kind in range(len(_KINDS))], axis=2
        )
        weighed = prior * likelihood**settings.weight
        weighed = weighed / weighed.sum(axis=2, keepdims=True)
    guide = cv2.ximgproc.createGuidedFilter(picture, settings.edge_reach, settings.edge_contrast**2)
    enlarged = cv2.resize(shares, large, interpolation=cv2.INTER_LINEAR)
    changed = np.zeros_like(enlarged)
    for number, kind in enumerate(_KINDS):
        if weighed[..., number].max() < _NOWHERE:
            continue
        share = cv2.resize(weighed[..., number].astype(np.float32), large, interpolation=cv2.INTER_LINEAR)
        within = enlarged[..., list(kind)] + 1e-6
        total = within.sum(axis=2, keepdims=True)
        changed[..., list(kind)] = guide.filter(share)[..., None] * within / total
    return np.asarray(changed, np.float32)


def _count_cells(picture: ByteArray) -> tuple[Array, FloatArray]:
    """Find the cell of colour of each pixel (S, S), and how alike cells (C, C) are."""
    colours = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) / (
        _LIGHTNESS_STEP,
        _HUE_STEP,
        _HUE_STEP,
    )
    places = np.floor(colours - colours.min(axis=(0, 1))).astype(np.int64)
    width = int(places.max()) + 1
    numbers, cells = np.unique(
        (places[..., 0] * width + places[..., 1]) * width + places[..., 2], return_inverse=True
    )
    at = np.stack([numbers // width**2, numbers // width % width, numbers % width], axis=1)
    distance = ((at[:, None] - at[None]) ** 2).sum(axis=2)
    return cells.reshape(places.shape[:2]), np.exp(-distance / (2 * _CELL_BLUR**2)).astype(np.float32)


def _likelihood(share: Array, cells: Array, alike: FloatArray, settings: ColourSettings) -> FloatArray:
    """How likely each pixel's colour (S, S) is for what has these shares (S, S)."""
    counts = np.bincount(cells.ravel(), (share**2).ravel(), len(alike))
    known = min(1.0, float(counts.sum()) / settings.enough)
    spread = alike @ counts.astype(np.float32)
    density = known * spread / max(float(spread.sum()), 1e-9) + (1 - known) / len(alike) + 1e-5
    return np.asarray(density[cells], np.float32)
