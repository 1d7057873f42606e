"""The inside of a mouth: a photo's own teeth where one shows them, likely ones where none does."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.landmark_model import LandmarkModel
from hifi_portrait.head.landmarks import LandmarkGenerator, LandmarkImage
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.mouth import INSIDE, Lips
from hifi_portrait.head.teeth import Opening, upper_teeth, upper_teeth_shown
from hifi_portrait.head.warp import draw_warp
from painted_heads import PaintedPerson, geometry, landmarks_of, person

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
    return LandmarkGenerator().from_geometry(head, SIZE)


def inside(model: HeadModel, target: LandmarkImage) -> np.ndarray:
    return target.raster.mask & np.isin(model.parts[target.raster.triangle], INSIDE)


def photos_of(model: HeadModel, *heads: HeadGeometry, behind: tuple[int, int, int] = GREEN) -> PaintedPerson:
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
    return Lips.of(LandmarkModel.load(model).seen_at(head) / SIZE, head, SIZE, model)


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


@pytest.mark.parametrize("behind", [(30, 20, 20), (215, 215, 110)])
def test_a_smile_bares_teeth_that_an_open_mouth_hides(model: HeadModel, behind: tuple[int, int, int]) -> None:
    """Where a photo's mouth is dark under its lip, teeth are drawn; where it shows its own, these stay."""
    photos = photos_of(model, geometry(0.0, SIZE, jawOpen=0.4), behind=behind)
    target = drawn(geometry(0.0, SIZE, **LAUGH))
    mouth = inside(model, target)
    rows = np.nonzero(mouth)[0]
    upper = cv2.erode(mouth.astype(np.uint8), np.ones((3, 3))) > 0
    upper &= np.arange(SIZE)[:, None] < np.median(rows)
    colours = draw_warp(photos, target).picture[upper].astype(int)
    assert np.median(colours.mean(axis=1)) > 130
    yellow = colours[:, 0] - colours[:, 2] > 60
    assert (yellow.mean() > 0.7) == (behind[0] > 200)


def test_a_jaw_that_falls_farther_leaves_the_dark_below_a_photo_s_teeth(model: HeadModel) -> None:
    photos = photos_of(model, geometry(0.0, SIZE, **LAUGH | {"jawOpen": 0.25}))
    target = drawn(geometry(0.0, SIZE, **LAUGH | {"jawOpen": 1.0}))
    mouth = inside(model, target)
    picture = draw_warp(photos, target).picture
    rows, columns = np.nonzero(mouth)
    middle = mouth & (np.abs(np.arange(SIZE) - np.median(columns)) < 4)
    top, bottom = np.nonzero(middle)[0].min(), np.nonzero(middle)[0].max()
    height = np.arange(SIZE)[:, None]
    assert greenness(picture, middle & (height > top + 1) & (height < top + (bottom - top) / 4)) > 0.8
    assert greenness(picture, middle & (height > bottom - (bottom - top) / 4)) < 0.1
    assert len(rows) > 400


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


def test_a_smile_bares_more_of_the_teeth_than_surprise(model: HeadModel) -> None:
    neutral, smile = geometry(0.0), geometry(0.0, **LAUGH)
    assert 1 < upper_teeth_shown(neutral.expression) < 4
    assert 6 < upper_teeth_shown(smile.expression) < 10


def test_teeth_stand_in_a_row_with_dark_between_and_at_the_corners(model: HeadModel) -> None:
    aside = np.linspace(-26, 26, 521)
    opening = Opening(aside, np.full(521, 3.0), np.full(521, 9.0), 0.1)
    colours, share = upper_teeth(opening, geometry(0.0, **LAUGH).expression, 200.0)
    light = colours.mean(axis=1)
    np.testing.assert_allclose(light, light[::-1], atol=1e-6)
    assert share[260] == 1
    between = light[np.abs(aside - 8.5) < 0.5].min()
    assert between < 0.85 * light[np.abs(aside - 4.2) < 0.2].mean()
    assert light[0] < 0.5 * light[np.abs(aside - 4.2) < 0.2].mean()
    below = Opening(aside, np.full(521, 11.0), np.full(521, 1.0), 0.1)
    assert upper_teeth(below, geometry(0.0, **LAUGH).expression, 200.0)[1].max() == 0
