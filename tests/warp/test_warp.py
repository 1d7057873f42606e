import dataclasses

import numpy as np
import pytest

from hifi_portrait.head.geometry import Camera
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.warp.choose import mouth_weights
from hifi_portrait.warp.draw import warp_picture
from hifi_portrait.warp.face.places import mouth_nearness
from hifi_portrait.warp.gaps import paint_gaps
from hifi_portrait.warp.light import light_likeness, measure_light
from hifi_portrait.warp.registration import mirror_vertices
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, paint, person

SETTINGS = WarpSettings()


def drawn(yaw=8.0, size=128, **expression):
    return paint(HeadModel.load(), geometry(yaw, size, **expression))


def test_colours_are_those_of_the_surface():
    target = drawn()
    picture, coverage = warp_picture(person((-20.0, 20.0), 256), target)
    error = np.abs(picture.astype(float) - target.image)[(coverage > 0.4) & target.raster.mask]
    assert error.mean() < 2.5


def test_pictures_have_the_size_of_the_raster():
    for size in (64, 200):
        picture, coverage = warp_picture(person(), drawn(size=size))
        assert picture.shape == (size, size, 3) and picture.dtype == np.uint8
        assert coverage.shape == (size, size) and coverage.min() >= 0 and coverage.max() <= 1


def test_a_wide_picture_shows_the_same_person():
    photos = person((-20.0, 20.0), 128)
    mattes, crops = photos.mattes.copy(), photos.crops.copy()
    above = np.zeros_like(mattes[0], bool)
    above[8:45, 45:83] = True
    above = above & (mattes == 0)
    mattes[above], crops[above] = 1, (250, 10, 10)
    photos = dataclasses.replace(photos, crops=crops, mattes=mattes)
    model, head = HeadModel.load(), geometry(8.0, 128)
    square, coverage = warp_picture(photos, paint(model, head))
    wide, wide_coverage = warp_picture(photos, paint(model, head.replace(camera=Camera.from_fov((256, 128)))))
    assert wide.shape == (128, 256, 3)
    same = coverage > 0.2
    assert np.abs(wide[:, 64:192][same].astype(int) - square[same]).mean() < 2
    assert np.abs(wide_coverage[:, 64:192] - coverage)[same].mean() < 0.03
    assert (np.abs(square[same].astype(int) - (250, 10, 10)).max(axis=1) < 40).sum() > 100  # hair is among it


def test_a_reference_that_has_no_say_lends_no_trust():
    photos = person((8.0, 30.0), 128)
    model, target = HeadModel.load(), drawn(8.0)
    mattes = photos.mattes.copy()
    mattes[0][:, 64:] = 0  # the photo whose clothes are worn shows one shoulder
    _, coverage = warp_picture(dataclasses.replace(photos, mattes=mattes), target)
    shoulders = target.raster.mask & (model.parts[target.raster.triangle] == Part.SHOULDERS)
    left, right = (shoulders & (np.arange(128) < 50), shoulders & (np.arange(128) > 85))
    assert coverage[left].mean() > 0.3 and coverage[right].mean() < 0.05


def test_background_does_not_bleed_onto_the_head():
    photos = person(size=128)
    lit = dataclasses.replace(
        photos, crops=np.where(photos.mattes[..., None] > 0, photos.crops, 255).astype(np.uint8)
    )
    target = drawn()
    dark_picture, coverage = warp_picture(photos, target)
    lit_picture, _ = warp_picture(lit, target)
    inside = target.raster.mask & (coverage > 0.3)
    difference = np.abs(dark_picture.astype(int) - lit_picture)[inside].max(axis=1)
    assert np.mean(difference > 12) < 0.01


def test_background_is_the_nearest_photos_and_closed_where_the_person_was():
    photos = person((10.0, 70.0), size=128)
    behind = np.zeros_like(photos.crops)
    behind[0], behind[1] = (40, 90, 160), (200, 30, 30)
    crops = np.where(photos.mattes[..., None] > 0, photos.crops, behind).astype(np.uint8)
    picture, coverage = warp_picture(dataclasses.replace(photos, crops=crops), drawn(8.0))
    assert coverage[:20, :20].max() == 0
    away = coverage == 0
    assert np.abs(picture[away].astype(int) - (40, 90, 160)).mean() < 3


def test_the_unseen_side_is_filled_from_the_other():
    seen_from_left = person((45.0,), 256)
    target = drawn(-45.0)
    picture, coverage = warp_picture(seen_from_left, target)
    skin = target.raster.mask & (HeadModel.load().parts[target.raster.triangle] == Part.SKIN)
    unseen = skin & (coverage < 0.02)
    assert unseen.sum() > 50
    # the paint's second and third channels are the same on both sides of the head
    assert np.abs(picture.astype(float) - target.image)[unseen][:, 1:].mean() < 25


