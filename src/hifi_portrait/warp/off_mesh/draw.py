"""Hair and clothes off the mesh: hair goes with the head, clothes go with the body."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.clothing.split import Dress, beside_shoulders
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.image.colour import tones, unlikeness
from hifi_portrait.warp.image.inpaint import spread
from hifi_portrait.warp.image.morphology import disc, distance_to, nearest_of
from hifi_portrait.warp.kernels import draw_around
from hifi_portrait.warp.off_mesh.cutout import Cutout, outline_of
from hifi_portrait.warp.off_mesh.edges import STRAND_ALPHA, in_pieces, opened, tapered, within
from hifi_portrait.warp.references import Sources

_STRAND = 0.035  # share of the side below which a piece of hair is a strand
_CORNER = 0.04  # share of the side to which corners of necks and collars are rounded
_CURTAIN = 0.12  # share of the side up to which long hair may hang away from a neck
_TAPER = 0.4  # of hair and necks: thickness for a distance along the outline from where they end
_COLLAR = 2.0  # the same of collars
_BY_HEAD = 0.12  # share of the side within which of a head clothes are a collar
_GROWN = 2.0  # how many times the fullness of the scalp beside it short hair may have

Array = npt.NDArray[Any]


def draw_off_mesh(sources: Sources, raster: Raster, model: HeadModel, colour: Array, alpha: Array) -> Array:
    """Draw hair, and whatever else of the person is off the mesh, into colour (H, W, 3) and alpha (H, W).

    Returns the alpha (H, W) of the hair alone.
    """
    cutouts = {n: Cutout.of(sources, n, model) for n in {sources.main, sources.dress}}
    on_head = (raster.triangle >= 0) & (model.parts != Part.SHOULDERS)[raster.triangle]
    outline = outline_of(on_head.astype(np.float32))
    _draw_hair(cutouts[sources.main], sources, raster, model, outline, on_head, colour, alpha)
    hair = alpha * (raster.triangle < 0)
    worn = cutouts[sources.dress]
    dress = Dress(
        worn.crop,
        worn.clothes,
        sources.shown[sources.dress],
        sources.xy[sources.dress],
        worn.outline[2:].mean() / outline[2:].mean(),
    )
    behind, thickness = beside_shoulders(dress, raster, model.triangles, model.parts == Part.SHOULDERS)
    loose = raster.triangle < 0
    below = (1 - alpha) * thickness * loose
    near_head = distance_to(on_head) < _BY_HEAD * len(alpha)
    collar = near_head & ~_skin(behind, colour, on_head, ~loose & ~on_head)
    below = tapered(below, ~loose, np.where(collar, _COLLAR, _TAPER))
    below *= opened(alpha + below, _CORNER)
    below *= in_pieces(below)
    _put_below(colour, alpha, behind * sources.gains[sources.dress], below)
    return hair


def _draw_hair(
    cutout: Cutout,
    sources: Sources,
    raster: Raster,
    model: HeadModel,
    outline: Array,
    on_head: Array,
    colour: Array,
    alpha: Array,
) -> None:
    draw_around(
        raster.triangle,
        outline,
        cutout.outline,
        sources.roll,
        cutout.crop,
        cutout.hair,
        sources.gains[sources.main],
        colour,
        alpha,
    )
    scale = cutout.outline[2:].mean() / outline[2:].mean()
    loose = raster.triangle < 0
    alpha[loose] *= within(on_head, cutout.reach / scale)[loose]
    alpha[loose] *= opened(alpha, _STRAND)[loose]
    if cutout.reach == np.inf:
        _close_curtains(colour, alpha, loose, on_head)
        return
    grown = scalp(model).on_all(scalp(model).fullness, model.num_vertices)
    fullness = nearest_of(raster.interpolate(grown[:, None], model.triangles)[..., 0], on_head)
    alpha[loose] = (tapered(alpha, ~loose, _TAPER) * np.clip(_GROWN * fullness, 0, 1))[loose]


def _close_curtains(colour: Array, alpha: Array, loose: Array, on_head: Array) -> None:
    """Paint like hair what background would show between a neck and long hair that hangs beside it."""
    side = len(alpha)
    hair = loose & (alpha > STRAND_ALPHA)
    shown = (hair | ~loose).astype(np.uint8)
    closed = cv2.morphologyEx(
        shown, cv2.MORPH_CLOSE, np.ones((1, 2 * round(_CURTAIN * side / 2) + 1), np.uint8)
    )
    rows = np.flatnonzero(on_head.any(axis=1))
    gaps = (closed > shown) & (distance_to(hair) < _CURTAIN * side)
    gaps[: int(rows.mean()) if len(rows) else side] = False
    share = cv2.GaussianBlur(cv2.dilate(gaps.astype(np.float32), disc(3)), (0, 0), 1.0) * (1 - alpha) * loose
    _put_below(colour, alpha, spread(colour, alpha * hair), share)


def _put_below(colour: Array, alpha: Array, behind: Array, share: Array) -> None:
    """Put colours (H, W, 3), as far as a share (H, W) of what alpha (H, W) leaves, behind what is drawn."""
    colour += (share / np.maximum(alpha + share, 1e-6))[..., None] * (behind - colour)
    alpha += share


def _skin(behind: Array, colour: Array, on_head: Array, on_body: Array) -> npt.NDArray[np.bool_]:
    """Where colours (H, W, 3) are rather those of a picture's head (H, W) than those of its clothes."""
    drawn, beside = (tones(np.clip(colours, 0, 255).astype(np.uint8)) for colours in (colour, behind))
    rows = np.nonzero(on_body)[0]
    worn = on_body & (np.arange(len(on_body))[:, None] > (np.median(rows) if len(rows) else 0))
    return unlikeness(beside, drawn[on_head]) < unlikeness(beside, drawn[worn])
