"""What is before a face in a photo: a hand, a mask, sunglasses. Found by how the photos of a person disagree.

A place of the face that looks otherwise in one photo than in the others, which agree, is covered there.
Light, expressions, beards and clear glasses make smaller or narrower differences. Where only two photos show
a place, or most photos are covered, that one is covered which looks less like a face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.person.chart_difference import (
    DifferenceSettings,
    Levels,
    difference,
    difference_of_colours,
    structured_places,
)
from hifi_portrait.person.face_chart import FaceChart
from hifi_portrait.person.parsed_covers import ParsedCoverSettings

_RIM = 13
"""Pixels, an odd number, about whose half the face's outline is left out where structures are compared."""

_AMONG = 0.6
"""How much the differences of other photos from each other count against a difference from them."""

_NARROW = 7
"""Pixels of the chart, an odd number: what is narrower is a rim of glasses or a wrinkle."""


@dataclass(frozen=True, kw_only=True)
class RegionSettings:
    """What makes a region of the face a covered one; areas are in pixels of the chart, 2 mm wide."""

    sure: float
    """Difference that no face makes by itself."""

    likely: float
    """The same beside a place that is surely covered."""

    fewest_sure: int
    """Area that must be surely covered; likely ones beside it are covered, too."""

    smallest: int
    """Area that a cover must have in all, below the forehead."""


@dataclass(frozen=True, kw_only=True)
class CoverSettings:
    """When a face is taken to be covered.

    Chosen on synthetic people and on every second of 51 real ones, from the first on;
    `python benchmarks/covered_faces.py covers --photos DIR` gives the figures of the others.
    """

    difference: DifferenceSettings = field(default_factory=DifferenceSettings)
    """How photos are compared."""

    among: RegionSettings = field(
        default_factory=lambda: RegionSettings(sure=1.8, likely=1.0, fewest_sure=40, smallest=110)
    )
    """Where one of several photos differs from the others, beyond their differences from each other."""

    alone: RegionSettings = field(
        default_factory=lambda: RegionSettings(sure=1.6, likely=1.0, fewest_sure=60, smallest=150)
    )
    """Where a single photo differs from the usual face."""

    parsed: ParsedCoverSettings = field(default_factory=ParsedCoverSettings)
    """When parsing is believed."""

    least_odd: float = 1.3
    """Mean difference from the usual face that a covered place has at least."""

    odder: float = 0.35
    """How much less than in the other photos a covered place looks like a face."""


def find_covers(
    photos: Sequence[Levels], usual: Levels, chart: FaceChart, settings: CoverSettings
) -> list[BoolArray]:
    """Find what is before the face in N photos of a person.

    Parameters
    ----------
    photos
        The photos on the chart.
    usual
        What faces usually look like there.
    chart
        The chart.
    settings
        What counts as covered.

    Returns
    -------
    list
        N masks (H, W) on the chart; none is set where there is a single photo.
    """
    covers = [np.zeros_like(chart.face) for _ in photos]
    if len(photos) < 2:
        return covers
    inner = cv2.erode(chart.face.astype(np.uint8), np.ones((_RIM, _RIM), np.uint8)).astype(bool)
    structured = structured_places(usual, settings.difference) & inner
    pairs = _compare_all(photos, structured, settings)
    oddness = [difference(photo, usual, structured, settings.difference)[0] for photo in photos]
    for number in range(len(photos)):
        disagreement, others = _disagreement(pairs, number)
        for region in _regions(disagreement, chart, settings.among):
            odd = np.array([each[region].mean() for each in oddness])
            seen = others[:, region].mean(axis=1) > 0.5
            for covered in _attribute(number, odd, seen, settings):
                covers[covered] |= region
    return covers


def find_odd_places(photo: Levels, usual: Levels, chart: FaceChart, settings: CoverSettings) -> BoolArray:
    """Find what of a single photo does not look like a face: a mask (H, W) on the chart."""
    oddness, weight = difference_of_colours(photo, usual, settings.difference)
    oddness = np.where(weight > 0.5, oddness, 0)
    found = np.zeros_like(chart.face)
    for region in _regions(oddness, chart, settings.alone):
        found |= region
    return found


def _compare_all(photos: Sequence[Levels], structured: BoolArray, settings: CoverSettings) -> FloatArray:
    """Differences (N, N, H, W) of all pairs; NaN where they cannot be compared."""
    count, extent = len(photos), photos[0].seen.shape
    pairs = np.full((count, count, *extent), np.nan, np.float32)
    for one in range(count):
        for other in range(one):
            apart, weight = difference(photos[one], photos[other], structured, settings.difference)
            values = np.where(weight > 0.5, apart, np.nan)
            pairs[one, other] = pairs[other, one] = values
    return pairs


def _disagreement(pairs: Array, number: int) -> tuple[FloatArray, BoolArray]:
    """Find how far a photo is from the others, beyond how far they are from each other.

    By medians, so that one other photo that is covered itself does not matter.

    Returns
    -------
    disagreement
        (H, W), 0 where no other photo sees the place.
    seen
        (N, H, W), which others see it.
    """
    others = np.arange(len(pairs)) != number
    from_others = pairs[number]
    seen = np.isfinite(from_others) & others[:, None, None]
    among = pairs[np.ix_(others, others)].reshape(-1, *pairs.shape[2:])
    own, theirs = _lower_median(from_others[others]), _lower_median(among)
    beyond = np.where(np.isfinite(own), own, 0) - _AMONG * np.where(np.isfinite(theirs), theirs, 0)
    return np.asarray(beyond, np.float32), seen


def _lower_median(values: Array) -> FloatArray:
    """Lower median (H, W) of the finite of values (K, H, W); infinite where none is."""
    ordered = np.sort(np.where(np.isfinite(values), values, np.inf), axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    return np.asarray(np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0])


def _regions(disagreement: Array, chart: FaceChart, settings: RegionSettings) -> list[BoolArray]:
    """Find connected regions (H, W) of the face that are large enough, and not of the forehead alone.

    Hair, hats and their shadows fall on the forehead.
    """
    likely: Array = ((disagreement > settings.likely) & chart.face).astype(np.uint8)
    wide = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_NARROW, _NARROW))
    likely = cv2.morphologyEx(likely, cv2.MORPH_OPEN, wide)
    count, numbers = cv2.connectedComponents(likely)
    core = chart.face & ~chart.areas["forehead"]
    regions = []
    for number in range(1, count):
        region = numbers == number
        sure = region & core & (disagreement > settings.sure)
        if sure.sum() >= settings.fewest_sure and (region & core).sum() >= settings.smallest:
            regions.append(region)
    return regions


def _attribute(number: int, odd: Array, seen: Array, settings: CoverSettings) -> list[int]:
    """Tell which photos are covered in a region in which one of them disagrees with the others.

    Parameters
    ----------
    number
        The photo that disagrees.
    odd
        (N,) how far each is from what faces usually look like there.
    seen
        (N,) which others show the region.
    settings
        What counts as odder.
    """
    others = np.flatnonzero(seen)
    if len(others) == 0:
        return []
    beyond = odd[number] - np.median(odd[others])
    if beyond > settings.odder or (len(others) > 1 and beyond > -settings.odder):
        covered = [number]
    elif len(others) > 1:
        covered = [int(other) for other in others if odd[other] > odd[number] + settings.odder]
    else:
        covered = []
    return [each for each in covered if odd[each] > settings.least_odd]
