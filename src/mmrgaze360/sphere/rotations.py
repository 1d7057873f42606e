"""Rotations of the sphere, and of panoramas with everything that is known of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hifi_portrait.head.arrays import Array
from mmrgaze360.sphere.directions import direction_grid, unit
from mmrgaze360.sphere.patches import read_directions


def rotation_about_vertical(degrees: float) -> Array:
    """Make the rotation (3, 3) that moves directions to the right by an angle: it adds to longitudes."""
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    return np.array(((c, s, 0.0), (-s, c, 0.0), (0.0, 0.0, 1.0)))


def rotation_of_view(direction: ArrayLike, roll: float = 0.0) -> Array:
    """Make the rotation (3, 3) of a camera that looks along a direction.

    Its columns are where the camera's right, forward and up point. Without ``roll`` (degrees, the camera's
    head leaning to its right) the right one is level; straight up or down it is +x.
    """
    forward = unit(direction)
    flat = np.array((forward[1], -forward[0], 0.0))
    right = np.array((1.0, 0.0, 0.0)) if np.hypot(flat[0], flat[1]) < 1e-9 else unit(flat)
    up = np.cross(right, forward)
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    return np.stack([c * right - s * up, forward, s * right + c * up], 1)


def rotation_from_to(start: ArrayLike, end: ArrayLike) -> Array:
    """Make the smallest rotation (3, 3) that moves one direction to another."""
    a, b = unit(start), unit(end)
    cosine = float(a @ b)
    if cosine < -1 + 1e-12:  # half a turn, about any axis across
        axis = unit(np.cross(a, np.eye(3)[np.argmin(np.abs(a))]))
        return np.asarray(2 * np.outer(axis, axis) - np.eye(3))
    x, y, z = np.cross(a, b)
    cross = np.array(((0, -z, y), (z, 0, -x), (-y, x, 0)))
    return np.asarray(np.eye(3) + cross + cross @ cross / (1 + cosine))


def random_rotation(rng: np.random.Generator, most_tilt: float = 180.0) -> Array:
    """Draw a rotation (3, 3): any turn about the vertical, and a tilt of up to ``most_tilt`` degrees.

    With 180 all rotations of the sphere are equally likely: the new place of the zenith is uniform on the cap
    of that radius, and the turns about it and before it are uniform.
    """
    height = rng.uniform(np.cos(np.radians(most_tilt)), 1.0)
    azimuth = rng.uniform(0, 2 * np.pi)
    flat = np.sqrt(1 - height**2)
    zenith = np.array((flat * np.cos(azimuth), flat * np.sin(azimuth), height))
    tilt = rotation_from_to((0, 0, 1), zenith)
    return np.asarray(tilt @ rotation_about_vertical(rng.uniform(0, 360)))


def rotate_panorama(picture: Array, rotation: Array) -> Array:
    """Turn a panorama: what was seen in direction ``d`` is then seen in ``rotation @ d``.

    Parameters
    ----------
    picture
        (H, 2 H, C) of any number type; integers are rounded.
    rotation
        (3, 3).
    """
    height, width = picture.shape[:2]
    turned = read_directions(picture, direction_grid(width, height) @ rotation)
    if np.issubdtype(picture.dtype, np.integer):
        info = np.iinfo(picture.dtype)
        turned = np.clip(np.rint(turned), info.min, info.max)
    return np.asarray(turned.astype(picture.dtype))


def turn_columns(picture: Array, degrees: float, width: int | None = None) -> Array:
    """Turn a panorama about the vertical by any angle, without loss; its rows are periodic signals.

    Each row's Fourier series is shifted. So turns add up to the last digit, which resampling between pixels
    would not do, and a whole number of columns moves them as they are.

    Parameters
    ----------
    picture
        (H, W, C) floating point, W even; any rows of a panorama.
    degrees
        Added to longitudes.
    width
        Columns of the result, even and at most W: what does not fit is filtered off. The filter is Gaussian,
        since a sharp one would ring. Without it as many as there are.

    Returns
    -------
    turned
        (H, width, C) float64.
    """
    columns = picture.shape[1]
    width = columns if width is None else width
    spectrum = np.fft.rfft(np.asarray(picture, np.float64), axis=1)[:, : width // 2 + 1]
    order = np.arange(spectrum.shape[1])
    # Centres are at +0.5 in both widths, so the first ones are half a column's difference apart.
    shift = np.exp(-1j * order * (np.radians(degrees) + np.pi / columns - np.pi / width))
    if width < columns:
        shift = shift * np.exp(-0.5 * (order / (0.42 * width)) ** 2)
    spectrum = spectrum * shift[:, None]
    return np.asarray(np.fft.irfft(spectrum, n=width, axis=1) * (width / columns))
