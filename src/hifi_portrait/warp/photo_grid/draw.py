"""Stage: the photo that decides, drawn again from its own pixels, over what the mesh shows.

At the photo's own pose and expression the person is that of the photo. The more the head turns, the more of
the mesh comes into view behind; where pixels are drawn out they fade, so that nothing jumps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.geometry import Camera
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.hair.shell import raise_scalp, scalp
from hifi_portrait.warp.image.morphology import distance_to
from hifi_portrait.warp.off_mesh.cutout import Cutout
from hifi_portrait.warp.photo_grid.grid import (
    draw_grid,
    grid_places,
    grid_triangles,
    longest_sides,
    look_up,
    spread_over,
)
from hifi_portrait.warp.photo_grid.motion import move_places
from hifi_portrait.warp.photo_grid.space import PhotoSpace, measure_space
from hifi_portrait.warp.photo_grid.trust import measure_trust, trust_emptiness, turn_degrees
from hifi_portrait.warp.settings import WarpSettings


@dataclass(frozen=True, eq=False)
class _Layer:
    """What of a photo is drawn in a target, (H, W) each.

    Attributes
    ----------
    colour
        (H, W, 3) in [0, 255].
    alpha, hair
        In [0, 1], where there is the person, and their hair.
    trust
        In [0, 1], how far it is to be shown; 0 where the photo shows nothing.
    emptiness
        In [0, 1], how far nothing else is beside it.
    depth
        Metres; infinite where the photo shows nothing.
    remainder
        (H, W, 3) that the photo has beyond person and background.
    """

    colour: FloatArray
    alpha: FloatArray
    hair: FloatArray
    trust: FloatArray
    emptiness: FloatArray
    depth: FloatArray
    remainder: FloatArray


def draw_photo(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: draw the main reference from its own pixels over what the mesh shows."""
    sources, model, settings = context.sources, context.model, context.settings
    space = _space_of(context, sources.main)
    target = context.target.geometry
    vertices = raise_scalp(model.posed(target), sources.hair, scalp(model, settings.scalp), model)
    front, back = move_places(space, target, vertices, model)
    camera = target.camera.scaled_to((canvas.alpha.shape[1], canvas.alpha.shape[0]))
    hair = _draw_back(space, back, context, camera)
    photo = _draw_front(space, front, context, camera)
    return _put_photo(_put_hair(_carve(canvas, context), hair, settings), photo, settings)


def _space_of(context: WarpContext, reference: int) -> PhotoSpace:
    """Find where in space each place of a reference is."""
    sources, model, settings = context.sources, context.model, context.settings
    head = sources.heads[reference]
    vertices = raise_scalp(model.posed(head), sources.hair, scalp(model, settings.scalp), model)
    hair = Cutout.of(sources, reference, model, settings).hair
    return measure_space(
        head, vertices, sources.xy[reference], sources.mattes[reference], hair, model, settings
    )


def _draw_front(space: PhotoSpace, places: Array, context: WarpContext, camera: Camera) -> _Layer:
    """Draw what the photo shows."""
    sources, settings, main = context.sources, context.settings.grid, context.sources.main
    pixels = camera.project(places)
    trust, step = measure_trust(
        space, pixels, context.target.geometry, _seen_by_others(context), context.model, settings
    )
    kept = _surroundings(space.matte, sources.shown[main], context.settings)
    triangles = grid_triangles(kept)
    apart = spread_over(space.front[..., 1], triangles) > settings.apart
    apart |= spread_over(space.head_fraction, triangles) > settings.apart_motion
    most = np.where(apart, settings.tear, settings.stretch_skin[1])
    torn = longest_sides(pixels, triangles) > most * step
    trust = trust * _away_from(triangles[torn], len(kept))
    empty = trust_emptiness(space, context.target.geometry, settings)
    near = _nearness(space.matte, context.settings)
    values = np.concatenate(
        [grid_places(len(kept)), np.stack([trust, empty, space.looseness, near], axis=-1)], axis=-1
    )
    raster, drawn = draw_grid(places, triangles[~torn], values, camera)
    at, there = drawn[..., :2], raster.mask.astype(np.float32)
    alpha = np.clip(look_up(sources.mattes[main], at), 0, 1) * there
    return _Layer(
        colour=look_up(sources.colours[main], at, cv2.INTER_CUBIC),
        alpha=alpha,
        hair=alpha * drawn[..., 4],
        trust=drawn[..., 2] * there,
        emptiness=drawn[..., 3],
        depth=raster.depth,
        remainder=look_up(_remainder(context), at, cv2.INTER_CUBIC) * drawn[..., 5:6],
    )


def _remainder(context: WarpContext) -> FloatArray:
    """What the main reference's crop has beyond its person before its background, (S, S, 3)."""
    sources, main = context.sources, context.sources.main
    alpha = sources.mattes[main][..., None]
    made = alpha * sources.colours[main] + (1 - alpha) * sources.behind
    return np.asarray((sources.crops[main] - made) * sources.shown[main][..., None], np.float32)


def _surroundings(matte: Array, shown: Array, settings: WarpSettings) -> BoolArray:
    """Find the places (G, G) of a person and of what is empty around, within the photo."""
    side = len(matte)
    inside = cv2.resize(np.asarray(shown, np.float32), (side, side), interpolation=cv2.INTER_AREA) > 0.99
    near = distance_to(matte > settings.space.person_matte) < settings.grid.margin * side
    return np.asarray(near & inside)


