"""Where a picture of a head shows hair."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.face.ears import ear_vertices
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.image.colour import colour_distance, weighted_lab
from hifi_portrait.warp.image.morphology import touching
from hifi_portrait.warp.off_mesh.cutout import cheeks
from hifi_portrait.warp.settings import WarpSettings

_FULL = 0.8  # fullness of the scalp from which on a head shows hair, if it has any
_BALD = 4.0  # difference of `weighted_lab` below which hair is none
_CLEAR = 25.0  # the same from which on each of hair's places is told from skin
_LEAST = 40  # pixels of hair
_ABOVE_EYES, _BESIDE_EYES = 0.02, 0.012  # metres from the eyes where hair may hang over the face
_SURE = (0.4, 0.6)  # share of the way from hair's colour to skin's between which hair ends
_ON_CLOTHES = 0.5  # share of the differences from skin and clothes below which one from hair is hair's
_LONG = 0.005  # share of the picture that loose hair below the ears takes if it is long

Array = npt.NDArray[Any]


def hair_share(
    colour: Array, loose: Array, raster: Raster, model: HeadModel, settings: WarpSettings
) -> npt.NDArray[np.float32]:
    """How far a drawn head shows hair at each place, (H, W) in [0, 1].

    0 everywhere if the head is bald, or too small to tell.

    Parameters
    ----------
    colour
        (H, W, 3) in [0, 255].
    loose
        (H, W) in [0, 1], alpha of hair off the mesh.
    raster, model
        Of the head with its hair.
    settings
        Those of hair and of comparing colours.
    """
    parts = np.where(raster.triangle >= 0, model.parts[raster.triangle], 255)
    on_head, on_body = parts == Part.SKIN, parts == Part.SHOULDERS
    colours = weighted_lab(np.clip(colour, 0, 255).astype(np.uint8), settings.colour)
    forehead, sides = _overhung(model)
    attributes = np.zeros((model.num_vertices, 5), np.float32)
    attributes[scalp(model).vertices, 0] = scalp(model).fullness
    for column, vertices in enumerate(
        (cheeks(model), np.concatenate(ear_vertices(model)), forehead, sides), 1
    ):
        attributes[vertices, column] = 1
    shown = np.moveaxis(raster.interpolate(attributes, model.triangles), -1, 0) * on_head
    fullness, cheek, ear, overhung, beside = shown
    rows = np.flatnonzero((ear > 0.5).any(axis=1))
    if len(rows) and (loose[rows[-1] :] > 0.5).sum() > _LONG * loose.size:
        overhung = np.maximum(overhung, beside)
    hair, skin = colours[fullness > _FULL], colours[cheek > 0.9]
    if len(hair) < _LEAST or len(skin) < _LEAST:
        return np.zeros(loose.shape, np.float32)
    apart = np.linalg.norm(np.median(hair, axis=0) - np.median(skin, axis=0))
    if apart < _BALD:
        return np.zeros(loose.shape, np.float32)
    from_hair, from_skin = (
        colour_distance(colours, hair, settings.colour),
        colour_distance(colours, skin, settings.colour),
    )
    away = from_hair / np.maximum(from_hair + from_skin, 1e-6)
    alike = np.clip((_SURE[1] - away) / (_SURE[1] - _SURE[0]), 0, 1)
    full = fullness > _FULL
    if apart > _CLEAR:  # hair's sheen is like neither, but no part of the face
        full &= ~touching(on_head & (alike < 0.5), cheek > 0.9)
    covered = np.maximum(full, alike * np.maximum(fullness > 0, overhung > 0.5))
    if apart > _CLEAR:
        about_ears = (alike > 0.5) & (np.maximum(ear, beside) > 0.5)
        covered = np.maximum(covered, alike * touching(about_ears, covered > 0.5))
    from_others = np.minimum(from_skin, colour_distance(colours, colours[on_body], settings.colour))
    hanging = on_body & (from_hair < _ON_CLOTHES * from_others)
    covered = np.maximum(covered, touching(hanging, loose > 0.5))
    soft = cv2.GaussianBlur(covered.astype(np.float32), (0, 0), max(0.6, 0.003 * len(colour)))
    return np.maximum(soft * (on_head | on_body), loose * (raster.triangle < 0)).astype(np.float32)


def _overhung(model: HeadModel) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Vertices of skin over which hair may hang: of the forehead, and beside the face if it is long."""
    mean = model.mean[: model.num_vertices]
    skin = part_vertices(model, Part.SKIN)
    eyes = mean[np.concatenate(model.eye_vertices)]
    teeth = mean[part_vertices(model, Part.UPPER_TEETH)].mean(axis=0)
    place = mean[skin]
    above = place[:, 2] > eyes[:, 2].max() + _ABOVE_EYES
    beside = (np.abs(place[:, 0]) > np.abs(eyes[:, 0]).max() + _BESIDE_EYES) & (place[:, 2] > teeth[2])
    return skin[above], skin[beside]
