"""Eyes that look another way than in any photo."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from hifi_portrait.head.eyeballs import EYES, eyeball_places
from hifi_portrait.head.geometry import HeadGeometry, HeadPose
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.landmarks import LandmarkImage
from hifi_portrait.person.references import References
from hifi_portrait.warp.draw import warp_picture
from hifi_portrait.warp.face.eye_colours import EyeColours
from hifi_portrait.warp.face.eyes import gaze_likeness, painted_fractions
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, landmarks_of, paint

SETTINGS = WarpSettings()

SIDE = 512
IRIS, WHITE, SKIN = (40, 110, 60), (225, 222, 220), (200, 150, 130)
RADIUS = 0.4


def looking(yaw: float, side: int = SIDE) -> HeadGeometry:
    head = geometry(0.0, side, eyeWideLeft=0.5, eyeWideRight=0.5)
    return head.replace(gaze=np.array([yaw, 0.0], np.float32))


def eyes_of(target: LandmarkImage, model: HeadModel) -> tuple[np.ndarray, np.ndarray]:
    """Where a picture shows eyes, and how far from the pupil, in eyeball radii."""
    shown = np.isin(np.where(target.raster.mask, model.parts[target.raster.triangle], 255), EYES)
    return shown, np.linalg.norm(target.raster.interpolate(eyeball_places(model), model.triangles), axis=2)


def photographed(*heads: HeadGeometry, model: HeadModel) -> References:
    """Photos of someone with green eyes."""
    crops, mattes = [], []
    for head in heads:
        target = paint(model, head)
        shown, distance = eyes_of(target, model)
        crop = np.where(target.raster.mask[..., None], SKIN, 20).astype(np.uint8)
        crop[shown] = WHITE
        crop[shown & (distance < RADIUS)] = IRIS
        crop[shown & (distance < 0.15)] = 10
        crops.append(crop)
        mattes.append(target.mask)
    count = len(heads)
    return References(
        crops=np.stack(crops),
        mattes=np.stack(mattes).astype(np.float32),
        landmarks=landmarks_of(heads),
        embeddings=np.ones((count, 8), np.float32),
        quality=np.ones(count, np.float32),
        geometries=heads,
    )


@pytest.mark.parametrize("yaw", [-25.0, 25.0])
def test_eyes_look_where_they_are_asked_to(model, yaw):
    target = paint(model, looking(yaw))
    picture, coverage = warp_picture(photographed(looking(0.0), model=model), target)
    shown, distance = eyes_of(target, model)
    iris, white = (shown & (distance > 0.2) & (distance < 0.3)), shown & (distance > 0.55)
    colours = picture.astype(int)
    green = colours[..., 1] - colours[..., 0] > 15
    assert green[iris].mean() > 0.8 and green[white].mean() < 0.05
    assert np.median(colours[white].mean(axis=1)) > 3 * np.median(colours[iris].mean(axis=1)) / 2
    assert colours[shown & (distance < 0.1)].mean() < 70
    assert coverage[shown].min() == 1


def test_eyes_that_a_photo_shows_looking_so_are_its_own(model):
    photos = photographed(looking(0.0), looking(25.0), model=model)
    target = paint(model, looking(25.0))
    picture, _ = warp_picture(photos, target)
    shown, distance = eyes_of(target, model)
    inner = shown & (np.abs(distance - RADIUS) > 0.08) & (np.abs(distance - 0.15) > 0.05)
    assert np.median(np.abs(picture[inner].astype(int) - photos.crops[1][inner])) <= 5


def test_the_colours_of_eyes_are_read_from_photos(model):
    heads = looking(-10.0), looking(15.0)
    photos = photographed(*heads, model=model)
    views = [SurfaceView.from_geometry(model, head) for head in heads]
    tables = np.stack([np.concatenate([view.xy, view.visibility[:, None]], axis=1) for view in views])
    read = EyeColours.read(
        photos.crops, tables.astype(np.float32), np.ones((2, 3)), 160.0, model, SETTINGS.eye_reading
    )
    tint = read.iris / read.iris.mean() - np.array(IRIS) / np.mean(IRIS)
    assert read.iris.argmax() == 1 and np.abs(tint).max() < 0.35
    assert read.iris.mean() == pytest.approx(np.mean(IRIS), rel=0.3)
    assert read.white.mean() == pytest.approx(np.mean(WHITE), rel=0.1)
    assert read.radius == pytest.approx(RADIUS, abs=0.05)


def test_closed_eyes_tell_no_colours(model):
    crops, tables = np.full((1, 64, 64, 3), 90, np.uint8), np.zeros((1, model.num_vertices, 3), np.float32)
    read = EyeColours.read(crops, tables, np.ones((1, 3)), 150.0, model, SETTINGS.eye_reading)
    assert 20 < read.iris.mean() < 75 and read.iris[0] > read.iris[2]
    assert read.white.mean() > 140


def test_dark_lenses_stay(model):
    photos = photographed(looking(0.0), model=model)
    target = paint(model, looking(25.0))
    shown, _ = eyes_of(paint(model, looking(0.0)), model)
    lenses = cv2.dilate(shown.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    crops = np.where(lenses[..., None], 25, photos.crops).astype(np.uint8)
    picture, _ = warp_picture(dataclasses.replace(photos, crops=crops), target)
    assert np.percentile(picture[eyes_of(target, model)[0]], 95) < 60


def test_painted_irises_are_as_sharp_in_a_head_that_leans(model):
    photos, fractions = photographed(looking(0.0), model=model), []
    for roll in (0.0, 30.0):
        head = looking(25.0).replace(rotation=HeadPose(0.0, 0.0, roll).matrix().astype(np.float32))
        target = paint(model, head)
        picture, _ = warp_picture(photos, target)
        shown, distance = eyes_of(target, model)
        fractions.append(picture[shown & (distance > 0.55)].mean())
    assert fractions[1] == pytest.approx(fractions[0], rel=0.12)


def test_an_eye_is_painted_the_more_the_farther_gazes_are_apart():
    apart = np.array([0.0, 4.0, 6.0, 12.0, 30.0])
    likeness = np.array(
        [gaze_likeness([looking(0.0, 64)], looking(yaw, 64), SETTINGS.gaze)[0] for yaw in apart]
    )
    fractions = np.array([painted_fractions(row[None], np.ones((1, 2)), SETTINGS.gaze) for row in likeness])
    assert (np.diff(likeness, axis=0) < 0).all() and (np.diff(fractions, axis=0) >= 0).all()
    assert (fractions[0] == 0).all() and (fractions[-2:] == 1).all()
    both = np.stack([likeness[0], likeness[-1]])
    assert (painted_fractions(both, np.array([[1.0, 0.0], [0.0, 1.0]]), SETTINGS.gaze) == [0, 1]).all()


def test_eyes_of_a_photo_that_look_a_little_aside_are_not_painted():
    """A fit tells a gaze to about 5 degrees, and painted eyes look less like the person's."""
    likeness = gaze_likeness([looking(6.5, 64)], looking(0.0, 64), SETTINGS.gaze)
    assert (painted_fractions(likeness, np.ones((1, 2)), SETTINGS.gaze) == 0).all()
