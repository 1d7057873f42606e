"""What a photo's own pixels show in a target: its person from the front, and the back of the hair."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray, IntArray
from hifi_portrait.head.geometry import Camera
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.raster import rasterise
from hifi_portrait.warp.canvas import WarpContext
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.image.morphology import distance_to
from hifi_portrait.warp.photo_grid.grid import (
    draw_grid,
    grid_places,
    grid_triangles,
    longest_sides,
    look_up,
    spread_over,
)
from hifi_portrait.warp.photo_grid.hair_back import HairBack
from hifi_portrait.warp.photo_grid.space import PhotoSpace
from hifi_portrait.warp.photo_grid.trust import measure_trust, trust_emptiness
from hifi_portrait.warp.settings import WarpSettings

_FAINT = 0.02
"""Alpha from which on the back of the hair is drawn."""


_SOLID = 0.9
"""Alpha from which on a place is surely the person's."""

_FADED = 7
"""Side of the square of the grid about a tear in which its edge fades."""

_JUMP = 3.0
"""Places of the grid that neighbours are apart from which on they do not belong together."""

_EDGE = 0.8 / 512
"""Standard deviation of the blur where a surface folds over, as a fraction of the height."""


@dataclass(frozen=True, eq=False)
class Tears:
    """What shows where a grid tears within the person: the farther of the two sides goes on there.

    Attributes
    ----------
    colour
        (H, W, 3) in [0, 255].
    alpha, hair
        (H, W) in [0, 1], where there are tears, and those in hair.
    """

    colour: FloatArray
    alpha: FloatArray
    hair: FloatArray


