"""Background that mattes take for the person is opened, and nothing else."""

import numpy as np
import pytest

from hifi_portrait.faces import FaceLabel
from hifi_portrait.warp.holes import open_holes
from hifi_portrait.warp.settings import WarpSettings

SIDE = 256
HAIR, WALL, SKIN = np.array((50, 38, 30)), np.array((225, 228, 230)), np.array((200, 150, 130))
HOLE = np.s_[125:145, 44:54]
"""Wall between hair and neck, which the matte fills."""


def portrait(hair=HAIR, hole_label=FaceLabel.BACKGROUND):
    """A disc of hair with a face in it, before a wall, with a hole near the hair's outline."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    away = np.hypot(rows - SIDE / 2, columns - SIDE / 2)
    labels = np.where(away < 40, FaceLabel.SKIN, np.where(away < 90, FaceLabel.HAIR, FaceLabel.BACKGROUND))
    matte = (away < 90).astype(np.float32)
    crop = np.where((away < 40)[..., None], SKIN, np.where((away < 90)[..., None], hair, WALL))
    crop[HOLE] = WALL
    labels[HOLE] = hole_label
    noise = np.random.default_rng(0).normal(0, 2, crop.shape)
    return np.clip(crop + noise, 0, 255).astype(np.uint8), matte, labels.astype(np.uint8)


@pytest.mark.parametrize("label", [FaceLabel.BACKGROUND, FaceLabel.HAIR])
def test_wall_that_is_seen_through_hair_is_opened(label):
    crop, matte, labels = portrait(hole_label=label)
    opened = open_holes(crop, matte, labels, WarpSettings().holes)
    assert opened[HOLE].mean() < 0.05
    elsewhere = np.ones(matte.shape, bool)
    elsewhere[122:148, 41:57] = False
    assert np.abs(opened - matte)[elsewhere].max() < 0.1


def test_a_light_face_a_white_collar_and_hair_of_the_walls_colour_stay():
    crop, matte, labels = portrait()
    labels[HOLE] = FaceLabel.CLOTHES
    assert open_holes(crop, matte, labels, WarpSettings().holes)[128:142, 46:52].min() > 0.9
    crop, matte, labels = portrait(hair=WALL - 20)
    assert np.array_equal(open_holes(crop, matte, labels, WarpSettings().holes), matte)
    crop, matte, labels = portrait()
    crop[118:138, 118:138] = WALL
    assert open_holes(crop, matte, labels, WarpSettings().holes)[118:138, 118:138].min() > 0.9


def test_strands_that_cover_half_stay_in_part():
    crop, matte, labels = portrait(hole_label=FaceLabel.HAIR)
    crop[HOLE] = WALL + 0.3 * (HAIR - WALL)
    assert 0.2 < open_holes(crop, matte, labels, WarpSettings().holes)[HOLE].mean() < 0.8


def test_where_hardly_any_background_is_seen_nothing_changes():
    crop, _, labels = portrait()
    full = np.ones((SIDE, SIDE), np.float32)
    assert np.array_equal(open_holes(crop, full, labels, WarpSettings().holes), full)