def test_an_unseen_mouth_is_dark():
    target = drawn(0.0, 256, jawOpen=0.8)
    picture, _ = warp_picture(person((0.0,), 256), target)
    parts = HeadModel.load().parts[target.raster.triangle]
    inside = target.raster.mask & np.isin(parts, (Part.MOUTH_CAVITY, Part.TONGUE))
    assert inside.sum() > 100 and picture[inside].mean() < 90


def test_hair_off_the_mesh_comes_along():
    photos = person((0.0,), 128)
    mattes, crops = photos.mattes.copy(), photos.crops.copy()
    above = np.zeros_like(mattes[0], bool)
    above[10:40, 50:78] = True
    above &= mattes[0] == 0
    mattes[0][above], crops[0][above] = 1, (250, 10, 10)
    picture, _ = warp_picture(dataclasses.replace(photos, crops=crops, mattes=mattes), drawn(0.0))
    assert np.abs(picture[above].astype(int) - (250, 10, 10)).mean() < 40


def test_mirrored_vertices_are_their_own_mirror_images():
    model = HeadModel.load()
    mean = model.mean[: model.num_vertices]
    distance = np.linalg.norm(mean[mirror_vertices(model)] * [-1, 1, 1] - mean, axis=1)
    assert np.percentile(distance, 95) < 0.002


def test_no_background_shows_between_ears_and_head():
    on_head = np.zeros((96, 96), bool)
    on_head[20:80, 20:70] = True
    on_head[30:60, 68:70] = False  # the slit between head and ear, open at the top
    on_head[30:62, 70:78] = True
    colour = np.where(on_head[..., None], np.float32((150, 90, 60)), np.float32(255))
    alpha = on_head.astype(np.float32)
    colour, alpha = paint_gaps(colour, alpha, on_head, 96, SETTINGS.gaps)
    assert (alpha[35:58, 68:70] == 1).all()
    np.testing.assert_allclose(colour[35:58, 68:70], np.broadcast_to((150, 90, 60), (23, 2, 3)), atol=1)
    assert alpha[5, 5] == 0 and alpha[90, 90] == 0


@pytest.mark.parametrize("side", [96, 192, 256])
def test_the_soft_edge_of_hair_is_no_gap(side):
    """Nor does it depend on the side on which it is: a rim of a pixel was painted on the right and below."""
    rows, columns = np.mgrid[:side, :side] + 0.5 - side / 2
    away = np.hypot(rows, columns) / side
    on_head = away < 0.25
    alpha = np.clip((0.33 - away) / 0.04, 0, 1).astype(np.float32)
    alpha[on_head] = 1
    colour, before = np.full((side, side, 3), 60, np.float32), alpha.copy()
    colour, alpha = paint_gaps(colour, alpha, on_head, side, SETTINGS.gaps)
    assert np.array_equal(alpha, before)


def test_references_get_the_light_of_the_main_one():
    photos = person((-35.0, 35.0), 128)
    model, target = HeadModel.load(), drawn(0.0)
    views = [SurfaceView.from_geometry(model, geometry) for geometry in photos.geometries]
    tables = np.stack([np.concatenate([v.xy, v.visibility[:, None]], axis=1) for v in views])
    levels = (160, 110)
    crops = np.stack([np.full_like(photos.crops[0], level) for level in levels])
    mattes, ones = np.ones(crops.shape[:3], np.float32), np.ones((2, 3), np.float32)
    tables = np.concatenate([tables, tables * (1, 1, 0)]).astype(np.float32)
    factors = measure_light(target.raster, tables, (crops, mattes, ones), 0, model, SETTINGS).factors
    on_head = target.raster.mask & (model.parts[target.raster.triangle] != Part.SHOULDERS)
    main, other = (level * factors[n][on_head] for n, level in enumerate(levels))
    np.testing.assert_allclose(main, levels[0], atol=0.01)
    assert np.abs(other - levels[0]).mean() < 5  # on the side that only the other sees, too


@pytest.mark.parametrize("level", [110, 45])
def test_hair_before_another_photos_skin_is_not_its_light(level):
    photos = person((-10.0, 10.0), 128)
    model, target = HeadModel.load(), drawn(0.0)
    views = [SurfaceView.from_geometry(model, geometry) for geometry in photos.geometries]
    tables = np.stack([np.concatenate([v.xy, v.visibility[:, None]], axis=1) for v in views])
    crops = np.stack([np.full_like(photos.crops[0], level) for level in (160, level)])
    crops[1][:52] = 5  # a fringe
    mattes, ones = np.ones(crops.shape[:3], np.float32), np.ones((2, 3), np.float32)
    factors = measure_light(
        target.raster, tables.astype(np.float32), (crops, mattes, ones), 0, model, SETTINGS
    ).factors
    on_head = target.raster.mask & (model.parts[target.raster.triangle] != Part.SHOULDERS)
    assert on_head[:48].sum() > 500
    np.testing.assert_allclose(factors[1][on_head], min(168 / (level + 8), np.exp(0.9)), rtol=0.1)


