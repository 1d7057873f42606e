"""What a photo shows where: the mesh's head and body, hair on it and beside it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, without_lashes
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.hair.beside_mesh import LooseHair
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.image.morphology import distance_to, nearest_of
from hifi_portrait.warp.photo_grid.hair_back import hang_behind
from hifi_portrait.warp.settings import WarpSettings


@dataclass(frozen=True, eq=False)
class PhotoView:
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
    hanging: FloatArray
    """In [0, 1], growing below the ears, where hair hangs."""
    below_ears: FloatArray
    """Fraction of the side below the end of the ears, negative above."""
    behind: BoolArray | None
    """The silhouette from behind, where hair hangs behind the neck: head and hair, and what is between."""

    @property
    def looseness(self) -> FloatArray:
        """In [0, 1], where places move as a whole and not with the skin."""
        return self.hair * self.of_head


def see_photo(
    vertices: Array, xy: Array, matte: Array, loose: LooseHair, model: HeadModel, settings: WarpSettings
) -> PhotoView:
    """Find what a photo shows where.

    Parameters
    ----------
    vertices, xy
        (V, 3) in camera space, the scalp raised, and (V, 2) in the photo, as fractions of its side.
    matte, loose
        (G, G) in [0, 1], the person, and hair beside the mesh and over its shoulders.
    model, settings
        The head model, and what counts as hair.
    """
    own, side = settings.space, settings.space.side
    shown = without_lashes(model)
    raster = rasterise(xy * side, 1 / vertices[:, 1], model.triangles, side, side, shown)
    on_mesh = raster.mask
    body = on_mesh & (model.parts == Part.SHOULDERS)[raster.triangle]
    head = on_mesh & ~body
    person = ~on_mesh & (matte > own.person_matte)
    beside = (person & (loose.beside > own.hair_alpha)) | (on_mesh & (loose.on_body > 0.5))
    beside = cv2.medianBlur(beside.astype(np.uint8), 5) > 0
    of_head = head | beside | (person & (distance_to(head) < distance_to(body)))
    of_head = cv2.morphologyEx(of_head.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    grown = scalp(model, settings.scalp).fullness_of(model.num_vertices)
    fullness = raster.interpolate(grown[:, None], model.triangles)[..., 0] * head
    hair = np.maximum(beside, smoothstep(fullness, *own.hair_fullness) * loose.alike).astype(np.float32)
    ears = float(xy[np.concatenate(ear_vertices(model)), 1].max())
    below_ears = np.broadcast_to(np.arange(side)[:, None] / side - ears, (side, side))
    hanging = smoothstep(below_ears, *own.hanging_from)
    return PhotoView(
        raster=raster,
        on_mesh=on_mesh,
        head=head,
        body=body,
        beside=beside,
        of_head=of_head,
        hair=np.asarray(cv2.GaussianBlur(hair, (0, 0), side / 170), np.float32),
        hanging=np.asarray(hanging, np.float32),
        below_ears=np.asarray(below_ears, np.float32),
        behind=hang_behind(of_head, beside & ~on_mesh & (hanging > 0.5), own),
    )


def shrink(values: Array, side: int) -> FloatArray:
    """Shrink a map to (side, side)."""
    return np.asarray(cv2.resize(np.asarray(values, np.float32), (side, side), interpolation=cv2.INTER_AREA))


def continue_beside(values: FloatArray, view: PhotoView) -> FloatArray:
    """Give each place (G, G) beside the person the value of the nearest place of the person."""
    known = view.on_mesh | view.of_head
    if not known.any():
        return values
    beside = cv2.GaussianBlur(nearest_of(values, known), (0, 0), len(values) / 150)
    return np.where(known, values, beside).astype(np.float32)
