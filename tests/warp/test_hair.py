import dataclasses

import numpy as np
import pytest

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import rasterise
from hifi_portrait.warp.draw import warp_picture
from hifi_portrait.warp.hair.shell import draw_scalp, measure_thickness, raise_scalp, scalp
from hifi_portrait.warp.hair.strands import draw_strands
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, paint, person

SETTINGS = WarpSettings()

SIZE = 256


def scalp_of(model):
    return scalp(model, SETTINGS.scalp)


def haired(yaw, thickness):
    """Head, its vertices, and the matte of the head with hair as thick, in metres, as given."""
    model, head = HeadModel.load(), geometry(yaw, SIZE)
    points = model.posed(head)
    full = thickness * scalp_of(model).fullness
    surface = raise_scalp(points, full, scalp_of(model), model)
    matte = rasterise(head.camera.project(surface), 1 / surface[:, 1], model.triangles, SIZE, SIZE).mask
    return head, points, matte.astype(np.float32)


@pytest.mark.parametrize("thickness", [0.0, 0.012, 0.03])
def test_thickness_is_read_from_outlines(thickness):
    model = HeadModel.load()
    heads, points, mattes = zip(*(haired(yaw, thickness) for yaw in (-35.0, 0.0, 35.0)), strict=True)
    found = measure_thickness(points, heads, np.stack(mattes), model, SETTINGS)
    full = scalp_of(model).fullness == 1
    assert found.shape == (3, len(scalp_of(model).vertices))
    assert np.median(np.abs(found[:, full] - thickness)) < 0.004


def test_a_photo_that_shows_no_outline_takes_the_others_thickness():
    model = HeadModel.load()
    heads, points, mattes = zip(*(haired(yaw, 0.02) for yaw in (0.0, 10.0)), strict=True)
    everywhere = np.ones_like(mattes[1])  # a matte without an edge
    found = measure_thickness(points, heads, np.stack([mattes[0], everywhere]), model, SETTINGS)
    full = scalp_of(model).fullness == 1
    assert np.median(found[1, full]) == pytest.approx(np.median(found[0, full]), abs=0.003)


def test_hair_leaves_face_and_ears_alone():
    model = HeadModel.load()
    points = model.posed(geometry(20.0, SIZE))
    moved = np.linalg.norm(
        raise_scalp(points, 0.03 * scalp_of(model).fullness, scalp_of(model), model) - points,
        axis=1,
    )
    mean = model.mean[: model.num_vertices]
    ear = np.abs(mean[:, 0]) > 0.95 * np.abs(mean[model.triangles[model.parts == Part.SKIN], 0]).max()
    below_brows = (mean[:, 2] < 0.04) & (mean[:, 1] < -0.06)
    assert moved[ear].max() == moved[below_brows].max() == 0
    assert moved.max() == pytest.approx(0.03, rel=0.01)


def test_raised_scalp_is_drawn_before_the_head():
    model, head = HeadModel.load(), geometry(0.0, SIZE)
    bald = paint(model, head).raster
    surface = raise_scalp(model.posed(head), 0.03 * scalp_of(model).fullness, scalp_of(model), model)
    drawn = draw_scalp(bald, surface, head, scalp_of(model), model)
    assert drawn.mask.sum() > bald.mask.sum()
    assert (drawn.depth <= bald.depth).all()
    nose = drawn.triangle[SIZE // 2, SIZE // 2]
    assert nose == bald.triangle[SIZE // 2, SIZE // 2]


def red_haired(yaws):
    """A painted person whose scalp's upper part, and what stands off it, is red."""
    model, photos = HeadModel.load(), person(yaws, SIZE)
    crops, mattes = photos.crops.copy(), photos.mattes.copy()
    for n, head in enumerate(photos.geometries):
        _, points, mattes[n] = haired(yaws[n], 0.02)
        surface = raise_scalp(points, 0.02 * scalp_of(model).fullness, scalp_of(model), model)
        raster = rasterise(head.camera.project(surface), 1 / surface[:, 1], model.triangles, SIZE, SIZE)
        covered = scalp_of(model).spread_to(scalp_of(model).fullness > 0.3, model.num_vertices)
        hair = raster.interpolate(covered[:, None], model.triangles)[..., 0] > 0.5
        crops[n][mattes[n] > 0] = (200, 160, 140)
        crops[n][hair] = (180, 20, 20)
    return dataclasses.replace(photos, crops=crops, mattes=mattes)


def test_hair_that_no_photo_shows_has_the_colour_of_hair():
    model, target = HeadModel.load(), paint(HeadModel.load(), geometry(40.0, SIZE))
    picture, coverage = warp_picture(red_haired((0.0,)), target)
    grown = scalp_of(model).fullness_of(model.num_vertices)
    fullness = target.raster.interpolate(grown[:, None], model.triangles)[..., 0]
    unseen = (fullness > 0.95) & (coverage < 0.02)
    assert unseen.sum() > 100
    assert np.mean(picture[unseen][:, 1] < 80) > 0.9
    assert np.mean(picture[unseen][:, 0] > 110) > 0.9
    at_the_edge = (fullness > 0.15) & (fullness < 0.35) & (coverage < 0.02)
    assert at_the_edge.sum() > 60
    assert np.mean(picture[at_the_edge][:, 1] < 80) > 0.9


def test_hair_that_turns_keeps_its_thickness():
    target = paint(HeadModel.load(), geometry(30.0, SIZE))
    picture, _ = warp_picture(red_haired((0.0,)), target)
    _, _, truth = haired(30.0, 0.02)
    red = picture[..., 0].astype(int) - picture[..., 1] > 60
    rows = slice(0, int(np.flatnonzero(target.raster.mask.any(axis=1))[0]) + 10)  # about the crown
    overlap = (red & (truth > 0))[rows].sum() / (red | (truth > 0))[rows].sum()
    assert overlap > 0.7


def on_a_haired_head(thickness, contrast):
    """Strands on a head whose hair is noise of that contrast, and where its hair is."""
    model, head = HeadModel.load(), geometry(0.0, SIZE)
    grown = scalp_of(model).fullness_of(model.num_vertices)
    raster = paint(model, head).raster
    hair = raster.interpolate(grown[:, None], model.triangles)[..., 0] > 0.8
    noise = np.exp(contrast * np.random.default_rng(1).standard_normal((SIZE, SIZE, 1)))
    picture = np.repeat(100 * noise, 3, axis=2).astype(np.float32)
    return draw_strands(picture, hair.astype(np.float32), thickness, raster, model, SETTINGS), hair


def test_strands_are_as_uneven_as_hair_is():
    spread = [np.log(found[hair]).std() for found, hair in (on_a_haired_head(0.03, c) for c in (0.02, 0.06))]
    assert spread[0] < 0.5 * spread[1]
    assert 0.03 < spread[1] < 0.12


def test_long_hair_has_strands_and_cropped_hair_has_none():
    def along_to_across(thickness):
        found, hair = on_a_haired_head(thickness, 0.06)
        middle = hair & (np.abs(np.arange(SIZE) - SIZE / 2) < 12)  # there they run up and down
        down, across = (np.abs(np.diff(np.log(found), axis=axis, append=0))[middle].mean() for axis in (0, 1))
        return down / across

    assert along_to_across(0.03) < 0.7 < 0.8 < along_to_across(0.0) < 1.25