def test_slits_between_hair_and_head_are_closed():
    on_head = np.zeros((96, 96), bool)
    on_head[20:80, 20:70] = True
    alpha = on_head.astype(np.float32)
    alpha[20:50, 72:84] = 1  # hair, two pixels off
    colour = np.where(on_head[..., None], np.float32((200, 150, 130)), np.float32((60, 40, 30)))
    colour[alpha == 0] = 255
    colour, alpha = paint_gaps(colour, alpha, on_head, 46, SETTINGS.gaps)
    assert (alpha[24:46, 70:72] == 1).all()
    assert (colour[24:46, 70:72] <= (200.5, 150.5, 130.5)).all()  # no background
    assert alpha[48, 71] == alpha[70, 71] == alpha[30, 90] == 0


@pytest.mark.parametrize(("below", "closed"), [((190, 145, 120), True), ((20, 60, 200), False)])
def test_notches_between_jaw_and_neck_are_closed_unless_it_is_a_collar(below, closed):
    on_head = np.zeros((192, 192), bool)
    on_head[20:150, 40:130] = True
    on_head[113:150, 124:130] = False  # the jaw
    alpha = on_head.astype(np.float32)
    alpha[121:192, 124:132] = 1  # neck or collar, which ends below the ears
    colour = np.where(on_head[..., None], np.float32((200, 150, 130)), np.float32(below))
    colour, alpha = paint_gaps(colour, alpha, on_head, 100, SETTINGS.gaps)
    assert (alpha[114:120, 125:129] == 1).all() == closed
    if closed:
        assert np.abs(colour[114:120, 125:129] - (195, 148, 125)).max() < 15


