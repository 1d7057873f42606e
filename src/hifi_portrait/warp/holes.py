"""Holes in mattes: background that is seen through hair and beside it, and sheen that is taken for it."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.faces.label_maps import region_mask
from hifi_portrait.faces.labels import BARE_SKIN, FaceLabel
from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.image.inpaint import blur_wide, inpaint
from hifi_portrait.warp.image.morphology import disc, distance_to, square, touching
from hifi_portrait.warp.mesh_in_photo import mesh_in_photo
from hifi_portrait.warp.settings import HoleSettings

_NEVER_HOLES = (FaceLabel.EYES, FaceLabel.MOUTH, FaceLabel.CLOTHES, FaceLabel.GLASSES, FaceLabel.HEADWEAR)
"""What may have the background's colour, and hides it."""


def mend_matte(crop: Array, matte: Array, labels: Array, solid: Array, settings: HoleSettings) -> FloatArray:
    """Take background out of a matte that is seen through hair and beside it, and close holes of sheen.

    How far a colour has gone from the background's to that of most hair is the alpha, as in the compositing
    equation. Nothing is opened where hair itself has about the background's colour, or before the skull:
    what has the background's colour there is sheen.

    Parameters
    ----------
    crop, matte
        (S, S, 3) uint8, and (S, S) in [0, 1].
    labels
        (P, P) what face parsing found in the crop.
    solid
        (h, h) in [0, 1], where nothing is seen through hair; see `solid_head`.
    settings
        What counts as the background's colour, and where.
    """
    side = len(matte)
    solid = cv2.resize(np.asarray(solid, np.float32), (side, side))
    matte = _close_sheen(np.asarray(matte, np.float32), solid, settings)
    hair = region_mask(labels, FaceLabel.HAIR, size=side)
    empty = (matte < settings.empty_matte).astype(np.float32)
    sure = (hair > 0.9) & (matte > 0.9)
    if empty.mean() < settings.least_empty or not sure.any():
        return matte
    known = cv2.erode(empty, disc(settings.edge * side))
    behind = inpaint(np.asarray(crop, np.float32), known)
    to_hair = np.median(crop[sure], axis=0) - behind
    length = np.maximum((to_hair**2).sum(axis=2), 1)
    apart = np.sqrt(np.median(length[sure]))
    distinct, dark = (float(smoothstep(apart, *limits)) for limits in (settings.distinct, settings.no_sheen))
    if distinct <= 0:
        return matte
    covered = ((crop - behind) * to_hair).sum(axis=2) / length
    between = _parsed_background(labels, solid, side)
    near, wide = (cv2.dilate(between, disc(2 * reach * side)) for reach in settings.reach)
    near = near + (between - near) * hair * solid  # at the outline of what is solid, hair shines
    in_hair = dark * np.minimum(hair, wide) * (1 - solid) * _plainness(behind, known, settings)
    strands = _strands(hair, labels, settings)
    alpha = smoothstep(covered, *settings.covered)
    alpha += strands * (np.interp(covered, settings.strand_covered, (0, 1)) - alpha)
    deep = smoothstep(covered, *settings.covered_in_hair)
    left = np.minimum(1 - distinct * near * (1 - alpha), 1 - in_hair * (1 - deep))
    never = region_mask(labels, *_NEVER_HOLES, size=side)
    return np.asarray(np.minimum(matte, np.maximum(left, never)), np.float32)


def solid_head(head: HeadGeometry, model: HeadModel, settings: HoleSettings) -> FloatArray:
    """Find where a fitted head and the hair on top of it are in a photo, (h, h) in [0, 1], coarsely.

    Nothing behind the person is seen there. The head is made a little smaller, since a fit is not exact.
    """
    triangle = mesh_in_photo(head.camera.project(model.posed(head)) / head.camera.width, model)
    there = (triangle >= 0) & (model.parts != Part.SHOULDERS)[triangle]
    skull = cv2.erode(there.astype(np.uint8), square(3))
    upwards = np.ones((round(settings.hair_on_top * len(skull)) + 1, 1), np.uint8)
    return cv2.dilate(skull, upwards, anchor=(0, 0)).astype(np.float32)


def _close_sheen(matte: FloatArray, solid: Array, settings: HoleSettings) -> FloatArray:
    """Close what is open in a matte (S, S) within what is solid, but for its outer edge."""
    outside = touching(matte < 0.5, _frame(matte))
    within = np.clip(distance_to(outside) / (settings.sheen_margin * len(matte)) - 1, 0, 1)
    return np.asarray(matte + (1 - matte) * within * solid, np.float32)


def _parsed_background(labels: Array, solid: Array, size: int) -> FloatArray:
    """Make a mask (size, size) of parsed background, without pieces amid what is solid: these shine."""
    parsed = labels == FaceLabel.BACKGROUND
    amid = cv2.resize(solid, labels.shape[::-1]) > 0.5
    kept = parsed & (~amid | touching(parsed, _frame(parsed)))
    return region_mask(np.where(kept, FaceLabel.BACKGROUND, FaceLabel.SKIN), FaceLabel.BACKGROUND, size=size)


def _frame(of: Array) -> BoolArray:
    """Mark the outermost pixels of a mask (H, W)."""
    return np.pad(np.zeros((of.shape[0] - 2, of.shape[1] - 2), np.bool_), 1, constant_values=True)


def _strands(hair: Array, labels: Array, settings: HoleSettings) -> FloatArray:
    """Find hair and what is close beside it, (S, S) in [0, 1], without skin."""
    side = len(hair)
    skin = cv2.dilate(region_mask(labels, *BARE_SKIN, size=side), disc(settings.skin_reach * side))
    return np.asarray(cv2.dilate(hair, disc(settings.strand_reach * side)) * (1 - skin))


def _plainness(behind: Array, known: Array, settings: HoleSettings) -> float:
    """Tell how far a background is plain, in [0, 1], so that a colour like it in hair is no highlight."""
    if not known.any():
        return 0.0
    pattern = np.abs(behind - blur_wide(behind, settings.pattern * len(behind))).max(axis=2)
    return float(1 - smoothstep(np.percentile(pattern[known > 0], 90), *settings.plain))
