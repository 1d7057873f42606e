"""What of a photo's person is off the mesh, and what of it is hair."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.warp.clear_background import clear_background
from hifi_portrait.warp.hair.beside_mesh import find_pieces
from hifi_portrait.warp.settings import WarpSettings

SETTINGS = WarpSettings()

SIDE = 128
SKIN, HAIR = (190, 140, 120), (50, 40, 35)


@pytest.mark.parametrize(("top", "stays"), [(40, True), (80, False)])
def test_hair_hangs_from_above_the_ears_end(top, stays):
    hair = np.zeros((SIDE, SIDE), np.float32)
    hair[top:110, 10:30] = 1
    assert find_pieces(hair, SETTINGS.loose_hair, 0.5).any() == stays


def test_small_pieces_of_hair_are_left_out():
    hair = np.zeros((SIDE, SIDE), np.float32)
    hair[10:50, 10:50] = 1
    hair[20:23, 80:83] = 1
    kept = find_pieces(hair, SETTINGS.loose_hair, 0.5)
    assert kept[10:50, 10:50].all() and not kept[:, 60:].any()


def test_strands_beside_a_person_are_no_background():
    crop = np.full((SIDE, SIDE, 3), 200, np.uint8)
    matte = np.zeros((SIDE, SIDE), np.float32)
    matte[30:, 44:84] = 1
    crop[matte > 0] = SKIN
    crop[40:90, 92:94] = HAIR  # a strand that the matte has not
    crop[10:20, 5:15] = (0, 0, 250)  # something far from the person
    behind = clear_background(crop, matte, np.ones((SIDE, SIDE), np.float32), SETTINGS.background)
    assert np.abs(behind[40:90, 88:100] - 200).max() < 12
    np.testing.assert_allclose(behind[12:18, 7:13], np.broadcast_to((0, 0, 250), (6, 6, 3)), atol=1)


@pytest.mark.parametrize(("around", "stays"), [(200, False), ((250, 60, 60), True)])
def test_beside_a_person_only_a_plain_background_goes_on_as_it_is_farther_away(around, stays):
    crop = np.full((SIDE, SIDE, 3), 200, np.uint8)
    matte = np.zeros((SIDE, SIDE), np.float32)
    matte[30:, 44:84] = 1
    crop[20:, 10:118] = around  # what else there is about the person
    crop[matte > 0] = SKIN
    crop[60:72, 90:102] = (120, 130, 200)  # a patch beside it
    behind = clear_background(crop, matte, np.ones((SIDE, SIDE), np.float32), SETTINGS.background)
    assert (np.abs(behind[62:70, 93:99] - (120, 130, 200)).max() < 60) == stays


@pytest.mark.parametrize("deviation", [0.0, 3.0])
def test_what_is_filled_in_is_as_grainy_as_the_photo(deviation):
    noise = np.random.default_rng(1).normal(0, deviation, (SIDE, SIDE, 3))
    crop = np.clip(150 + noise, 0, 255).round().astype(np.uint8)
    matte = np.zeros((SIDE, SIDE), np.float32)
    matte[20:, 24:104] = 1
    behind = clear_background(crop, matte, np.ones((SIDE, SIDE), np.float32), SETTINGS.background)
    hidden, shown = behind[60:120, 44:84], behind[:12]
    assert hidden.std() == pytest.approx(deviation, abs=0.5)
    assert shown.std() == pytest.approx(deviation, abs=0.5)
