"""How what is off the mesh ends: without steps, crumbs and strands."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.warp.image.morphology import disc, distance_to
from hifi_portrait.warp.settings import EdgeSettings


def taper_edges(alpha: Array, on_mesh: Array, slope: Array | float, settings: EdgeSettings) -> FloatArray:
    """Make an alpha (H, W) off a mesh grow thin along the mesh's outline towards where it ends.

    ``slope`` is the thickness for a distance along the outline, one number or (H, W).
    """
    side = len(alpha)
    away = distance_to(on_mesh)
    bare = (away > 0) & (away <= settings.touching) & (alpha < settings.strand_alpha)
    most = slope * distance_to(bare)
    return np.asarray(alpha * np.clip(1 + (most - away) / (settings.taper_softness * side), 0, 1), np.float32)


def fade_beyond(on_head: Array, reach: float, settings: EdgeSettings) -> FloatArray:
    """1 within a fraction of the side about a head (H, W), falling to 0 beyond."""
    away = distance_to(on_head) / len(on_head)
    return np.clip(1 + (reach - away) / settings.fuzz, 0, 1).astype(np.float32)


def find_pieces(alpha: Array, settings: EdgeSettings, above: float = 1.0) -> BoolArray:
    """Where an alpha (H, W) is in pieces that are no crumbs and begin above a fraction of the height."""
    there = alpha > settings.crumb_alpha
    _, piece, stats, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8))
    kept = stats[:, cv2.CC_STAT_AREA] >= settings.max_crumb * alpha.size
    kept &= stats[:, cv2.CC_STAT_TOP] < above * len(alpha)
    return np.asarray(there & kept[piece])


def drop_strands(alpha: Array, width: float, settings: EdgeSettings) -> FloatArray:
    """1 where a person's alpha (H, W) is, 0 on what stands off and is thinner than a fraction of the side."""
    side = len(alpha)
    solid = (alpha > settings.strand_alpha).astype(np.uint8)
    body = cv2.morphologyEx(solid, cv2.MORPH_OPEN, disc(width * side))
    near = cv2.dilate(body, disc(settings.fuzz * side + 1)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(near, (0, 0), settings.fuzz * side / 4) * near, np.float32)
