"""The light of a place or a studio on a person."""

import numpy as np
import pytest

from hifi_portrait import Background, Target
from hifi_portrait.landmarks import LandmarkGenerator
from hifi_portrait.scenery.backdrop import Backdrop
from hifi_portrait.scenery.lights import Lights
from hifi_portrait.scenery.studio import (
    LIGHT_NAMES,
    LightOnPerson,
    StudioLight,
    check_light,
    named_lights,
)
from hifi_portrait.warp.new_light import light_person

SIDE = 96


@pytest.fixture(scope="module")
def head():
    return LandmarkGenerator.load()(np.zeros(80, np.float32), Target(), SIDE, contours=False)


def one_lamp(direction, rgb=(1.0, 1.0, 1.0)):
    nothing = np.zeros(3)
    ambient = np.zeros((9, 3))
    ambient[0] = 0.3
    lamp = np.array([direction], float) / np.linalg.norm(direction)
    return StudioLight(Lights(lamp, np.array([rgb]), np.array([0.5]), nothing, nothing, 1.0, ambient))


def test_the_side_towards_a_lamp_is_lighter(head):
    alpha = head.raster.mask.astype(np.float32)
    on_face = head.raster.mask & (np.arange(SIDE)[:, None] < 0.6 * SIDE)
    for x in (-1, 1):
        light = light_person(head, alpha, one_lamp((x, -0.3, 0))).factors.mean(-1)
        columns = np.arange(SIDE)[None] < SIDE / 2
        left, right = light[on_face & columns].mean(), light[on_face & ~columns].mean()
        assert right > 1.3 * left if x > 0 else left > 1.3 * right


def test_brightness_stays_and_the_hue_follows_the_lamp(head):
    alpha = head.raster.mask.astype(np.float32)
    light = light_person(head, alpha, one_lamp((0, -1, 0), (1.2, 0.9, 0.5))).factors[head.raster.mask].mean(0)
    assert light[0] > 1.1 * light[1] > 1.1 * light[2]
    assert light @ (0.2126, 0.7152, 0.0722) == pytest.approx(1, abs=0.1)


def test_light_from_all_around_changes_little(head):
    lights = one_lamp((0, -1, 0), (0.0, 0.0, 0.0))
    light = light_person(head, head.raster.mask.astype(np.float32), lights).factors[head.raster.mask]
    assert light.min() > 0.8 and light.max() < 1.3


def test_a_person_is_lit_and_the_place_stands_behind(head):
    park = Background.of("park")
    person = np.full((SIDE, SIDE, 3), 120, np.float32)
    alpha = head.raster.mask.astype(np.float32)
    behind = np.full((SIDE, SIDE, 3), 200, np.float32)
    picture = alpha[..., None] * person + (1 - alpha[..., None]) * behind
    light = light_person(head, alpha, park.light)
    placed = park.replace_in(picture, alpha, behind, light)
    away = alpha == 0
    assert np.abs(placed[away] - Backdrop.named("park").paint(SIDE, SIDE)[away]).max() <= 1
    inside = placed[alpha == 1].astype(int)
    assert inside.std() > 3 and abs(inside.mean() - 120) < 25
    unlit = park.replace_in(picture, alpha, behind)
    assert (unlit[alpha == 1] == 120).all()


def test_white_stays_below_white_however_bright_the_light():
    nothing = np.zeros((2, 2, 3), np.float32)
    bright = LightOnPerson(np.full((2, 2, 3), 2.0, np.float32), np.ones(3, np.float32))
    for shade in (100, 230, 255):
        cutout = np.full((2, 2, 4), (shade, shade, shade, 255), np.uint8)
        lit = Background.of("park").put_behind(cutout, nothing, bright)
        assert shade <= lit.min() <= 255


def test_the_night_is_darker_and_a_cut_out_is_lit_too(head):
    alpha = head.raster.mask.astype(np.float32)
    by_day, by_night = (
        light_person(head, alpha, Background.of(place).light).factors[head.raster.mask].mean()
        for place in ("park", "night")
    )
    assert by_night < 0.75 * by_day
    cutout = np.dstack([np.full((SIDE, SIDE, 3), 120, np.uint8), (255 * alpha).astype(np.uint8)])
    lit = light_person(head, alpha, named_lights()["evening light"])
    transparent = Background.of("transparent").put_behind(cutout, np.zeros((SIDE, SIDE, 3)), lit)
    inside = transparent[head.raster.mask].astype(int)
    assert np.array_equal(transparent[..., 3], cutout[..., 3])
    assert (inside[:, 0] - inside[:, 2]).mean() > 10  # warm


@pytest.mark.parametrize("name", LIGHT_NAMES)
def test_named_lights_fall_on_person_and_background(head, name):
    alpha = head.raster.mask.astype(np.float32)
    light = named_lights()[name]
    lit = light_person(head, alpha, light)
    assert lit.factors.shape == (SIDE, SIDE, 3) and lit.factors.min() > 0 and lit.factors.max() < 6
    assert lit.behind.shape == (3,) and 0 < lit.behind.min() <= lit.behind.max() < 2
    picture = np.full((SIDE, SIDE, 3), 150, np.float32)
    placed = Background.of("photo").replace_in(picture, alpha, picture, lit).astype(int)
    assert np.ptp(placed[alpha == 1].mean(-1)) > 8  # a light has a direction
    if light.exposure < 0.9:
        assert placed[alpha == 0].mean() < 135


def test_a_light_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="`light` must be one of 'photo', 'soft studio light'"):
        check_light("candle")
