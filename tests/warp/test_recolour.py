"""Hair and clothes of another colour."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from hifi_portrait.head.mesh import Part
from hifi_portrait.prompts.clothes import CLOTHES_COLOURS
from hifi_portrait.prompts.hair import HAIR_COLOURS
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.clothing.segment import segment_clothes
from hifi_portrait.warp.draw import warp_picture
from hifi_portrait.warp.face.places import cheek_vertices
from hifi_portrait.warp.hair.dye import dye_hair, refine_hair
from hifi_portrait.warp.hair.segment import segment_hair
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.recolour import dye, recolour, recolour_beyond
from hifi_portrait.warp.references import read_references
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, paint, person

SETTINGS = WarpSettings()

SIDE = 192
SKIN, HAIR = (200, 150, 130), (60, 45, 38)
SOLID = np.ones((SIDE, SIDE), np.float32)


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
    drawn = dye_hair(picture, fraction, SOLID, name, HAIR_COLOURS, SETTINGS)
    requested = np.array(HAIR_COLOURS[name])
    median = np.median(drawn[fraction > 0.9], axis=0)
    assert np.abs(median - requested).max() < 0.15 * 255
    assert (np.argsort(median) == np.argsort(requested)).all() or np.ptp(requested) < 12
    before, after = (one.mean(axis=2)[fraction > 0.9] for one in (picture, drawn))
    assert np.corrcoef(before, after)[0, 1] > 0.85 and after.std() / after.mean() > 0.05
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
    np.testing.assert_allclose(
        dye_hair(picture, fraction, SOLID, name, HAIR_COLOURS, SETTINGS), picture, atol=1e-3
    )
    white = dye_hair(picture, fraction, SOLID, "white", HAIR_COLOURS, SETTINGS)
    assert np.abs(white - picture)[fraction > 0.9].mean() > 50


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
        dye_hair(shaded, fraction, SOLID, "blue", HAIR_COLOURS, SETTINGS)[skin & (fraction == 0)],
        shaded.astype(np.float32)[skin & (fraction == 0)],
    )


def test_sheen_keeps_its_detail_near_the_brightest_that_is_drawn(model):
    _, picture, on_scalp = haired(model)
    rows = np.flatnonzero(on_scalp.any(axis=1))
    sheen = on_scalp & (np.arange(SIDE)[:, None] < rows[0] + 12)
    strands = 2.2 + 0.6 * (np.arange(SIDE) % 4 > 1)[None, :, None] * np.ones((SIDE, 1, 1))
    picture[sheen] = (np.array(HAIR) * strands)[sheen]
    drawn = dye_hair(picture, on_scalp.astype(np.float32), SOLID, "red", HAIR_COLOURS, SETTINGS)
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


def test_dark_and_light_strands_have_the_same_hue():
    strands = 60 + 25 * np.sin(np.arange(SIDE) / 2)[:, None, None]
    picture = np.asarray(strands * np.ones((1, SIDE, 3)), np.float32)
    drawn = dye_hair(picture, SOLID, SOLID, "blond", HAIR_COLOURS, SETTINGS)[:, SIDE // 2]
    lightness, first, second = cv2.cvtColor(drawn[None] / 255, cv2.COLOR_RGB2LAB)[0].T
    assert np.ptp(lightness) > 10
    assert np.ptp(np.degrees(np.arctan2(second, first))) < 6
    dark, light = lightness.argmin(), lightness.argmax()
    assert np.hypot(first[dark], second[dark]) / lightness[dark] > 0.9 * (
        np.hypot(first[light], second[light]) / lightness[light]
    )


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


def test_single_hairs_over_skin_are_hair_and_the_skin_between_is_not():
    picture = np.full((SIDE, SIDE, 3), SKIN, np.float32)
    picture[:80] = HAIR
    picture[80:83, ::6] = HAIR  # hairs that reach over the rough edge
    rough = np.zeros((SIDE, SIDE), np.float32)
    rough[:81] = 1
    fraction = refine_hair(picture, rough, SOLID, SETTINGS.hair_dye)
    assert fraction[:70].min() > 0.95 and fraction[95:].max() < 0.05
    assert fraction[81:83, ::6].min() > 0.9
    between = np.delete(fraction[81:83], np.s_[::6], axis=1)
    assert between.max() < 0.1


def test_hair_is_hair_out_to_its_soft_end():
    alpha = np.zeros((SIDE, SIDE), np.float32)
    alpha[:, 40:150] = 1
    alpha = cv2.GaussianBlur(alpha, (0, 0), 2)
    picture = np.full((SIDE, SIDE, 3), HAIR, np.float32)
    picture[100:] = SKIN
    hair = alpha * (np.arange(SIDE)[:, None] < 100)
    fraction = refine_hair(picture, hair, alpha, SETTINGS.hair_dye)
    assert fraction[:80][alpha[:80] > 0.1].min() > 0.95  # the background's share of a pixel is alpha's to say


def test_flat_black_hair_gets_the_shades_of_light_hair():
    rng = np.random.default_rng(0)
    lightness = 14 + rng.normal(0, 1.2, (1, SIDE, 1)) * np.ones((SIDE, 1, 3))
    dyed = dye_hair(lightness, SOLID, SOLID, "blond", HAIR_COLOURS, SETTINGS)
    assert dyed.mean(axis=2).std() > 2.5 * lightness.mean(axis=2).std()


def test_hairs_in_the_background_are_dyed_and_its_shade_stays():
    behind = np.full((SIDE, SIDE, 3), 210, np.float32)
    before, after = np.zeros_like(behind) + HAIR, np.zeros_like(behind) + HAIR_COLOURS["blond"]
    fraction = np.zeros((SIDE, SIDE), np.float32)
    fraction[:, :60] = 1
    shade = np.linspace(0, 12, SIDE)[None, :, None] * np.ones((SIDE, 1, 3))
    remainder = shade.copy()
    remainder[100, 60:70] += 0.5 * (np.array(HAIR) - 210)  # half a pixel of dark hair
    new = recolour_beyond(remainder, before, after, fraction, behind, SETTINGS.recolour)
    hair = (new - shade)[100, 60:66].mean(axis=0)
    assert np.abs(hair - 0.5 * (np.array(HAIR_COLOURS["blond"]) - 210)).max() < 8
    assert np.abs(new - shade)[:90].max() < 1.5 and np.abs(new - shade)[:, 130:].max() < 1e-4


def test_hair_that_the_mesh_shows_is_dyed_where_parsing_is_known(model):
    """As over an ear, where the model itself has skin, and no photo's own pixels are drawn."""
    target, settings = paint(model, geometry(35.0, SIDE)), WarpSettings()
    target = dataclasses.replace(target, hair="blue")
    photo = person((0.0,), SIDE)
    sources = read_references(photo, target.geometry, SIDE, model, settings, bare_eyes=False)
    context = WarpContext(sources, target, model, settings)
    head = target.raster.mask
    there = head & (np.arange(SIDE) > np.nonzero(head)[1].mean())  # half of the head
    canvas = dataclasses.replace(
        Canvas.blank(context),
        colour=np.where(head[..., None], SKIN, 0).astype(np.float32),
        alpha=head.astype(np.float32),
        parsed=np.zeros((SIDE, SIDE, 2), np.float32),
        hair_on_mesh=there.astype(np.float32),
    )
    change = np.abs(recolour(context, canvas).colour - canvas.colour).max(axis=2)
    assert (change[there] > 20).mean() > 0.9
    assert change[head & ~cv2.dilate(there.astype(np.uint8), np.ones((9, 9))).astype(bool)].mean() < 5
