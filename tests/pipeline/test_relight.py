"""A face takes the light of a picture: its wide shades, and at its edge those of the skin around it."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.pipeline.relight import relight

SIDE = 128
HEIGHT = 80.0


def plain(shade):
    return np.full((SIDE, SIDE, 3), shade, np.float32)


def disc(radius=40.0):
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    return np.clip(radius - np.hypot(x - 64, y - 64), 0, 5).astype(np.float32) / 5


def with_spots(shade, light, dark):
    """Make skin with a gloss and a brow."""
    face = plain(shade)
    face[40:48, 60:68], face[80:88, 60:68] = light, dark
    return face


def test_a_face_in_its_own_light_stays_as_it_is():
    face = with_spots(120, 150, 60)
    assert np.abs(relight(face, face, disc(), disc(), HEIGHT) - face)[disc() > 0].max() < 3


def test_a_picture_without_a_face_lights_nothing():
    face = with_spots(120, 150, 60)
    assert np.array_equal(relight(plain(40), face, np.zeros((SIDE, SIDE), np.float32), disc(), HEIGHT), face)


def test_skin_becomes_as_light_as_the_pictures():
    for shade in (50, 200):
        lit = relight(plain(shade), with_spots(110, 140, 60), disc(), disc(), HEIGHT)
        assert np.median(lit[disc() > 0]) == pytest.approx(shade, abs=4)


def test_gloss_on_dark_skin_does_not_burn_out_in_a_light_picture():
    """A face four times as light by one factor would have white spots of 255."""
    lit = relight(plain(200), with_spots(50, 90, 25), disc(), disc(), HEIGHT)
    gloss, brow = lit[42:46, 62:66].mean(), lit[82:86, 62:66].mean()
    assert 215 < gloss < 245
    assert brow < 0.5 * 200


def test_eyes_on_light_skin_stay_bright_in_a_dark_picture():
    """By one factor the white of an eye, 60 above the skin, would be 17 above it."""
    lit = relight(plain(50), with_spots(180, 240, 60), disc(), disc(), HEIGHT)
    assert lit[42:46, 62:66].mean() > 50 + 30


def test_no_hue_grows_where_a_face_becomes_lighter():
    face = plain(50)
    face[40:56, 56:72] = (62, 50, 40)
    lit = relight(plain(200), face, disc(), disc(), HEIGHT)[44:52, 60:68].mean(axis=(0, 1))
    assert lit[0] / lit[2] < (62 / 40) ** 0.75


def test_there_is_no_rim_at_the_edge():
    """The face's jaw lies in the shade, the picture's does not."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    away = np.hypot(x - 64, y - 64)
    face = plain(60) * np.where(away > 30, 0.6, 1.0)[..., None].astype(np.float32)
    lit = relight(plain(170), face, disc(), disc(), HEIGHT)
    edge = (away > 36) & (away < 39)
    assert lit[edge].mean() == pytest.approx(170, abs=12)


def test_hair_over_the_forehead_does_not_darken_the_face():
    crop = plain(190)
    crop[:32] = 20
    lit = relight(crop, plain(110), disc() * (np.arange(SIDE)[:, None] >= 32), disc(), HEIGHT)
    assert lit[33:40, 60:68].mean() > 150


def test_far_from_the_pictures_face_its_mean_shade_counts():
    lit, shown = np.zeros((64, 64), np.float32), np.zeros((64, 64), np.float32)
    lit[:4, :4] = shown[50:, 50:] = 1
    face = np.full((64, 64, 3), 150, np.float32)
    assert relight(np.full_like(face, 60), face, lit, shown, 6.0)[56, 56].mean() == pytest.approx(60, abs=4)
