"""A photo's own pixels put before what the mesh shows."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.photo_grid.grid import look_up
from hifi_portrait.warp.photo_grid.layer import PhotoLayer
from hifi_portrait.warp.photo_grid.trust import turn_degrees
from hifi_portrait.warp.settings.photo_grid import GridSettings

_LEAST_TRUST = 1e-3
"""Trust up to which a photo does not count as seeing a place."""


def carve_head(canvas: Canvas, context: WarpContext) -> Canvas:
    """Leave out what of the mesh's head stands out of the photo's person, the less the more it is turned."""
    sources = context.sources
    raster, matte = canvas.raster, sources.mattes[sources.main]
    at = raster.interpolate(sources.xy[sources.main], context.model.triangles)
    person = np.clip(look_up(cv2.dilate(matte, np.ones((3, 3), np.uint8)), at), 0, 1)
    head = raster.mask & (context.model.parts != Part.SHOULDERS)[raster.triangle]
    turned = turn_degrees(sources.heads[sources.main], context.target.geometry)
    known = np.exp(-((turned / context.settings.grid.carved_degrees) ** 2))
    alpha = canvas.alpha * np.where(head, 1 - known * (1 - person), 1)
    return replace(canvas, alpha=np.asarray(alpha, np.float32))


def put_hair(canvas: Canvas, layer: PhotoLayer, model: HeadModel, settings: GridSettings) -> Canvas:
    """Put hair that hangs behind the neck before the mesh's nape, and behind what else is nearer."""
    depth = np.where(canvas.alpha > 0.5, canvas.raster.depth, np.inf)
    nape = canvas.raster.interpolate(_behind_ears(model)[:, None], model.triangles)[..., 0]
    allowed = settings.behind_hair * nape
    alpha = layer.alpha * (layer.depth < depth + allowed)
    total = alpha + (1 - alpha) * canvas.alpha
    share = (alpha / np.maximum(total, 1e-6))[..., None]
    nearest = np.where(alpha > 0.5, np.minimum(depth, layer.depth), depth)
    return replace(
        canvas,
        colour=np.asarray(canvas.colour + share * (layer.colour - canvas.colour), np.float32),
        alpha=np.asarray(total, np.float32),
        hair=np.asarray(np.maximum(canvas.hair, alpha), np.float32),
        raster=replace(canvas.raster, depth=nearest.astype(np.float32)),
    )


@lru_cache(maxsize=4)
def _behind_ears(model: HeadModel) -> FloatArray:
    """For each vertex (V,) 1 behind the ears, on nape and neck, and 0 elsewhere."""
    mean = model.mean[: model.num_vertices]
    ears = np.median(mean[np.concatenate(ear_vertices(model)), 1])
    behind = mean[:, 1] > ears
    behind[part_vertices(model, Part.SHOULDERS)] = False
    return np.asarray(behind, np.float32)


def _drop_rim(layer: PhotoLayer, canvas: Canvas, settings: GridSettings) -> FloatArray:
    """Alpha (H, W) of a photo without the soft edge of its person where that comes to lie on the person."""
    covered = canvas.alpha * (1 - layer.emptiness)
    return np.asarray(layer.alpha * (1 - covered * (1 - smoothstep(layer.alpha, *settings.rim))), np.float32)


def put_photo(canvas: Canvas, layer: PhotoLayer, settings: GridSettings) -> Canvas:
    """Put a photo's person before what is drawn, as far as it is to be trusted."""
    in_front = (layer.depth < canvas.raster.depth + settings.behind).astype(np.float32)
    trust = layer.trust * cv2.GaussianBlur(in_front, (0, 0), 1.0)
    own_alpha = _drop_rim(layer, canvas, settings)
    behind = (1 - own_alpha) * canvas.alpha * (1 - layer.emptiness)
    own, other = trust * own_alpha, trust * behind + (1 - trust) * canvas.alpha
    alpha = own + other
    share = (own / np.maximum(alpha, 1e-6))[..., None]
    remainder = (trust * layer.emptiness)[..., None] * layer.remainder
    decided = trust * np.maximum(layer.alpha, layer.emptiness)
    parsed = canvas.parsed
    if layer.parsed is not None:
        before = np.zeros_like(layer.parsed) if parsed is None else parsed
        parsed = before + decided[..., None] * (layer.alpha[..., None] * layer.parsed - before)
    covered = np.where(trust > _LEAST_TRUST, np.clip(decided * layer.alpha, 0, 1), 0)
    colour, hair = (
        canvas.colour + share * (layer.colour - canvas.colour),
        trust * layer.hair + (1 - trust) * canvas.hair,
    )
    if layer.tears is not None:
        torn = layer.tears.alpha * (1 - alpha) * (1 - trust * layer.emptiness)
        alpha = alpha + torn
        share = torn / np.maximum(alpha, 1e-6)
        colour = colour + share[..., None] * (layer.tears.colour - colour)
        hair = hair + share * (layer.tears.hair - hair)
    return replace(
        canvas,
        colour=np.asarray(colour, np.float32),
        alpha=np.asarray(alpha, np.float32),
        coverage=np.asarray(np.maximum(canvas.coverage, covered), np.float32),
        hair=np.asarray(hair, np.float32),
        photo=np.asarray(decided + (1 - decided) * canvas.photo, np.float32),
        remainder=np.asarray(remainder + (1 - trust)[..., None] * canvas.remainder, np.float32),
        parsed=parsed,
    )
