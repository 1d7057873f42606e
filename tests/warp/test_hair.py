import dataclasses
import itertools

import numpy as np
import pytest

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import rasterise
from hifi_portrait.warp.draw import warp_picture
from hifi_portrait.warp.hair.pieces import about_crown, find_pieces_of_hair
from hifi_portrait.warp.hair.shell import draw_scalp, measure_thickness, raise_scalp, scalp
from hifi_portrait.warp.hair.strands import continue_hair, fray_outline
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


def on_a_haired_head(picture_of, unseen_from):
    """Hair continued over a head: the picture, what it became, and where hair is known and where not."""
    model, head = HeadModel.load(), geometry(0.0, SIZE)
    grown = scalp_of(model).fullness_of(model.num_vertices)
    raster = paint(model, head).raster
    hair = raster.interpolate(grown[:, None], model.triangles)[..., 0] > 0.5
    known = hair & (np.arange(SIZE) < unseen_from)
    picture = picture_of(np.random.default_rng(1)).astype(np.float32) * known[..., None]
    about = raster.interpolate(about_crown(model, SETTINGS.scalp), model.triangles)
    pieces = find_pieces_of_hair(picture, known, about, SETTINGS.strands)
    found = continue_hair(picture, known.astype(np.float32), hair, pieces, None, raster, model, SETTINGS)
    return picture, found, known, hair & ~known


def striped(contrast):
    """Give hair whose strands run down: each column has a brightness of its own."""

    def picture_of(rng):
        columns = np.exp(contrast * rng.standard_normal((1, SIZE, 1)))
        return np.repeat(np.repeat(100 * columns, SIZE, axis=0), 3, axis=2) * (0.9, 0.6, 0.4)

    return picture_of


def test_continued_hair_has_the_colour_and_the_contrast_of_the_hair_that_is_shown():
    spreads = []
    for contrast in (0.02, 0.15):
        picture, found, known, unseen = on_a_haired_head(striped(contrast), SIZE * 0.6)
        assert unseen.sum() > 100
        ratio = found[unseen].mean(axis=0) / picture[known].mean(axis=0)
        assert np.all((ratio > 0.75) & (ratio < 1.1))  # a little darker: light from above does not reach it
        assert np.ptp(ratio) < 0.08
        spreads.append(np.log(found[unseen].mean(axis=1)).std())
    assert spreads[0] < 0.4 * spreads[1]


def test_continued_strands_run_away_from_the_crown():
    _, found, _, unseen = on_a_haired_head(striped(0.15), SIZE * 0.5)
    steep = unseen & (np.arange(SIZE) > SIZE * 0.58)  # beside the crown strands run down, as in the pieces
    down, across = (np.abs(np.diff(np.log(found.mean(axis=2) + 9), axis=k, append=4)) for k in (0, 1))
    assert down[steep].mean() < 0.95 * across[steep].mean()


def test_hair_too_little_for_pieces_is_continued_plainly():
    _, found, _, unseen = on_a_haired_head(striped(0.0), SIZE * 0.4)
    assert np.isfinite(found).all() and found[unseen].std(axis=0).max() < 20


def test_where_no_outline_is_near_hair_is_no_quiff():
    model = HeadModel.load()
    head, grown = geometry(0.0, SIZE), scalp_of(model)
    points = model.posed(head)
    places = model.mean[grown.vertices]
    quiff = np.where(places[:, 2] > np.percentile(places[:, 2], 90), 0.05, 0.01).astype(np.float32)
    raised = draw_scalp(
        paint(model, head).raster,
        raise_scalp(points, quiff * grown.fullness, grown, model),
        head,
        grown,
        model,
    )
    matte = (raised.mask).astype(np.float32)
    [found] = measure_thickness([points], [head], matte[None], model, SETTINGS)
    of_back = (places[:, 1] > np.percentile(places[:, 1], 85)) & (grown.fullness > 0.9)
    of_top = (quiff > 0.02) & (grown.fullness > 0.9)
    assert of_back.sum() > 5 and np.median(found[of_top]) > 2 * np.median(found[of_back])


def test_an_outline_of_continued_hair_is_frayed_and_that_of_a_photo_is_not():
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    alpha = (np.hypot(rows - SIZE / 2, columns - SIZE / 2) < SIZE / 3).astype(np.float32)
    assert np.array_equal(fray_outline(alpha, np.zeros_like(alpha), SETTINGS.strands), alpha)
    deep = dataclasses.replace(SETTINGS.strands, fray=0.02)
    frayed = fray_outline(alpha, alpha, deep)
    lost = (alpha - frayed) > 0.5
    assert 0 < lost.sum() < 0.3 * alpha.sum() and (frayed <= alpha).all()
    assert lost[np.hypot(rows - SIZE / 2, columns - SIZE / 2) < SIZE / 3 - 0.03 * SIZE].sum() == 0


def test_hair_keeps_its_strands_as_the_head_turns():
    """The made-up hair of neighbouring poses differs no more than a photo's own does."""
    references = red_haired((0.0,))
    pictures = [
        warp_picture(references, paint(HeadModel.load(), geometry(yaw, SIZE)))[0].astype(float)
        for yaw in (30.0, 30.5, 31.0, 31.5)
    ]
    steps = [np.abs(after - before).mean() for before, after in itertools.pairwise(pictures)]
    assert max(steps) < 1.5 * min(steps)


def test_straight_hair_is_continued_in_longer_strands_than_curls():
    """How clear the strands are in most pieces decides; the pieces are the same."""

    def roughness_along(straightness):
        model, head = HeadModel.load(), geometry(0.0, SIZE)
        grown = scalp_of(model).fullness_of(model.num_vertices)
        raster = paint(model, head).raster
        hair = raster.interpolate(grown[:, None], model.triangles)[..., 0] > 0.5
        known = hair & (np.arange(SIZE) < SIZE * 0.5)
        noise = np.exp(0.15 * np.random.default_rng(2).standard_normal((SIZE, SIZE, 1)))
        picture = (100 * noise * (0.9, 0.6, 0.4)).astype(np.float32) * known[..., None]
        about = raster.interpolate(about_crown(model, SETTINGS.scalp), model.triangles)
        pieces = find_pieces_of_hair(picture, known, about, SETTINGS.strands)
        pieces = dataclasses.replace(pieces, straightness=straightness)
        shown = known.astype(np.float32)
        found = continue_hair(picture, shown, hair, pieces, None, raster, model, SETTINGS)
        steep = hair & (np.arange(SIZE) > SIZE * 0.6)
        return np.abs(np.diff(np.log(found.mean(axis=2) + 9), axis=0, append=4))[steep].mean()

    assert roughness_along(1.0) < 0.7 * roughness_along(0.0)
