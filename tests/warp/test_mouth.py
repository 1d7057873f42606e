"""The inside of a mouth: a photo's own teeth where one shows them, likely ones where none does."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head.eyeballs import EYES
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.landmarks.generator import LandmarkGenerator, LandmarkImage
from hifi_portrait.person.references import References
from hifi_portrait.warp.draw import draw_warp
from hifi_portrait.warp.face.lips import Lips
from hifi_portrait.warp.face.mouth import INSIDE, Between, soften_edge
from hifi_portrait.warp.face.teeth import Opening, bared_teeth, draw_upper_teeth
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, landmarks_of, person

SETTINGS = WarpSettings()

SIZE = 512
GREEN, SKIN = (20, 220, 40), (190, 140, 120)
LAUGH = {
    "mouthSmileLeft": 0.8,
    "mouthSmileRight": 0.8,
    "mouthUpperUpLeft": 0.2,
    "mouthUpperUpRight": 0.2,
    "jawOpen": 0.3,
}


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return HeadModel.load()


def drawn(head: HeadGeometry) -> LandmarkImage:
    return LandmarkGenerator.load().from_geometry(head, SIZE)


def inside(model: HeadModel, target: LandmarkImage) -> np.ndarray:
    return target.raster.mask & np.isin(model.parts[target.raster.triangle], INSIDE)


def photos_of(model: HeadModel, *heads: HeadGeometry, behind: tuple[int, int, int] = GREEN) -> References:
    """Photos of plain heads whose mouths are green inside, or of another colour."""
    pictures = [drawn(head) for head in heads]
    crops = np.full((len(heads), SIZE, SIZE, 3), 20, np.uint8)
    for crop, picture in zip(crops, pictures, strict=True):
        crop[picture.raster.mask] = SKIN
        crop[inside(model, picture)] = behind
    return dataclasses.replace(
        person((0.0,), SIZE),
        crops=crops,
        mattes=np.stack([picture.raster.mask for picture in pictures]).astype(np.float32),
        embeddings=np.ones((len(heads), 8), np.float32),
        quality=np.ones(len(heads), np.float32),
        geometries=tuple(heads),
        landmarks=landmarks_of(heads),
    )


def greenness(picture: np.ndarray, where: np.ndarray) -> float:
    """Share of pixels that are green."""
    return float((np.linalg.norm(picture[where] - np.array(GREEN, float), axis=1) < 80).mean())


def lips_of(model: HeadModel, head: HeadGeometry) -> Lips:
    return Lips.of(LandmarkModel.load(model).predict_pixels(head) / SIZE, head, SIZE, model, SETTINGS)


@pytest.mark.parametrize("yaw", [0.0, 20.0])
def test_a_mouth_is_that_of_the_photo_that_shows_it_open(model: HeadModel, yaw: float) -> None:
    photos = photos_of(model, geometry(0.0, SIZE), geometry(10.0, SIZE, **LAUGH))
    target = drawn(geometry(yaw, SIZE, **LAUGH))
    warp = draw_warp(photos, target)
    mouth = inside(model, target)
    within = cv2.erode(mouth.astype(np.uint8), np.ones((5, 3))) > 0
    assert within.sum() > 60
    assert greenness(warp.picture, within) > 0.95
    assert warp.coverage[mouth].mean() > 0.8


def test_lips_stay_lips(model: HeadModel) -> None:
    """What is inside a photo's mouth does not come out of the portrait's."""
    photos = photos_of(model, geometry(0.0, SIZE, **LAUGH))
    target = drawn(geometry(12.0, SIZE, **LAUGH))
    assert greenness(draw_warp(photos, target).picture, target.raster.mask & ~inside(model, target)) < 1e-3


def test_closed_lips_stay_closed(model: HeadModel) -> None:
    photos = photos_of(model, geometry(0.0, SIZE, **LAUGH))
    target = drawn(geometry(0.0, SIZE))
    assert greenness(draw_warp(photos, target).picture, target.raster.mask) < 1e-3


def test_teeth_are_drawn_where_every_photo_has_its_lips_closed(model: HeadModel) -> None:
    photos = photos_of(model, geometry(0.0, SIZE), geometry(15.0, SIZE))
    target = drawn(geometry(0.0, SIZE, **LAUGH | {"jawOpen": 0.6}))
    mouth = inside(model, target)
    warp = draw_warp(photos, target)
    bright = warp.picture.astype(int).mean(axis=2)
    skin = np.median(bright[target.raster.mask & ~mouth])
    rows = np.nonzero(mouth)[0]
    upper = mouth & (np.arange(SIZE)[:, None] < np.median(rows))
    assert np.percentile(bright[upper], 75) > skin
    assert bright[mouth & ~upper].min() < 0.6 * skin
    assert warp.coverage[mouth].max() == 0


def banded(model: HeadModel, head: HeadGeometry, *bands: tuple[int, int, int]) -> References:
    """A photo whose mouth is filled by bands of equal height, from the upper lip down."""
    photos = photos_of(model, head)
    crops = photos.crops.copy()
    mouth = inside(model, drawn(head))
    for column in np.flatnonzero(mouth.any(axis=0)):
        rows = np.flatnonzero(mouth[:, column])
        crops[0, rows, column] = np.array(bands)[np.arange(len(rows)) * len(bands) // len(rows)]
    return dataclasses.replace(photos, crops=crops)


def column_of(model: HeadModel, photos: References, head: HeadGeometry) -> np.ndarray:
    """Colours (P, 3) down the middle of a target's mouth."""
    target = drawn(head)
    mouth = inside(model, target)
    x = round(float(LandmarkModel.load(model).predict_pixels(head)[13, 0]))
    return draw_warp(photos, target).picture[mouth[:, x], x].astype(int)


