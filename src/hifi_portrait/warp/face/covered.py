"""Places of the face that a photo does not show: hair, a hand or a scarf is before them, or a wide fit."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from hifi_portrait.faces.label_maps import region_mask
from hifi_portrait.faces.labels import BARE_SKIN, FaceLabel
from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.photo_grid.grid import look_up
from hifi_portrait.warp.registration import RegisteredPhotos, make_tables
from hifi_portrait.warp.settings import WarpSettings

_OF_FACES = (*BARE_SKIN, FaceLabel.BEARD, FaceLabel.EYES, FaceLabel.MOUTH, FaceLabel.GLASSES)
"""What photos may show where the mesh has skin."""

_KNOWN = 0.2
"""Visibility in any photo from which on a place of the face is known."""


def leave_out_covered(
    photos: RegisteredPhotos, label_maps: Array, model: HeadModel, settings: WarpSettings
) -> RegisteredPhotos:
    """Take places of faces and necks for unseen where photos show something else there.

    The forehead stays, with the fringe that covers it: hair there is worn so. So does what is before the face
    in every photo, such as a mask: nothing is known of what it hides.

    Parameters
    ----------
    photos
        N photos.
    label_maps
        (N, P, P) a `FaceLabel` for each place.
    model, settings
        The head model, and where its scalp is.
    """
    skin = below_forehead(model, settings)
    shown, hidden = (
        np.stack([_shows(each, xy[skin], *kinds) for each, xy in zip(label_maps, photos.xy, strict=True)])
        for kinds in (_OF_FACES, (FaceLabel.OCCLUDER,))
    )
    in_any = (shown * photos.visibility[:, skin]).max(axis=0)
    seen = np.ones_like(photos.visibility)
    seen[:, skin] = shown + hidden * (1 - np.minimum(in_any / _KNOWN, 1))
    visibility = photos.visibility * seen
    return replace(photos, visibility=visibility, tables=make_tables(photos.xy, visibility, model))


@lru_cache(maxsize=4)
def below_forehead(model: HeadModel, settings: WarpSettings) -> BoolArray:
    """Find the vertices (V,) of face and neck below the upper end of the eyes, without the scalp."""
    mean = model.mean[: model.num_vertices]
    highest = max(float(mean[eye, 2].max()) for eye in model.eye_vertices)
    bare = scalp(model, settings.scalp).fullness_of(model.num_vertices) == 0
    low = bare & (mean[:, 2] < highest)
    low[np.setdiff1d(np.arange(len(low)), part_vertices(model, Part.SKIN))] = False
    return np.asarray(low)


def _shows(label_map: Array, xy: Array, *labels: FaceLabel) -> FloatArray:
    """How far a photo shows something of these labels at places (K, 2), fractions of its side: (K,)."""
    mask = region_mask(label_map, *labels, size=len(label_map))
    return np.asarray(look_up(mask, xy[None])[0])
