"""Holes that a matte fills: background that is seen through hair, and between hair and the neck."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.faces.label_maps import region_mask
from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.image.inpaint import blur_wide, inpaint
from hifi_portrait.warp.image.morphology import disc
from hifi_portrait.warp.settings import HoleSettings

_NEVER_HOLES = (FaceLabel.EYES, FaceLabel.MOUTH, FaceLabel.CLOTHES, FaceLabel.GLASSES, FaceLabel.HEADWEAR)
"""What may have the background's colour, and hides it."""


def open_holes(crop: Array, matte: Array, labels: Array, settings: HoleSettings) -> FloatArray:
    """Take out of a matte what has rather the background's colour than the hair's, in hair and beside it.

    How far a colour has gone from the background's to that of most hair is the alpha, as in the compositing
    equation. Nothing changes where hair itself has about the background's colour.

    Parameters
    ----------
    crop, matte
        (S, S, 3) uint8, and (S, S) in [0, 1].
    labels
        (P, P) what face parsing found in the crop.
    settings
        What counts as the background's colour, and where.
    """
    side = len(matte)
    hair = region_mask(labels, FaceLabel.HAIR, size=side)
    empty = (matte < settings.empty_matte).astype(np.float32)
    sure = (hair > 0.9) & (matte > 0.9)
    if empty.mean() < settings.least_empty or not sure.any():
        return np.asarray(matte, np.float32)
    known = cv2.erode(empty, disc(settings.edge * side))
    behind = inpaint(np.asarray(crop, np.float32), known)
    to_hair = np.median(crop[sure], axis=0) - behind
    length = np.maximum((to_hair**2).sum(axis=2), 1)
    apart = np.sqrt(np.median(length[sure]))
    distinct, dark = (float(smoothstep(apart, *limits)) for limits in (settings.distinct, settings.no_sheen))
    if distinct <= 0:
        return np.asarray(matte, np.float32)
    covered = ((crop - behind) * to_hair).sum(axis=2) / length
    between = region_mask(labels, FaceLabel.BACKGROUND, size=side)
    near, wide = (cv2.dilate(between, disc(2 * reach * side)) for reach in settings.reach)
    in_hair = dark * np.minimum(hair, wide) * _plainness(behind, known, settings)
    through = np.maximum(distinct * near, in_hair) * (1 - region_mask(labels, *_NEVER_HOLES, size=side))
    alpha = smoothstep(covered, *settings.covered)
    return np.asarray(np.minimum(matte, 1 - through * (1 - alpha)), np.float32)


def _plainness(behind: Array, known: Array, settings: HoleSettings) -> float:
    """Tell how far a background is plain, in [0, 1], so that a colour like it in hair is no highlight."""
    if not known.any():
        return 0.0
    pattern = np.abs(behind - blur_wide(behind, settings.pattern * len(behind))).max(axis=2)
    return float(1 - smoothstep(np.percentile(pattern[known > 0], 90), *settings.plain))