WHITE, BLACK, RED = (220, 210, 200), (15, 8, 8), (200, 60, 60)


def test_what_hangs_on_either_lip_stays_with_it_and_the_dark_between_grows(model: HeadModel) -> None:
    photos = banded(model, geometry(0.0, SIZE, **LAUGH), WHITE, BLACK, RED)
    here = column_of(model, photos, geometry(0.0, SIZE, **LAUGH))
    wider = column_of(model, photos, geometry(0.0, SIZE, **LAUGH | {"jawOpen": 0.9}))
    assert len(wider) > 2 * len(here)

    def of(colours: np.ndarray, wanted: tuple[int, int, int]) -> np.ndarray:
        return np.flatnonzero(np.abs(colours - wanted).max(axis=1) < 60)

    for colours in (here, wider):
        assert of(colours, WHITE).mean() < 0.4 * len(colours)
        assert of(colours, RED).mean() > 0.6 * len(colours)
    assert len(of(wider, RED)) <= len(of(here, RED)) + 3
    assert (wider.mean(axis=1) < 80).sum() > 2 * (here.mean(axis=1) < 80).sum()


def test_teeth_that_reach_the_lower_lip_do_so_when_it_falls_a_little(model: HeadModel) -> None:
    photos = photos_of(model, geometry(0.0, SIZE, **LAUGH))
    target = drawn(geometry(0.0, SIZE, **LAUGH | {"jawOpen": 0.45}))
    within = cv2.erode(inside(model, target).astype(np.uint8), np.ones((5, 3))) > 0
    warp = draw_warp(photos, target)
    assert greenness(warp.picture, within) > 0.8
    assert warp.coverage[within].min() > 0.5


def test_teeth_in_a_dark_face_are_as_white_as_its_eyes(model: HeadModel) -> None:
    head = geometry(0.0, SIZE)
    photos = photos_of(model, head)
    picture = drawn(head)
    eyes = picture.raster.mask & np.isin(model.parts[picture.raster.triangle], EYES)
    target = drawn(geometry(0.0, SIZE, **LAUGH | {"jawOpen": 0.6}))
    brightest = []
    for white in (40, 150):
        crops = photos.crops // 4
        crops[0, eyes] = white
        drawing = draw_warp(dataclasses.replace(photos, crops=crops), target).picture
        brightest.append(np.percentile(drawing[inside(model, target)].mean(axis=1), 90))
    assert brightest[0] < 70 < 120 < brightest[1]


def test_a_lip_that_bares_less_hides_the_upper_end_of_the_teeth(model: HeadModel) -> None:
    photos = banded(model, geometry(0.0, SIZE, **LAUGH), RED, RED, WHITE, WHITE, WHITE, WHITE)
    bared = column_of(model, photos, geometry(0.0, SIZE, **LAUGH))
    hidden = column_of(model, photos, geometry(0.0, SIZE, jawOpen=0.4))
    red = [(colours[:, 0] - colours[:, 1] > 80).mean() for colours in (bared, hidden)]
    assert red[0] > 0.2 > 0.5 * red[0] > red[1]


def test_a_narrower_mouth_hides_the_sides_of_the_teeth(model: HeadModel) -> None:
    wide = geometry(0.0, SIZE, **LAUGH | {"jawOpen": 0.6})
    photos = photos_of(model, wide, behind=WHITE)
    crops = photos.crops.copy()
    lips = lips_of(model, wide)
    columns = np.arange(SIZE)[None] + np.zeros((SIZE, 1))
    at_sides = np.abs(columns - lips.corner[0] - lips.across[5]) > 0.6 * (lips.across[-1] - lips.across[5])
    crops[0, inside(model, drawn(wide)) & at_sides] = GREEN
    photos = dataclasses.replace(photos, crops=crops)
    narrow = geometry(0.0, SIZE, jawOpen=0.5, mouthPucker=0.8)
    assert lips_of(model, narrow).width < 0.75 * lips.width
    fractions = []
    for head in (wide, narrow):
        target = drawn(head)
        fractions.append(greenness(draw_warp(photos, target).picture, inside(model, target)))
    assert fractions[0] > 0.05 and fractions[1] < 0.5 * fractions[0]


