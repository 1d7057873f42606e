"""Where in space each place of a photo is: head, hair, neck and body, in front and behind.

On the fitted head with its raised scalp a place is where the mesh is. Hair stands off it, as thick as its
silhouette is wide; what else is beside the mesh is as far away as the mesh's nearest outline.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.geometry import Camera, HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.hair.beside_mesh import LooseHair
from hifi_portrait.warp.image.morphology import nearest_of
from hifi_portrait.warp.photo_grid.depths import measure_depths
from hifi_portrait.warp.photo_grid.hair_back import HairBack, place_hair_back
from hifi_portrait.warp.photo_grid.joints import head_fraction
from hifi_portrait.warp.photo_grid.view import PhotoView, continue_beside, see_photo, shrink
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
    front
        (G, G, 3) in camera space, metres: what the photo shows.
    back
        (G, G, 3), hair that hangs behind the neck; None where none does.
    head_fraction
        (G, G) in [0, 1], how far each place moves with the head; for the rest with the body.
    hanging
        (G, G) in [0, 1], how far what moves with the head hangs from it, and stays upright when it leans.
    hangs_from
        The upright coordinate in camera space, metres, at which hair begins to hang.
    looseness
        (G, G) in [0, 1], 1 where places move as a whole, 0 where they move with the skin.
    matte
        (G, G) in [0, 1].
    hair_back
        What the back shows, if there is one.
    parsed
        (G, G, 2) in [0, 1], where face parsing found hair and clothes; None where it was not run.
    ears
        (G, G, 2) in [0, 1], where it found ears, and what hides ears; None where it was not run.
    """

    geometry: HeadGeometry
    vertices: FloatArray
    raster: Raster
    front: FloatArray
    back: FloatArray | None
    head_fraction: FloatArray
    hanging: FloatArray
    hangs_from: float
    looseness: FloatArray
    matte: FloatArray
    hair_back: HairBack | None
    parsed: FloatArray | None
    ears: FloatArray | None


def measure_space(
    geometry: HeadGeometry,
    vertices: FloatArray,
    xy: Array,
    matte: Array,
    hair: LooseHair,
    parsed: FloatArray | None,
    ears: FloatArray | None,
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
    parsed
        (S, S, 2) in [0, 1], where face parsing found hair and clothes, if it was run.
    ears
        (S, S, 2) in [0, 1], where it found ears, and what hides ears, if it was run.
    model
        The head model.
    settings
        Those of the scalp and of places.
    """
    own, side = settings.space, settings.space.side
    camera = geometry.camera.scaled_to(side)
    small_matte, *loose_hair = (
        shrink(values, side) for values in (matte, hair.beside, hair.on_body, hair.alike)
    )
    view = see_photo(vertices, xy, small_matte, LooseHair(*loose_hair), model, settings)
    front, back, metre = measure_depths(view, vertices, xy, camera, model, own)
    hair_back = None
    if view.behind is not None:
        hair_back = place_hair_back(view.of_head, view.hair, small_matte, view.below_ears, view.behind, own)
    return PhotoSpace(
        geometry=geometry,
        vertices=vertices,
        raster=view.raster,
        front=_lift(front, camera),
        back=None if back is None else _lift(back, camera),
        head_fraction=_share_motion(view, metre, model, own),
        hanging=view.hanging,
        hangs_from=float(vertices[np.concatenate(ear_vertices(model)), 2].min()),
        looseness=view.looseness,
        matte=small_matte,
        hair_back=hair_back,
        parsed=None if parsed is None else shrink(parsed, side),
        ears=None if ears is None else shrink(ears, side),
    )


def _share_motion(view: PhotoView, metre: float, model: HeadModel, settings: SpaceSettings) -> FloatArray:
    """Fraction (G, G) of the head's motion: that of the mesh; hair that hangs below the chin has less."""
    side = len(view.hair)
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
    return continue_beside(np.asarray(fraction + view.looseness * (hanging - fraction), np.float32), view)


def _lift(depth: Array, camera: Camera) -> FloatArray:
    """Places (G, G, 3) in camera space of a grid's points at depths (G, G)."""
    side = len(depth)
    y, x = np.mgrid[0:side, 0:side] + 0.5
    across, up = (x - camera.cx) / camera.focal, (camera.cy - y) / camera.focal
    return np.stack([across * depth, depth, up * depth], axis=-1).astype(np.float32)
