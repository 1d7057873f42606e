"""Tight crops: how far down photos show a person, and what becomes of the picture."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait import Framing
from hifi_portrait.person.shown_area import SHOULDERS, find_shown_bottom, frame_what_is_shown


def crop(shown: float, rng: np.random.Generator) -> np.ndarray:
    """A portrait crop of a photo that ends at that place; beyond it the last row is repeated."""
    image = rng.integers(0, 255, (100, 100, 3)).astype(np.uint8)
    row = round(shown * 100)
    image[row:] = image[row - 1]
    return image


@pytest.mark.parametrize("shown", [0.55, 0.7, 0.85, 1.0])
def test_the_end_of_a_photo_is_found(rng, shown):
    assert find_shown_bottom([crop(shown, rng)]) == pytest.approx(shown, abs=0.011)


def test_the_photo_that_shows_most_decides(rng):
    assert find_shown_bottom([crop(0.6, rng), crop(0.95, rng), crop(0.7, rng)]) > SHOULDERS


def test_a_picture_of_one_colour_says_nothing_of_its_end():
    assert find_shown_bottom([np.full((64, 64, 3), 90, np.uint8)]) == 1.0


def test_shoulders_that_are_shown_leave_the_usual_framing():
    assert frame_what_is_shown(SHOULDERS) == Framing()


@pytest.mark.parametrize("bottom", [0.62, 0.7, 0.8])
def test_a_closer_framing_ends_where_the_photo_ends(bottom):
    """The usual picture's top stays, and its height becomes `bottom` of the usual one's."""
    framing = frame_what_is_shown(bottom)
    assert framing.scale * bottom == pytest.approx(Framing().scale)
    assert framing.y * bottom == pytest.approx(Framing().y)


def test_the_chin_stays_in_the_picture_however_tight_the_crop():
    assert frame_what_is_shown(0.3) == frame_what_is_shown(0.6)
