"""Places, walls and backdrops as pictures, and the light of places."""

import numpy as np
import pytest

from hifi_portrait.errors import DatasetError
from hifi_portrait.scenery.backdrop import PLACE_VIEWS, WALLS, Backdrop, PlaceView
from hifi_portrait.scenery.irradiance import irradiance
from hifi_portrait.scenery.styles import STYLES, stylise

AT_THE_CAMERA, UP, DOWN = (np.array(v, float) for v in ((0, -1, 0), (0, 0, 1), (0, 0, -1)))


@pytest.mark.parametrize("name", PLACE_VIEWS)
def test_every_place_is_a_picture_with_a_light(name):
    place = Backdrop.named(name)
    painted = place.paint(48, 64)
    assert painted.shape == (48, 64, 3)
    assert painted.min() >= 0 and painted.max() <= 255
    assert painted.std() > 2  # no empty surface
    light = irradiance(place.light.lights, AT_THE_CAMERA)
    assert (light > 0).all() and light.max() < 10
    assert 0 < place.light.exposure <= 1


def test_a_park_is_green_below_and_lit_from_above():
    park = Backdrop.named("park")
    below = park.paint(64, 64)[-12:].mean((0, 1))
    assert below[1] > 1.1 * below[0] > 1.1 * below[2]
    assert irradiance(park.light.lights, UP).sum() > 2 * irradiance(park.light.lights, DOWN).sum()


def test_the_night_is_darker_than_the_day():
    night, day = (Backdrop.named(name) for name in ("night", "park"))
    assert night.paint(32, 32).mean() < 0.5 * day.paint(32, 32).mean()
    assert night.light.exposure < day.light.exposure


@pytest.mark.parametrize("name", WALLS)
def test_walls_have_no_light_of_their_own(name):
    wall = Backdrop.named(name)
    assert wall.light is None
    assert wall.paint(40, 40).std() > 1


def test_a_backdrop_has_the_named_colour():
    painted = Backdrop.named("blue backdrop").paint(50, 50).mean((0, 1))
    assert painted[2] > 1.3 * painted[1] > 1.3 * painted[0]
    wide = Backdrop.named("blue backdrop").paint(50, 100)
    assert wide[25, 50].sum() > wide[0, 0].sum()  # lighter behind the head


def test_the_same_is_painted_again():
    assert np.array_equal(
        Backdrop.named("brick wall").paint(40, 40), Backdrop.named("brick wall").paint(40, 40)
    )


def test_a_panorama_of_another_shape_is_refused(tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / "flat.hdr"), np.ones((8, 8, 3), np.float32))
    with pytest.raises(DatasetError, match="twice as wide as high"):
        Backdrop(place=PlaceView(tmp_path / "flat.hdr")).paint(16, 16)


@pytest.mark.parametrize("style", STYLES)
def test_styles_keep_shape_and_range_and_change_the_picture(style):
    ramp = np.mgrid[0:64, 0:64][1] / 63
    picture = np.stack([ramp, 0.5 * ramp, 1 - ramp], -1).astype(np.float32)
    turned = stylise(picture, style, np.random.default_rng(0))
    assert turned.shape == picture.shape and turned.min() >= 0 and turned.max() <= 1
    assert np.abs(turned - picture).mean() > 0.01
    assert np.array_equal(turned, stylise(picture, style, np.random.default_rng(0)))


def test_a_photo_stays_as_it_is():
    picture = np.full((8, 8, 3), 0.3, np.float32)
    assert stylise(picture, "photo", np.random.default_rng(0)) is picture


@pytest.mark.parametrize("shape", [(96, 48), (48, 96)])
def test_a_watercolours_paper_shows_at_all_four_sides(shape):
    painted = stylise(np.full((*shape, 3), 0.4, np.float32), "watercolour", np.random.default_rng(0))
    height, width = shape
    middle = painted[height // 4 : -height // 4, width // 4 : -width // 4].mean()
    for rim in (painted[:2], painted[-2:], painted[:, :2], painted[:, -2:]):
        assert rim.mean() > middle + 0.2
    assert middle < 0.7
