"""Combing: detail of hair drawn out along its strands."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray

_LEAST_DEVIATION = 1e-6


def comb(detail: Array, about: Array, where: Array, length: float, most_gain: float) -> FloatArray:
    """Draw detail out along strands that run from the crown, and keep its contrast.

    Each round averages it with itself some way up and down the strands, and doubles that way; the idea is
    that of Cabral and Leedom, Imaging Vector Fields Using Line Integral Convolution (1993).

    Parameters
    ----------
    detail
        (H, W, 3), differences from the hair's plain colour.
    about
        (H, W, 2), metres from the crown in the direction in which each place lies.
    where
        (H, W), where there is hair.
    length
        Standard deviation of the smoothing, in pixels.
    most_gain
        Factor by which contrast is raised at most, to be what it was.

    Returns
    -------
    ndarray
        (H, W, 3), 0 where there is no hair; the detail as it is for a length below 1.
    """
    there = where.astype(np.float32)
    if length < 1 or not there.any():
        return np.asarray(detail, np.float32)
    along = _strand_directions(about)
    known = np.dstack([detail * there[..., None], there]).astype(np.float32)
    step, left = 1.0, length**2
    while left > 0:
        share = min(left / (step**2 / 2), 1.0) / 4  # a step both ways with such a share has twice its square
        up, down = (_look_along(known, sign * step * along) for sign in (-1, 1))
        known += share * (up + down - 2 * known)
        left -= 2 * share * step**2
        step *= 2
    combed = known[..., :3] * (there / np.maximum(known[..., 3], 0.05))[..., None]
    before, after = (float(values[where].std()) for values in (detail, combed))
    return np.asarray(combed * min(before / max(after, _LEAST_DEVIATION), most_gain), np.float32)


def _look_along(values: Array, way: Array) -> Array:
    """Give to each place what is a way (H, W, 2), in pixels to the right and down, from it."""
    rows, columns = np.indices(way.shape[:2], dtype=np.float32)
    return cv2.remap(values, columns + way[..., 0], rows + way[..., 1], cv2.INTER_LINEAR)


def _strand_directions(about: Array) -> FloatArray:
    """Find unit vectors (H, W, 2), right and down, along which the direction from the crown is the same."""
    u, v = np.moveaxis(np.asarray(about, np.float32), -1, 0)
    (u_down, u_right), (v_down, v_right) = np.gradient(u), np.gradient(v)
    across_right, across_down = u * v_right - v * u_right, u * v_down - v * u_down
    length = np.maximum(np.hypot(across_right, across_down), 1e-12)
    return np.stack([-across_down / length, across_right / length], axis=-1)