def test_teeth_have_the_light_of_the_portrait(model: HeadModel) -> None:
    """The photo with the open mouth is half as bright as the one that decides."""
    photos = photos_of(model, geometry(0.0, SIZE), geometry(6.0, SIZE, **LAUGH), behind=(200, 200, 80))
    crops = photos.crops.copy()
    crops[1] //= 2
    dark = dataclasses.replace(photos, crops=crops, quality=np.array([1, 0.8], np.float32))
    target = drawn(geometry(0.0, SIZE, **LAUGH))
    mouth = cv2.erode(inside(model, target).astype(np.uint8), np.ones((5, 3))) > 0
    skin = target.raster.mask & ~inside(model, target)
    warp = draw_warp(dark, target)
    assert np.median(warp.picture[skin], axis=0)[0] > 150
    assert np.median(warp.picture[mouth], axis=0)[0] > 150


def test_a_photo_turned_away_does_not_show_the_half_it_hides(model: HeadModel) -> None:
    closed, target = geometry(0.0, SIZE), drawn(geometry(0.0, SIZE, **LAUGH))
    mouth = inside(model, target)
    for yaw in (-60.0, 60.0):
        photos = photos_of(model, closed, geometry(yaw, SIZE, **LAUGH))
        warp = draw_warp(photos, target)
        assert greenness(warp.picture, mouth) == 0
        assert warp.coverage[mouth].max() == 0
        seen_so = draw_warp(photos, drawn(geometry(yaw, SIZE, **LAUGH)))
        assert greenness(seen_so.picture, inside(model, drawn(geometry(yaw, SIZE, **LAUGH)))) > 0.5


def test_lips_of_heads_turned_either_way_mirror_each_other(model: HeadModel) -> None:
    left, right = (lips_of(model, geometry(yaw, SIZE, **LAUGH)) for yaw in (-65.0, 65.0))
    np.testing.assert_allclose(left.halves, right.halves[::-1], rtol=0.35)
    assert (np.diff(left.across) >= 0).all() and (np.diff(right.across) >= 0).all()


@pytest.mark.parametrize("yaw", [-89.0, 89.0])
def test_lips_in_profile_still_lie_level(model: HeadModel, yaw: float) -> None:
    lips = lips_of(model, geometry(yaw, SIZE, **LAUGH))
    assert np.isfinite(lips.across).all()
    assert lips.axes[0, 0] > 0.8 and lips.axes[1, 1] > 0.8


@pytest.mark.parametrize("behind", [(30, 20, 20), (215, 215, 110)])
def test_a_smile_bares_teeth_that_an_open_mouth_hides(model: HeadModel, behind: tuple[int, int, int]) -> None:
    """Where a photo's mouth is dark under its lip, teeth are drawn; where it shows its own, these stay."""
    photos = photos_of(model, geometry(0.0, SIZE, jawOpen=0.4), behind=behind)
    target = drawn(geometry(0.0, SIZE, **LAUGH))
    mouth = inside(model, target)
    rows = np.nonzero(mouth)[0]
    upper = cv2.erode(mouth.astype(np.uint8), np.ones((3, 3))) > 0
    upper &= np.arange(SIZE)[:, None] < np.median(rows)
    warp = draw_warp(photos, target)
    colours = warp.picture[upper].astype(int)
    assert np.median(colours.mean(axis=1)) > 130
    assert (np.median(warp.coverage[upper]) > 0.8) == (behind[0] > 200)
    yellow = colours[:, 0] - colours[:, 2] > 60
    assert (yellow.mean() > 0.7) == (behind[0] > 200)


def test_a_jaw_that_falls_farther_leaves_the_dark_below_a_photo_s_teeth(model: HeadModel) -> None:
    photos = photos_of(model, geometry(0.0, SIZE, **LAUGH | {"jawOpen": 0.25}))
    target = drawn(geometry(0.0, SIZE, **LAUGH | {"jawOpen": 1.0}))
    mouth = inside(model, target)
    picture = draw_warp(photos, target).picture
    _, columns = np.nonzero(mouth)
    middle = mouth & (np.abs(np.arange(SIZE) - np.median(columns)) < 4)
    top, bottom = np.nonzero(middle)[0].min(), np.nonzero(middle)[0].max()
    height = np.arange(SIZE)[:, None]
    assert greenness(picture, middle & (height > top + 1) & (height < top + (bottom - top) / 4)) > 0.8
    assert greenness(picture, middle & (height > bottom - (bottom - top) / 4)) < 0.1


