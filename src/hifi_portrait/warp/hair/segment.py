"""Where a picture of a head shows hair."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray, IntArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.face.places import cheek_vertices, ear_vertices
from hifi_portrait.warp.hair.local_colours import compare_locally
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.image.colour import colour_distance, weighted_lab
from hifi_portrait.warp.image.morphology import square, touching
from hifi_portrait.warp.settings import HairSegmentSettings, WarpSettings


def segment_hair(
    colour: Array,
    loose: Array,
    raster: Raster,
    model: HeadModel,
    settings: WarpSettings,
    person: Array | None = None,
) -> FloatArray:
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
    person
        (H, W) in [0, 1], alpha of the whole person, where it is known beyond head and loose hair.
    """
    own, grown = settings.hair_segment, scalp(model, settings.scalp)
    parts = np.where(raster.triangle >= 0, model.parts[raster.triangle], 255)
    on_head, on_body = parts == Part.SKIN, parts == Part.SHOULDERS
    colours = weighted_lab(np.clip(colour, 0, 255).astype(np.uint8), settings.colour)
    forehead, sides = _overhung(model, own)
    attributes = np.zeros((model.num_vertices, 5), np.float32)
    attributes[grown.vertices, 0] = grown.fullness
    for column, vertices in enumerate(
        (cheek_vertices(model), np.concatenate(ear_vertices(model)), forehead, sides), 1
    ):
        attributes[vertices, column] = 1
    shown = np.moveaxis(raster.interpolate(attributes, model.triangles), -1, 0) * on_head
    fullness, cheek, ear, overhung, beside = shown
    rows = np.flatnonzero((ear > 0.5).any(axis=1))
    if len(rows) and (loose[rows[-1] :] > 0.5).sum() > own.long_fraction * loose.size:
        overhung = np.maximum(overhung, beside)
    hair, skin = colours[fullness > own.full], colours[cheek > 0.9]
    if len(hair) < own.min_pixels or len(skin) < own.min_pixels:
        return np.zeros(loose.shape, np.float32)
    apart = np.linalg.norm(np.median(hair, axis=0) - np.median(skin, axis=0))
    if apart < own.bald:
        return np.zeros(loose.shape, np.float32)
    from_hair, from_skin = (
        colour_distance(colours, hair, settings.colour),
        colour_distance(colours, skin, settings.colour),
    )
    full, off_mesh = fullness > own.full, raster.triangle < 0
    shown = np.maximum(raster.triangle >= 0, loose > own.sure_alpha)
    shown = shown if person is None else np.maximum(shown, person > own.sure_alpha)
    sure = (full & (from_hair < from_skin)) | (off_mesh & (loose > own.sure_alpha))
    gone = compare_locally(colour, sure, cheek > 0.9, shown, own)
    begin, end = own.edge
    alike = np.clip((gone - begin) / (end - begin), 0, 1)
    if apart > own.clear:  # hair's sheen is like neither, but no part of the face
        full &= ~touching(on_head & (alike < 0.5), cheek > 0.9)
    covered = np.maximum(full, alike * np.maximum(fullness > 0, overhung > 0.5))
    if apart > own.clear:
        about_ears = (alike > 0.5) & (np.maximum(ear, beside) > 0.5)
        covered = np.maximum(covered, alike * touching(about_ears, covered > 0.5))
    from_others = np.minimum(from_skin, colour_distance(colours, colours[on_body], settings.colour))
    hanging = on_body & (from_hair < own.on_clothes * from_others) & ~_below(cheek > 0.9)
    covered = np.maximum(covered, touching(hanging, loose > 0.5))
    beside_mesh = loose if apart <= own.clear else loose * np.clip(gone / begin, 0, 1)
    if person is not None:
        reach = cv2.dilate((loose > 0.5).astype(np.uint8), square(2 * own.beyond * len(colour))) > 0
        strands = touching(off_mesh & reach & (person > 0.05) & (alike > 0.5), loose > 0.5)
        beside_mesh = np.maximum(beside_mesh, person * alike * strands)
    fraction = np.where(off_mesh, beside_mesh, covered * (on_head | on_body)).astype(np.float32)
    soft = cv2.GaussianBlur(fraction, (0, 0), max(0.6, own.softness * len(colour)))
    return np.asarray(np.where(off_mesh, fraction, soft), np.float32)


def _below(cheeks: Array) -> BoolArray:
    """Columns (1, W) between the cheeks: below a face is a neck in the shade, which looks like brown hair."""
    columns = np.flatnonzero(cheeks.any(axis=0))
    return np.isin(np.arange(cheeks.shape[1]), np.arange(columns[0], columns[-1] + 1))[None]


def _overhung(model: HeadModel, settings: HairSegmentSettings) -> tuple[IntArray, IntArray]:
    """Vertices of skin over which hair may hang: of the forehead, and beside the face if it is long."""
    mean = model.mean[: model.num_vertices]
    skin = part_vertices(model, Part.SKIN)
    eyes = mean[np.concatenate(model.eye_vertices)]
    teeth = mean[part_vertices(model, Part.UPPER_TEETH)].mean(axis=0)
    place = mean[skin]
    above = place[:, 2] > eyes[:, 2].max() + settings.above_eyes
    beside = (np.abs(place[:, 0]) > np.abs(eyes[:, 0]).max() + settings.beside_eyes) & (
        place[:, 2] > teeth[2]
    )
    return skin[above], skin[beside]
