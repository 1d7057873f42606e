"""Eyes that look another way than in any photo: eyeballs painted with the person's own iris and white.

A photo shows of an eyeball what its lids leave free. Where a target looks elsewhere, most of what it shows
was hidden, and mirrored lights would turn with the eye; so beyond a few degrees the eye is painted anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.eyeballs import EYES, eyeball_places
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.image.colour import measure_brightness
from hifi_portrait.warp.image.morphology import disc

_GAZE_SCALE = 12.0  # degrees between gazes at which a photo's eyes count 1 / e
_OWN = (0.55, 0.8)  # likeness of a gaze from which on a photo's own eye begins to show, and shows alone
_GRID = 48  # points across an eyeball at which photos are read
_READ = 0.3  # visibility from which on one is
_IRIS, _WHITE = (0.18, 0.32), (0.55, 0.85)  # eyeball radii from the pupil between which colours are read
_IRIS_TONES, _WHITE_TONES = (25, 60), (80, 98)  # percentiles of brightness there: neither lashes nor lights
_OPEN = 0.75  # of the widest eyes that photos show: those whose colours are read
_LEAST = 12  # points that tell a colour
_EDGES = np.arange(0.2, 0.62, 0.03)  # distances between which the edge of an iris is looked for
_EDGE = (0.34, 0.47)  # where it is at least, and at most
_DEFAULT_IRIS = np.array([0.36, 0.25, 0.19])  # share of the skin's brightness, where no photo shows one
_DEFAULT_WHITE = np.array([1.05, 1.08, 1.1])
_WHITE_TINT, _IRIS_VIVID = 0.3, 1.3  # of the colours read: photos mix whites with lids, irises with whites
_WHITE_BRIGHT = (0.9, 1.35)  # shares of the skin's brightness between which a white is
_WHITE_MOST = 150.0  # or up to this brightness, where skin is dark
_LENS = 0.5  # share of the skin's brightness below which what is in a white's place is a dark lens
_PUPIL, _PUPIL_DARK = 0.4, 0.15  # share of the iris' radius and of its brightness
_RIM = 0.65  # brightness of the iris' edge
_SPARK, _SPARK_PLACE, _SPARK_AT = 0.9, (0.1, 0.16), 0.07  # mirrored light: strength, place and radius
_LID_SHADE, _LID_DEEP = 0.7, 0.35  # what an upper lid leaves of the light; eyeball radii that it reaches
_SOFT = 1.2  # how soon an eye is itself inside the edge of its lids, which is jagged
_CORNER, _CORNER_SHADE = 0.16, 0.8  # eyeball radii over which corners are in the shade; light left there
_AROUND = 0.9  # eyeball radii about an eye within which the light on it is told

Array = npt.NDArray[Any]


def paint_eyes(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: paint the eyes that no reference shows looking as the target does."""
    sources, model = context.sources, context.model
    if not sources.painted_eyes.any():
        return canvas
    parts, rows = context.parts(canvas.raster), context.vertex_rows()
    radius = max(float(np.ptp(rows[vertices])) for vertices in model.eye_vertices) / 2
    usual = context.settings.colour.usual_skin_brightness
    skin = measure_brightness(canvas.colour, parts == Part.SKIN, usual)
    tables = sources.tables[: len(sources.crops)]
    eyes = EyeColours.of(sources.crops, tables, sources.gains, skin, model)
    if eyes.covered:
        return canvas
    colour = draw_eyeballs(canvas.colour, sources.painted_eyes, eyes, canvas.raster, radius, model)
    coverage = canvas.coverage.copy()
    for part, painted_fraction in zip(EYES, sources.painted_eyes, strict=True):
        coverage[parts == part] = np.maximum(coverage[parts == part], painted_fraction)
    return replace(canvas, colour=colour, coverage=coverage)


def gaze_likeness(geometries: Sequence[HeadGeometry], target: HeadGeometry) -> npt.NDArray[np.float32]:
    """How nearly the eyes of N heads look as a target's do, (N, 2) in (0, 1]: the left and the right eye."""
    wished = HeadModel.eye_gaze(target.expression, target.gaze)
    gazes = np.stack([HeadModel.eye_gaze(head.expression, head.gaze) for head in geometries])
    apart = np.linalg.norm(gazes - wished, axis=2)
    return np.exp(-((apart / _GAZE_SCALE) ** 2)).astype(np.float32)


