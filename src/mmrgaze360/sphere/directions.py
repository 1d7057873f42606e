"""Directions, and the pixels of an equirectangular panorama that show them.

The camera is at the origin; x points right, y forward, z up. A direction is a vector of length 1. Longitude
is 0 straight ahead, grows to the right, and lies in [-180, 180) degrees; latitude is 90 straight up. A
panorama of ``width`` by ``height`` pixels shows longitude -180 at its left edge and latitude 90 at its upper
edge, and the centre of the pixel in column ``i`` and row ``j`` is at ``(i + 0.5, j + 0.5)``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from hifi_portrait.head.arrays import Array


def unit(vectors: ArrayLike) -> Array:
    """Scale vectors (..., 3) to length 1."""
    array = np.asarray(vectors, np.float64)
    return np.asarray(array / np.linalg.norm(array, axis=-1, keepdims=True))


def angle_between(first: ArrayLike, second: ArrayLike) -> Array:
    """Measure the great-circle distance between directions (..., 3), in radians; exact near 0 and pi too."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return np.asarray(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(-1)))


def lonlat_to_direction(longitude: ArrayLike, latitude: ArrayLike) -> Array:
    """Give the directions (..., 3) of longitudes and latitudes in degrees."""
    lon, lat = np.radians(np.asarray(longitude, np.float64)), np.radians(np.asarray(latitude, np.float64))
    parts = [np.cos(lat) * np.sin(lon), np.cos(lat) * np.cos(lon), np.sin(lat) + 0 * lon]
    return np.asarray(np.stack(parts, -1))


def direction_to_lonlat(directions: ArrayLike) -> Array:
    """Give longitude and latitude (..., 2), in degrees, of directions (..., 3) of any length."""
    d = np.asarray(directions, np.float64)
    lat = np.arctan2(d[..., 2], np.hypot(d[..., 0], d[..., 1]))
    lon = np.arctan2(d[..., 0], d[..., 1])
    return np.asarray(np.degrees(np.stack([np.where(lon >= np.pi, -np.pi, lon), lat], -1)))


def direction_to_pixel(directions: ArrayLike, width: int, height: int) -> Array:
    """Give the place (..., 2), x in [0, width) and y in [0, height], at which a panorama shows directions."""
    lon, lat = np.moveaxis(direction_to_lonlat(directions), -1, 0)
    x = (lon / 360 + 0.5) * width
    return np.stack([np.where(x >= width, 0.0, x), (0.5 - lat / 180) * height], -1)


def pixel_to_direction(places: ArrayLike, width: int, height: int) -> Array:
    """Give the directions (..., 3) of places (..., 2) in a panorama; x beyond its edges wraps around."""
    place = np.asarray(places, np.float64)
    return lonlat_to_direction((place[..., 0] / width - 0.5) * 360, (0.5 - place[..., 1] / height) * 180)


@lru_cache(maxsize=16)
def direction_grid(width: int, height: int) -> Array:
    """Give the direction (height, width, 3) of each pixel's centre; read-only."""
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    grid = pixel_to_direction(np.stack([columns, rows], -1), width, height)
    grid.flags.writeable = False
    return grid


@lru_cache(maxsize=16)
def solid_angles(width: int, height: int) -> Array:
    """Give the solid angle (height, width) of each pixel in steradians; all make 4 pi. Read-only."""
    edges = np.sin(np.pi * (0.5 - np.arange(height + 1) / height))
    angles = np.repeat(((edges[:-1] - edges[1:]) * 2 * np.pi / width)[:, None], width, 1)
    angles.flags.writeable = False
    return angles
