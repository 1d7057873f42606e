"""What face parsing took for something before the face: a hand, a mask, a microphone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.faces.label_maps import region_mask
from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.head.arrays import Array, BoolArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.person.face_chart import FaceChart

_SIDE = 256
"""Pixels of a side of the masks that are looked up."""

_LEAST_SEEN = 0.2
"""How well a place must be seen for its label to count."""


@dataclass(frozen=True, kw_only=True)
class ParsedCoverSettings:
    """When parsing is believed that something is before a face; areas are in pixels of the chart, 2 mm wide.

    Of 102 photos of 51 real people with a clean face two have such an area at all, of 175 and 390 pixels.
    """

    narrow: int = 7
    """Width, an odd number; narrower pieces are dropped."""

    smallest: int = 60
    """Area below the forehead from which on it is left out where other photos show the place."""

    alone: int = 220
    """The same from which on there is a warning where none does."""


@dataclass(frozen=True, eq=False)
class ParsedCovers:
    """What face parsing took for something before the face, as masks (H, W) on the chart.

    Attributes
    ----------
    masks
        Of each of N photos. What covers a place in every one of several photos that see it is left out.
    in_all
        What does: nothing of it is known. Of a single photo it is in ``masks``, and not here.
    """

    masks: list[BoolArray]
    in_all: BoolArray


def find_parsed_covers(
    label_maps: Array,
    geometries: Sequence[HeadGeometry],
    chart: FaceChart,
    model: HeadModel,
    settings: ParsedCoverSettings,
) -> ParsedCovers:
    """Find what is before the face in N photos, as face parsing tells.

    Parameters
    ----------
    label_maps
        (N, P, P) a `FaceLabel` for each place.
    geometries
        The N fitted heads.
    chart, model
        The chart, and the head model.
    settings
        What counts as something.
    """
    found, seen = _look_up(label_maps, geometries, chart, model)
    if len(found) == 1:
        alone = _large_enough(found[0], chart, settings.narrow, settings.alone)
        return ParsedCovers([alone], np.zeros_like(alone))
    in_all = np.asarray(found.any(axis=0) & (found | ~seen).all(axis=0))
    found &= (seen & ~found).any(axis=0)
    return ParsedCovers(
        [_large_enough(each, chart, settings.narrow, settings.smallest) for each in found],
        _large_enough(in_all, chart, settings.narrow, settings.alone),
    )


def _look_up(
    label_maps: Array, geometries: Sequence[HeadGeometry], chart: FaceChart, model: HeadModel
) -> tuple[BoolArray, BoolArray]:
    """Find what N photos have before the face, as it was parsed, and what they see of it, (N, H, W) each."""
    masks = np.stack([region_mask(labels, FaceLabel.OCCLUDER, size=_SIDE) for labels in label_maps])
    pictures = np.repeat((255 * masks[..., None]).astype(np.uint8), 3, axis=-1)
    looked_up, visibility = chart.look_up(pictures, geometries, model)
    seen = visibility > _LEAST_SEEN
    return (looked_up[..., 0] > 127) & seen, seen


def _large_enough(found: BoolArray, chart: FaceChart, narrow: int, least: int) -> BoolArray:
    """Keep what is wide enough of a mask (H, W), and nothing if that is too little below the forehead."""
    wide = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (narrow, narrow))
    opened = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, wide).astype(bool)
    enough = (opened & chart.face & ~chart.areas["forehead"]).sum() >= least
    return np.asarray(opened if enough else np.zeros_like(opened))
