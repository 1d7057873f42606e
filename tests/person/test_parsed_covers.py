"""What face parsing takes for something before a face is left out where another photo shows the place."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.faces import FaceLabel
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.model import HeadModel
from hifi_portrait.person.covered_faces import find_covered_faces
from hifi_portrait.person.face_chart import FaceChart
from hifi_portrait.person.parsed_covers import ParsedCoverSettings, find_parsed_covers
from hifi_portrait.person.references import References
from painted_heads import person

SIZE = 128
MOUTH = np.s_[62:82, 52:76]
SETTINGS = ParsedCoverSettings()


@pytest.fixture(scope="module")
def photos() -> References:
    return person((0.0, 4.0), SIZE)


def labels(*places: object) -> Array:
    """Label maps of photos, each skin but for what is before it at a place; None for nothing."""
    maps = np.full((len(places), SIZE, SIZE), FaceLabel.SKIN, np.uint8)
    for label_map, place in zip(maps, places, strict=True):
        if place is not None:
            label_map[place] = FaceLabel.OCCLUDER
    return maps


def covers(photos: References, label_maps: Array) -> list[int]:
    """Pixels of the chart that are covered in each photo."""
    model = HeadModel.load()
    chart, heads = FaceChart.of(model), photos.geometries[: len(label_maps)]
    found = find_parsed_covers(label_maps, heads, chart, model, SETTINGS)
    return [int(mask.sum()) for mask in found.masks]


def test_what_one_photo_has_before_its_face_is_found_in_that_photo(photos: References) -> None:
    first, second = covers(photos, labels(MOUTH, None))
    assert first > 200 and second == 0


def test_what_no_photo_shows_cannot_be_left_out(photos: References) -> None:
    assert covers(photos, labels(MOUTH, MOUTH))[0] < 60


def test_crumbs_and_narrow_things_are_nothing(photos: References) -> None:
    assert covers(photos, labels(np.s_[70:74, 60:64], None)) == [0, 0]
    assert covers(photos, labels(np.s_[40:90, 63:65], None)) == [0, 0]


def test_in_a_single_photo_it_must_be_larger(photos: References) -> None:
    small = np.s_[69:76, 60:68]
    among, _ = covers(photos, labels(small, None))
    assert SETTINGS.smallest <= among < SETTINGS.alone
    assert covers(photos, labels(small)) == [0]
    assert covers(photos, labels(MOUTH))[0] >= SETTINGS.alone


def test_a_single_photo_has_a_warning(photos: References) -> None:
    found = find_covered_faces(photos.crops[:1], photos.geometries[:1], ["a.jpg"], labels(MOUTH))
    assert found.vertices is None and "a.jpg: something may cover" in found.notices[0]


def test_the_photo_with_something_before_the_face_is_named_and_not_the_other(photos: References) -> None:
    crops = photos.crops.copy()
    crops[0][MOUTH] = (40, 200, 60)  # it disagrees with the other one there, too
    found = find_covered_faces(crops, photos.geometries, ["hand.jpg", "clean.jpg"], labels(MOUTH, None))
    assert len(found.notices) == 1 and found.notices[0].startswith("hand.jpg: something covers")
    assert found.vertices is not None and found.vertices[1].max() == 0 < found.vertices[0].max()


def test_what_covers_all_photos_is_warned_of(photos: References) -> None:
    found = find_covered_faces(photos.crops, photos.geometries, ["a.jpg", "b.jpg"], labels(MOUTH, MOUTH))
    assert found.vertices is None
    assert len(found.notices) == 1 and found.notices[0].startswith("all photos: something may cover")
