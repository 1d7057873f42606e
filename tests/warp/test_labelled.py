"""What face parsing tells the warp: where hair is, what hides a face, and what is dyed."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from hifi_portrait.faces import FaceLabel
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.person.references import References
from hifi_portrait.warp.draw import draw_warp
from hifi_portrait.warp.face.covered import below_forehead
from hifi_portrait.warp.face.places import cheek_vertices, ear_vertices
from hifi_portrait.warp.hair.labelled import find_labelled_hair
from hifi_portrait.warp.mesh_in_photo import mesh_in_photo
from hifi_portrait.warp.prepared import prepare_photos
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, paint, person

SIZE = 128
SETTINGS = WarpSettings()


@pytest.fixture(scope="module")
def photo() -> References:
    """A painted person of one photo, all of whose face is labelled skin and whose body is clothes."""
    bare = person((0.0,), SIZE)
    shown = paint_parts(bare)
    labels = np.select([shown == Part.SHOULDERS, shown < 255], [FaceLabel.CLOTHES, FaceLabel.SKIN])
    return dataclasses.replace(bare, label_maps=labels[None].astype(np.uint8))


def paint_parts(photo: References) -> np.ndarray:
    """The part of the mesh (SIZE, SIZE) that a photo shows at each place, 255 for none."""
    model = HeadModel.load()
    raster = paint(model, photo.geometries[0]).raster
    return np.where(raster.mask, model.parts[raster.triangle], 255)


def places_of(photo: References, model: HeadModel) -> np.ndarray:
    return prepare_photos(photo, SIZE, model, SETTINGS, bare_eyes=False).photos.xy[0]


def with_label(photo: References, label: FaceLabel, where: np.ndarray) -> References:
    assert photo.label_maps is not None
    return dataclasses.replace(photo, label_maps=np.where(where, label, photo.label_maps).astype(np.uint8))


def test_hair_is_where_it_was_labelled(photo: References, model: HeadModel) -> None:
    xy = places_of(photo, model)
    row, column = np.mgrid[0:SIZE, 0:SIZE]
    shown = cv2.resize(
        mesh_in_photo(xy, model).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_NEAREST
    )
    ears = xy[np.concatenate(ear_vertices(model)), 1].max() * SIZE
    lock = (column > 20) & (column < 40) & (row > 30) & (row < 110)
    labels = with_label(photo, FaceLabel.HAIR, lock).label_maps[0]
    matte = np.maximum(photo.mattes[0], lock).astype(np.float32)
    hair = find_labelled_hair(labels, matte, xy, model, SETTINGS.loose_hair)
    inside = cv2.erode(lock.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert (
        hair.beside[inside & (shown < 0)].min() > 0.9
        and hair.beside[~cv2.dilate(lock.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)].max() == 0
    )
    body = inside & (shown >= 0) & (row > ears + 2)
    assert (
        body.any()
        and hair.on_body[cv2.erode(body.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0].min() == 1
    )
    assert hair.alike[inside].min() > 0.9


def test_hair_before_a_cheek_is_no_skin(photo: References, model: HeadModel) -> None:
    """And a fringe stays: the forehead is as it is."""
    xy = places_of(photo, model)
    cheeks = cheek_vertices(model)
    left = cheeks[model.mean[cheeks, 0] > 0.03]
    corner = (
        np.rint(xy[left].min(axis=0) * SIZE).astype(int),
        np.rint(xy[left].max(axis=0) * SIZE).astype(int),
    )
    where = np.zeros((SIZE, SIZE), bool)
    where[corner[0][1] - 2 : corner[1][1] + 3, corner[0][0] - 2 : corner[1][0] + 3] = True
    forehead = np.zeros((SIZE, SIZE), bool)
    forehead[: int(xy[left, 1].min() * SIZE) - 20] = True
    hidden = with_label(photo, FaceLabel.HAIR, where | forehead)
    plain = prepare_photos(photo, SIZE, model, SETTINGS, bare_eyes=False).photos
    found = prepare_photos(hidden, SIZE, model, SETTINGS, bare_eyes=False).photos
    assert plain.visibility[0, left].max() > 0.9 and found.visibility[0, left].max() == 0
    assert found.tables[0, left, 2].max() == 0
    above = ~below_forehead(model, SETTINGS)
    np.testing.assert_array_equal(found.visibility[0, above], plain.visibility[0, above])


def test_what_is_before_the_face_in_every_photo_stays_and_else_is_left_out(photo: References) -> None:
    model = HeadModel.load()
    assert photo.label_maps is not None
    cheeks = cheek_vertices(model)
    masked = np.full_like(photo.label_maps, FaceLabel.OCCLUDER)
    alone = dataclasses.replace(photo, label_maps=masked)
    bare = person((0.0, 0.0), SIZE)
    both = dataclasses.replace(bare, label_maps=np.concatenate([masked, photo.label_maps]))
    prepared = [prepare_photos(each, SIZE, model, SETTINGS, bare_eyes=False) for each in (alone, both)]
    kept, left_out = (each.photos.visibility[:, cheeks] for each in prepared)
    assert kept[0].max() > 0.9
    assert left_out[0].max() < 0.06 and left_out[1].max() > 0.9


def test_parsed_hair_and_clothes_are_dyed(photo: References, model: HeadModel) -> None:
    row = np.arange(SIZE)[:, None] * np.ones((1, SIZE))
    top = np.flatnonzero((photo.mattes[0] > 0).any(axis=1))[0]
    hair = (row < top + 20) & (photo.mattes[0] > 0)
    parsed = with_label(photo, FaceLabel.HAIR, hair)
    own = paint(model, geometry(0.0, SIZE))
    plain = draw_warp(parsed, own).picture.astype(int)
    blue = draw_warp(parsed, dataclasses.replace(own, hair="blue")).picture.astype(int)
    changed = np.abs(blue - plain).max(axis=2) > 12
    inside = cv2.erode(hair.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert changed[inside].mean() > 0.95
    assert changed[row > top + 24].mean() < 0.01
    red = draw_warp(parsed, dataclasses.replace(own, clothes="red"))
    clothes = (
        cv2.erode((photo.label_maps[0] == FaceLabel.CLOTHES).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    )
    assert red.dyed[clothes].mean() > 0.95
