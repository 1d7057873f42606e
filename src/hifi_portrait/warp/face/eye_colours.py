"""The colours of a person's iris and white, read from photos."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray
from hifi_portrait.head.eyeballs import EYES, eyeball_places
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.warp.settings import EyeReadingSettings


@dataclass(frozen=True, eq=False)
class EyeColours:
    """What eyes look like.

    Attributes
    ----------
    iris, white
        (3,) in [0, 255].
    radius
        Of the iris, as a fraction of the eyeball's.
    covered
        Whether photos show dark lenses in their place.
    """

    iris: Array
    white: Array
    radius: float
    covered: bool = False

    @classmethod
    def read(
        cls,
        crops: Array,
        tables: Array,
        gains: Array,
        skin: float,
        model: HeadModel,
        settings: EyeReadingSettings,
    ) -> Self:
        """Read the eyes of N photos.

        Parameters
        ----------
        crops
            (N, S, S, 3) uint8.
        tables
            (N, V, 3): x and y of the vertices as fractions of the side, and their visibility.
        gains
            (N, 3) that bring the photos to one brightness.
        skin
            Brightness of the skin in [0, 255], for what no photo shows.
        model
            Whose vertices they are.
        settings
            Where iris and white are read.
        """
        colour, distance = _read_points(crops, tables, gains, model, settings)
        white = _mean_colour(colour, distance, settings.white_ring, settings.white_percentiles, settings)
        covered = white is not None and white.mean() < settings.lens_brightness * skin
        if white is None or covered:
            white = np.array(settings.default_white) * skin
        least, most = (limit * skin for limit in settings.white_brightness)
        bright = np.clip(white.mean(), least, max(most, settings.max_white))
        white = bright * (1 + settings.white_tint * (white / white.mean() - 1))
        iris = _mean_colour(colour, distance, settings.iris_ring, settings.iris_percentiles, settings)
        if iris is None or iris.mean() > settings.max_iris_brightness * white.mean():
            iris = np.array(settings.default_iris) * skin
        iris = np.maximum(iris.mean() + settings.iris_vividness * (iris - iris.mean()), 0)
        radius = _iris_radius(colour, distance, (iris.mean() + white.mean()) / 2, settings)
        brightest = settings.brightest
        return cls(np.minimum(iris, brightest), np.minimum(white, brightest), radius, covered)


def _read_points(
    crops: Array, tables: Array, gains: Array, model: HeadModel, settings: EyeReadingSettings
) -> tuple[Array, Array]:
    """Colours (P, 3) that open eyes show, and their distances (P,) from the pupil in eyeball radii."""
    colours, distances = [], []
    seeing = tables[:, np.concatenate(model.eye_vertices), 2].mean(axis=1)
    wide = seeing >= settings.min_opening * seeing.max(initial=0)
    for crop, table, gain in zip(crops[wide], tables[wide], gains[wide], strict=True):
        for part in EYES:
            raster = _front(model, part, settings.grid)
            on_eye = raster.triangle >= 0
            shown = raster.interpolate(table, model.triangles)[on_eye]
            at = (shown[:, :2] * len(crop) - 0.5).astype(np.float32)
            inside = (at > 0).all(axis=1) & (at < len(crop) - 1).all(axis=1)
            seen = (shown[:, 2] > settings.min_visibility) & inside
            read = cv2.remap(crop.astype(np.float32), at[None, :, 0], at[None, :, 1], cv2.INTER_LINEAR)[0]
            place = raster.interpolate(eyeball_places(model), model.triangles)[on_eye]
            colours.append(read[seen] * gain)
            distances.append(np.linalg.norm(place[seen], axis=1))
    return np.concatenate(colours), np.concatenate(distances)


def _mean_colour(
    colour: Array,
    distance: Array,
    ring: tuple[float, float],
    percentiles: tuple[float, float],
    settings: EyeReadingSettings,
) -> Array | None:
    """Mean of the colours (P, 3) in a ring between two percentiles of brightness; None of too few."""
    colours = colour[_between(distance, *ring)]
    if len(colours) < settings.min_points:
        return None
    brightness = colours.mean(axis=1)
    low, high = np.percentile(brightness, percentiles)
    return np.asarray(colours[_between(brightness, low, high)].mean(axis=0), np.float64)


def _iris_radius(colour: Array, distance: Array, half: float, settings: EyeReadingSettings) -> float:
    """Where an iris ends, in eyeball radii: the first ring that is brighter than half way to the white."""
    edges, width = np.arange(*settings.edge_rings), settings.ring_width
    rings = [colour[_between(distance, low, low + width)].mean(axis=1) for low in edges - width / 2]
    bright = np.array([np.median(ring) if len(ring) >= settings.min_points else np.nan for ring in rings])
    beyond = np.flatnonzero(bright > half)
    return float(np.clip(edges[beyond[0]] if len(beyond) else settings.iris_radius[1], *settings.iris_radius))


def _between(values: Array, low: float, high: float) -> BoolArray:
    """Which values lie between two."""
    return np.asarray((values >= low) & (values <= high))


@lru_cache(maxsize=8)
def _front(model: HeadModel, part: Part, grid: int) -> Raster:
    """Draw the front of an eyeball as its pupil looks, ``grid`` pixels across."""
    place = eyeball_places(model)
    numbers = np.flatnonzero(model.parts == part)
    numbers = numbers[(np.linalg.norm(place[model.triangles[numbers]], axis=2) <= 1).all(axis=1)]
    return rasterise((place + 1) / 2 * grid, np.ones(len(place)), model.triangles, grid, grid, numbers)
