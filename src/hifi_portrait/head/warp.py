"""The plain warp: the target drawn with the references' own colours, carried through the fitted head.

Every pixel of the target's head asks each reference, through the mesh, for its colour there; the mean is
weighed by how well each sees it. Where no reference sees the surface, the other side of the face does; what
is off the mesh (hair, mostly) comes from the reference of the nearest pose, placed outside the head's outline
as it is there. The background is that same reference's, closed where the person hides it. Nothing is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from hifi_portrait.head.blending import blend_off_mesh, blend_on_mesh
from hifi_portrait.head.ears import ear_vertices, without_ears
from hifi_portrait.head.filling import TRUSTED, background, close_gaps, fill_unseen
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.head.surface import SurfaceView

MIRRORED = 0.12
"""Visibility of a place that a reference shows only on the other side of the face."""

_POSE_SCALE = 40.0  # degrees of head rotation over which a reference's say on the face falls to 1 / e
_OTHER_SAY = 0.02  # on hair and background of all references but one: mixed, they would be two haircuts
_LEAST_BODY = (
    0.3  # how much of the shoulders the reference must show whose clothes are worn, to the most shown
)
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
    height, width = raster.triangle.shape
    sources = _Sources.of(references, views, target.geometry, height, model)
    colour, coverage = _on_mesh(sources, raster, model)
    on_mesh = raster.triangle >= 0
    alpha = on_mesh.astype(np.float32)
    rolls = np.array([geometry.pose.roll for geometry in references.geometries]) - target.geometry.pose.roll
    _off_mesh(sources, raster, np.radians(rolls), model, colour, alpha)
    close_gaps(
        colour, alpha, on_mesh & (model.parts != Part.SHOULDERS)[raster.triangle], _ears_end(raster, model)
    )
    coverage = np.where(on_mesh, coverage, alpha / 2)
    nearest = int(sources.hair_say.argmax())
    behind = cv2.resize(background(sources.crops[nearest], sources.mattes[nearest]), (width, height))
    return _compose(colour, alpha, behind), coverage.astype(np.float32)


@dataclass(frozen=True)
class _Sources:
    """The references as the blending reads them, N of them.

    Attributes
    ----------
    crops, mattes
        (N, S, S, 3) uint8 and (N, S, S) in [0, 1].
    xy
        (N, V, 2) places of the vertices, as shares of the side.
    tables
        (2N, V, 3): x, y, visibility; then the same of the mirror image of each vertex, seen less.
    gains
        (N, 3) that bring the references to a common brightness.
    face_say, clothes_say, hair_say
        (N,) of each reference on the face, on the shoulders, and on what is off the mesh.
    """

    crops: Array
    mattes: Array
    xy: Array
    tables: Array
    gains: Array
    face_say: Array
    clothes_say: Array
    hair_say: Array

    @classmethod
    def of(
        cls,
        references: WarpSource,
        views: Sequence[SurfaceView],
        target: HeadGeometry,
        size: int,
        model: HeadModel,
    ) -> _Sources:
        """For a picture ``size`` pixels high."""
        crops, mattes = _fitted_to(size, references)
        xy = np.stack([view.xy for view in views]).astype(np.float32)
        visibility = np.stack([view.visibility for view in views]).astype(np.float32)
        face_say, hair_say = _shares(references, target)
        clothes_say = _one_dress(face_say, visibility, model)
        gains = _light_gains(crops, xy, visibility, face_say, model)
        tables = np.concatenate([xy, visibility[..., None]], axis=2)
        mirrored = tables[:, mirror_vertices(model)].copy()
        mirrored[..., 2] *= MIRRORED
        return cls(
            crops, mattes, xy, np.concatenate([tables, mirrored]), gains, face_say, clothes_say, hair_say
        )


def _on_mesh(sources: _Sources, raster: Raster, model: HeadModel) -> tuple[Array, Array]:
    """Colour (H, W, 3) and coverage (H, W) on the mesh."""
    height, width = raster.triangle.shape
    colour = np.zeros((height, width, 3), np.float32)
    total = np.zeros((height, width), np.float32)
    coverage = np.zeros((height, width), np.float32)
    mattes = _shrunk(sources.mattes)
    looked_up = sources.tables, sources.crops, mattes, sources.gains
    blend_on_mesh(
        raster.triangle,
        raster.barycentric,
        model.faces,
        model.parts == Part.SHOULDERS,
        *looked_up,
        colour_corrections(raster, *looked_up, sources.face_say, model),
        sources.face_say,
        sources.clothes_say,
        colour,
        total,
        coverage,
    )
    return fill_unseen(colour, total, raster, model), coverage


def _ears_end(raster: Raster, model: HeadModel) -> int:
    """The row below the ears that are to be seen; 0 if there are none."""
    of_ear = np.isin(model.faces[:, 0], np.concatenate(ear_vertices(model)))
    rows = np.flatnonzero(((raster.triangle >= 0) & of_ear[raster.triangle]).any(axis=1))
    return int(rows[-1]) + 1 if len(rows) else 0


def _off_mesh(
    sources: _Sources, raster: Raster, rolls: Array, model: HeadModel, colour: Array, alpha: Array
) -> None:
    """Draw hair, and whatever else of the person is off the mesh, into colour (H, W, 3) and alpha (H, W)."""
    head = model.parts != Part.SHOULDERS
    nearness = np.ones(sources.xy.shape[1])
    nearness[model.faces[head]] = 2  # over the shoulders
    shown = [_shown(places, nearness, model.faces) for places in sources.xy]
    mattes = sources.mattes
    loose = mattes * (1 - _resized(_inner([face >= 0 for face in shown]), mattes.shape[1]))
    seen = sources.tables[: len(loose), :, 2]
    loose = np.stack(
        [without_ears(*photo, model) for photo in zip(loose, sources.crops, sources.xy, seen, strict=True)]
    )
    outlines = [_outline(mask) for mask in _inner([(face >= 0) & head[face] for face in shown])]
    target_outline = _outline(((raster.triangle >= 0) & head[raster.triangle]).astype(np.float32))
    blend_off_mesh(
        raster.triangle,
        target_outline,
        np.stack(outlines),
        rolls,
        sources.crops,
        loose,
        sources.gains,
        sources.hair_say,
        colour,
        alpha,
    )


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
    """Say (N,) of each reference on the face, and on hair, by quality and nearness of pose."""
    quality = 0.05 + np.asarray(references.quality, np.float64)
    angles = np.array([_angle(geometry.rotation, target.rotation) for geometry in references.geometries])
    face = quality * np.exp(-(angles - angles.min()) / _POSE_SCALE)
    face /= face.max()
    hair = _OTHER_SAY * face
    hair[face.argmax()] = 1
    return face.astype(np.float32), hair.astype(np.float32)


def _one_dress(face_say: Array, visibility: Array, model: HeadModel) -> Array:
    """Say (N,) on the shoulders: all of it with one reference, for two shirts do not make one.

    Of those that show enough of them, the one that says most on the face.
    """
    shown = visibility[:, np.unique(model.faces[model.parts == Part.SHOULDERS])].mean(axis=1)
    enough = shown >= _LEAST_BODY * shown.max()
    say = np.zeros(len(face_say), np.float32)
    say[np.where(enough, face_say, -1).argmax()] = 1
    return say


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
    if len(crops) == 1:
        return np.zeros((1, 2, 2, 3), np.float32)
    step = max(1, raster.triangle.shape[0] // _COARSE)
    triangle = np.ascontiguousarray(raster.triangle[step // 2 :: step, step // 2 :: step])
    barycentric = np.ascontiguousarray(raster.barycentric[step // 2 :: step, step // 2 :: step])
    head = (triangle >= 0) & (model.parts != Part.SHOULDERS)[triangle]
    triangle = np.where(head, triangle, -1)
    colours = np.zeros((len(crops), *triangle.shape, 3), np.float32)
    weights = np.zeros(colours.shape[:3], np.float32)
    none_yet = np.zeros((1, 2, 2, 3), np.float32)
    for n in range(len(crops)):
        looked_up = tables[n :: len(crops)], crops[n : n + 1], mattes[n : n + 1], gains[n : n + 1]
        blend_on_mesh(
            triangle,
            barycentric,
            model.faces,
            model.parts == Part.SHOULDERS,
            *looked_up,
            none_yet,
            say[n : n + 1],
            say[n : n + 1],
            colours[n],
            weights[n],
            np.zeros(triangle.shape, np.float32),
        )
    share = weights / np.maximum(weights.sum(axis=0), 1e-9)
    blended = (share[..., None] * colours).sum(axis=0)
    known = np.clip(weights / TRUSTED, 0, 1)[..., None]
    sigma = _TRANSITION * len(triangle)
    missing = [cv2.GaussianBlur(values, (0, 0), sigma) for values in known * (blended - colours)]
    around = [cv2.GaussianBlur(values, (0, 0), sigma)[..., None] for values in known]
    return np.asarray(np.stack(missing) / np.maximum(np.stack(around), 1e-3), np.float32)


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


def _compose(colour: Array, alpha: Array, behind: Array) -> npt.NDArray[np.uint8]:
    """Put the person before the background, with an edge as soft as a photo's."""
    sigma = 0.6 * alpha.shape[0] / 256
    soft = np.minimum(alpha, cv2.GaussianBlur(alpha, (0, 0), sigma) * 1.2)[..., None]
    picture = colour * soft + behind * (1 - soft)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
