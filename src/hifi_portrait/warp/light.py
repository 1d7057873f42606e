"""One light over colours that come from references of several: as bright on the whole, and without edges."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.image.inpaint import blurred, spread
from hifi_portrait.warp.kernels import blend_on_mesh

_TRANSITION = 0.02  # share of the picture's side over which a difference of light is averaged
_WELL_SEEN = 0.2  # visibility from which on two tell the difference of their light in full
_MOST_CORRECTED = 0.9  # natural logarithm of a ratio: greater ones are not of light
_MOST_LIT = 0.2  # the same of mirror images, upwards
_SHADY = 0.015  # what of such a logarithm is missing where a mirror image counts 1 / e
_LEAST_LIT = 0.0005  # the least that it counts
_MOST_TINTED = 0.15  # the same of each channel beside their mean
_TINTED = 0.04  # share of the side about what both see within which a tint is believed
_BY_HAIR = (0.7, 1.1)  # natural logarithms of ratios between which a place, beside the rest, turns out hidden
_OTHER_LIGHT = (0.3, 0.5)  # mean differences of logarithms between which light falls otherwise
_DARK = 8.0  # of 255, added before a ratio is taken
_COARSE = 128  # side in pixels of the pictures in which they are taken

Array = npt.NDArray[Any]


def light_gains(crops: Array, xy: Array, visibility: Array, say: Array, model: HeadModel) -> Array:
    """Gains (N, 3) that bring each reference's skin to the references' common brightness."""
    skin = part_vertices(model, Part.SKIN)
    levels = _levels(crops, xy[:, skin])
    weights = (visibility[:, skin] > 0.4) * say[:, None] * 1.0
    total = weights.sum(axis=0)
    common = (levels * weights[..., None]).sum(axis=0) / np.maximum(total, 1e-6)[:, None]
    shared = weights * (total > weights * 1.001)  # seen by some other reference too
    count = shared.sum(axis=1)
    shift = ((common - levels) * shared[..., None]).sum(axis=1) / np.maximum(count, 1e-6)[:, None]
    return np.exp(np.clip(shift, -0.35, 0.35)).astype(np.float32)


def light_likeness(
    crops: Array, xy: Array, visibility: Array, main: int, vertices: Array
) -> npt.NDArray[np.float32]:
    """Whether light falls on vertices (P,) as in the main photo, however bright, (N,) in [0, 1]."""
    levels = _levels(crops, xy[:, vertices]).mean(axis=-1)
    weights = visibility[:, vertices] * visibility[main, vertices] + 1e-6
    apart = levels - levels[main]
    apart -= np.average(apart, axis=1, weights=weights)[:, None]
    differences = np.average(np.abs(apart), axis=1, weights=weights)
    least, most = _OTHER_LIGHT
    return np.clip((most - differences) / (most - least), 0, 1).astype(np.float32)


def colour_corrections(
    raster: Raster, tables: Array, crops: Array, mattes: Array, gains: Array, main: int, model: HeadModel
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """What to multiply the colours of each of M tables by, (M, h, w, 3), to have the light of the main photo.

    And how far that suffices, (M,) in [0, 1]: of mirror images, which may lie in the shade.

    Coarsely, the ratio where both see the head, and from there on smoothly: no edge shows where one takes
    over from the other. The tables after those of the N references are of their mirror images: light from the
    other side.
    """
    step = max(1, raster.triangle.shape[0] // _COARSE)
    triangle = np.ascontiguousarray(raster.triangle[step // 2 :: step, step // 2 :: step])
    barycentric = np.ascontiguousarray(raster.barycentric[step // 2 :: step, step // 2 :: step])
    head = (triangle >= 0) & (model.parts != Part.SHOULDERS)[triangle]
    triangle = np.where(head, triangle, -1)
    colours = np.zeros((len(tables), *triangle.shape, 3), np.float32)
    seen = np.zeros(colours.shape[:3], np.float32)
    for table in range(len(tables)):
        n = table % len(crops)
        blend_on_mesh(
            triangle,
            barycentric,
            model.triangles,
            model.parts == Part.SHOULDERS,
            tables[table : table + 1],
            crops[n : n + 1],
            mattes[n : n + 1],
            gains[n : n + 1],
            np.ones((1, 2, 2, 3), np.float32),
            np.ones((1, tables.shape[1]), np.float32),
            colours[table],
            seen[table],
            np.zeros(triangle.shape, np.float32),
        )
    levels = np.log(colours + _DARK)
    known = np.clip(seen / _WELL_SEEN, 0, 1)
    both = known * known[main]
    both *= _by_light((levels[main] - levels).mean(axis=-1), both)
    sigma = _TRANSITION * len(triangle)
    around = np.stack([cv2.GaussianBlur(share, (0, 0), sigma) for share in both])
    missing = [
        cv2.GaussianBlur(values, (0, 0), sigma) for values in both[..., None] * (levels[main] - levels)
    ]
    smooth = [
        spread(values / np.maximum(share, 1e-3)[..., None], np.clip(share, 0, 1))
        for values, share in zip(missing, around, strict=True)
    ]
    brightness = np.mean(smooth, axis=-1, keepdims=True)
    near = np.stack([blurred(share, _TINTED * len(triangle)) for share in both])[..., None]
    tint = np.clip(smooth - brightness, -_MOST_TINTED, _MOST_TINTED) * np.clip(2 * near, 0, 1)
    most = np.where(np.arange(len(brightness)) < len(crops), _MOST_CORRECTED, _MOST_LIT)[:, None, None, None]
    dark = np.maximum(brightness - most, 0)[:, head, 0].mean(axis=1) if head.any() else np.zeros(len(tables))
    lit = np.where(np.arange(len(tables)) < len(crops), 1, np.maximum(np.exp(-dark / _SHADY), _LEAST_LIT))
    factors = np.exp(np.clip(brightness, -_MOST_CORRECTED, most) + tint)
    return factors.astype(np.float32), lit.astype(np.float32)


def _levels(crops: Array, places: Array) -> npt.NDArray[np.float32]:
    """Logarithms of photos' colours (N, P, 3) at places (N, P, 2), shares of their side."""
    side = crops.shape[1]
    pixels = np.clip((places * side).astype(np.int64), 0, side - 1)
    colours = crops[np.arange(len(crops))[:, None], pixels[..., 1], pixels[..., 0]]
    return np.asarray(np.log(colours.astype(np.float32) + _DARK), np.float32)


def _by_light(darker: Array, both: Array) -> npt.NDArray[np.float32]:
    """Where photos (M, h, w) may be darker than the main one by light: 0 where hair hides the skin in them.

    ``darker`` is the logarithm of the ratio, ``both`` how well a photo and the main one see a place. Light
    changes slowly; so a place is compared with the median of its photo.
    """
    usual = [
        np.median(here[seen > 0.5]) if (seen > 0.5).any() else 0.0
        for here, seen in zip(darker, both, strict=True)
    ]
    apart = darker - np.array(usual)[:, None, None]
    return np.clip((_BY_HAIR[1] - apart) / (_BY_HAIR[1] - _BY_HAIR[0]), 0, 1).astype(np.float32)
