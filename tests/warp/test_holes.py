"""Background that mattes take for the person is opened, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from hifi_portrait.faces import FaceLabel
from hifi_portrait.head.model import HeadModel
from hifi_portrait.warp.holes import mend_matte, solid_head
from hifi_portrait.warp.settings import WarpSettings
from tiny_pipelines import an_identity

SIDE = 256
HAIR, WALL, SKIN = np.array((50, 38, 30)), np.array((225, 228, 230)), np.array((200, 150, 130))
HOLE = np.s_[125:145, 44:54]
"""Wall between hair and neck, which the matte fills."""
NOWHERE = np.zeros((64, 64), np.float32)


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
    opened = mend_matte(crop, matte, labels, NOWHERE, WarpSettings().holes)
    assert opened[HOLE].mean() < 0.05
    elsewhere = np.ones(matte.shape, bool)
    elsewhere[122:148, 41:57] = False
    assert np.abs(opened - matte)[elsewhere].max() < 0.1


def test_a_light_face_a_white_collar_and_hair_of_the_walls_colour_stay():
    crop, matte, labels = portrait()
    labels[HOLE] = FaceLabel.CLOTHES
    assert mend_matte(crop, matte, labels, NOWHERE, WarpSettings().holes)[128:142, 46:52].min() > 0.9
    crop, matte, labels = portrait(hair=WALL - 20)
    assert np.array_equal(mend_matte(crop, matte, labels, NOWHERE, WarpSettings().holes), matte)
    crop, matte, labels = portrait()
    crop[118:138, 118:138] = WALL
    assert mend_matte(crop, matte, labels, NOWHERE, WarpSettings().holes)[118:138, 118:138].min() > 0.9


def test_strands_that_cover_half_stay_in_part():
    crop, matte, labels = portrait(hole_label=FaceLabel.HAIR)
    crop[HOLE] = WALL + 0.3 * (HAIR - WALL)
    assert 0.2 < mend_matte(crop, matte, labels, NOWHERE, WarpSettings().holes)[HOLE].mean() < 0.8


def test_where_hardly_any_background_is_seen_nothing_changes():
    crop, _, labels = portrait()
    full = np.ones((SIDE, SIDE), np.float32)
    assert np.array_equal(mend_matte(crop, full, labels, NOWHERE, WarpSettings().holes), full)


EVERYWHERE = np.ones((64, 64), np.float32)


@pytest.mark.parametrize("label", [FaceLabel.BACKGROUND, FaceLabel.HAIR])
def test_hair_that_shines_before_the_skull_stays(label):
    crop, matte, labels = portrait(hole_label=label)
    mended = mend_matte(crop, matte, labels, EVERYWHERE, WarpSettings().holes)
    assert mended[HOLE].min() > 0.99
    assert mended[matte == 0].max() < 0.01


def test_a_hole_in_the_matte_before_the_skull_is_closed_and_one_beside_it_is_not():
    crop, matte, labels = portrait()
    matte[HOLE] = 0.3
    assert mend_matte(crop, matte, labels, EVERYWHERE, WarpSettings().holes)[HOLE].min() > 0.99
    assert mend_matte(crop, matte, labels, NOWHERE, WarpSettings().holes)[HOLE].max() < 0.31


def test_strands_at_the_outline_keep_no_rim_of_the_wall():
    crop, matte, labels = portrait()
    rim = np.s_[126:130, 217:218]  # hair mixed with the wall, all of it in the matte
    crop[rim] = WALL + 0.5 * (HAIR - WALL)
    mended = mend_matte(crop, matte, labels, NOWHERE, WarpSettings().holes)
    assert 0.35 < mended[rim].mean() < 0.65


def test_a_head_reaches_up_into_its_hair_and_is_no_wider_than_the_mesh():
    model = HeadModel.load()
    head = an_identity().geometries[0]
    settings = WarpSettings().holes
    bald = solid_head(head, model, replace(settings, hair_on_top=0.0))
    raised = solid_head(head, model, settings)
    assert (raised >= bald).all() and raised.sum() > bald.sum()
    top = [np.flatnonzero(mask.any(axis=1))[0] for mask in (bald, raised)]
    assert top[0] - top[1] == round(settings.hair_on_top * len(raised))
    assert np.array_equal(raised.any(axis=0), bald.any(axis=0))
