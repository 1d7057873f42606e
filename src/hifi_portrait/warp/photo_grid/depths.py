"""How far away each place of a photo is: on the mesh, on hair that stands off it, and behind them."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.geometry import Camera
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import rasterise
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.photo_grid.hair_back import lengthen
from hifi_portrait.warp.photo_grid.inflate import inflate
from hifi_portrait.warp.photo_grid.view import PhotoView, continue_beside, shrink
from hifi_portrait.warp.settings.photo_grid import SpaceSettings


def measure_depths(
    view: PhotoView,
    vertices: Array,
    xy: Array,
    camera: Camera,
    model: HeadModel,
    settings: SpaceSettings,
) -> tuple[FloatArray, FloatArray | None, float]:
    """Measure how far away each place of a photo is.

    Parameters
    ----------
    view
        What the photo shows where.
    vertices, xy
        (V, 3) in camera space, the scalp raised, and (V, 2) in the photo, as fractions of its side.
    camera
        The photo's, for G pixels a side.
    model, settings
        The head model, and how thick hair is.

    Returns
    -------
    front, back
        (G, G) metres, of what is shown, and of hair that hangs behind the neck, if any does.
    metre
        Metres that a place of the grid is wide, at the head.
    """
    side = len(view.hair)
    depth = np.where(view.on_mesh, view.raster.depth, 0).astype(np.float32)
    middle = _measure_middle(depth, view, settings)
    metre = float(np.median(middle[view.of_head])) / camera.focal if view.of_head.any() else 0.0
    thick = _inflate(view.of_head, metre, settings)
    beside_neck = np.asarray(view.hanging * (~view.on_mesh & view.of_head), np.float32)
    aside = middle + settings.hanging_back * cv2.GaussianBlur(beside_neck, (0, 0), side / 100)
    front = _measure_front(depth, aside - thick, view, settings)
    if view.behind is None:
        return front, None, metre
    aside = middle + settings.hanging_back * view.hanging
    thick = _inflate(lengthen(view.behind), metre, settings)
    return front, _measure_back(aside + thick, aside, xy, vertices, view.behind, model, settings), metre


def _spread(values: Array, known: BoolArray) -> FloatArray:
    """Values (G, G) where they are known, and elsewhere those of ever wider surroundings."""
    there = np.where(known, values, 0).astype(np.float32)
    return np.asarray(inpaint(there[..., None], known.astype(np.float32))[..., 0], np.float32)


def _measure_middle(depth: Array, view: PhotoView, settings: SpaceSettings) -> FloatArray:
    """Depth (G, G) of the head's outline, spread smoothly: between its front and its back."""
    outside = cv2.dilate((~view.on_mesh).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    outline = view.head & outside
    known = outline if outline.any() else view.head
    sigma = settings.outline_smoothing * len(depth)
    return np.asarray(cv2.GaussianBlur(_spread(depth, known), (0, 0), sigma), np.float32)


def _inflate(silhouette: BoolArray, metre: float, settings: SpaceSettings) -> FloatArray:
    """Half the thickness (G, G) in metres of head and hair, by their silhouette (G, G)."""
    side, coarse = len(silhouette), settings.inflation_side
    thick = cv2.resize(inflate(shrink(silhouette, coarse) > 0.5, metre * side / coarse), (side, side))
    inwards = cv2.distanceTransform(silhouette.astype(np.uint8), cv2.DIST_L2, 5) * metre
    return np.asarray(np.minimum(thick, settings.steepest * inwards) * silhouette, np.float32)


def _measure_front(depth: Array, inflated: Array, view: PhotoView, settings: SpaceSettings) -> FloatArray:
    """Depth (G, G) of what a photo shows: the mesh, and hair on it or beside it."""
    body = _spread(depth, view.body) if view.body.any() else inflated
    puffed = np.where(view.head, np.minimum(depth, inflated), inflated)
    puffed = cv2.GaussianBlur(np.asarray(puffed, np.float32), (0, 0), len(depth) / 200)
    plain = np.where(view.on_mesh, depth, inflated)
    on_body = view.of_head & ~view.head & (view.body | view.beside)
    puffed = np.where(on_body, np.minimum(puffed, body - settings.in_front), puffed)
    puffed = np.where(view.beside, _smooth_within(puffed, view.beside, settings), puffed)
    return continue_beside(np.asarray(plain + view.looseness * (puffed - plain), np.float32), view)


def _smooth_within(values: Array, region: BoolArray, settings: SpaceSettings) -> FloatArray:
    """Values (G, G) of a region, blurred without those around it."""
    sigma, weight = settings.hanging_smoothing * len(values), region.astype(np.float32)
    summed = cv2.GaussianBlur(np.asarray(values * weight, np.float32), (0, 0), sigma)
    return np.asarray(summed / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3), np.float32)


def _measure_back(
    inflated: Array,
    middle: Array,
    xy: Array,
    vertices: Array,
    behind: BoolArray,
    model: HeadModel,
    settings: SpaceSettings,
) -> FloatArray:
    """Depth (G, G) of the back of head and hair: of the inflated silhouette, or of the mesh."""
    side = len(middle)
    of_head = model.triangles[model.parts != Part.SHOULDERS]
    farthest = rasterise(xy * side, vertices[:, 1], of_head, side, side)  # nearest is what is farthest
    far = np.where(farthest.mask, 1 / np.where(farthest.mask, farthest.depth, 1), middle)
    back = np.where(behind, np.maximum(inflated, far + settings.in_front), middle)
    return np.asarray(cv2.GaussianBlur(back.astype(np.float32), (0, 0), side / 200))