def painted(likeness: Array, says: Array) -> npt.NDArray[np.float32]:
    """How far each eye is painted, (2,) in [0, 1], by `gaze_likeness` (N, 2) and what photos say of it."""
    own = (likeness * says).sum(axis=0) / np.maximum(says.sum(axis=0), 1e-9)
    return np.clip((_OWN[1] - own) / (_OWN[1] - _OWN[0]), 0, 1).astype(np.float32)


@dataclass(frozen=True)
class EyeColours:
    """What eyes look like.

    Attributes
    ----------
    iris, white
        (3,) in [0, 255].
    radius
        Of the iris, in eyeball radii.
    covered
        Whether photos show dark lenses in their place.
    """

    iris: Array
    white: Array
    radius: float
    covered: bool = False

    @classmethod
    def of(cls, crops: Array, tables: Array, gains: Array, skin: float, model: HeadModel) -> Self:
        """As N photos show them.

        Parameters
        ----------
        crops
            (N, S, S, 3) uint8.
        tables
            (N, V, 3): x and y of the vertices as shares of the side, and their visibility.
        gains
            (N, 3) that bring the photos to one brightness.
        skin
            Brightness of the skin in [0, 255], for what no photo shows.
        model
            Whose vertices they are.
        """
        colours, distances = [], []
        seeing = tables[:, np.concatenate(model.eye_vertices), 2].mean(axis=1)
        wide = seeing >= _OPEN * seeing.max(initial=0)
        for crop, table, gain in zip(crops[wide], tables[wide], gains[wide], strict=True):
            for part in EYES:
                raster = _front(model, part)
                on_eye = raster.triangle >= 0
                shown = raster.interpolate(table, model.triangles)[on_eye]
                at = (shown[:, :2] * len(crop) - 0.5).astype(np.float32)
                seen = (shown[:, 2] > _READ) & (at > 0).all(axis=1) & (at < len(crop) - 1).all(axis=1)
                read = cv2.remap(crop.astype(np.float32), at[None, :, 0], at[None, :, 1], cv2.INTER_LINEAR)[0]
                place = raster.interpolate(eyeball_places(model), model.triangles)[on_eye]
                colours.append(read[seen] * gain)
                distances.append(np.linalg.norm(place[seen], axis=1))
        colour, distance = np.concatenate(colours), np.concatenate(distances)
        white = _told(colour[_between(distance, *_WHITE)], _WHITE_TONES)
        covered = white is not None and white.mean() < _LENS * skin
        if white is None or covered:
            white = _DEFAULT_WHITE * skin
        bright = np.clip(white.mean(), _WHITE_BRIGHT[0] * skin, max(_WHITE_BRIGHT[1] * skin, _WHITE_MOST))
        white = bright * (1 + _WHITE_TINT * (white / white.mean() - 1))
        iris = _told(colour[_between(distance, *_IRIS)], _IRIS_TONES)
        iris = _DEFAULT_IRIS * skin if iris is None or iris.mean() > 0.8 * white.mean() else iris
        iris = np.maximum(iris.mean() + _IRIS_VIVID * (iris - iris.mean()), 0)
        radius = _edge(colour, distance, iris, white)
        return cls(np.minimum(iris, 235), np.minimum(white, 235), radius, covered)


def draw_eyeballs(
    colour: Array, fractions: Array, eyes: EyeColours, raster: Raster, pixels: float, model: HeadModel
) -> Array:
    """Draw eyeballs over a picture's eyes.

    Parameters
    ----------
    colour
        (H, W, 3) in [0, 255].
    fractions
        (2,) in [0, 1], how far each eye is drawn.
    eyes
        What they look like.
    raster, model
        What the picture shows.
    pixels
        The radius of an eyeball.

    Returns
    -------
    Array
        (H, W, 3).
    """
    parts = np.where(raster.triangle >= 0, model.parts[raster.triangle], 255)
    skin = parts == Part.SKIN
    if not skin.any():
        return colour
    light = colour.mean(axis=2)
    usual = np.median(light[skin])
    place = raster.interpolate(eyeball_places(model), model.triangles)
    colour = colour.copy()
    for part, fraction in zip(EYES, fractions, strict=True):
        shown = parts == part
        if fraction <= 0 or not shown.any():
            continue
        near = cv2.dilate(shown.astype(np.uint8), disc(2 * _AROUND * pixels)).astype(bool) & skin
        gain = np.clip(np.median(light[near]) / usual, 0.6, 1.2) if near.any() else 1.0
        eye = _eye(place[shown], eyes, pixels) * (gain * _shade(shown, pixels)[shown])[:, None]
        eye += _spark(place[shown], pixels)[:, None] * eyes.white * gain
        soft = np.minimum(_SOFT * cv2.GaussianBlur(shown.astype(np.float32), (0, 0), 0.7), 1)[shown]
        colour[shown] += fraction * soft[:, None] * (np.minimum(eye, 255) - colour[shown])
    return colour