def test_lips_are_measured_in_metres_however_large_and_turned(model: HeadModel) -> None:
    lips = lips_of(model, geometry(0.0, SIZE, **LAUGH))
    turned = lips_of(model, geometry(25.0, SIZE, **LAUGH))
    assert 0.006 < lips.opening < 0.02
    assert lips.opening == pytest.approx(turned.opening, rel=0.15)
    assert 0.04 < lips.width < 0.09
    assert lips.width == pytest.approx(turned.width)
    assert lips_of(model, geometry(0.0, SIZE)).opening < 0.0015


def test_a_place_between_lips_is_found_again(model: HeadModel) -> None:
    lips = lips_of(model, geometry(20.0, SIZE, **LAUGH))
    along = np.linspace(lips.across[1], lips.across[-2], 5)
    pixels = lips.between(along, lips.height(along) / 2)
    framed, below = lips.framed(pixels)
    np.testing.assert_allclose(framed, along, atol=1e-6)
    upper = np.interp(along, lips.across, lips.upper)
    np.testing.assert_allclose(below - upper, lips.height(along) / 2, atol=1e-6)


def test_a_smile_bares_more_of_the_teeth_than_a_jaw_that_falls() -> None:
    neutral, smile = geometry(0.0, jawOpen=0.5), geometry(0.0, **LAUGH)
    assert 1 < bared_teeth(neutral.expression, SETTINGS.teeth) < 4
    assert 6 < bared_teeth(smile.expression, SETTINGS.teeth) < 10


def test_teeth_stand_in_a_row_with_dark_between_and_at_the_corners() -> None:
    aside = np.linspace(-26, 26, 521)
    opening = Opening(aside, np.full(521, 3.0), np.full(521, 9.0), 0.1)
    colours, fraction = draw_upper_teeth(opening, geometry(0.0, **LAUGH).expression, 200.0, SETTINGS.teeth)
    light = colours.mean(axis=1)
    np.testing.assert_allclose(light, light[::-1], atol=1e-6)
    assert fraction[260] == 1
    between = light[np.abs(aside - 8.5) < 0.5].min()
    assert between < 0.85 * light[np.abs(aside - 4.2) < 0.2].mean()
    assert light[0] < 0.5 * light[np.abs(aside - 4.2) < 0.2].mean()
    below = Opening(aside, np.full(521, 11.0), np.full(521, 1.0), 0.1)
    assert draw_upper_teeth(below, geometry(0.0, **LAUGH).expression, 200.0, SETTINGS.teeth)[1].max() == 0


def test_a_second_tooth_is_shorter_than_its_neighbours_are() -> None:
    across = np.tile(np.array([4.0, 11.5, 18.0]), 100)  # the middles of three teeth, on a flat picture
    below = np.repeat(np.arange(100) / 10, 3)
    opening = Opening(across, below, 20 - below, 0.05)
    _, fraction = draw_upper_teeth(opening, geometry(0.0, **LAUGH).expression, 200.0, SETTINGS.teeth)
    first, second, third = fraction.reshape(100, 3).sum(axis=0)
    assert second < (first + third) / 2 - 2


def test_the_edge_of_the_lips_has_no_steps() -> None:
    rows, columns = np.mgrid[:60, :200]
    shape = rows > 30 + columns // 25  # a slanting edge of steps
    picture = np.where(shape[..., None], 220.0, 60.0) * np.ones(3)
    softened = soften_edge(picture.astype(np.float32), shape, 1.2)
    assert (softened[~shape] == 60).all()
    at_edge = shape & ~np.roll(shape, 1, axis=0)
    assert (softened[at_edge] < 180).all() and (softened[rows > 45] > 215).all()


def test_the_steps_of_lips_do_not_reach_the_teeth(model: HeadModel) -> None:
    target = drawn(geometry(0.0, SIZE, **LAUGH))
    places = LandmarkModel.load(model).predict_pixels(target.geometry) / target.geometry.camera.height
    lips = Lips.of(places, target.geometry, SIZE, model, SETTINGS)
    pixels = Between.of(inside(model, target), lips, 0.0025 * SIZE)
    order = np.argsort(pixels.along)
    heights = pixels.height[order][np.diff(pixels.along[order], prepend=-np.inf) > 0.5]
    middle = heights[len(heights) // 4 : -len(heights) // 4]
    assert np.abs(np.diff(middle)).max() < 0.6
