"""Gaps between head, hair and neck that background would show through: they are painted like their edges."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.face.ears import row_below_ears
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.image.morphology import disc, nearest_of, square
from hifi_portrait.warp.settings import GapSettings


def close_gaps(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: close gaps in the person. Off the mesh what is closed is hair if the nearest place is."""
    on_mesh, on_head = canvas.raster.mask, context.on_head(canvas.raster)
    ears = row_below_ears(context.vertex_rows(), len(on_mesh), context.model)
    colour, alpha = paint_gaps(canvas.colour, canvas.alpha, on_head, ears, context.settings.gaps)
    closed = (alpha > canvas.alpha) & ~on_mesh
    hair = canvas.hair
    if closed.any():
        hair = np.where(closed, nearest_of(hair, ~closed), hair)
    return replace(canvas, colour=colour, alpha=alpha, hair=hair)


def paint_gaps(
    colour: Array, alpha: Array, on_head: Array, hair_to: int, settings: GapSettings
) -> tuple[Array, Array]:
    """Paint what light background would show through, like its edges.

    These are slits between ears and head, down to row ``hair_to`` those of hair, below it notches between
    jaw and neck, and small holes anywhere.

    Parameters
    ----------
    colour, alpha
        (H, W, 3) in [0, 255] and (H, W) in [0, 1], the person.
    on_head
        (H, W) bool, where the mesh's head is.
    hair_to
        The row below the ears.
    settings
        How wide gaps may be.

    Returns
    -------
    colour, alpha
        The person without gaps.
    """
    side = on_head.shape[0]
    gaps = _close(on_head, side * settings.head_gap) & ~on_head
    shown = on_head | (alpha > settings.shown_alpha)
    beside = cv2.dilate(on_head.astype(np.uint8), square(side * settings.beside_head)).astype(bool)
    beside[hair_to:] = False
    gaps |= _close(shown, side * settings.person_gap) & ~shown & beside
    gaps |= _find_specks(~shown, settings.max_speck)
    gaps |= _find_notches(colour, alpha, on_head, shown, hair_to, settings)
    around = inpaint(colour, np.where(gaps, 0, alpha).astype(np.float32))
    colour, alpha = colour.copy(), alpha.copy()
    colour[gaps], alpha[gaps] = around[gaps], 1
    return colour, alpha


def _find_notches(
    colour: Array, alpha: Array, on_head: Array, shown: Array, hair_to: int, settings: GapSettings
) -> BoolArray:
    """Notches between a jaw and a neck that stands out of the mesh's: the neck goes on behind the jaw."""
    side = on_head.shape[0]
    beside = _close(shown, side * settings.max_notch) & (alpha < settings.solid_alpha)
    chin = int(np.flatnonzero(on_head.any(axis=1)).max(initial=0))
    beside[:hair_to] = beside[chin:] = False
    if not beside.any():
        return beside
    beneath = inpaint(colour, alpha * ~beside * ~on_head)
    of_head = inpaint(colour, on_head.astype(np.float32))
    # Where the two differ, a collar or hair is beside the jaw and no neck.
    neck = beside & (np.abs(beneath - of_head).mean(axis=2) < settings.same_skin)
    wide = cv2.morphologyEx(neck.astype(np.uint8), cv2.MORPH_OPEN, disc(side * settings.min_notch))
    return wide.astype(bool)


def _find_specks(mask: Array, max_speck: float) -> BoolArray:
    """Find the pieces of a mask that are smaller than a fraction of its area: too small to be anything."""
    _, piece, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return np.asarray(mask & (stats[:, cv2.CC_STAT_AREA] < max_speck * mask.size)[piece])


def _close(mask: Array, size: float) -> BoolArray:
    """Close a mask over gaps; one between it and the picture's edge is none."""
    kernel = square(size)
    grown = cv2.dilate(mask.astype(np.uint8), kernel)
    shrunk = cv2.erode(grown, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return mask | (shrunk > 0)