def _nearness(matte: Array, settings: WarpSettings) -> FloatArray:
    """1 at the person in a matte (G, G), falling to 0 where its surroundings end."""
    away = distance_to(matte > settings.space.person_matte) / len(matte)
    return np.asarray(1 - smoothstep(away, 0.3 * settings.grid.margin, settings.grid.margin), np.float32)


def _away_from(torn: Array, side: int) -> FloatArray:
    """1 on a grid (G, G), falling to 0 at the corners of torn triangles (F, 3)."""
    edge = np.zeros(side * side, np.float32)
    edge[torn.ravel()] = 1
    edge = cv2.dilate(edge.reshape(side, side), np.ones((3, 3), np.uint8))
    return np.asarray(1 - cv2.GaussianBlur(edge, (0, 0), 0.8), np.float32)


def _seen_by_others(context: WarpContext) -> FloatArray:
    """How well references other than the main one see each vertex, (V,) in [0, 1]."""
    sources = context.sources
    count = len(sources.crops)
    visibility = sources.tables[:count, :, 2].copy()
    visibility[sources.main] = 0
    return np.asarray(visibility.max(axis=0), np.float32)


def _draw_back(space: PhotoSpace, places: Array, context: WarpContext, camera: Camera) -> _Layer:
    """Draw the back of the hair."""
    sources, main = context.sources, context.sources.main
    kept = cv2.dilate((space.back_alpha > 0.02).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    triangles = grid_triangles(kept & space.of_head)
    triangles = triangles[spread_over(space.back[..., 1], triangles) < context.settings.grid.apart]
    values = np.concatenate([space.back_places, space.back_alpha[..., None]], axis=-1)
    raster, drawn = draw_grid(places, triangles, values, camera)
    at = drawn[..., :2]
    alpha = drawn[..., 2] * np.clip(look_up(sources.mattes[main], at), 0, 1) * raster.mask
    colour = look_up(sources.colours[main], at, cv2.INTER_CUBIC)
    return _Layer(colour, alpha, alpha, alpha, np.zeros_like(alpha), raster.depth, np.zeros_like(colour))


def _carve(canvas: Canvas, context: WarpContext) -> Canvas:
    """Leave out what of the head stands out of the photo's person, the less the more the head is turned."""
    sources = context.sources
    raster, matte = canvas.raster, sources.mattes[sources.main]
    at = raster.interpolate(sources.xy[sources.main], context.model.triangles)
    person = np.clip(look_up(cv2.dilate(matte, np.ones((3, 3), np.uint8)), at), 0, 1)
    head = raster.mask & (context.model.parts != Part.SHOULDERS)[raster.triangle]
    turned = turn_degrees(sources.heads[sources.main], context.target.geometry)
    known = np.exp(-((turned / context.settings.grid.empty_degrees) ** 2))
    alpha = canvas.alpha * np.where(head, 1 - known * (1 - person), 1)
    return replace(canvas, alpha=np.asarray(alpha, np.float32))


def _put_hair(canvas: Canvas, layer: _Layer, settings: WarpSettings) -> Canvas:
    """Put the back of the hair before the mesh's scalp."""
    depth = np.where(canvas.alpha > 0.5, canvas.raster.depth, np.inf)
    alpha = layer.alpha * (layer.depth < depth + settings.grid.behind_hair)
    total = alpha + (1 - alpha) * canvas.alpha
    share = (alpha / np.maximum(total, 1e-6))[..., None]
    return replace(
        canvas,
        colour=np.asarray(canvas.colour + share * (layer.colour - canvas.colour), np.float32),
        alpha=np.asarray(total, np.float32),
        hair=np.asarray(np.maximum(canvas.hair, alpha), np.float32),
        raster=replace(canvas.raster, depth=np.where(alpha > 0.5, np.minimum(depth, layer.depth), depth)),
    )


def _put_photo(canvas: Canvas, layer: _Layer, settings: WarpSettings) -> Canvas:
    """Put the photo's person before what is drawn, as far as it is to be trusted."""
    in_front = (layer.depth < canvas.raster.depth + settings.grid.behind).astype(np.float32)
    trust = layer.trust * cv2.GaussianBlur(in_front, (0, 0), 1.0)
    behind = (1 - layer.alpha) * canvas.alpha * (1 - layer.emptiness)
    alpha = trust * (layer.alpha + behind) + (1 - trust) * canvas.alpha
    own, other = trust * layer.alpha, trust * behind + (1 - trust) * canvas.alpha
    colour = (own[..., None] * layer.colour + other[..., None] * canvas.colour) / np.maximum(
        own + other, 1e-6
    )[..., None]
    return replace(
        canvas,
        colour=np.where((alpha > 1e-4)[..., None], colour, canvas.colour).astype(np.float32),
        alpha=np.asarray(alpha, np.float32),
        hair=np.asarray(trust * layer.hair + (1 - trust) * canvas.hair, np.float32),
        photo=np.asarray(trust, np.float32),
        remainder=np.asarray((trust * layer.emptiness)[..., None] * layer.remainder, np.float32),
    )
