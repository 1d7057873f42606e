"""Where in space each place of a photo is: head, hair, neck and body, in front and behind.

On the fitted head with its raised scalp a place is where the mesh is. Hair stands off it, as thick as its
silhouette is wide; what else is beside the mesh is as far away as the mesh's nearest outline.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.geometry import Camera, HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.hair.beside_mesh import LooseHair
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.image.morphology import distance_to, nearest_of
from hifi_portrait.warp.photo_grid.hair_back import place_hair_back
from hifi_portrait.warp.photo_grid.inflate import inflate
from hifi_portrait.warp.photo_grid.joints import head_fraction
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.settings.photo_grid import SpaceSettings


@dataclass(frozen=True, eq=False)
class PhotoSpace:
    """The places of a photo, on a grid of G times G.

    Attributes
    ----------
    geometry
        The head in the photo.
    vertices
        (V, 3) its vertices in camera space, the scalp raised.
    raster
        What each place shows of it, where the photo does.
    front, back
        (G, G, 3) in camera space, metres: what the photo shows, and what is behind hair and head.
    head_fraction
        (G, G) in [0, 1], how far each place moves with the head; for the rest with the body.
    looseness
        (G, G) in [0, 1], 1 where places move as a whole, 0 where they move with the skin.
    of_head
        (G, G), the silhouette of head and hair.
    matte
        (G, G) in [0, 1].
    back_places, back_alpha
        (G, G, 2) and (G, G), what the back shows, from `place_hair_back`.
    """

    geometry: HeadGeometry
    vertices: FloatArray
    raster: Raster
    front: FloatArray
    back: FloatArray
    head_fraction: FloatArray
    looseness: FloatArray
    of_head: BoolArray
    matte: FloatArray
    back_places: FloatArray
    back_alpha: FloatArray


@dataclass(frozen=True, eq=False)
class _View:
    """What a photo shows where, (G, G) each: the mesh, its head and body, and the hair beside it."""

    raster: Raster
    on_mesh: BoolArray
    head: BoolArray
    body: BoolArray
    beside: BoolArray
    """Hair beside the mesh or over its shoulders."""
    of_head: BoolArray
    """The silhouette of head and hair."""
    hair: FloatArray
    """In [0, 1], hair on the mesh and beside it."""
    below_ears: FloatArray
    """Fraction of the side below the end of the ears, negative above."""


def measure_space(
    geometry: HeadGeometry,
    vertices: FloatArray,
    xy: Array,
    matte: Array,
    hair: LooseHair,
    model: HeadModel,
    settings: WarpSettings,
) -> PhotoSpace:
    """Find the place in space of all that a photo shows.

    Parameters
    ----------
    geometry
        The head in the photo.
    vertices
        (V, 3) its vertices in camera space, the scalp raised.
    xy
        (V, 2) where the photo shows them, as fractions of its side.
    matte
        (S, S) in [0, 1], the person.
    hair
        Hair beside the mesh and over its shoulders.
    model
        The head model.
    settings
        Those of the scalp and of places.
    """
    own, side = settings.space, settings.space.side
    camera = geometry.camera.scaled_to(side)
    small_matte, *loose = (_shrink(values, side) for values in (matte, hair.beside, hair.on_body, hair.alike))
    view = _see(vertices, xy, small_matte, LooseHair(*loose), model, settings)
    depth = np.where(view.on_mesh, view.raster.depth, 0).astype(np.float32)
    middle = _measure_middle(depth, view, own)
    metre = float(np.median(middle[view.of_head])) / camera.focal if view.of_head.any() else 0.0
    thick = _inflate_head(view, metre, own)
    behind_neck = smoothstep(view.below_ears, *own.hanging_from) * (~view.on_mesh & view.of_head)
    middle = middle + own.hanging_back * cv2.GaussianBlur(behind_neck.astype(np.float32), (0, 0), side / 100)
    looseness = view.hair * view.of_head
    front = _measure_front(depth, middle - thick, looseness, view, own)
    back = _measure_back(middle + thick, middle, xy, vertices, view, model)
    places, alpha = place_hair_back(view.of_head, view.hair, own)
    return PhotoSpace(
        geometry=geometry,
        vertices=vertices,
        raster=view.raster,
        front=_lift(front, camera),
        back=_lift(back, camera),
        head_fraction=_share_motion(view, looseness, metre, model, own),
        looseness=np.asarray(looseness, np.float32),
        of_head=view.of_head,
        matte=small_matte,
        back_places=places,
        back_alpha=alpha,
    )


def _shrink(values: Array, side: int) -> FloatArray:
    return np.asarray(cv2.resize(np.asarray(values, np.float32), (side, side), interpolation=cv2.INTER_AREA))


def _see(
    vertices: Array, xy: Array, matte: Array, loose: LooseHair, model: HeadModel, settings: WarpSettings
) -> _View:
    own, side = settings.space, settings.space.side
    raster = rasterise(xy * side, 1 / vertices[:, 1], model.triangles, side, side)
    on_mesh = raster.mask
    body = on_mesh & (model.parts == Part.SHOULDERS)[raster.triangle]
    head = on_mesh & ~body
    person = ~on_mesh & (matte > own.person_matte)
    beside = (person & (loose.beside > own.hair_alpha)) | (body & (loose.on_body > 0.5))
    beside = cv2.medianBlur(beside.astype(np.uint8), 5) > 0
    of_head = head | beside | (person & (distance_to(head) < distance_to(body)))
    of_head = cv2.morphologyEx(of_head.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    grown = scalp(model, settings.scalp).fullness_of(model.num_vertices)
    fullness = raster.interpolate(grown[:, None], model.triangles)[..., 0] * head
    hair = np.maximum(beside, smoothstep(fullness, *own.hair_fullness) * loose.alike).astype(np.float32)
    ears = float(xy[np.concatenate(ear_vertices(model)), 1].max())
    below_ears = np.broadcast_to(np.arange(side)[:, None] / side - ears, (side, side))
    return _View(
        raster,
        on_mesh,
        head,
        body,
        beside,
        of_head,
        np.asarray(cv2.GaussianBlur(hair, (0, 0), side / 170), np.float32),
        below_ears.astype(np.float32),
    )


def _spread(values: Array, known: BoolArray) -> FloatArray:
    """Values (G, G) where they are known, and elsewhere those of ever wider surroundings."""
    there = np.where(known, values, 0).astype(np.float32)
    three = np.repeat(there[..., None], 3, axis=2)  # what `inpaint` fills in has several channels
    return np.asarray(inpaint(three, known.astype(np.float32))[..., 0], np.float32)


def _measure_middle(depth: Array, view: _View, settings: SpaceSettings) -> FloatArray:
    """Depth (G, G) of the head's outline, spread smoothly: between its front and its back."""
    outside = cv2.dilate((~view.on_mesh).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    outline = view.head & outside
    known = outline if outline.any() else view.head
    sigma = settings.outline_smoothing * len(depth)
    return np.asarray(cv2.GaussianBlur(_spread(depth, known), (0, 0), sigma), np.float32)


def _inflate_head(view: _View, metre: float, settings: SpaceSettings) -> FloatArray:
    """Half the thickness (G, G) in metres of head and hair, by their silhouette."""
    side, coarse = len(view.hair), settings.inflation_side
    silhouette = _shrink(view.of_head, coarse) > 0.5
    thick = cv2.resize(inflate(silhouette, metre * side / coarse), (side, side))
    inwards = cv2.distanceTransform(view.of_head.astype(np.uint8), cv2.DIST_L2, 5) * metre
    return np.asarray(np.minimum(thick, settings.steepest * inwards) * view.of_head, np.float32)


def _measure_front(
    depth: Array, inflated: Array, looseness: Array, view: _View, settings: SpaceSettings
) -> FloatArray:
    """Depth (G, G) of what a photo shows: the mesh, and hair on it or beside it."""
    body = _spread(depth, view.body) if view.body.any() else inflated
    puffed = np.where(view.head, np.minimum(depth, inflated), inflated)
    puffed = cv2.GaussianBlur(np.asarray(puffed, np.float32), (0, 0), len(depth) / 200)
    plain = np.where(view.on_mesh, depth, inflated)
    on_body = view.of_head & ~view.head & (view.body | view.beside)
    puffed = np.where(on_body, np.minimum(puffed, body - settings.in_front), puffed)
    return _continue(np.asarray(plain + looseness * (puffed - plain), np.float32), view)


def _continue(values: FloatArray, view: _View) -> FloatArray:
    """Values (G, G) of what is the person's, and beside it those of the nearest place of it."""
    known = view.on_mesh | view.of_head
    if not known.any():
        return values
    beside = cv2.GaussianBlur(nearest_of(values, known), (0, 0), len(values) / 150)
    return np.where(known, values, beside).astype(np.float32)


def _measure_back(
    inflated: Array, middle: Array, xy: Array, vertices: Array, view: _View, model: HeadModel
) -> FloatArray:
    """Depth (G, G) of the back of head and hair: of the inflated silhouette, or of the mesh."""
    side = len(middle)
    of_head = model.triangles[model.parts != Part.SHOULDERS]
    farthest = rasterise(xy * side, vertices[:, 1], of_head, side, side)  # nearest is what is farthest
    far = np.where(farthest.mask, 1 / np.where(farthest.mask, farthest.depth, 1), middle)
    back = np.where(view.of_head, np.maximum(inflated, far), middle)
    return np.asarray(cv2.GaussianBlur(back.astype(np.float32), (0, 0), side / 200))


def _share_motion(
    view: _View, looseness: Array, metre: float, model: HeadModel, settings: SpaceSettings
) -> FloatArray:
    """Fraction (G, G) of the head's motion: that of the mesh; hair that hangs below the chin has less."""
    side = len(looseness)
    on_mesh = view.raster.interpolate(head_fraction(model)[:, None], model.triangles)[..., 0]
    if not view.on_mesh.any():
        return np.ones_like(on_mesh)
    beside = cv2.GaussianBlur(nearest_of(on_mesh, view.on_mesh), (0, 0), side / 150)
    chin = int(np.flatnonzero(view.head.any(axis=1))[-1]) if view.head.any() else side
    below = (np.arange(side)[:, None] - chin + 0.05 * side) * metre
    lost, length = settings.swing
    hanging = np.broadcast_to(1 - lost * smoothstep(below, 0, length), (side, side))
    of_head = np.where(view.beside, hanging, np.maximum(beside, 0.9))
    fraction = np.where(view.on_mesh, on_mesh, of_head)
    return _continue(np.asarray(fraction + looseness * (hanging - fraction), np.float32), view)


def _lift(depth: Array, camera: Camera) -> FloatArray:
    """Places (G, G, 3) in camera space of a grid's points at depths (G, G)."""
    side = len(depth)
    y, x = np.mgrid[0:side, 0:side] + 0.5
    across, up = (x - camera.cx) / camera.focal, (camera.cy - y) / camera.focal
    return np.stack([across * depth, depth, up * depth], axis=-1).astype(np.float32)
