"""A grid of places, seen by a camera: how far it is drawn out, where it tears, and what each pixel shows."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray, IntArray
from hifi_portrait.head.geometry import Camera
from hifi_portrait.head.raster import Raster, rasterise


def grid_places(side: int) -> FloatArray:
    """Places (side, side, 2) of a grid's points in their photo, as fractions of its side."""
    y, x = np.mgrid[0:side, 0:side] + 0.5
    return np.asarray(np.stack([x, y], axis=-1) / side, np.float32)


@lru_cache(maxsize=4)
def _all_triangles(side: int) -> IntArray:
    number = np.arange(side * side, dtype=np.int32).reshape(side, side)
    upper = np.stack([number[:-1, :-1], number[1:, :-1], number[:-1, 1:]], axis=-1).reshape(-1, 3)
    lower = np.stack([number[1:, :-1], number[1:, 1:], number[:-1, 1:]], axis=-1).reshape(-1, 3)
    return np.concatenate([upper, lower])


def grid_triangles(kept: BoolArray) -> IntArray:
    """Triangles (F, 3) between the points (G, G) of a grid that are kept, numbered row by row."""
    triangles = _all_triangles(len(kept))
    inside = kept.ravel()[triangles]
    return triangles[inside[:, 0] & inside[:, 1] & inside[:, 2]]


def measure_stretch(pixels: Array) -> tuple[FloatArray, BoolArray]:
    """How far a grid is drawn out in a picture, and where it still shows its front.

    Parameters
    ----------
    pixels
        (G, G, 2), where the picture shows the grid's points.

    Returns
    -------
    stretch
        (G, G) pixels for a step on the grid, in the direction in which it is drawn out most.
    front
        (G, G).
    """
    across, down = np.gradient(pixels, axis=1), np.gradient(pixels, axis=0)
    determinant = across[..., 0] * down[..., 1] - down[..., 0] * across[..., 1]
    half = (across**2 + down**2).sum(axis=-1) / 2
    largest = np.sqrt(half + np.sqrt(np.maximum(half**2 - determinant**2, 0)))
    return np.asarray(largest, np.float32), np.asarray(determinant > 0)


def longest_sides(pixels: Array, triangles: IntArray) -> Array:
    """Length (F,) in pixels of the longest side of each triangle."""
    x, y = np.moveaxis(pixels.reshape(-1, 2), -1, 0)
    corners = [(x[corner], y[corner]) for corner in triangles.T]
    pairs = [(corners[one], corners[other]) for one, other in ((0, 1), (1, 2), (2, 0))]
    squares = [(one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 for one, other in pairs]
    return np.asarray(np.sqrt(np.maximum(np.maximum(squares[0], squares[1]), squares[2])))


def spread_over(values: Array, triangles: IntArray) -> Array:
    """Difference (F,) between the greatest and the least of values (G, G) at each triangle's corners."""
    one, two, three = (values.ravel()[corner] for corner in triangles.T)
    most, least = np.maximum(np.maximum(one, two), three), np.minimum(np.minimum(one, two), three)
    return np.asarray(most - least)


def draw_grid(places: Array, triangles: IntArray, values: Array, camera: Camera) -> tuple[Raster, FloatArray]:
    """Draw a grid: what each pixel shows of it, and the values (H, W, C) there.

    Parameters
    ----------
    places
        (G, G, 3) in camera space.
    triangles
        (F, 3) of its points.
    values
        (G, G, C) at its points.
    camera
        Of the picture.
    """
    flat = places.reshape(-1, 3).astype(np.float64)
    raster = rasterise(camera.project(flat), 1 / flat[:, 1], triangles, camera.height, camera.width)
    return raster, raster.interpolate(values.reshape(len(flat), -1), triangles)


def look_up(picture: Array, places: Array, interpolation: int = cv2.INTER_LINEAR) -> FloatArray:
    """Colours (H, W) or (H, W, C) of a square picture at places (H, W, 2), fractions of its side."""
    at = (places * len(picture) - 0.5).astype(np.float32)
    values = np.asarray(picture, np.float32)
    return np.asarray(
        cv2.remap(values, at[..., 0], at[..., 1], interpolation, borderMode=cv2.BORDER_REPLICATE)
    )
