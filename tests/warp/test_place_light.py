"""The light of a place on a person."""

import numpy as np
import pytest

from hifi_portrait import Background, Target
from hifi_portrait.landmarks import LandmarkGenerator
from hifi_portrait.scenery.backdrop import Backdrop
from hifi_portrait.scenery.lights import Lights
from hifi_portrait.warp.place_light import light_factors

SIDE = 96


@pytest.fixture(scope="module")
def head():
    return LandmarkGenerator.load()(np.zeros(80, np.float32), Target(), SIDE, contours=False)


def one_lamp(direction, rgb=(1.0, 1.0, 1.0)):
    nothing = np.zeros(3)
    ambient = np.zeros((9, 3))
    ambient[0] = 0.3
    lamp = np.array([direction], float) / np.linalg.norm(direction)
    return Lights(lamp, np.array([rgb]), np.array([0.5]), nothing, nothing, 1.0, ambient)


def test_the_side_towards_a_lamp_is_lighter(head):
    alpha = head.raster.mask.astype(np.float32)
    on_face = head.raster.mask & (np.arange(SIDE)[:, None] < 0.6 * SIDE)
    for x in (-1, 1):
        light = light_factors(head, alpha, one_lamp((x, -0.3, 0))).mean(-1)
        columns = np.arange(SIDE)[None] < SIDE / 2
        left, right = light[on_face & columns].mean(), light[on_face & ~columns].mean()
        assert right > 1.3 * left if x > 0 else left > 1.3 * right


def test_brightness_stays_and_the_hue_follows_the_lamp(head):
    alpha = head.raster.mask.astype(np.float32)
    light = light_factors(head, alpha, one_lamp((0, -1, 0), (1.2, 0.9, 0.5)))[head.raster.mask].mean(0)
    assert light[0] > 1.1 * light[1] > 1.1 * light[2]
    assert light @ (0.2126, 0.7152, 0.0722) == pytest.approx(1, abs=0.1)


def test_light_from_all_around_changes_little(head):
    lights = one_lamp((0, -1, 0), (0.0, 0.0, 0.0))
    light = light_factors(head, head.raster.mask.astype(np.float32), lights)[head.raster.mask]
    assert light.min() > 0.8 and light.max() < 1.3


def test_a_person_is_lit_and_the_place_stands_behind(head):
    park = Background.of("park")
    person = np.full((SIDE, SIDE, 3), 120, np.float32)
    alpha = head.raster.mask.astype(np.float32)
    behind = np.full((SIDE, SIDE, 3), 200, np.float32)
    picture = alpha[..., None] * person + (1 - alpha[..., None]) * behind
    light = light_factors(head, alpha, park.lights)
    placed = park.replace_in(picture, alpha, behind, light)
    away = alpha == 0
    assert np.abs(placed[away] - Backdrop.named("park").paint(SIDE, SIDE)[away]).max() <= 1
    inside = placed[alpha == 1].astype(int)
    assert inside.std() > 3 and abs(inside.mean() - 120) < 25
    unlit = park.replace_in(picture, alpha, behind)
    assert (unlit[alpha == 1] == 120).all()


def test_white_stays_below_white_however_bright_the_light():
    night, park = Background.of("night"), Background.of("park")
    light = np.full((2, 2, 3), 2.0, np.float32)
    for shade in (100, 230, 255):
        lit = park.put_behind(
            np.full((2, 2, 4), (shade, shade, shade, 255), np.uint8), np.zeros((2, 2, 3)), light
        )
        assert shade <= lit.min() <= 255
    dark = night.put_behind(
        np.full((2, 2, 4), (100, 100, 100, 255), np.uint8), np.zeros((2, 2, 3)), light / 2
    )
    assert dark.max() < 90
