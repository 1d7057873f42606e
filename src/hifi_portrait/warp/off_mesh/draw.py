"""Hair and clothes off the mesh: hair goes with the head, clothes go with the body."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.clothing.split import Dress, draw_beside_shoulders
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.image.colour import colour_distance, weighted_lab
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.image.morphology import disc, distance_to, nearest_of
from hifi_portrait.warp.kernels import draw_around
from hifi_portrait.warp.off_mesh.cutout import Cutout, measure_outline
from hifi_portrait.warp.off_mesh.edges import drop_strands, fade_beyond, find_pieces, taper_edges
from hifi_portrait.warp.settings import WarpSettings


def draw_off_mesh(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: draw hair, and whatever else of the person is off the mesh."""
    sources, settings = context.sources, context.settings
    cutouts = {n: Cutout.of(sources, n, context.model, settings) for n in {sources.main, sources.dress}}
    on_head = context.on_head(canvas.raster)
    outline = measure_outline(on_head.astype(np.float32))
    colour, alpha = _draw_hair(cutouts[sources.main], context, canvas, outline, on_head)
    hair = alpha * ~canvas.raster.mask
    colour, alpha = _draw_clothes(cutouts[sources.dress], context, canvas.raster, outline, colour, alpha)
    return replace(canvas, colour=colour, alpha=alpha, hair=hair)


def _draw_clothes(
    worn: Cutout, context: WarpContext, raster: Raster, outline: Array, colour: Array, alpha: Array
) -> tuple[Array, Array]:
    """Colour (H, W, 3) and alpha (H, W) with clothes and neck beside the shoulders, behind the hair."""
    sources, model, settings = context.sources, context.model, context.settings
    loose, on_head = ~raster.mask, context.on_head(raster)
    dress = Dress(
        worn.crop,
        worn.clothes,
        sources.shown[sources.dress],
        sources.xy[sources.dress],
        worn.outline[2:].mean() / outline[2:].mean(),
    )
    behind, thickness = draw_beside_shoulders(
        dress, raster, model.triangles, model.parts == Part.SHOULDERS, settings.split
    )
    own, edges = settings.off_mesh, settings.edges
    below = (1 - alpha) * thickness * loose
    near_head = distance_to(on_head) < own.collar_reach * len(alpha)
    collar = near_head & ~_find_skin(behind, colour, on_head, ~loose & ~on_head, settings)
    below = taper_edges(below, ~loose, np.where(collar, own.collar_taper, own.hair_taper), edges)
    below = below * drop_strands(alpha + below, own.corner, edges)
    below = below * find_pieces(below, edges)
    return _put_below(colour, alpha, behind * sources.gains[sources.dress], below)


def _draw_hair(
    cutout: Cutout, context: WarpContext, canvas: Canvas, outline: Array, on_head: Array
) -> tuple[Array, Array]:
    """Colour (H, W, 3) and alpha (H, W) with the main reference's hair around the head."""
    sources, model, raster = context.sources, context.model, canvas.raster
    own, edges, loose = context.settings.off_mesh, context.settings.edges, ~raster.mask
    photo = cutout.crop, cutout.hair, sources.gains[sources.main]
    colour, alpha = draw_around(
        raster.mask, outline, cutout.outline, sources.roll, photo, own.clearance, canvas.colour
    )
    scale = cutout.outline[2:].mean() / outline[2:].mean()
    alpha = np.where(loose, alpha * fade_beyond(on_head, cutout.reach / scale, edges), alpha)
    alpha = np.where(loose, alpha * drop_strands(alpha, own.strand_width, edges), alpha)
    if cutout.reach == np.inf:
        return _close_curtains(colour, alpha, loose, on_head, context.settings)
    grown = scalp(model, context.settings.scalp).fullness_of(model.num_vertices)
    fullness = nearest_of(raster.interpolate(grown[:, None], model.triangles)[..., 0], on_head)
    thin = taper_edges(alpha, ~loose, own.hair_taper, edges) * np.clip(own.fullness_gain * fullness, 0, 1)
    return colour, np.where(loose, thin, alpha).astype(np.float32)


def _close_curtains(
    colour: Array, alpha: Array, loose: Array, on_head: Array, settings: WarpSettings
) -> tuple[Array, Array]:
    """Colour and alpha with hair where a gap would show between a neck and long hair that hangs beside it."""
    side, curtain = len(alpha), settings.off_mesh.curtain * len(alpha)
    hair = loose & (alpha > settings.edges.strand_alpha)
    shown = (hair | ~loose).astype(np.uint8)
    across = np.ones((1, 2 * round(curtain / 2) + 1), np.uint8)
    closed = cv2.morphologyEx(shown, cv2.MORPH_CLOSE, across)
    rows = np.flatnonzero(on_head.any(axis=1))
    gaps = (closed > shown) & (distance_to(hair) < curtain)
    gaps[: int(rows.mean()) if len(rows) else side] = False
    fraction = (
        cv2.GaussianBlur(cv2.dilate(gaps.astype(np.float32), disc(3)), (0, 0), 1.0) * (1 - alpha) * loose
    )
    return _put_below(colour, alpha, inpaint(colour, alpha * hair), fraction)


def _put_below(colour: Array, alpha: Array, behind: Array, added: Array) -> tuple[Array, Array]:
    """Put colours (H, W, 3) behind what is drawn; ``added`` (H, W) is the alpha that they add to its."""
    opacity = (added / np.maximum(alpha + added, 1e-6))[..., None]
    colour = (colour + opacity * (behind - colour)).astype(colour.dtype)
    return colour, (alpha + added).astype(alpha.dtype)


def _find_skin(
    behind: Array, colour: Array, on_head: Array, on_body: Array, settings: WarpSettings
) -> BoolArray:
    """Where colours (H, W, 3) are rather those of a picture's head (H, W) than those of its clothes."""
    drawn, beside = (
        weighted_lab(np.clip(colours, 0, 255).astype(np.uint8), settings.colour)
        for colours in (colour, behind)
    )
    rows = np.nonzero(on_body)[0]
    worn = on_body & (np.arange(len(on_body))[:, None] > (np.median(rows) if len(rows) else 0))
    from_head = colour_distance(beside, drawn[on_head], settings.colour)
    return from_head < colour_distance(beside, drawn[worn], settings.colour)