@dataclass(frozen=True, eq=False)
class PhotoLayer:
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
    parsed
        (H, W, 2) in [0, 1], hair and clothes, if the photo was parsed.
    tears
        What shows behind all else where the grid tears; None where it does not.
    across, body
        (H, W) how far from the crop's left each place is, as a fraction of its side, NaN where the photo
        shows nothing; and in [0, 1], how far it moves with the body. None for what is no photo's front.
    """

    colour: FloatArray
    alpha: FloatArray
    hair: FloatArray
    trust: FloatArray
    emptiness: FloatArray
    depth: FloatArray
    remainder: FloatArray
    parsed: FloatArray | None = None
    tears: Tears | None = None
    across: FloatArray | None = None
    body: FloatArray | None = None


def draw_front(
    space: PhotoSpace, places: Array, context: WarpContext, camera: Camera, reference: int, part: BoolArray
) -> PhotoLayer:
    """Draw what a photo shows.

    Parameters
    ----------
    space, places
        Where the photo's places are in the photo, and (G, G, 3) in the target.
    context
        What is drawn, of whom, and how.
    camera
        The target's, of the picture's size.
    reference
        The photo's number.
    part
        (G, G), of what places are drawn.
    """
    sources, settings = context.sources, context.settings.grid
    pixels = camera.project(places)
    others = _seen_by_others(context, reference)
    shares = _share_of(context, reference)
    trust, step = measure_trust(
        space, pixels, context.target.geometry, others, shares, context.model, settings
    )
    cut = _cut_grid(space, part, sources.shown[reference], context.settings)
    triangles = cut.triangles
    torn = longest_sides(pixels, triangles) > step * np.where(
        cut.apart, settings.tear, settings.stretch_skin[1]
    )
    attributes = (
        trust * _away_from(triangles[torn], len(part)),
        trust_emptiness(space, context.target.geometry, settings),
    )
    values = np.concatenate([cut.places, np.stack(attributes, axis=-1), cut.attributes], axis=-1)
    raster, drawn = draw_grid(places, triangles[~torn], values, camera)
    at = drawn[..., :2]
    alpha = np.clip(look_up(sources.mattes[reference], at), 0, 1) * raster.mask
    remainder = np.zeros((*alpha.shape, 3), np.float32)
    if reference == sources.main:  # it belongs to the background, which is the main reference's
        remainder = look_up(sources.remainder, at, cv2.INTER_CUBIC) * drawn[..., 5:6]
    return PhotoLayer(
        colour=look_up(sources.colours[reference], at, cv2.INTER_CUBIC),
        alpha=alpha,
        hair=alpha * drawn[..., 4],
        trust=drawn[..., 2] * _soften_edge(raster.mask),
        emptiness=drawn[..., 3],
        depth=raster.depth,
        remainder=remainder,
        parsed=None if space.parsed is None else drawn[..., 7:],
        tears=_draw_tears(space, places, triangles[torn], context, camera, reference),
        across=np.where(raster.mask, at[..., 0], np.nan),
        body=alpha * (1 - drawn[..., 6]),
    )


@dataclass(frozen=True, eq=False)
class CutGrid:
    """What of a photo's grid is drawn, whatever the target.

    Attributes
    ----------
    triangles, apart
        (F, 3) of its points, and (F,) which of them join what does not belong together.
    places
        (G, G, 2) of its points in the photo.
    attributes
        (G, G, C): looseness, where its remainder counts, the fraction of the head's motion, and what was
        parsed.
    """

    triangles: IntArray
    apart: BoolArray
    places: FloatArray
    attributes: FloatArray


_cut: WeakKeyDictionary[PhotoSpace, dict[object, CutGrid]] = WeakKeyDictionary()
"""The grids of photos, by what part of them is drawn: they are the same for every target."""


def _cut_grid(space: PhotoSpace, part: BoolArray, shown: Array, settings: WarpSettings) -> CutGrid:
    """Cut a photo's grid to a part (G, G) of it, or give what was cut before."""
    known = _cut.setdefault(space, {})
    key = (part.tobytes(), settings)
    if key not in known:
        grid = settings.grid
        away = distance_to(space.matte > settings.space.person_matte) / len(part)
        triangles = grid_triangles(part & (away < grid.margin) & _within(shown, len(part)))
        apart = spread_over(space.front[..., 1], triangles) > grid.apart
        apart |= spread_over(space.head_fraction, triangles) > grid.apart_motion
        beside = 1 - smoothstep(away, 0.3 * grid.margin, grid.margin)
        parsed = [] if space.parsed is None else [space.parsed]
        each = np.stack([space.looseness, beside, space.head_fraction], axis=-1)
        attributes = np.concatenate([each, *parsed], axis=-1)
        known[key] = CutGrid(triangles, np.asarray(apart), grid_places(len(part)), attributes)
    return known[key]


def _draw_tears(
    space: PhotoSpace,
    places: Array,
    torn: IntArray,
    context: WarpContext,
    camera: Camera,
    reference: int,
) -> Tears | None:
    """Draw torn triangles (F, 3) of the person, and fading ones around, as their farthest corners."""
    corner = np.zeros(space.matte.size, np.uint8)
    corner[torn.ravel()] = 1
    faded = cv2.dilate(corner.reshape(space.matte.shape), np.ones((_FADED,) * 2, np.uint8)) > 0
    torn = grid_triangles(faded)
    person = (space.matte.ravel()[torn] > _SOLID).all(axis=1)
    person &= longest_sides(camera.project(places), torn) < context.settings.grid.widest_tear * camera.height
    torn = torn[person]
    if not len(torn):
        return None
    corners = places.reshape(-1, 3)[torn]
    farthest = torn[np.arange(len(torn)), corners[..., 1].argmax(axis=1)]
    photo, at = context.sources.colours[reference], grid_places(len(places)).reshape(-1, 2)[farthest]
    colour_of, hair_of = look_up(photo, at[None])[0], space.looseness.ravel()[farthest]
    flat = corners.reshape(-1, 3).astype(np.float64)
    apart = np.arange(len(flat)).reshape(-1, 3).astype(torn.dtype)
    raster = rasterise(camera.project(flat), 1 / flat[:, 1], apart, camera.height, camera.width)
    shown = raster.triangle[raster.mask]
    colour, hair = np.zeros((*raster.mask.shape, 3), np.float32), np.zeros(raster.mask.shape, np.float32)
    colour[raster.mask], hair[raster.mask] = colour_of[shown], hair_of[shown]
    return Tears(colour, raster.mask.astype(np.float32), hair)


