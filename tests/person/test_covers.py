"""Something before the face in some of a person's photos: found by how they disagree."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.person.chart_difference import Levels, difference
from hifi_portrait.person.covers import CoverSettings, find_covers, find_odd_places
from hifi_portrait.person.face_chart import FaceChart
from hifi_portrait.person.usual_face import load_usual_face

SETTINGS = CoverSettings()
BLUE, BLACK, HAND = (90.0, 130.0, 210.0), (15.0, 15.0, 18.0), (190.0, 140.0, 120.0)


@pytest.fixture(scope="module")
def chart(model: HeadModel) -> FaceChart:
    return FaceChart.of(model)


def colours_of_usual_face() -> np.ndarray:
    """The usual face (H, W, 3) in [0, 255]."""
    level, red, blue = np.moveaxis(load_usual_face().values, -1, 0)
    green = level - (red + blue) / 3
    return np.exp(np.stack([green + red, green, green + blue], axis=-1)) - 8


def photo(chart: FaceChart, *, gain=(1.0, 1.0, 1.0), slope=0.0, cover=None, colour=BLUE) -> Levels:
    """A photo of the usual face in another light, with something before it."""
    light = np.exp(slope * np.linspace(-1, 1, chart.face.shape[1]))[None, :, None]
    colours = colours_of_usual_face() * light * gain
    if cover is not None:
        colours[cover] = colour
    return Levels.of(colours.clip(0, 255), chart.face.astype(np.float32), SETTINGS.difference)


def lower_face(chart: FaceChart) -> np.ndarray:
    return chart.face & (np.arange(len(chart.face))[:, None] > 55)


def three(chart: FaceChart, **covered) -> list[Levels]:
    return [
        photo(chart),
        photo(chart, gain=(0.7, 0.65, 0.55), slope=0.3),
        photo(chart, gain=(1.2, 1.15, 1.3), slope=-0.25, **covered),
    ]


def agreement(found: np.ndarray, true: np.ndarray) -> float:
    return float((found & true).sum() / (found | true).sum())


def test_light_from_another_side_and_of_another_colour_is_no_cover(chart: FaceChart):
    covers = find_covers(three(chart), load_usual_face(), chart, SETTINGS)
    assert not any(cover.any() for cover in covers)


@pytest.mark.parametrize("area", ["lower face", "eyes"])
@pytest.mark.parametrize("colour", [BLUE, BLACK, (235.0, 235.0, 235.0)])
def test_what_one_of_three_photos_has_before_the_face_is_found(chart: FaceChart, area: str, colour):
    true = lower_face(chart) if area == "lower face" else chart.areas["eyes"]
    first, second, third = find_covers(
        three(chart, cover=true, colour=colour), load_usual_face(), chart, SETTINGS
    )
    assert not first.any() and not second.any()
    assert agreement(third, true) > 0.6


def test_of_two_photos_that_one_is_covered_that_looks_less_like_a_face(chart: FaceChart):
    true = lower_face(chart)
    clean, masked = photo(chart), photo(chart, gain=(0.8, 0.8, 0.7), cover=true)
    for order in ((clean, masked), (masked, clean)):
        covers = find_covers(order, load_usual_face(), chart, SETTINGS)
        assert [bool(cover.any()) for cover in covers] == [each is masked for each in order]


def test_two_masked_photos_do_not_outvote_the_face(chart: FaceChart):
    true = lower_face(chart)
    photos = [photo(chart, cover=true), photo(chart), photo(chart, slope=0.2, cover=true)]
    covers = find_covers(photos, load_usual_face(), chart, SETTINGS)
    assert [bool(cover.any()) for cover in covers] == [True, False, True]


def test_a_rim_and_a_shadow_of_the_nose_are_no_covers(chart: FaceChart):
    rim = np.zeros_like(chart.face)
    rim[45:47, 15:65] = True
    shaded = photo(chart)
    shade = np.zeros_like(chart.face)
    shade[40:60, 44:56] = True
    shaded.values[shade, 0] -= 0.4
    others = [photo(chart), photo(chart, slope=0.2)]
    for changed in (photo(chart, cover=rim, colour=BLACK), shaded):
        covers = find_covers([*others, changed], load_usual_face(), chart, SETTINGS)
        assert not any(cover.any() for cover in covers)


def test_a_single_masked_photo_looks_odd_where_the_mask_is(chart: FaceChart):
    true = lower_face(chart)
    odd = find_odd_places(photo(chart, cover=true), load_usual_face(), chart, SETTINGS)
    assert agreement(odd, true) > 0.6
    assert not find_odd_places(
        photo(chart, gain=(0.5, 0.4, 0.3), slope=0.4), load_usual_face(), chart, SETTINGS
    ).any()


def test_a_difference_is_the_same_in_both_directions(chart: FaceChart):
    one, other = photo(chart), photo(chart, slope=0.3, cover=chart.areas["nose"], colour=HAND)
    everywhere = np.ones_like(chart.face)
    there, back = (
        difference(*pair, everywhere, SETTINGS.difference)[0] for pair in ((one, other), (other, one))
    )
    assert np.abs(there - back)[chart.areas["chin"]].max() < 0.2


def test_covers_reach_the_vertices_before_and_behind_them(chart: FaceChart, model: HeadModel):
    on_mouth = chart.on_vertices(chart.areas["mouth"])
    assert on_mouth[part_vertices(model, Part.UPPER_TEETH)].max() == 1
    assert on_mouth[np.concatenate(model.eye_vertices)].max() == 0
    everything = chart.on_vertices(chart.face)
    back = model.mean[: model.num_vertices, 1] > np.median(model.mean[: model.num_vertices, 1])
    assert everything[np.concatenate(model.eye_vertices)].mean() > 0.5
    assert everything[back].mean() < 0.5
