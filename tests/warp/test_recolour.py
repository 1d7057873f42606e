"""Hair and clothes of another colour."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from hifi_portrait.head.mesh import Part
from hifi_portrait.prompts.clothes import CLOTHES_COLOURS
from hifi_portrait.prompts.hair import HAIR_COLOURS
from hifi_portrait.warp.clothing.segment import segment_clothes
from hifi_portrait.warp.draw import warp_picture
from hifi_portrait.warp.face.places import cheek_vertices
from hifi_portrait.warp.hair.segment import segment_hair
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.recolour import dye
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, paint, person

SETTINGS = WarpSettings()

SIDE = 192
SKIN, HAIR = (200, 150, 130), (60, 45, 38)


def haired(model, colour=HAIR):
    """A photo of a head whose scalp has a colour, and where that is."""
    target = paint(model, geometry(0.0, SIDE))
    grown = scalp(model, SETTINGS.scalp).fullness_of(model.num_vertices)
    on_scalp = target.raster.interpolate(grown[:, None], model.triangles)[..., 0] > 0.5
    picture = np.where(target.raster.mask[..., None], SKIN, (90, 120, 160)).astype(np.float32)
    picture[on_scalp] = colour
    strands = 1 + 0.3 * np.sin(np.arange(SIDE))[None, :, None]
    return target, np.where(on_scalp[..., None], picture * strands, picture), on_scalp


@pytest.mark.parametrize("name", ["black", "blond", "red", "white", "blue"])
def test_dyed_hair_has_the_named_colour_and_its_strands(model, name):
    target, picture, on_scalp = haired(model)
    fraction = segment_hair(picture, np.zeros((SIDE, SIDE), np.float32), target.raster, model, SETTINGS)
    drawn = dye(picture, fraction, name, HAIR_COLOURS, SETTINGS)
    requested = np.array(HAIR_COLOURS[name])
    median = np.median(drawn[fraction > 0.9], axis=0)
    assert np.abs(median - requested).max() < 0.15 * 255
    assert (np.argsort(median) == np.argsort(requested)).all() or np.ptp(requested) < 12
    before, after = (one.mean(axis=2)[fraction > 0.9] for one in (picture, drawn))
    assert np.corrcoef(before, after)[0, 1] > 0.9 and after.std() / after.mean() > 0.05
    face = target.raster.interpolate(
        np.isin(np.arange(model.num_vertices), cheek_vertices(model))[:, None], model.triangles
    )
    assert np.array_equal(drawn[face[..., 0] > 0.9], picture[face[..., 0] > 0.9])
    assert (fraction[on_scalp] > 0.5).mean() > 0.9 and fraction[~on_scalp & target.raster.mask].mean() < 0.1


def test_bald_heads_have_no_hair_to_dye(model):
    target, picture, _ = haired(model, SKIN)
    assert (
        segment_hair(picture, np.zeros((SIDE, SIDE), np.float32), target.raster, model, SETTINGS).max() == 0
    )


@pytest.mark.parametrize(("own", "name"), [((110, 80, 58), "brown"), ((40, 36, 34), "black")])
def test_hair_that_has_the_colour_stays_as_it_is(model, own, name):
    target, picture, _ = haired(model, own)
    fraction = segment_hair(picture, np.zeros((SIDE, SIDE), np.float32), target.raster, model, SETTINGS)
    np.testing.assert_allclose(dye(picture, fraction, name, HAIR_COLOURS, SETTINGS), picture, atol=1e-3)
    assert (
        np.abs(dye(picture, fraction, "white", HAIR_COLOURS, SETTINGS) - picture)[fraction > 0.9].mean() > 50
    )


def test_skin_in_warm_shade_beside_hair_is_not_dyed(model):
    target, picture, on_scalp = haired(model, (150, 85, 45))
    light = np.clip(np.linspace(-1.4, 2.2, SIDE), 0, 1)[None, :, None]
    shaded = picture * (light + (1 - light) * np.array([0.7, 0.5, 0.38]))
    none = np.zeros((SIDE, SIDE), np.float32)
    fraction = segment_hair(shaded, none, target.raster, model, SETTINGS)
    skin = erode(target.raster.mask & ~on_scalp, 4) & (model.parts[target.raster.triangle] == Part.SKIN)
    assert (fraction[erode(on_scalp, 2)] > 0.9).mean() > 0.95
    assert fraction[skin].max() < 0.1
    np.testing.assert_array_equal(
        dye(shaded, fraction, "blue", HAIR_COLOURS, SETTINGS)[skin & (fraction == 0)],
        shaded.astype(np.float32)[skin & (fraction == 0)],
    )


def test_sheen_keeps_its_detail_near_the_brightest_that_is_drawn(model):
    _, picture, on_scalp = haired(model)
    rows = np.flatnonzero(on_scalp.any(axis=1))
    sheen = on_scalp & (np.arange(SIDE)[:, None] < rows[0] + 12)
    strands = 2.2 + 0.6 * (np.arange(SIDE) % 4 > 1)[None, :, None] * np.ones((SIDE, 1, 1))
    picture[sheen] = (np.array(HAIR) * strands)[sheen]
    drawn = dye(picture, on_scalp.astype(np.float32), "red", HAIR_COLOURS, SETTINGS, translucent=True)
    assert drawn.mean(axis=2)[erode(sheen, 2)].std() > 1


def erode(mask, pixels):
    return cv2.erode(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


def test_hair_off_the_mesh_is_dyed_with_that_on_it(model):
    target, picture, _ = haired(model)
    loose = np.zeros((SIDE, SIDE), np.float32)
    loose[40:60, 20:40] = 0.8
    fraction = segment_hair(picture, loose, target.raster, model, SETTINGS)
    np.testing.assert_allclose(fraction[45:55, 25:35], 0.8)


def test_a_target_has_the_hair_that_it_names(model):
    target, picture, on_scalp = haired(model)
    photos = person((0.0,), SIDE)
    photos = dataclasses.replace(photos, crops=picture[None].clip(0, 255).astype(np.uint8))
    own, _ = warp_picture(photos, target)
    red, _ = warp_picture(photos, dataclasses.replace(target, hair="red"))
    assert np.array_equal(own, warp_picture(photos, dataclasses.replace(target, hair="own"))[0])
    redness = red[..., 0].astype(int) - red[..., 2]
    inner = on_scalp & (np.indices(on_scalp.shape)[0] > 45)
    assert (redness[inner] > 50).mean() > 0.8
    face = target.raster.mask & ~on_scalp & (np.indices(on_scalp.shape)[0] > 100)
    assert np.abs(red[face].astype(int) - own[face]).mean() < 1


def clothed(model, colour, neckline=0.0):
    """A head in a shirt of one colour, with folds, and where the shirt is."""
    target = paint(model, geometry(0.0, SIDE))
    body = target.raster.mask & (model.parts[target.raster.triangle] == Part.SHOULDERS)
    rows = np.flatnonzero(body.any(axis=1))
    row, column = np.indices((SIDE, SIDE))
    shirt = body & (row > rows[0] + 20 + neckline * (40 - np.abs(column - SIDE / 2)))
    picture = np.where(target.raster.mask[..., None], SKIN, (90, 120, 160)).astype(np.float32)
    picture[shirt] = colour
    folds = (1 + 0.15 * np.sin(np.arange(SIDE) / 3))[None, :, None]
    return target, np.where(shirt[..., None], picture * folds, picture), shirt, body


NONE = np.zeros((SIDE, SIDE), np.float32)


@pytest.mark.parametrize("neckline", [0.0, 0.8])
@pytest.mark.parametrize(
    ("own", "name"), [((60, 90, 170), "red"), ((230, 230, 228), "navy"), ((40, 40, 44), "yellow")]
)
def test_clothes_are_dyed_and_skin_is_not(model, own, name, neckline):
    target, picture, shirt, body = clothed(model, own, neckline)
    fraction = segment_clothes(picture, NONE, NONE, target.raster, model, SETTINGS)
    drawn = dye(picture, fraction, name, CLOTHES_COLOURS, SETTINGS)
    assert np.abs(np.median(drawn[shirt], axis=0) - CLOTHES_COLOURS[name]).max() < 30
    assert (fraction[shirt] > 0.5).mean() > 0.95 and (fraction[body & ~shirt] > 0.5).mean() < 0.1
    assert fraction[~body].max() == 0
    inner = fraction > 0.99
    assert np.corrcoef(picture[inner].mean(axis=1), drawn[inner].mean(axis=1))[0, 1] > 0.9


def test_clothes_in_the_shade_are_clothes_and_lit_skin_is_not(model):
    target, picture, shirt, body = clothed(model, (225, 226, 228))
    column = np.indices(shirt.shape)[1]
    shade, lit = shirt & (column < SIDE / 2), body & ~shirt & (column > SIDE / 2)
    picture[shade] *= 0.62  # as dark as skin
    picture[lit] = np.minimum(picture[lit] * 1.28, 255)  # as light as the shirt
    fraction = segment_clothes(picture, NONE, NONE, target.raster, model, SETTINGS)
    assert (fraction[shade] > 0.5).mean() > 0.9 and (fraction[shirt & ~shade] > 0.5).mean() > 0.9
    assert (fraction[lit] > 0.5).mean() < 0.15


def test_clothes_of_the_skins_colour_are_told_by_their_place(model):
    target, picture, shirt, body = clothed(model, SKIN)
    fraction = segment_clothes(picture, NONE, NONE, target.raster, model, SETTINGS)
    row = np.indices(shirt.shape)[0]
    assert (fraction[shirt & (row > SIDE - 12)] > 0.5).mean() > 0.9
    neck = body & (row < np.flatnonzero(body.any(axis=1))[0] + 0.05 * SIDE)
    assert fraction[neck].max() < 0.1 and fraction[~body].max() == 0


def test_what_is_too_small_to_tell_is_left_as_it_is(model):
    target = paint(model, geometry(0.0, 48))
    picture = target.image.astype(np.float32)
    none = np.zeros((48, 48), np.float32)
    assert np.isfinite(segment_clothes(picture, none, none, target.raster, model, SETTINGS)).all()
    fraction = segment_hair(picture, none, target.raster, model, SETTINGS)
    assert np.array_equal(dye(picture, fraction, "red", HAIR_COLOURS, SETTINGS)[:2], picture[:2])
    assert np.isfinite(dye(picture, np.ones_like(none), "red", HAIR_COLOURS, SETTINGS)).all()


def test_hair_that_hangs_over_clothes_is_not_dyed_with_them(model):
    target, picture, shirt, _ = clothed(model, (60, 90, 170))
    hair = np.zeros((SIDE, SIDE), np.float32)
    hair[:, 60:75] = 1
    picture[(hair > 0) & shirt] = HAIR
    fraction = segment_clothes(picture, NONE, hair, target.raster, model, SETTINGS)
    assert fraction[:, 63:72].max() < 0.1 and (fraction[shirt & (hair == 0)] > 0.4).mean() > 0.9


def test_a_target_has_the_clothes_that_it_names(model):
    target, picture, shirt, _ = clothed(model, (60, 90, 170))
    photos = person((0.0,), SIDE)
    photos = dataclasses.replace(photos, crops=picture[None].clip(0, 255).astype(np.uint8))
    own, _ = warp_picture(photos, dataclasses.replace(target, clothes="own"))
    red, _ = warp_picture(photos, dataclasses.replace(target, clothes="red"))
    assert (red[..., 0].astype(int) - red[..., 2] > 60)[shirt].mean() > 0.9
    assert (own[..., 2].astype(int) - own[..., 0] > 60)[shirt].mean() > 0.9
    above = np.indices(shirt.shape)[0] < 90
    assert np.array_equal(red[above], own[above])


@pytest.mark.parametrize("translucent", [False, True])
def test_what_is_translucent_is_more_saturated_where_it_is_darker(translucent):
    shades = np.linspace(40, 120, 64, dtype=np.float32)
    picture = np.broadcast_to(shades[:, None, None], (64, 8, 3))
    drawn = dye(picture, np.ones((64, 8)), "blond", HAIR_COLOURS, SETTINGS, translucent=translucent)[8:56, 0]
    red_to_blue = drawn[:, 0] / drawn[:, 2]
    assert (red_to_blue[0] > 1.2 * red_to_blue[-1]) == translucent
    assert (np.diff(drawn.mean(axis=1)) >= 0).all()


def test_edges_of_what_is_dyed_are_not_brighter_than_it():
    picture = np.full((40, 40, 3), 40, np.float32)
    picture[:, 20:] = 220  # skin beside hair
    fraction = np.ones((40, 40))
    fraction[:, 19:21], fraction[:, 21:] = 0.5, 0
    picture[:, 19:21] = 130
    drawn = dye(picture, fraction, "red", HAIR_COLOURS, SETTINGS)[20]
    mixed = 0.5 * np.array(HAIR_COLOURS["red"]) + 0.5 * 130
    assert (drawn[19:21] < mixed + 5).all()


def test_a_pale_blue_shirt_is_no_white_one():
    pale = np.full((20, 20, 3), (190, 205, 225), np.float32)
    drawn = dye(pale, np.ones((20, 20)), "white", CLOTHES_COLOURS, SETTINGS)
    assert np.ptp(drawn[0, 0]) < 5


def test_sheen_is_evened_out():
    brightness = 60 * np.exp(np.random.default_rng(0).normal(0, 0.5, (40, 40, 1)))
    picture = np.repeat(brightness, 3, axis=2).clip(1, 250).astype(np.float32)
    bounds = dataclasses.replace(SETTINGS.recolour, brightness_range=(-4.0, 4.0))
    free = dataclasses.replace(bounds, max_contrast=100.0)

    def contrast(recolour):
        settings = dataclasses.replace(SETTINGS, recolour=recolour)
        drawn = dye(picture, np.ones((40, 40)), "navy", CLOTHES_COLOURS, settings)
        return np.log(drawn[..., 2]).std() * 2.2  # of linear light

    assert contrast(free) > 1.3 * contrast(bounds)
    assert contrast(bounds) < 1.5 * bounds.max_contrast


@pytest.mark.parametrize("name", CLOTHES_COLOURS)
def test_what_is_like_no_named_colour_is_dyed_to_each(name):
    neon = np.full((20, 20, 3), (40, 255, 20), np.float32)
    assert np.abs(dye(neon, np.ones((20, 20)), name, CLOTHES_COLOURS, SETTINGS) - neon).max() > 10
