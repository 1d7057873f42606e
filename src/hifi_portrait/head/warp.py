"""The plain warp: the target drawn with the references' own colours, carried through the fitted head.

Every pixel of the target's head asks each reference, through the mesh, for its colour there; the mean is
weighed by how well each sees it. Where no reference sees the surface, the other side of the face does; what
is off the mesh (hair, mostly) comes from the reference of the nearest pose, placed outside the head's outline
as it is there. The background is that same reference's, closed where the person hides it. Nothing is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from hifi_portrait.head.blending import blend_off_mesh, blend_on_mesh, layers_on_mesh
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.head.surface import SurfaceView

_GREY = 128.0  # background where no reference shows any

MIRRORED = 0.12
"""Visibility of a place that a reference shows only on the other side of the face."""

# Colours, as a share of the skin's brightness, of parts that no reference shows.
_UNSEEN_COLOURS = {
    Part.LEFT_EYE: (1.05, 1.08, 1.1),
    Part.RIGHT_EYE: (1.05, 1.08, 1.1),
    Part.UPPER_TEETH: (1.05, 1.03, 0.98),
    Part.LOWER_TEETH: (0.95, 0.93, 0.88),
    Part.TONGUE: (0.75, 0.38, 0.38),
    Part.MOUTH_CAVITY: (0.25, 0.11, 0.1),
}
_TRUSTED = 6e-4  # weight from which a colour counts in full: that of a visibility of 0.08
_POSE_SCALE = 40.0  # degrees of head rotation over which a reference's say on the face falls to 1 / e
_OTHER_SAY = 0.02  # on hair and shoulders of all references but one: mixed, they would be two haircuts
_TRANSITION = 0.04  # share of the picture's side over which one reference's light gives way to another's
_COARSE = 128  # side in pixels of the pictures in which outlines are found
_DIRECTIONS = 120  # in which an outline's radius is measured

Array = npt.NDArray[Any]


class WarpSource(Protocol):
    """Analysed photos of one person: what `warp_picture` needs of an identity.

    `crops` (N, S, S, 3) uint8, `mattes` (N, S, S) in [0, 1], `quality` (N,) in [0, 1], and `geometries`, the
    N fitted heads.
    """

    @property
    def crops(self) -> npt.NDArray[np.uint8]: ...  # noqa: D102

    @property
    def mattes(self) -> Array: ...  # noqa: D102

    @property
    def quality(self) -> Array: ...  # noqa: D102

    @property
    def geometries(self) -> Sequence[HeadGeometry]: ...  # noqa: D102


class WarpTarget(Protocol):
    """What is to be drawn: `hifi_portrait.head.LandmarkImage` is one."""

    @property
    def raster(self) -> Raster: ...  # noqa: D102

    @property
    def geometry(self) -> HeadGeometry: ...  # noqa: D102


def warp_picture(
    references: WarpSource,
    target: WarpTarget,
    *,
    model: HeadModel | None = None,
    views: Sequence[SurfaceView] | None = None,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Draw a target with the references' colours.

    Parameters
    ----------
    references
        The person's analysed photos.
    target
        Raster and geometry of the target; the picture has the raster's size.
    model
        The head model; the default one if not given.
    views
        Of the references, if already known.

    Returns
    -------
    picture
        (H, W, 3) uint8.
    coverage
        (H, W) float32 in [0, 1]: how well the references see what is drawn; 0 where it is made up or
        background.
    """
    model = model or HeadModel.load()
    views = views or [SurfaceView.of(model, geometry) for geometry in references.geometries]
    raster = target.raster
    crops, mattes = _fitted_to(raster.triangle.shape[0], references)
    xy = np.stack([view.xy for view in views]).astype(np.float32)
    visibility = np.stack([view.visibility for view in views]).astype(np.float32)
    face_say, body_say = _shares(references, target.geometry)
    gains = _light_gains(crops, xy, visibility, face_say, model)

    mirror = mirror_vertices(model)
    tables = np.concatenate([xy, visibility[..., None]], axis=2)
    mirrored = tables[:, mirror].copy()
    mirrored[..., 2] *= MIRRORED
    height, width = raster.triangle.shape
    colour = np.zeros((height, width, 3), np.float32)
    total = np.zeros((height, width), np.float32)
    coverage = np.zeros((height, width), np.float32)
    tables = np.concatenate([tables, mirrored])
    eroded = _shrunk(mattes)
    corrections = colour_corrections(raster, tables, crops, eroded, gains, face_say, model)
    blend_on_mesh(
        raster.triangle,
        raster.barycentric,
        model.faces,
        (model.parts == Part.SHOULDERS),
        tables,
        crops,
        eroded,
        gains,
        corrections,
        face_say,
        body_say,
        colour,
        total,
        coverage,
    )
    on_mesh = raster.triangle >= 0
    colour = _fill_unseen(colour, total, raster, model)
    alpha = on_mesh.astype(np.float32)
    head = model.parts != Part.SHOULDERS
    nearness = np.ones(xy.shape[1])
    nearness[model.faces[head]] = 2  # over the shoulders
    shown = [_shown(places, nearness, model.faces) for places in xy]
    loose = mattes * (1 - _resized(_inner([face >= 0 for face in shown]), mattes.shape[1]))
    outlines = [_outline(mask) for mask in _inner([(face >= 0) & head[face] for face in shown])]
    target_outline = _outline((on_mesh & head[raster.triangle]).astype(np.float32))
    rolls = np.array([geometry.pose.roll for geometry in references.geometries]) - target.geometry.pose.roll
    blend_off_mesh(
        raster.triangle,
        target_outline,
        np.stack(outlines),
        np.radians(rolls),
        crops,
        loose,
        gains,
        body_say,
        colour,
        alpha,
    )
    close_gaps(colour, alpha, on_mesh & head[raster.triangle])
    coverage = np.where(on_mesh, coverage, alpha / 2)
    nearest = int(body_say.argmax())
    behind = cv2.resize(_background(crops[nearest], mattes[nearest]), (width, height))
    return _compose(colour, alpha, behind), coverage.astype(np.float32)


