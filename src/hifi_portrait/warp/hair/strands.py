"""Strands of hair where no photo shows them: they run from the crown, as uneven as the hair that is shown."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.compiled import compiled
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.image.inpaint import blur_wide
from hifi_portrait.warp.settings import ScalpSettings, WarpSettings

CROWN = (0.0, 0.045)
"""Metres on the mean head, right and back of the middle, of the crown, from which strands run."""


def draw_strands(
    picture: Array, shown: Array, thickness: float, raster: Raster, model: HeadModel, settings: WarpSettings
) -> FloatArray:
    """Draw strands: factors (H, W), about 1, by which plain hair is multiplied.

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
    settings
        Those of strands and of the scalp.
    """
    own, side = settings.strands, len(shown)
    away = raster.interpolate(_from_crown(model, settings.scalp)[:, None], model.triangles)[..., 0]
    of_scalp = (away > 0).astype(np.uint8)
    waves, *grains = _noise(shown.shape, (own.wave_length, own.strand_width, own.lock_width))
    wavy = cv2.GaussianBlur(away, (0, 0), own.flow_softness * side) + own.waviness * waves
    down, across = np.gradient(wavy)
    length = np.maximum(np.hypot(down, across), 1e-9)
    flow = np.stack([across / length, down / length], axis=-1).astype(np.float32)
    brightness = np.log(picture.mean(axis=2) + own.dark_offset)
    total = np.zeros(shown.shape, np.float32)
    long = min(thickness / own.long_thickness, 1.0)
    scales = (
        (own.strand_width, own.strand_evenness, 1.0),
        (own.lock_width, own.lock_evenness, long),
    )
    for grain, (width, even, strength) in zip(grains, scales, strict=True):
        along = np.zeros(shown.shape, np.float32)
        _sum_along(grain, flow, of_scalp, round(own.length * long * side / 2), along)
        deviation = float(along[of_scalp > 0].std()) if of_scalp.any() else 1.0
        contrast = min(_measure_contrast(brightness, shown, width * side, even * side), own.max_contrast)
        total += strength * contrast / max(deviation, own.min_spread) * along
    return np.asarray(np.exp(total), np.float32)


@lru_cache(maxsize=4)
def _noise(shape: tuple[int, int], widths: tuple[float, ...]) -> list[FloatArray]:
    """White noise (H, W) of deviation 1, the same at each call, blurred by fractions of the height."""
    rng = np.random.default_rng(0)
    smooth = (
        blur_wide(rng.standard_normal(shape, np.float32), max(width * shape[0], 0.5)) for width in widths
    )
    return [np.asarray(each / each.std(), np.float32) for each in smooth]


@lru_cache(maxsize=4)
def _from_crown(model: HeadModel, settings: ScalpSettings) -> FloatArray:
    """Metres (V,) of the scalp's vertices from the crown on the mean head; 0 off it."""
    hair = scalp(model, settings)
    places = model.mean[hair.vertices]
    crown = places[np.hypot(places[:, 0] - CROWN[0], places[:, 1] - CROWN[1]).argmin()]
    return hair.spread_to(np.linalg.norm(places - crown, axis=1) + 1e-3, model.num_vertices)


def _measure_contrast(brightness: Array, shown: Array, fine: float, coarse: float) -> float:
    """Measure the spread of log brightness (H, W) between two sizes in pixels, on hair (H, W)."""
    weight = np.maximum(blur_wide(shown, coarse), 1e-3)
    mean = blur_wide(brightness * shown, coarse) / weight
    near = blur_wide(shown, fine) if fine > 0.7 else shown
    detail = blur_wide(brightness * shown, fine) / np.maximum(near, 1e-3) if fine > 0.7 else brightness
    inside = shown > 0.9
    return float((detail - mean)[inside].std()) if inside.any() else 0.0


@compiled(fastmath=True)
def _sum_along(
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
