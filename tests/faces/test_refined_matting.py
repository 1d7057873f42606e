from __future__ import annotations

import cv2
import numpy as np
import pytest

from hifi_portrait.faces import FaceAnalyser, RefinedMatting, RefinementSettings, refine_matte
from hifi_portrait.head.arrays import ByteArray, FloatArray

SIDE = 192
HAIR = np.array([60.0, 40.0, 30.0])
SETTINGS = RefinementSettings()


def coarse(matte: FloatArray) -> FloatArray:
    """A network's matte: no strands, and edges a few pixels off."""
    solid = cv2.morphologyEx(matte, cv2.MORPH_OPEN, np.ones((15, 15), np.uint8))
    return cv2.GaussianBlur(cv2.dilate(solid, np.ones((5, 5), np.uint8)), (0, 0), 1.5)


def head_with_strands() -> FloatArray:
    """The true matte: a disc, and strands that stand off it by a tenth of the picture."""
    matte = np.zeros((SIDE, SIDE), np.float32)
    for angle in np.linspace(0, 2 * np.pi, 36, endpoint=False):
        end = (round(96 + 62 * np.cos(angle)), round(96 + 62 * np.sin(angle)))
        cv2.line(matte, (96, 96), end, 0.8, 1, cv2.LINE_AA)
    cv2.circle(matte, (96, 96), 50, 1.0, -1, cv2.LINE_AA)
    return matte


def photo_of(matte: FloatArray, backdrop: FloatArray, hair: FloatArray = HAIR) -> ByteArray:
    """Put hair before a backdrop (SIDE, SIDE, 3), with a camera's noise."""
    weight = matte[..., None]
    noise = np.random.default_rng(0).normal(0, 1.5, (SIDE, SIDE, 3))
    return np.clip(weight * hair + (1 - weight) * backdrop + noise, 0, 255).astype(np.uint8)


def plain() -> FloatArray:
    """A bright wall, a little darker to one side."""
    return np.linspace(225, 205, SIDE)[None, :, None] * np.ones((SIDE, 1, 3))


def patterned() -> FloatArray:
    """Squares as dark and as bright as hair and wall."""
    squares = np.random.default_rng(1).uniform(20, 235, (24, 24, 3))
    return cv2.resize(squares, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)


def test_strands_before_a_plain_wall_come_back() -> None:
    truth = head_with_strands()
    network = coarse(truth)
    refined = refine_matte(photo_of(truth, plain()), network, SETTINGS)
    strands = (truth > 0.3) & (np.hypot(*(np.mgrid[:SIDE, :SIDE] - 96)) > 55)
    assert np.minimum(network, truth)[strands].sum() < 0.1 * truth[strands].sum()
    assert np.minimum(refined, truth)[strands].sum() > 0.9 * truth[strands].sum()
    assert np.abs(refined - truth).mean() < 0.3 * np.abs(network - truth).mean()


def test_before_a_pattern_the_networks_matte_stays() -> None:
    truth = head_with_strands()
    network = coarse(truth)
    refined = refine_matte(photo_of(truth, patterned()), network, SETTINGS)
    assert np.abs(refined - network).mean() < 0.002


def test_hair_of_the_walls_colour_leaves_the_networks_matte() -> None:
    truth = head_with_strands()
    network = coarse(truth)
    refined = refine_matte(photo_of(truth, plain(), np.array([213.0, 214.0, 215.0])), network, SETTINGS)
    np.testing.assert_allclose(refined, network, atol=0.01)


def test_what_hangs_on_nobody_is_left_out() -> None:
    truth = head_with_strands()
    backdrop = plain()
    cv2.circle(backdrop, (33, 96), 3, HAIR.tolist(), -1)  # as near as the strands' ends, and as dark
    refined = refine_matte(
        photo_of(truth * (np.mgrid[:SIDE, :SIDE][1] > 45), backdrop), coarse(truth), SETTINGS
    )
    assert refined[92:101, 29:38].max() == 0


def test_skin_beside_hair_stays_solid() -> None:
    truth = head_with_strands()
    network = coarse(truth)
    picture = photo_of(truth, plain())
    y, x = np.mgrid[:SIDE, :SIDE] - 96
    ear = (np.hypot(x, y) < 49) & (x > 44) & (abs(y) < 12)
    picture[ear] = (190, 140, 120)
    assert refine_matte(picture, network, SETTINGS)[ear].min() > 0.85


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_picture_of_one_layer_keeps_its_matte(value: float) -> None:
    matte = np.full((SIDE, SIDE), value, np.float32)
    np.testing.assert_array_equal(refine_matte(photo_of(matte, plain()), matte, SETTINGS), matte)


def test_pictures_need_not_be_square() -> None:
    truth = head_with_strands()
    picture, matte = photo_of(truth, plain())[:150], coarse(truth)[:150]
    assert refine_matte(picture, matte, SETTINGS).shape == (150, SIDE)


def test_any_network_is_refined() -> None:
    truth = head_with_strands()
    picture, network = photo_of(truth, plain()), coarse(truth)
    refined = RefinedMatting(lambda image: network)(picture)
    np.testing.assert_array_equal(refined, refine_matte(picture, network, SETTINGS))


def test_a_face_has_the_refined_matte(analyser: FaceAnalyser, portrait: ByteArray) -> None:
    face = analyser.analyse(portrait)
    np.testing.assert_array_equal(face.matte, RefinedMatting()(face.crop))
