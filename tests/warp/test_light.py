"""References in different light are brought to one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hifi_portrait.head import HeadModel, Part
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.warp.draw import warp_picture
from hifi_portrait.warp.light import light_gains
from hifi_portrait.warp.settings import LightSettings
from painted_heads import geometry, paint, person

LEVELS = (160, 110)
DARK = 8  # added before a logarithm is taken


@pytest.fixture
def lit_differently():
    photos = person((-10.0, 10.0), 128)
    crops = np.stack([np.full_like(photos.crops[0], level) for level in LEVELS])
    return dataclasses.replace(photos, crops=crops, quality=np.ones(2, np.float32))


def gains_of(photos, weights):
    views = [SurfaceView.from_geometry(HeadModel.load(), head) for head in photos.geometries]
    xy, visibility = (np.stack([getattr(view, name) for view in views]) for name in ("xy", "visibility"))
    return light_gains(photos.crops, xy, visibility, np.array(weights), HeadModel.load(), LightSettings())


def test_gains_bring_references_to_their_common_brightness(lit_differently):
    common = np.sqrt((LEVELS[0] + DARK) * (LEVELS[1] + DARK))
    expected = [[common / (level + DARK)] * 3 for level in LEVELS]
    np.testing.assert_allclose(gains_of(lit_differently, (1.0, 1.0)), expected, rtol=1e-3)


def test_the_common_brightness_is_weighted(lit_differently):
    heavy, light = gains_of(lit_differently, (3.0, 1.0))[:, 0]
    ratio = (LEVELS[0] + DARK) / (LEVELS[1] + DARK)
    np.testing.assert_allclose((heavy, light), (ratio**-0.25, ratio**0.75), rtol=1e-3)


def test_a_reference_alone_keeps_its_brightness():
    photos = person((0.0,), 128)
    np.testing.assert_array_equal(gains_of(photos, (1.0,)), np.ones((1, 3)))


def test_a_picture_is_as_bright_as_its_main_reference(lit_differently):
    """The other one is brought to its light."""
    target = paint(HeadModel.load(), geometry(0.0, 128))
    picture, coverage = warp_picture(lit_differently, target)
    skin = (HeadModel.load().parts[target.raster.triangle] == Part.SKIN) & target.raster.mask
    shown = picture[skin & (coverage > 0.5)].mean(axis=0)
    assert shown == pytest.approx(LEVELS[0], abs=1.5)
