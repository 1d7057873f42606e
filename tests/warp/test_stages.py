"""The warp as a list of stages."""

import copy
import dataclasses

import numpy as np
import pytest

from hifi_portrait.head.model import HeadModel
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.draw import STAGES, draw_warp
from hifi_portrait.warp.references import read_references
from hifi_portrait.warp.settings import SurfaceSettings, WarpSettings
from painted_heads import geometry, paint, person

SIZE = 96


@pytest.fixture(scope="module")
def photos():
    return person((-20.0, 20.0), SIZE)


@pytest.fixture(scope="module")
def target():
    """A head for which every stage has something to do."""
    head = geometry(45.0, SIZE, jawOpen=0.6).replace(gaze=np.array([25.0, 0]))
    return dataclasses.replace(paint(HeadModel.load(), head), glasses="round", hair="red", clothes="navy")


@pytest.fixture(scope="module")
def context(photos, target):
    model, settings = HeadModel.load(), WarpSettings()
    sources = read_references(photos, target.geometry, SIZE, model, settings, bare_eyes=True)
    return WarpContext(sources, target, model, settings)


def arrays(value):
    """All arrays in a dataclass."""
    if dataclasses.is_dataclass(value):
        return [array for field in dataclasses.fields(value) for array in arrays(getattr(value, field.name))]
    return [value] if isinstance(value, np.ndarray) else []


def test_no_stage_writes_into_what_it_is_given(context):
    canvas = Canvas.blank(context)
    for stage in STAGES:
        given = [*arrays(canvas), *arrays(context.sources), *arrays(context.target)]
        before = copy.deepcopy(given)
        canvas = stage(context, canvas)
        for array, was in zip(given, before, strict=True):
            np.testing.assert_array_equal(array, was, err_msg=stage.__name__)


def test_every_stage_changes_the_canvas(context):
    canvas = Canvas.blank(context)
    for stage in STAGES:
        drawn = stage(context, canvas)
        changed = [not np.array_equal(*pair) for pair in zip(arrays(canvas), arrays(drawn), strict=True)]
        assert any(changed), stage.__name__
        canvas = drawn


def test_a_warp_is_what_its_stages_draw(photos, target, context):
    canvas = Canvas.blank(context)
    for stage in STAGES:
        canvas = stage(context, canvas)
    warp = draw_warp(photos, target)
    assert np.array_equal(warp.picture, np.clip(canvas.colour + 0.5, 0, 255).astype(np.uint8))
    np.testing.assert_array_equal(warp.dyed, canvas.dyed)


def test_settings_reach_the_stages(photos, target):
    blind = WarpSettings(surface=SurfaceSettings(faint_visibility=0.9))
    warps = [draw_warp(photos, target, settings=settings) for settings in (None, WarpSettings(), blind)]
    assert np.array_equal(warps[0].picture, warps[1].picture)
    assert not np.array_equal(warps[0].picture, warps[2].picture)


def test_no_stage_is_left_out_and_their_order_is_kept():
    names = (
        "raise_hair cut_shoulders correct_light blend_surface draw_mouth fill_unseen paint_eyes close_gaps"
    )
    names += " draw_photo even_skin shape_ears recolour add_background put_on_glasses"
    assert [stage.__name__ for stage in STAGES] == names.split()
