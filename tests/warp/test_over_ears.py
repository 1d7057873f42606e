"""Ears that a photo shows under hair are under hair from the side, too."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hifi_portrait.faces import FaceLabel
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.person.references import References
from hifi_portrait.warp.draw import warp_picture
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.hair.over_ears import hair_over_ears
from hifi_portrait.warp.prepared import prepare_photos
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, paint, person

SIZE = 160
SETTINGS = WarpSettings()
RED, SKIN = (150, 20, 20), (205, 165, 145)


def with_hair(yaw: float, *, over_ears: bool) -> References:
    """One photo of a head with red hair above the brows, and down to the lobes at the sides if over ears."""
    model = HeadModel.load()
    bare = person((yaw,), SIZE)
    raster = paint(model, bare.geometries[0]).raster
    mean = model.mean[: model.num_vertices]
    ears = mean[np.concatenate(ear_vertices(model))]
    lowest = ears[:, 2].min() - 0.01
    hair = mean[:, 2] > 0.07
    if over_ears:
        hair |= (np.abs(mean[:, 0]) > 0.6 * np.abs(ears[:, 0]).max()) & (mean[:, 2] > lowest)
    shown = raster.interpolate(hair[:, None].astype(np.float32), model.triangles)[..., 0] > 0.5
    head = raster.mask & (model.parts[raster.triangle] != Part.SHOULDERS)
    labels = np.select([shown & head, head, raster.mask], [FaceLabel.HAIR, FaceLabel.SKIN, FaceLabel.CLOTHES])
    crop = np.where((shown & head)[..., None], RED, np.where(raster.mask[..., None], SKIN, 230))
    return dataclasses.replace(
        bare, crops=crop[None].astype(np.uint8), label_maps=labels[None].astype(np.uint8)
    )


def covered_ears(photo: References) -> list[float]:
    """Fraction of the right and of the left ear that is under hair."""
    model = HeadModel.load()
    prepared = prepare_photos(photo, SIZE, model, SETTINGS, bare_eyes=False)
    covered = hair_over_ears(prepared.space(0), prepared.photos.xy[0], model, SETTINGS.over_ears)
    return [float((covered[ear] > 0.5).mean()) for ear in ear_vertices(model)]


def test_ears_are_covered_where_a_photo_shows_hair_before_them() -> None:
    assert min(covered_ears(with_hair(0.0, over_ears=True))) > 0.8
    assert max(covered_ears(with_hair(0.0, over_ears=False))) < 0.1


def test_an_ear_behind_the_head_is_not_covered_by_the_hair_on_the_other_side() -> None:
    right, left = covered_ears(with_hair(50.0, over_ears=True))
    assert min(right, left) < 0.3 < 0.8 < max(right, left)


def test_only_the_surroundings_of_ears_are() -> None:
    model, photo = HeadModel.load(), with_hair(0.0, over_ears=True)
    prepared = prepare_photos(photo, SIZE, model, SETTINGS, bare_eyes=False)
    covered = hair_over_ears(prepared.space(0), prepared.photos.xy[0], model, SETTINGS.over_ears)
    mean = model.mean[: model.num_vertices]
    ears = mean[np.concatenate(ear_vertices(model))]
    assert covered[np.abs(mean[:, 0]) < 0.4 * np.abs(ears[:, 0]).max()].max() == 0
    assert covered[mean[:, 2] < ears[:, 2].min()].max() == 0


@pytest.mark.parametrize("over_ears", [True, False])
def test_a_turned_head_shows_the_ear_or_the_hair_before_it(over_ears: bool) -> None:
    model = HeadModel.load()
    target = paint(model, geometry(40.0, SIZE))
    picture, _ = warp_picture(with_hair(0.0, over_ears=over_ears), target)
    is_ear = np.zeros(model.num_vertices, np.float32)
    is_ear[np.concatenate(ear_vertices(model))] = 1
    ear = target.raster.interpolate(is_ear[:, None], model.triangles)[..., 0] > 0.9
    assert ear.sum() > 60
    red = picture[ear][:, 0].astype(int) - picture[ear][:, 1] > 60
    assert (red.mean() > 0.75) == over_ears
    assert (red.mean() < 0.35) != over_ears


def test_hair_over_an_ear_is_dyed_and_not_evened_as_skin() -> None:
    """Off the photo's own pixels: the recolouring and the evening of cheeks know what the mesh shows."""
    model = HeadModel.load()
    target = paint(model, geometry(40.0, SIZE))
    is_ear = np.zeros(model.num_vertices, np.float32)
    is_ear[np.concatenate(ear_vertices(model))] = 1
    ear = target.raster.interpolate(is_ear[:, None], model.triangles)[..., 0] > 0.9
    blue = dataclasses.replace(target, hair="blue")
    picture, _ = warp_picture(with_hair(0.0, over_ears=True), blue)
    assert (picture[ear][:, 2].astype(int) > picture[ear][:, 0]).mean() > 0.75