def _eye(place: Array, colours: EyeColours, pixels: float) -> npt.NDArray[np.float64]:
    """Colours (P, 3) of places (P, 2) on an eyeball."""
    distance = np.linalg.norm(place, axis=1)
    within = distance / colours.radius
    in_iris, in_pupil = (
        np.clip((edge * colours.radius - distance) * pixels + 0.5, 0, 1)[:, None] for edge in (1.0, _PUPIL)
    )
    rim = 1 - (1 - _RIM) * np.clip((within - 0.72) / 0.28, 0, 1) ** 2
    iris = colours.iris * (rim * (1.15 - 0.15 * within))[:, None]
    iris = iris + in_pupil * (colours.iris * _PUPIL_DARK - iris)
    return np.asarray(colours.white + in_iris * (iris - colours.white), np.float64)


def _shade(shown: Array, pixels: float) -> npt.NDArray[np.float32]:
    """Light (H, W) on an eye, less below its upper lid and in its corners."""
    below_lid = np.cumsum(shown, axis=0) / max(_LID_DEEP * pixels, 1.0)
    lid = _LID_SHADE + (1 - _LID_SHADE) * np.clip(below_lid, 0, 1)
    around = cv2.GaussianBlur(shown.astype(np.float32), (0, 0), max(_CORNER * pixels, 0.5))
    return np.asarray(lid * np.clip(1.5 * around, _CORNER_SHADE, 1), np.float32)


def _spark(place: Array, pixels: float) -> npt.NDArray[np.float64]:
    """Light (P,) that places (P, 2) on an eyeball mirror."""
    distance = np.linalg.norm(place - np.array(_SPARK_PLACE), axis=1)
    return _SPARK * np.clip((_SPARK_AT - distance) * pixels + 0.5, 0, 1)


def _told(colours: Array, tones: tuple[float, float]) -> Array | None:
    """The mean of colours (P, 3) between two percentiles of their brightness; None of too few."""
    if len(colours) < _LEAST:
        return None
    brightness = colours.mean(axis=1)
    low, high = np.percentile(brightness, tones)
    return np.asarray(colours[_between(brightness, low, high)].mean(axis=0), np.float64)


def _edge(colour: Array, distance: Array, iris: Array, white: Array) -> float:
    """Where an iris ends, in eyeball radii, by colours (P, 3) at distances (P,) from pupils."""
    half = (iris.mean() + white.mean()) / 2
    rings = [colour[_between(distance, low, low + 0.06)].mean(axis=1) for low in _EDGES - 0.03]
    bright = np.array([np.median(ring) if len(ring) >= _LEAST else np.nan for ring in rings])
    beyond = np.flatnonzero(bright > half)
    return float(np.clip(_EDGES[beyond[0]] if len(beyond) else _EDGE[1], *_EDGE))


def _between(values: Array, low: float, high: float) -> npt.NDArray[np.bool_]:
    return np.asarray((values >= low) & (values <= high))


@lru_cache(maxsize=8)
def _front(model: HeadModel, part: Part) -> Raster:
    """The front of an eyeball as its pupil looks, `_GRID` pixels across."""
    place = eyeball_places(model)
    numbers = np.flatnonzero(model.parts == part)
    numbers = numbers[(np.linalg.norm(place[model.triangles[numbers]], axis=2) <= 1).all(axis=1)]
    drawn = rasterise((place + 1) / 2 * _GRID, np.ones(len(place)), model.triangles[numbers], _GRID, _GRID)
    triangle = np.where(drawn.triangle >= 0, numbers[drawn.triangle], -1).astype(np.int32)
    return Raster(triangle, drawn.barycentric, drawn.depth)
