from dataclasses import replace

import numpy as np
import pytest

from hifi_portrait.faces.geometry import cut_out
from hifi_portrait.head import HeadModel
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.clear_background import clear_background
from hifi_portrait.warp.hair.in_photo import PhotoHair
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.image.photo_frame import in_photo
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.surface import fill_surface
from painted_heads import geometry, paint

SETTINGS = WarpSettings()


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_crop_beyond_its_photo_shows_it_within_the_photos_edges(photo, scale):
    moved = np.array([[scale, 0, 20], [0, scale, 10], [0, 0, 1]])
    shown = in_photo(cut_out(photo, moved, 192))
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    across, down = (20, 20 + 48 * scale - 1), (10, 10 + 64 * scale - 1)
    assert np.abs(np.array([columns[0], columns[-1]]) - across).max() <= scale
    assert np.abs(np.array([rows[0], rows[-1]]) - down).max() <= scale
    assert shown[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()


def test_a_crop_inside_its_photo_is_all_photo(photo):
    assert in_photo(photo[:48]).all()


def test_a_plain_backdrop_is_photo():
    crop = np.full((64, 64, 3), 200, np.uint8)
    crop[20:44, 20:44] = np.random.default_rng(0).integers(0, 256, (24, 24, 3))
    assert in_photo(crop).all()


def test_backgrounds_beyond_the_photo_have_no_streaks(photo):
    crop = cut_out(photo, np.array([[1.0, 0, 0], [0, 1, 40], [0, 0, 1]]), 48)
    matte = np.zeros((48, 48), np.float32)
    beyond = [
        clear_background(crop, matte, shown, SETTINGS.background)[:30]
        for shown in (in_photo(crop), np.ones_like(matte))
    ]
    smooth, streaked = (np.abs(np.diff(values, axis=1)).mean() for values in beyond)
    assert smooth < 0.1 * streaked


def all_body(side):
    """A raster that shows shoulders everywhere."""
    body = int(np.flatnonzero(HeadModel.load().parts == Part.SHOULDERS)[0])
    square = (side, side)
    return Raster(
        np.full(square, body, np.int32),
        np.full((*square, 3), 1 / 3, np.float32),
        np.ones(square, np.float32),
    )


def test_clothes_go_on_below_the_photo_in_their_own_colour():
    """Not in that of neck and hair above them."""
    seen = np.zeros((96, 96), np.float32)
    seen[:60] = 1
    colour = np.where(np.arange(96)[:, None, None] < 30, (90.0, 60.0, 40.0), 200.0)
    colour = np.repeat(colour, 96, axis=1).astype(np.float32)
    colour[60:] = 0
    filled, _ = fill_surface(colour, seen, PhotoHair(), all_body(96), HeadModel.load(), SETTINGS)
    np.testing.assert_allclose(filled[64:], 200, atol=8)
    np.testing.assert_allclose(filled[:50], colour[:50], atol=1e-3)


def test_cloth_keeps_its_weave_below_the_photo_and_is_not_drawn_out_into_streaks():
    rng = np.random.default_rng(0)
    seen = np.zeros((256, 256), np.float32)
    seen[:200] = 1
    woven = 190 + 12 * rng.standard_normal((256, 256))
    colour = np.repeat(woven[..., None], 3, axis=2).astype(np.float32)
    colour[200:] = 0
    filled, _ = fill_surface(colour, seen, PhotoHair(), all_body(256), HeadModel.load(), SETTINGS)
    below, above = filled[201:206, 20:-20, 0], colour[194:199, 20:-20, 0]
    assert below.std() == pytest.approx(above.std(), rel=0.35)
    assert abs(below.mean() - 190) < 3
    farther = filled[206:212, 20:-20, 0]
    down = np.corrcoef(farther[:-3].ravel(), farther[3:].ravel())[0, 1]
    assert abs(down) < 0.2  # streaks would go on from row to row


def test_a_light_garment_takes_no_colour_from_the_skin_at_its_neckline():
    """The photo mixes the two at their border, and this is not spread over what goes on below."""
    seen = np.zeros((256, 256), np.float32)
    seen[:200] = 1
    skin, cloth = np.array((150.0, 100.0, 80.0)), np.full(3, 240.0)
    share = np.clip((np.abs(np.arange(256) - 128) - 38) / 4, 0, 1)[None, :, None]
    colour = np.repeat(skin + share * (cloth - skin), 256, axis=0).astype(np.float32)
    colour[:60], colour[200:] = skin, 0
    raster = all_body(256)
    raster.triangle[:60] = int(np.flatnonzero(HeadModel.load().parts == Part.SKIN)[0])
    filled, _ = fill_surface(colour, seen, PhotoHair(), raster, HeadModel.load(), SETTINGS)
    assert np.abs(filled[210, 120:136] - skin).max() < 12
    assert np.abs(filled[210:250, :76] - cloth).max() < 6
    assert np.abs(filled[210:250, 180:] - cloth).max() < 6


def test_unseen_skin_is_not_filled_with_the_shade_of_the_heads_edge():
    model = HeadModel.load()
    skin = int(np.flatnonzero(model.parts == Part.SKIN)[0])
    raster = Raster(
        np.full((64, 96), skin, np.int32),
        np.full((64, 96, 3), 1 / 3, np.float32),
        np.ones((64, 96), np.float32),
    )
    seen = np.zeros((64, 96), np.float32)
    seen[:, :60], seen[:, 52:60] = 1, 0.3
    colour = np.zeros((64, 96, 3), np.float32)
    colour[:, :52], colour[:, 52:60] = (200, 150, 120), (60, 60, 60)
    filled, _ = fill_surface(colour, seen, PhotoHair(), raster, model, SETTINGS)
    np.testing.assert_allclose(filled[:, :50], colour[:, :50], atol=1e-3)
    assert np.abs(filled[:, 64:] - colour[0, 0]).max() < 12
    assert 60 < filled[32, 56, 0] < 195


def a_head_half_seen(parsed_top):
    """A scalp whose front is seen, skin-coloured but for dark temples; parsed so, or with hair on top too."""
    model = HeadModel.load()
    head = geometry(0.0, 256)
    raster = paint(model, head).raster
    grown = scalp(model, SETTINGS.scalp).fullness_of(model.num_vertices)
    fullness = raster.interpolate(grown[:, None], model.triangles)[..., 0]
    columns = np.abs(np.arange(256) - 128)
    temples = (columns > 25) & (fullness > 0.05)
    colour = np.where(temples[..., None], (40.0, 30.0, 25.0), (200.0, 150.0, 130.0)).astype(np.float32)
    seen = ((np.arange(256) < 128) & raster.mask).astype(np.float32)
    hair = temples | ((fullness > 0.05) & parsed_top)
    parsed = PhotoHair(hair.astype(np.float32), colour=np.array((40.0, 30.0, 25.0), np.float32))
    filled, made_up = fill_surface(colour * seen[..., None], seen, parsed, raster, model, SETTINGS)
    return filled, made_up, seen, fullness, parsed


def test_a_bald_top_does_not_give_hair_at_the_back_its_colour():
    filled, made_up, seen, fullness, _ = a_head_half_seen(parsed_top=False)
    unseen = (seen == 0) & (fullness > 0.9)
    assert unseen.sum() > 200 and made_up[unseen].min() > 0.9
    assert filled[unseen].mean() < 70


def test_a_bald_head_gets_no_hair():
    *_, seen, fullness, parsed = a_head_half_seen(parsed_top=False)
    bald = replace(parsed, shown=np.zeros_like(parsed.shown), colour=None)
    model = HeadModel.load()
    raster = paint(model, geometry(0.0, 256)).raster
    colour = np.full((256, 256, 3), (200.0, 150.0, 130.0), np.float32) * seen[..., None]
    filled, made_up = fill_surface(colour, seen, bald, raster, model, SETTINGS)
    unseen = (seen == 0) & (fullness > 0.9)
    assert made_up.max() == 0
    assert filled[unseen].min() > 110
