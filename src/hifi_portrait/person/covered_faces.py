"""What of a person's face is covered in which photo, as every later step reads it, and as users are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from hifi_portrait.faces.face import Face
from hifi_portrait.fitting import fit
from hifi_portrait.head.arrays import Array, BoolArray, ByteArray, FloatArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.io.names import printable
from hifi_portrait.person.chart_difference import Levels
from hifi_portrait.person.covers import CoverSettings, find_covers, find_odd_places
from hifi_portrait.person.face_chart import FaceChart
from hifi_portrait.person.parsed_covers import ParsedCovers, find_parsed_covers
from hifi_portrait.person.usual_face import load_usual_face

_NAMED_FROM = 0.35
"""Fraction of an area of the face from which on it is named as covered."""

_MARGIN = 7
"""Pixels of the chart, an odd number, by which covers are widened: their edges are soft."""

_QUALITY_LOST, _QUALITY_LEFT = 4.0, 0.15
"""How much of a photo's quality a covered fraction of the face costs, and the least that is left."""


@dataclass(frozen=True, eq=False)
class CoveredFaces:
    """What is before the face in N photos.

    Attributes
    ----------
    vertices
        (N, V) in [0, 1], how far each vertex of the head is covered; None where nothing is to be left out.
    quality
        (N,) in (0, 1], factors on the photos' quality.
    notices
        A sentence for each photo in which something was found.
    """

    vertices: FloatArray | None
    quality: FloatArray
    notices: tuple[str, ...]


def find_covered_faces(
    crops: ByteArray,
    geometries: Sequence[HeadGeometry],
    sources: Sequence[str],
    label_maps: Array | None = None,
    *,
    model: HeadModel | None = None,
    settings: CoverSettings | None = None,
) -> CoveredFaces:
    """Find what is before the face in photos of a person.

    Of several photos, what disagrees with the others is found, and what face parsing takes for something
    before a face that others show; it is to be left out. Of a single one, what does not look like a face or
    is parsed as something before it is found, and only a warning is given: nothing else shows the place.

    Parameters
    ----------
    crops
        (N, S, S, 3) portrait crops.
    geometries
        The N fitted heads.
    sources
        Names of the photos, for the sentences.
    label_maps
        (N, P, P) a `FaceLabel` for each place of the crops; without them photos are compared alone.
    model
        The head model; the default one if not given.
    settings
        What counts as covered; the defaults if not given.
    """
    model, settings = model or HeadModel.load(), settings or CoverSettings()
    chart = FaceChart.of(model)
    covers, in_all = find_cover_masks(crops, geometries, label_maps, chart, model, settings)
    quality = _quality_factors(covers, chart)
    found = [
        (printable(Path(source).name), _describe(cover, chart))
        for source, cover in zip(sources, covers, strict=True)
        if cover.any()
    ]
    if len(covers) == 1:
        warnings = [
            f"{name}: something may cover {place}; if so, add a photo that shows more"
            for name, place in found
        ]
        return CoveredFaces(None, quality, tuple(warnings))
    notices = [
        f"{name}: something covers {place}; that part is taken from the other photos" for name, place in found
    ]
    vertices = np.stack([chart.on_vertices(_widen(cover, chart)) for cover in covers]) if notices else None
    if in_all.any():
        place = _describe(in_all, chart)
        notices.append(f"all photos: something may cover {place}; if so, add a photo that shows more")
    return CoveredFaces(vertices, quality, tuple(notices))


def find_cover_masks(
    crops: ByteArray,
    geometries: Sequence[HeadGeometry],
    label_maps: Array | None,
    chart: FaceChart,
    model: HeadModel,
    settings: CoverSettings,
) -> tuple[list[BoolArray], BoolArray]:
    """Find what `find_covered_faces` does, as masks (H, W) on the chart; arguments are as there.

    Returns
    -------
    covers, in_all
        N masks; and what several photos have before the face at places that none of them shows.
    """
    looked_up = zip(*chart.look_up(crops, geometries, model), strict=True)
    photos = [Levels.of(colours, seen, settings.difference) for colours, seen in looked_up]
    usual, nothing = load_usual_face(), np.zeros_like(chart.face)
    parsed = ParsedCovers([nothing] * len(photos), nothing)
    if label_maps is not None:
        parsed = find_parsed_covers(label_maps, geometries, chart, model, settings.parsed)
    if len(photos) == 1:
        return [find_odd_places(photos[0], usual, chart, settings) | parsed.masks[0]], parsed.in_all
    return _join(find_covers(photos, usual, chart, settings), parsed.masks), parsed.in_all


def describe_odd_places(face: Face, head: HeadGeometry | None = None) -> str | None:
    """Name what something may cover of a face, such as "the mouth and the chin"; None if nothing may.

    `head` is the face's, in its crop; fitted here if not given.
    """
    model, settings, size = HeadModel.load(), CoverSettings(), len(face.crop)
    chart = FaceChart.of(model)
    if head is None:
        head = fit([face.crop_landmarks], [(size, size)]).geometries[0]
    (colours,), (seen,) = chart.look_up(face.crop[None], [head], model)
    photo = Levels.of(colours, seen, settings.difference)
    odd = find_odd_places(photo, load_usual_face(), chart, settings)
    return _describe(odd, chart) if odd.any() else None


def _join(disagreeing: Sequence[BoolArray], parsed: Sequence[BoolArray]) -> list[BoolArray]:
    """Join N masks (H, W) of each kind: where something was parsed in a photo, it explains a disagreement."""
    explained = np.any([cv2.dilate(mask.astype(np.uint8), _disc()) for mask in parsed], axis=0)
    return [
        mask | (cover & ~explained) if not mask.any() else mask | cover
        for cover, mask in zip(disagreeing, parsed, strict=True)
    ]


def _disc() -> Array:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_MARGIN, _MARGIN))


def _widen(cover: BoolArray, chart: FaceChart) -> FloatArray:
    """Widen a cover (H, W), and let it end softly."""
    wide = cv2.dilate(cover.astype(np.uint8), _disc()).astype(np.float32)
    return np.asarray(np.maximum(cv2.GaussianBlur(wide, (0, 0), 1.0), cover) * chart.face, np.float32)


def _quality_factors(covers: Sequence[Array], chart: FaceChart) -> FloatArray:
    fractions = np.array([cover[chart.face].mean() for cover in covers])
    return np.maximum(1 - _QUALITY_LOST * fractions, _QUALITY_LEFT).astype(np.float32)


def _describe(cover: BoolArray, chart: FaceChart) -> str:
    """Name the areas of the face that are covered, such as "the mouth and the chin"."""
    fractions = {name: float(cover[area].mean()) for name, area in chart.areas.items()}
    named = [f"the {name}" for name, fraction in fractions.items() if fraction >= _NAMED_FROM]
    if not named:
        return f"a part of the {max(fractions, key=lambda name: fractions[name])}"
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
