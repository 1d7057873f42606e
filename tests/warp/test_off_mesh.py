"""What of a photo's person is off the mesh, and what of it is hair."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.warp.background import clear_background
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.image.colour import weighted_lab
from hifi_portrait.warp.off_mesh.cutout import remove_backdrop, remove_cheeks
from hifi_portrait.warp.off_mesh.edges import find_pieces, taper_edges
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry

SETTINGS = WarpSettings()

SIDE = 128
SKIN, HAIR = (190, 140, 120), (50, 40, 35)


@pytest.mark.parametrize(("top", "stays"), [(40, True), (80, False)])
def test_hair_hangs_from_above_the_ears_end(top, stays):
    hair = np.zeros((SIDE, SIDE), np.float32)
    hair[top:110, 10:30] = 1
    assert find_pieces(hair, SETTINGS.edges, 0.5).any() == stays


def test_small_pieces_of_hair_are_left_out():
    hair = np.zeros((SIDE, SIDE), np.float32)
    hair[10:50, 10:50] = 1
    hair[20:23, 80:83] = 1
    kept = find_pieces(hair, SETTINGS.edges, 0.5)
    assert kept[10:50, 10:50].all() and not kept[:, 60:].any()


def test_what_is_off_the_mesh_grows_thin_towards_where_it_ends():
    on_mesh, alpha = np.zeros((SIDE, SIDE), bool), np.zeros((SIDE, SIDE), np.float32)
    on_mesh[:, :60] = True
    alpha[40:, 60:72] = 1  # a strip along the mesh that ends in a corner, twelve pixels thick
    alpha[on_mesh] = 1
    kept = taper_edges(alpha, on_mesh, 0.5, SETTINGS.edges)
    thickness = (kept > 0.5)[:, 60:].sum(axis=1)
    assert thickness[42] <= 2 and thickness[52] == pytest.approx(6, abs=1) and thickness[80] == 12
    assert (np.diff(thickness[:80]) <= 1).all()
    assert kept[on_mesh].all()


def test_long_hair_goes_on_where_a_cheek_stands_out_of_the_mesh(model):
    view = SurfaceView.from_geometry(model, geometry(0.0, SIDE))
    ear = view.xy[ear_vertices(model)[1]] * SIDE
    top, outer = np.ceil([ear[:, 1].min(), ear[:, 0].max()]).astype(int)
    crop, hair = np.full((SIDE, SIDE, 3), SKIN, np.uint8), np.zeros((SIDE, SIDE), np.float32)
    on_head = np.zeros((SIDE, SIDE), bool)
    on_head[20:100, 2 * 64 - outer : outer] = True
    hair[top - 10 : top + 50, outer : outer + 25] = 1
    crop[top - 10 : top + 50, outer + 3 : outer + 25] = HAIR  # and before it a strip of cheek
    mended = remove_cheeks(crop, weighted_lab(crop, SETTINGS.colour), hair, on_head, view.xy, model, SETTINGS)
    strip = np.s_[top : top + 50, outer : outer + 3]
    assert np.abs(mended[strip].astype(int) - HAIR).max() < 20
    assert np.array_equal(mended[on_head], crop[on_head])


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


def test_backdrop_between_curls_is_no_hair():
    crop = np.full((96, 96, 3), (225, 228, 230), np.uint8)
    crop[20:60, 20:60] = (50, 38, 30)  # hair
    crop[60:80:2, 20:60] = (50, 38, 30)  # curls
    hair = np.zeros((96, 96), np.float32)
    hair[20:80, 20:60] = 1  # the matte takes them whole
    found = remove_backdrop(hair, crop, hair, SETTINGS)
    assert found[22:58, 22:58].min() == 1
    assert found[60:80:2, 22:58].min() == 1 and found[61:80:2, 22:58].max() < 0.1
    dim = np.full_like(crop, (60, 48, 40))
    dim[hair > 0] = (50, 38, 30)  # hardly told from what is behind it
    assert np.array_equal(remove_backdrop(hair, dim, hair, SETTINGS), hair)