def draw_back(shown: HairBack, places: Array, context: WarpContext, camera: Camera) -> PhotoLayer:
    """Draw the hair that hangs behind the main reference's neck, whose places (G, G, 3) are in the target."""
    sources, main = context.sources, context.sources.main
    kept = cv2.dilate((shown.alpha > _FAINT).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    triangles = grid_triangles(kept)
    photo, matte = sources.colours[main], sources.mattes[main]
    known = (shown.known & (look_up(matte, shown.places) > 0.5)).astype(np.float32)
    continued = inpaint(look_up(photo, shown.places), known)
    mixed = np.maximum(1 - known, _find_jumps(shown.places)).astype(np.float32)
    attributes = np.stack([shown.alpha, mixed], axis=-1)
    values = np.concatenate([shown.places, attributes, continued], axis=-1)
    raster, drawn = draw_grid(places, triangles, values, camera)
    at, alpha, mixed, continued = np.split(drawn, (2, 3, 4), axis=-1)
    # Between places that are far apart in the photo lies what is no hair: there colours are mixed instead.
    mixed = np.clip(mixed, 0, 1)
    own = look_up(photo, at, cv2.INTER_CUBIC)
    opaque = np.clip(look_up(matte, at), 0, 1)[..., None]
    alpha = (alpha * (opaque + mixed * (1 - opaque)))[..., 0] * _soften_edge(raster.mask)
    colour = own + mixed * (continued - own)
    return PhotoLayer(colour, alpha, alpha, alpha, np.zeros_like(alpha), raster.depth, np.zeros_like(colour))


def _find_jumps(places: Array) -> BoolArray:
    """Find where neighbours on a grid (G, G, 2) of places are far apart in the photo."""
    across, down = np.diff(places, axis=1, append=places[:, -1:]), np.diff(places, axis=0, append=places[-1:])
    jump = np.maximum(np.abs(across), np.abs(down)).max(axis=-1) > _JUMP / len(places)
    return np.asarray(cv2.dilate(jump.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _soften_edge(mask: BoolArray) -> FloatArray:
    """1 in a mask (H, W), falling to 0 towards its edge, where a surface folds over."""
    blurred = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _EDGE * len(mask))
    return np.asarray(np.clip(2 * blurred - 1, 0, 1), np.float32)


def _within(shown: Array, side: int) -> BoolArray:
    """Find the places (G, G) of a crop that are within its photo."""
    small = cv2.resize(np.asarray(shown, np.float32), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small > 0.99)


def _away_from(torn: Array, side: int) -> FloatArray:
    """1 on a grid (G, G), falling to 0 at the corners of torn triangles (F, 3)."""
    edge = np.zeros(side * side, np.float32)
    edge[torn.ravel()] = 1
    wide = cv2.dilate(edge.reshape(side, side), np.ones((3, 3), np.uint8))
    return np.asarray(1 - cv2.GaussianBlur(wide, (0, 0), 0.8), np.float32)


def _seen_by_others(context: WarpContext, reference: int) -> FloatArray:
    """How well references other than one see each vertex, (V,) in [0, 1]."""
    visibility = context.sources.tables[: len(context.sources.crops), :, 2].copy()
    visibility[reference] = 0
    return np.asarray(visibility.max(axis=0), np.float32)


def _share_of(context: WarpContext, reference: int) -> FloatArray:
    """Weight of a reference at each vertex, (V,), as a fraction of that of the one that counts most there."""
    weights = context.sources.weights
    return np.asarray(weights[reference] / np.maximum(weights.max(axis=0), 1e-9), np.float32)
