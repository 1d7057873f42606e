"""Strands of hair where no photo shows them: they run from the crown, as uneven as the hair that is shown."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.image.inpaint import blur_wide

_CROWN = (0.0, 0.045)  # metres on the mean head, right and back of the middle
_LENGTH = 0.05  # share of the side along which a strand is seen
_LOCKS = 0.02  # metres by which hair stands off that has such strands, and locks
_SCALES = ((0.0012, 0.008), (0.006, 0.03))  # shares of the side: width of strands and locks, and what is even
_WAVY = 0.004  # metres by which strands leave their way
_WAVES = 0.04  # share of the side over which
_UNEVEN = 0.1  # most spread of the logarithm of brightness
_LEAST_SPREAD = 0.2  # of what is summed along strands; of a handful of pixels it may be none
_DARK = 8.0  # of 255, added before a logarithm is taken

Array = npt.NDArray[Any]


def strands(
    picture: Array, shown: Array, thickness: float, raster: Raster, model: HeadModel
) -> npt.NDArray[np.float32]:
    """What to multiply the plain colour of hair by to have strands, (H, W), about 1.

    White noise is summed along their way (Cabral and Leedom, Imaging vector fields using line integral
    convolution, 1993).

    Parameters
    ----------
    picture
        (H, W, 3) in [0, 255].
    shown
        (H, W) in [0, 1], where it shows hair.
    thickness
        Metres by which hair stands off: cropped hair has no locks.
    raster, model
        What is drawn.
    """
    side = len(shown)
    away = raster.interpolate(_from_crown(model)[:, None], model.triangles)[..., 0]
    of_scalp = (away > 0).astype(np.uint8)
    rng = np.random.default_rng(0)

    def noise(width: float) -> Array:
        grain = blur_wide(rng.standard_normal(shown.shape, np.float32), max(width * side, 0.5))
        return np.asarray(grain / grain.std(), np.float32)

    wavy = cv2.GaussianBlur(away, (0, 0), 0.01 * side) + _WAVY * noise(_WAVES)
    down, across = np.gradient(wavy)
    length = np.maximum(np.hypot(down, across), 1e-9)
    flow = np.stack([across / length, down / length], axis=-1).astype(np.float32)
    brightness = np.log(picture.mean(axis=2) + _DARK)
    total = np.zeros(shown.shape, np.float32)
    long = min(thickness / _LOCKS, 1.0)
    for (width, even), share in zip(_SCALES, (1.0, long), strict=True):
        along = np.zeros(shown.shape, np.float32)
        _along(noise(width), flow, of_scalp, round(_LENGTH * long * side / 2), along)
        spread = float(along[of_scalp > 0].std()) if of_scalp.any() else 1.0
        uneven = share * _unevenness(brightness, shown, width * side, even * side)
        total += uneven / max(spread, _LEAST_SPREAD) * along
    return np.asarray(np.exp(total), np.float32)


@lru_cache(maxsize=4)
def _from_crown(model: HeadModel) -> npt.NDArray[np.float32]:
    """Metres (V,) of the scalp's vertices from the crown on the mean head; 0 off it."""
    hair = scalp(model)
    places = model.mean[hair.vertices]
    crown = places[np.hypot(places[:, 0] - _CROWN[0], places[:, 1] - _CROWN[1]).argmin()]
    return hair.on_all(np.linalg.norm(places - crown, axis=1) + 1e-3, model.num_vertices)


def _unevenness(brightness: Array, shown: Array, fine: float, coarse: float) -> float:
    """Spread of logarithms of brightness (H, W) between two sizes, in pixels, where hair is shown (H, W)."""
    weight = np.maximum(blur_wide(shown, coarse), 1e-3)
    mean = blur_wide(brightness * shown, coarse) / weight
    near = blur_wide(shown, fine) if fine > 0.7 else shown
    detail = blur_wide(brightness * shown, fine) / np.maximum(near, 1e-3) if fine > 0.7 else brightness
    inside = shown > 0.9
    measured = float((detail - mean)[inside].std()) if inside.any() else 0.0
    return min(measured, _UNEVEN)


@numba.njit(cache=True, fastmath=True)
def _along(
    noise: Array, flow: Array, where: Array, steps: int, out: Array
) -> None:  # pragma: no cover - compiled
    """Noise (H, W) summed along a field of unit vectors (H, W, 2), so many pixels to and fro.

    Over the root of their number: short and long strands are equally uneven.
    """
    height, width = noise.shape
    for row in range(height):
        for column in range(width):
            if where[row, column] == 0:
                continue
            total, count = noise[row, column], 1
            for sign in (-1.0, 1.0):
                x, y = column + 0.5, row + 0.5
                for _ in range(steps):
                    i, j = int(x), int(y)
                    x += sign * flow[j, i, 0]
                    y += sign * flow[j, i, 1]
                    if x < 0 or y < 0 or x >= width or y >= height or where[int(y), int(x)] == 0:
                        break
                    total += noise[int(y), int(x)]
                    count += 1
            out[row, column] = total / count**0.5