@lru_cache(maxsize=4)
def mirror_vertices(model: HeadModel) -> npt.NDArray[np.int64]:
    """For each vertex (V,) the one at its mirror image on the other side of the mean head."""
    mean = model.mean[: model.num_vertices]
    mirrored = cKDTree(mean).query(mean * np.array([-1, 1, 1]))[1]
    return np.asarray(mirrored, np.int64)


def _fitted_to(size: int, references: WarpSource) -> tuple[Array, Array]:
    """Crops and mattes, shrunk where they are much larger than the picture, which would alias."""
    crops = np.ascontiguousarray(references.crops)
    mattes = np.ascontiguousarray(references.mattes, np.float32)
    side = crops.shape[1]
    if side <= 1.5 * size:
        return crops, mattes
    shape = (size, size)
    return (
        np.stack([cv2.resize(crop, shape, interpolation=cv2.INTER_AREA) for crop in crops]),
        np.stack([cv2.resize(matte, shape, interpolation=cv2.INTER_AREA) for matte in mattes]),
    )


def _shrunk(mattes: Array) -> Array:
    """Mattes without the person's edge, where a head fitted a little too large would show background."""
    kernel = np.ones((mattes.shape[1] // 40,) * 2, np.uint8)
    return np.stack([cv2.erode(matte, kernel) for matte in mattes])


def _shares(references: WarpSource, target: HeadGeometry) -> tuple[Array, Array]:
    """Say (N,) of each reference on the face, and on hair and shoulders, by quality and nearness of pose."""
    quality = 0.05 + np.asarray(references.quality, np.float64)
    angles = np.array([_angle(geometry.rotation, target.rotation) for geometry in references.geometries])
    face = quality * np.exp(-(angles - angles.min()) / _POSE_SCALE)
    face /= face.max()
    body = _OTHER_SAY * face
    body[face.argmax()] = 1
    return face.astype(np.float32), body.astype(np.float32)


def _angle(first: Array, second: Array) -> float:
    cosine = (np.trace(first.T @ second) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _light_gains(crops: Array, xy: Array, visibility: Array, say: Array, model: HeadModel) -> Array:
    """Gains (N, 3) that bring each reference's skin to the references' common brightness."""
    skin = np.unique(model.faces[model.parts == Part.SKIN])
    side = crops.shape[1]
    pixels = np.clip((xy[:, skin] * side).astype(np.int64), 0, side - 1)
    index = np.arange(len(crops))[:, None]
    levels = np.log(crops[index, pixels[..., 1], pixels[..., 0]].astype(np.float32) + 8)  # N P 3
    weights = (visibility[:, skin] > 0.4) * say[:, None] * 1.0
    total = weights.sum(axis=0)
    common = (levels * weights[..., None]).sum(axis=0) / np.maximum(total, 1e-6)[:, None]
    shared = weights * (total > weights * 1.001)  # seen by some other reference too
    count = shared.sum(axis=1)
    shift = ((common - levels) * shared[..., None]).sum(axis=1) / np.maximum(count, 1e-6)[:, None]
    return np.exp(np.clip(shift, -0.35, 0.35)).astype(np.float32)


def colour_corrections(
    raster: Raster, tables: Array, crops: Array, mattes: Array, gains: Array, say: Array, model: HeadModel
) -> npt.NDArray[np.float32]:
    """What to add to each reference's colours (N, h, w, 3) so that no edge shows where one takes over.

    Coarsely, the mean difference of the blended picture from the reference around each place: where two
    references of different light meet, both are brought half way.
    """
    step = max(1, raster.triangle.shape[0] // _COARSE)
    triangle = np.ascontiguousarray(raster.triangle[step // 2 :: step, step // 2 :: step])
    barycentric = np.ascontiguousarray(raster.barycentric[step // 2 :: step, step // 2 :: step])
    head = (triangle >= 0) & (model.parts != Part.SHOULDERS)[triangle]
    triangle = np.where(head, triangle, -1)
    colours = np.zeros((len(crops), *triangle.shape, 3), np.float32)
    if len(crops) == 1:
        return colours
    weights = np.zeros(colours.shape[:3], np.float32)
    layers = triangle, barycentric, model.faces, tables, crops, mattes, gains, say
    layers_on_mesh(*layers, colours, weights)
    share = weights / np.maximum(weights.sum(axis=0), 1e-9)
    blended = (share[..., None] * colours).sum(axis=0)
    known = np.clip(weights / _TRUSTED, 0, 1)[..., None]
    sigma = _TRANSITION * len(triangle)
    missing = [cv2.GaussianBlur(values, (0, 0), sigma) for values in known * (blended - colours)]
    around = [cv2.GaussianBlur(values, (0, 0), sigma)[..., None] for values in known]
    return np.asarray(np.stack(missing) / np.maximum(np.stack(around), 1e-3), np.float32)


def _fill_unseen(colour: Array, total: Array, raster: Raster, model: HeadModel) -> Array:
    """Give pixels that no reference sees a colour: of their part, or of the seen surface around them."""
    on_mesh = raster.triangle >= 0
    trust = np.clip(total / _TRUSTED, 0, 1) * on_mesh
    parts = np.where(on_mesh, model.parts[raster.triangle], 255)
    skin = on_mesh & (parts == Part.SKIN) & (trust > 0.5)
    brightness = np.median(colour[skin].mean(axis=1)) if skin.any() else 160.0
    filled = colour.copy()
    for part, shares in _UNSEEN_COLOURS.items():
        here = parts == part
        share = trust[here][:, None]
        filled[here] = filled[here] * share + (1 - share) * np.minimum(np.array(shares) * brightness, 235)
        trust[here] = 1
    # A head is not filled with the colours of its clothes.
    is_head = parts != Part.SHOULDERS
    trust = trust.astype(np.float32)
    head, body = _spread(filled, trust * is_head), _spread(filled, trust)
    return np.where((on_mesh & is_head)[..., None], head, body)


def _spread(values: Array, trust: Array) -> Array:
    """Keep values (H, W, C) where trusted (H, W); elsewhere take them from ever wider surroundings."""
    known = values * trust[..., None]
    if min(trust.shape) <= 2:
        return known / np.maximum(trust, 1e-6)[..., None]
    height, width = trust.shape
    half = (max(width // 2, 1), max(height // 2, 1))
    below_trust = cv2.resize(trust, half, interpolation=cv2.INTER_AREA)
    below = cv2.resize(known, half, interpolation=cv2.INTER_AREA) / np.maximum(below_trust, 1e-6)[..., None]
    below = _spread(below, np.minimum(below_trust * 4, 1))
    around = cv2.resize(below, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(known + around * (1 - trust)[..., None], np.float32)


def _shown(xy: Array, nearness: Array, faces: Array) -> npt.NDArray[np.int32]:
    """The nearest triangle (h, h) in a reference where vertices are at ``xy`` (V, 2); -1 for none."""
    return rasterise(xy * _COARSE, nearness, faces, _COARSE, _COARSE).triangle


def _inner(masks: Sequence[Array]) -> Array:
    """Masks (N, h, h) a little inside their outline.

    What is on the mesh belongs to the surface: off the target's mesh it must not appear a second time.
    """
    return np.stack([cv2.erode(mask.astype(np.float32), np.ones((5, 5), np.uint8)) for mask in masks])


def _resized(masks: Array, side: int) -> Array:
    return np.stack([cv2.resize(mask, (side, side), interpolation=cv2.INTER_LINEAR) for mask in masks])


def _outline(mask: Array) -> npt.NDArray[np.float32]:
    """Centre x and y of a head's mask, then its radius in each direction, as shares of the picture's side."""
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return np.concatenate([[0.5, 0.5], np.full(_DIRECTIONS, 0.2)]).astype(np.float32)
    x, y = (columns + 0.5) / width, (rows + 0.5) / height
    centre_x, centre_y = x.mean(), y.mean()
    angle = np.arctan2(y - centre_y, x - centre_x)
    direction = np.round(angle / (2 * np.pi) * _DIRECTIONS).astype(np.int64) % _DIRECTIONS
    radius = np.zeros(_DIRECTIONS)
    np.maximum.at(radius, direction, np.hypot(x - centre_x, y - centre_y))
    radius = np.where(radius > 0, radius, radius.mean())
    smooth = sum(np.roll(radius, shift) for shift in (-1, 0, 1)) / 3
    return np.concatenate([[centre_x, centre_y], smooth]).astype(np.float32)


def close_gaps(colour: Array, alpha: Array, on_head: Array) -> None:
    """Paint the slits between ears and head, through which light background would show, like their edges."""
    reach = np.ones((max(on_head.shape[0] // 24, 1),) * 2, np.uint8)
    gaps = cv2.morphologyEx(on_head.astype(np.uint8), cv2.MORPH_CLOSE, reach).astype(bool) & ~on_head
    around = _spread(colour, np.where(gaps, 0, alpha).astype(np.float32))
    colour[gaps], alpha[gaps] = around[gaps], 1


def _background(crop: Array, matte: Array) -> Array:
    """A photo's background (S, S, 3) float32, spread over the person from all around."""
    side = crop.shape[0]
    person = cv2.dilate(np.asarray(matte, np.float32), np.ones((side // 24,) * 2, np.uint8))
    shown = np.clip(1 - 2 * person, 0, 1)
    if shown.mean() < 0.02:
        return np.full(crop.shape, _GREY, np.float32)
    return _spread(crop.astype(np.float32), shown)


def _compose(colour: Array, alpha: Array, behind: Array) -> npt.NDArray[np.uint8]:
    """Put the person before the background, with an edge as soft as a photo's."""
    sigma = 0.6 * alpha.shape[0] / 256
    soft = np.minimum(alpha, cv2.GaussianBlur(alpha, (0, 0), sigma) * 1.2)[..., None]
    picture = colour * soft + behind * (1 - soft)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
