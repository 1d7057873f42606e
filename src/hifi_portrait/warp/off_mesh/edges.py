"""How what is off the mesh ends: without steps, crumbs and strands."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.warp.image.morphology import disc, distance_to

STRAND_ALPHA = 0.35
"""Alpha from which on hair counts as a piece."""

_CRUMB = 0.0025  # share of a picture below which a loose piece is a crumb
_CRUMB_ALPHA = 0.1  # alpha below which there is none
_FUZZ = 0.02  # share of the side by which an edge may be frayed
_TOUCHING = 1.5  # pixels from the mesh
_TAPER_SOFT = 0.004  # share of the side

Array = npt.NDArray[Any]


def tapered(alpha: Array, on_mesh: Array, slope: Array | float) -> npt.NDArray[np.float32]:
    """Alpha (H, W) off a mesh that grows thin along its outline towards where it ends, without a step."""
    side = len(alpha)
    away = distance_to(on_mesh)
    bare = (away > 0) & (away <= _TOUCHING) & (alpha < STRAND_ALPHA)
    most = slope * distance_to(bare)
    return np.asarray(alpha * np.clip(1 + (most - away) / (_TAPER_SOFT * side), 0, 1), np.float32)


def within(on_head: Array, reach: float) -> npt.NDArray[np.float32]:
    """1 within a share of the side of a head (H, W), falling to 0 beyond."""
    away = distance_to(on_head) / len(on_head)
    return np.clip(1 + (reach - away) / _FUZZ, 0, 1).astype(np.float32)


def in_pieces(alpha: Array, above: float = 1.0) -> npt.NDArray[np.bool_]:
    """Where an alpha (H, W) is in pieces that are no crumbs and begin above a share of the height."""
    there = alpha > _CRUMB_ALPHA
    _, piece, stats, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8))
    kept = stats[:, cv2.CC_STAT_AREA] >= _CRUMB * alpha.size
    kept &= stats[:, cv2.CC_STAT_TOP] < above * len(alpha)
    return np.asarray(there & kept[piece])


def opened(alpha: Array, width: float) -> npt.NDArray[np.float32]:
    """1 where a person's alpha (H, W) is, 0 on what is thinner than a share of the side, and stands off."""
    side = len(alpha)
    body = cv2.morphologyEx((alpha > STRAND_ALPHA).astype(np.uint8), cv2.MORPH_OPEN, disc(width * side))
    near = cv2.dilate(body, disc(_FUZZ * side + 1)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(near, (0, 0), _FUZZ * side / 4) * near, np.float32)
