"""Which reference decides, and how much the others count."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from hifi_portrait.head import HeadModel, Part
from hifi_portrait.head.model import part_vertices
from hifi_portrait.warp.choose import choose_references, mouth_weights, pose_fitness
from hifi_portrait.warp.face.places import mouth_nearness
from hifi_portrait.warp.glasses.settle import GlassesState
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.weights import weigh_references
from painted_heads import geometry

SETTINGS = WarpSettings().weights
TARGET = geometry(0.0)


def fitness_of(heads, quality=(1.0, 1.0), target=TARGET):
    return pose_fitness(heads, np.array(quality), target, SETTINGS)


def choose(heads, *, quality=(1.0, 1.0), worn=(False, False), requested=False, shoulders=(1.0, 1.0)):
    model = HeadModel.load()
    visibility = np.ones((len(heads), model.num_vertices), np.float32)
    visibility[:, part_vertices(model, Part.SHOULDERS)] = np.array(shoulders)[:, None]
    photos = SimpleNamespace(heads=heads, quality=np.array(quality), visibility=visibility)
    return choose_references(photos, GlassesState(np.array(worn), requested), TARGET, model, SETTINGS)


def test_the_head_turned_most_like_the_targets_is_the_fittest():
    near, far = fitness_of([geometry(10.0), geometry(-30.0)])
    assert near == 1
    assert far == pytest.approx(np.exp(-20 / SETTINGS.pose_scale), rel=0.02)


def test_of_two_alike_the_better_photo_is_fitter():
    better, worse = fitness_of([geometry(10.0), geometry(10.0)], quality=(0.9, 0.3))
    assert better == 1
    assert worse == pytest.approx((0.3 + SETTINGS.quality_floor) / (0.9 + SETTINGS.quality_floor))


def test_a_photo_with_closed_eyes_is_less_fit_for_open_ones():
    closed = geometry(0.0, eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    assert fitness_of([closed, TARGET])[0] == pytest.approx(np.exp(-SETTINGS.lid_weight))
    assert fitness_of([closed, TARGET], target=closed)[1] == pytest.approx(np.exp(-SETTINGS.lid_weight))


def test_the_main_reference_counts_in_full_and_the_others_little():
    choice = choose([geometry(30.0), geometry(5.0)])
    assert choice.main == 1 and choice.on_head[1] == 1
    assert choice.on_head[0] == pytest.approx(
        SETTINGS.other_weight * np.exp(-25 / SETTINGS.pose_scale), rel=0.02
    )


@pytest.mark.parametrize(("requested", "main"), [(False, 1), (True, 0)])
def test_of_two_alike_the_one_with_glasses_as_requested_decides(requested, main):
    assert choose([geometry(5.0)] * 2, worn=(True, False), requested=requested).main == main


def test_clothes_are_those_of_a_reference_that_shows_them():
    heads = [geometry(5.0), geometry(30.0)]
    assert choose(heads).dress == 0
    assert choose(heads, shoulders=(0.1, 1.0)).dress == 1


@pytest.mark.parametrize("coefficient", ["jawOpen", "mouthPucker"])
def test_about_the_mouth_the_one_that_holds_it_as_requested_counts_most(coefficient):
    held, otherwise = geometry(0.0, **{coefficient: 0.6}), geometry(0.0)
    weights = mouth_weights(np.array([0.5, 1.0]), [held, otherwise], held, SETTINGS)
    assert weights[0] == 1 and weights[1] < 0.7


def test_a_mouth_in_other_light_counts_less_at_the_mouth_alone():
    model = HeadModel.load()
    heads = [TARGET, TARGET]
    visibility = np.ones((2, model.num_vertices), np.float32)
    photos = SimpleNamespace(
        heads=heads, quality=np.ones(2), visibility=visibility, uncovered=np.ones((2, 1))
    )
    glasses = GlassesState(np.array([False, False]), False)
    choice = choose_references(photos, glasses, TARGET, model, SETTINGS)
    alike, unlike = (
        weigh_references(photos, choice, np.array([1.0, other]), glasses, TARGET, model, WarpSettings())
        for other in (1.0, 0.25)
    )
    assert list(alike.on_mouth) == [1, 1]
    assert list(unlike.on_mouth) == [1, 0.25]
    mouth = mouth_nearness(model, *SETTINGS.mouth_reach) == 1
    np.testing.assert_allclose(unlike.on_vertices[1, mouth], 0.25 * alike.on_vertices[1, mouth], rtol=1e-5)
    away = mouth_nearness(model, *SETTINGS.mouth_reach) == 0
    assert np.array_equal(unlike.on_vertices[:, away], alike.on_vertices[:, away])
