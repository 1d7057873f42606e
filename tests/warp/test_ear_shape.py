"""Ears of a head that has turned since its photo: they have the mesh's shape, in the skin's colour."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hifi_portrait.faces import FaceLabel
from hifi_portrait.head.geometry import HeadPose
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.openness import openness
from hifi_portrait.warp.draw import draw_warp
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.hair.over_ears import bare_ears
from hifi_portrait.warp.prepared import prepare_photos
from hifi_portrait.warp.settings import EarShapeSettings, WarpSettings
from painted_heads import geometry, paint, person

SIDE = 256
SKIN, CAP = (200, 150, 130), (20, 60, 160)
OFF = {"least_area": np.inf}


def photo(model, yaw=0.0, covered=None, parsed=True):
    """A head of plain skin; ``covered`` is the label of what hides its sides, ears and all."""
    bare = person((yaw,), SIDE)
    raster = paint(model, bare.geometries[0]).raster
    mean = model.mean[: model.num_vertices]
    sides = np.abs(mean[:, :1]) > 0.6 * np.abs(mean[np.concatenate(ear_vertices(model)), 0]).max()
    aside = raster.interpolate(sides.astype(np.float32), model.triangles)[..., 0] > 0.5
    head = raster.mask & (model.parts[raster.triangle] != Part.SHOULDERS)
    hidden = aside & head & (covered is not None)
    crop = np.where(raster.mask[..., None], SKIN, 230)
    crop = np.where(hidden[..., None], CAP, crop)
    kinds = {covered or 0: hidden, FaceLabel.EARS: aside & head, FaceLabel.SKIN: head}
    labels = np.select([*kinds.values(), raster.mask], [*kinds, FaceLabel.CLOTHES])
    maps = labels[None].astype(np.uint8) if parsed else None
    return dataclasses.replace(bare, crops=crop[None].astype(np.uint8), label_maps=maps)


def draw(taken, model, yaw, **changes):
    settings = WarpSettings(ear_shape=EarShapeSettings(**changes))
    return draw_warp(taken, paint(model, geometry(yaw, SIDE)), settings=settings).picture.astype(float)


def ear(model, yaw):
    """Where a drawn head shows an ear, and how much light reaches it there."""
    raster = paint(model, geometry(yaw, SIDE)).raster
    inside = np.zeros(model.num_vertices, np.float32)
    inside[np.concatenate(ear_vertices(model))] = 1
    shown, light = np.moveaxis(
        raster.interpolate(np.stack([inside, openness(model)], axis=1), model.triangles), -1, 0
    )
    return shown > 0.9, light


@pytest.mark.parametrize("yaw", [-40.0, 25.0, 40.0])
@pytest.mark.parametrize("parsed", [True, False])
def test_an_ear_that_turned_to_the_camera_has_a_hollow_and_a_rim(model, yaw, parsed):
    there, light = ear(model, yaw)
    taken = photo(model, parsed=parsed)
    flat, shaped = (draw(taken, model, yaw, **changes).mean(-1) for changes in (OFF, {}))
    hollow, rim = there & (light < 0.7), there & (light > 0.9)
    assert min(hollow.sum(), rim.sum()) > 10
    assert abs(flat[hollow].mean() - flat[rim].mean()) < 12
    assert shaped[hollow].mean() < shaped[rim].mean() - 25
    assert abs(shaped[there].mean() - flat[there].mean()) < 12  # as light on the whole


def test_what_is_no_ear_stays_as_it_is(model):
    there, _ = ear(model, 40.0)
    changed = np.abs(draw(photo(model), model, 40.0) - draw(photo(model), model, 40.0, **OFF)).max(-1)
    rows, columns = np.nonzero(there)
    changed[rows.min() - 20 : rows.max() + 20, columns.min() - 20 : columns.max() + 20] = 0
    assert changed.max() == 0


def test_at_the_photos_own_pose_nothing_changes(model):
    assert np.array_equal(draw(photo(model), model, 0.0), draw(photo(model), model, 0.0, **OFF))


def test_a_head_that_is_only_tilted_keeps_the_photos_ears(model):
    tilted = dataclasses.replace(geometry(0.0, SIDE), rotation=HeadPose(0, 0, 25).matrix().astype(np.float32))
    target = paint(model, tilted)
    pictures = [
        draw_warp(photo(model), target, settings=WarpSettings(ear_shape=EarShapeSettings(**changes))).picture
        for changes in (OFF, {})
    ]
    assert np.array_equal(*pictures)


def test_ears_in_unlike_light_keep_their_own(model):
    """The sum of both sides' changes is not shared: each ear stays as light on the whole as it was."""
    taken = photo(model)
    shade = np.linspace(0.4, 1.0, SIDE)[None, :, None]
    taken = dataclasses.replace(taken, crops=(taken.crops * shade).astype(np.uint8))
    for yaw in (-40.0, 40.0):
        there, _ = ear(model, yaw)
        flat, shaped = (draw(taken, model, yaw, **changes).mean(-1)[there].mean() for changes in (OFF, {}))
        assert abs(shaped - flat) < 14


def test_an_ear_that_the_photo_shows_from_the_side_is_the_photos(model):
    taken = photo(model, yaw=40.0)
    changed = np.abs(draw(taken, model, 52.0) - draw(taken, model, 52.0, **OFF))
    there, _ = ear(model, 52.0)
    assert np.median(changed[there]) <= 3  # but for its hollow, part of which the photo does not show


@pytest.mark.parametrize("label", [FaceLabel.HEADWEAR, FaceLabel.HAIR, FaceLabel.OCCLUDER])
def test_a_covered_ear_does_not_come_through(model, label):
    taken = photo(model, covered=label)
    changed = np.abs(draw(taken, model, 40.0) - draw(taken, model, 40.0, **OFF))
    there, _ = ear(model, 40.0)
    assert changed[there].mean() < 1


@pytest.mark.parametrize(("width", "bare"), [(0, True), (14, False)])
def test_hair_that_stands_off_beside_an_ear_hides_it_from_the_side(model, width, bare):
    taken = photo(model)
    labels, mattes = taken.label_maps.copy(), taken.mattes.copy()
    rows = np.flatnonzero((labels[0] == FaceLabel.EARS).any(axis=1))
    for row in range(rows.min() - 8, rows.max() + 9):
        columns = np.flatnonzero(mattes[0, row] > 0.5)
        for beside in (
            slice(columns[0] - width, columns[0]),
            slice(columns[-1] + 1, columns[-1] + 1 + width),
        ):
            labels[0, row, beside], mattes[0, row, beside] = FaceLabel.HAIR, 1
    prepared = prepare_photos(
        dataclasses.replace(taken, label_maps=labels, mattes=mattes),
        SIDE,
        model,
        WarpSettings(),
        bare_eyes=False,
    )
    found = bare_ears(prepared.space(0), prepared.photos.xy[0], model, WarpSettings().over_ears)
    for vertices in ear_vertices(model):
        assert (found[vertices].mean() > 0.8) == bare
        assert (found[vertices].mean() < 0.2) != bare


@pytest.mark.parametrize("covered", [FaceLabel.HAIR, None])
def test_an_ear_behind_the_head_is_as_the_other(model, covered):
    prepared = prepare_photos(photo(model, 50.0, covered), SIDE, model, WarpSettings(), bare_eyes=False)
    found = bare_ears(prepared.space(0), prepared.photos.xy[0], model, WarpSettings().over_ears)
    for vertices in ear_vertices(model):
        assert abs(found[vertices].mean() - (covered is None)) < 0.2
