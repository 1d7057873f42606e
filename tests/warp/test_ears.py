"""Ears that stand out of the mesh's are no hair."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.warp.face.ears import remove_ears
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.image.colour import weighted_lab
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry

SETTINGS = WarpSettings()

SIDE = 128
SKIN, HAIR = (190, 140, 120), (50, 40, 35)


@pytest.fixture(scope="module")
def model():
    return HeadModel.load()


@pytest.fixture(scope="module")
def view(model):
    return SurfaceView.from_geometry(model, geometry(0.0, SIDE))


def test_ears_are_the_outermost_skin_on_either_side(model):
    right, left = (model.mean[ear] for ear in ear_vertices(model))
    assert (right[:, 0] < 0).all() and (left[:, 0] > 0).all()
    assert len(right) == pytest.approx(len(left), rel=0.1)
    for ear in (right, left):
        assert np.ptp(ear[:, 2]) < 0.08  # metres from the lobe to the tip


def a_photo(model, view, covered):
    """Hair above a head of skin colour, and something beside the left ear: skin, or hair that covers it."""
    crop = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    loose = np.zeros((SIDE, SIDE), np.float32)
    places = view.xy[ear_vertices(model)[1]] * SIDE
    top, outer = int(places[:, 1].min()), int(np.ceil(places[:, 0].max()))
    above, beside = np.s_[2:12, 40:88], np.s_[top : top + 8, outer + 1 : outer + 6]
    loose[above] = loose[beside] = 1
    crop[above] = HAIR
    if covered:
        crop[top - 4 : top + 20, outer - 12 : outer + 12] = HAIR
    return loose, crop, above, beside


def test_a_bare_ear_beside_the_mesh_is_dropped_and_hair_is_not(model, view):
    loose, crop, above, beside = a_photo(model, view, covered=False)
    kept = remove_ears(loose, weighted_lab(crop, SETTINGS.colour), view.xy, view.visibility, model, SETTINGS)
    assert kept[beside].max() < 0.05
    assert np.array_equal(kept[above], loose[above])


def test_hair_over_an_ear_stays(model, view):
    loose, crop, _, _ = a_photo(model, view, covered=True)
    assert np.array_equal(
        remove_ears(loose, weighted_lab(crop, SETTINGS.colour), view.xy, view.visibility, model, SETTINGS),
        loose,
    )


@pytest.mark.filterwarnings("error")
def test_an_ear_outside_the_crop_is_passed_over(model):
    head = geometry(0.0, SIDE)
    away = head.replace(translation=head.translation + np.array([0.25, 0, 0], np.float32))
    view = SurfaceView.from_geometry(model, away)
    loose, crop = np.zeros((SIDE, SIDE), np.float32), np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    loose[2:12, 40:88] = 1
    assert np.array_equal(
        remove_ears(loose, weighted_lab(crop, SETTINGS.colour), view.xy, view.visibility, model, SETTINGS),
        loose,
    )