def test_another_reference_counts_more_than_a_mirror_image():
    photos, model = person((40.0, -60.0), 128), HeadModel.load()
    crops = np.full_like(photos.crops, 120)
    crops[1] += (np.indices((128, 128)).sum(axis=0) // 4 % 2 * 60).astype(np.uint8)[..., None]
    target = drawn(15.0)
    picture, _ = warp_picture(dataclasses.replace(photos, crops=crops), target)
    views = [SurfaceView.from_geometry(model, geometry) for geometry in photos.geometries]
    seen = [target.raster.interpolate(view.visibility[:, None], model.triangles)[..., 0] for view in views]
    skin = target.raster.mask & (model.parts[target.raster.triangle] == Part.SKIN)
    only_second = skin & (seen[0] < 0.01) & (seen[1] > 0.6)
    assert only_second.sum() > 30
    assert picture[only_second].std() > 3 * picture[skin & (seen[0] > 0.6)].std()


def test_high_collars_stand_beside_the_neck():
    photos, model = person((0.0,), 256), HeadModel.load()
    target = drawn(0.0, 256)
    mattes, crops = photos.mattes.copy(), photos.crops.copy()
    body = target.raster.mask & (model.parts[target.raster.triangle] == Part.SHOULDERS)
    neck = int(np.flatnonzero(body.any(axis=1))[0])
    left, right = np.flatnonzero(body[neck])[[0, -1]]
    collar = np.zeros(mattes[0].shape, bool)
    for columns in (slice(left - 14, left), slice(right + 1, right + 15)):
        collar[neck : neck + 16, columns] = True
    crops[0][body | collar], mattes[0][collar] = (20, 60, 200), 1
    collar &= ~target.raster.mask
    picture, _ = warp_picture(dataclasses.replace(photos, crops=crops, mattes=mattes), target)
    blue = picture[..., 2].astype(int) - picture[..., 0] > 90
    assert collar.sum() > 350
    assert blue[collar].mean() > 0.85


def test_clothes_are_those_of_one_reference():
    photos, target = person((-30.0, 30.0), 128), drawn(8.0)
    model = HeadModel.load()
    crops = photos.crops.copy()
    crops[1] = 255 - crops[1]
    picture, _ = warp_picture(dataclasses.replace(photos, crops=crops), target)
    alone = [
        warp_picture(
            dataclasses.replace(
                photos,
                crops=crops[n : n + 1],
                mattes=photos.mattes[n : n + 1],
                quality=photos.quality[n : n + 1],
                geometries=photos.geometries[n : n + 1],
                landmarks=photos.landmarks[n : n + 1],
            ),
            target,
        )[0]
        for n in range(2)
    ]
    clothes = target.raster.mask & (model.parts[target.raster.triangle] == Part.SHOULDERS)
    clothes &= np.abs(alone[0].astype(int) - alone[1]).max(axis=2) > 60
    differences = [np.abs(picture.astype(int) - one)[clothes].mean() for one in alone]
    assert clothes.sum() > 200
    assert min(differences) < 25 < max(differences)


def test_what_only_some_references_wear_is_worn_in_full_or_not_at_all():
    photos, target = person((8.0, 30.0), 128), drawn(8.0)
    model = HeadModel.load()
    view = SurfaceView.from_geometry(model, photos.geometries[0])
    x, y = (view.xy[model.triangles[model.parts == Part.SKIN]].mean(axis=(0, 1)) * 128).astype(int)
    crops = photos.crops.copy()
    crops[0, y + 9 : y + 15, x - 8 : x + 8] = (0, 0, 0)  # a mark in the nearest photo alone, below the nose
    pictures = [
        warp_picture(dataclasses.replace(photos, crops=values), target)[0] for values in (crops, photos.crops)
    ]
    differs = np.abs(pictures[0].astype(int) - pictures[1]).max(axis=2) > 40
    assert differs.sum() > 60
    assert np.percentile(pictures[0][differs].max(axis=1), 75) < 40


def test_a_reference_with_lids_as_requested_is_preferred():
    photos, target = person((8.0, 12.0), 128), drawn(8.0)
    closed = geometry(8.0, 128, eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    photos = dataclasses.replace(photos, geometries=[closed, photos.geometries[1]])
    crops = photos.crops.copy()
    crops[0] = 0
    picture, _ = warp_picture(dataclasses.replace(photos, crops=crops), target)
    assert picture[target.raster.mask].mean() > 60


def test_about_the_mouth_references_that_hold_it_as_requested_count_most():
    photos = person((8.0, 14.0), 128)
    closed, opened = geometry(8.0, 128), geometry(14.0, 128, jawOpen=0.9)
    photos = dataclasses.replace(photos, geometries=(closed, opened), quality=np.array([1.0, 0.6]))
    crops = photos.crops.copy()
    crops[:] = 120
    crops[1] = (60, 180, 60)  # light is made alike, but not so much
    model, target = HeadModel.load(), drawn(8.0, 128, jawOpen=0.9)
    picture, _ = warp_picture(dataclasses.replace(photos, crops=crops), target)
    surface = model.parts[target.raster.triangle] == Part.SKIN
    near = mouth_nearness(model, *SETTINGS.weights.mouth_reach)[model.triangles[target.raster.triangle]].min(
        axis=-1
    )
    skin = target.raster.mask & surface
    green = picture[..., 1].astype(float) - picture[..., 0]
    assert green[skin & (near > 0.9)].mean() > 2 * green[skin & (near == 0)].mean() > 0


def test_of_two_mouths_the_one_as_open_as_requested_is_shown():
    heads = geometry(0.0, 128, jawOpen=0.05), geometry(0.0, 128, jawOpen=0.25)
    photos = dataclasses.replace(person((0.0, 0.0), 128), geometries=heads)
    weights = mouth_weights(np.ones(2), photos.geometries, geometry(0.0, 128, jawOpen=0.25), SETTINGS.weights)
    assert weights[1] == 1 and weights[0] < 0.1


def test_light_from_another_side_is_told_from_less_light():
    photos, model = person((0.0, 0.0, 0.0), 128), HeadModel.load()
    views = [SurfaceView.from_geometry(model, geometry) for geometry in photos.geometries]
    xy, visibility = (np.stack([getattr(view, name) for view in views]) for name in ("xy", "visibility"))
    crops = np.stack([np.full((128, 128, 3), level, np.uint8) for level in (160, 60, 160)])
    crops[2][:, 64:] = 40
    mouth = np.flatnonzero(mouth_nearness(model, *SETTINGS.weights.mouth_reach) > 0.5)
    np.testing.assert_allclose(
        light_likeness(crops, xy, visibility, 0, mouth, SETTINGS.light), (1, 1, 0), atol=1e-6
    )


def test_a_mirror_image_in_the_shade_counts_less():
    photos = person((20.0, -20.0), 128)
    model, target = HeadModel.load(), drawn(20.0)
    views = [SurfaceView.from_geometry(model, geometry) for geometry in photos.geometries]
    tables = np.stack([np.concatenate([v.xy, v.visibility[:, None]], axis=1) for v in views])
    tables = np.concatenate([tables, tables[:, mirror_vertices(model)]]).astype(np.float32)
    crops = np.full_like(photos.crops, 160)
    half = crops.shape[2] // 2
    crops[0, :, half:] = 60  # light from one side in the main photo; in the other it is even
    mattes, ones = np.ones(crops.shape[:3], np.float32), np.ones((2, 3), np.float32)
    lit = measure_light(target.raster, tables, (crops, mattes, ones), 0, model, SETTINGS).weights
    assert (lit[:2] == 1).all()
    assert lit[2] < 0.1 * lit[3]
