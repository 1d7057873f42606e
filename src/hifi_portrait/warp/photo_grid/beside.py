"""A body that a photo's left or right edge cuts off goes on beyond it, mirrored, and so does its outline."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.warp.photo_grid.continued import continue_body
from hifi_portrait.warp.photo_grid.layer import PhotoLayer
from hifi_portrait.warp.settings.photo_grid import GridSettings


def extend_beside(layer: PhotoLayer, shown: Array, settings: GridSettings) -> PhotoLayer:
    """Let a body that is cut off at a photo's sides go on to the picture's edges.

    Parameters
    ----------
    layer
        What a photo shows in a target.
    shown
        (S, S) where the crop shows its photo.
    settings
        How exactly the photo's edge is met, and how steep an outline may be.
    """
    columns = np.flatnonzero(np.any(shown, axis=0))
    if layer.across is None or layer.body is None or not len(columns):
        return layer
    first, end = columns[0] / shown.shape[1], (columns[-1] + 1) / shown.shape[1]
    right = _extend_to_the_right(layer, end - layer.across, layer.body, settings)
    flipped = _flip(right)
    to_left = layer.across[:, ::-1] - first
    left = _extend_to_the_right(flipped, to_left, layer.body[:, ::-1], settings)
    return right if left is flipped else _flip(left)


def _flip(layer: PhotoLayer) -> PhotoLayer:
    """Exchange left and right of all that is seen of a photo itself."""
    return replace(
        layer,
        colour=layer.colour[:, ::-1],
        alpha=layer.alpha[:, ::-1],
        hair=layer.hair[:, ::-1],
        trust=layer.trust[:, ::-1],
        emptiness=layer.emptiness[:, ::-1],
        depth=layer.depth[:, ::-1],
        remainder=layer.remainder[:, ::-1],
        parsed=None if layer.parsed is None else layer.parsed[:, ::-1],
    )


def _extend_to_the_right(layer: PhotoLayer, left: Array, body: Array, settings: GridSettings) -> PhotoLayer:
    """Let a body (H, W) go on to the right of where the photo ends; ``left`` (H, W) is what is left of it."""
    mask = np.isfinite(left)
    height, width = mask.shape
    columns = np.arange(width)
    inset = max(round(settings.edge_inset * width), 2)
    last = np.where(mask, columns, -1).max(axis=1)
    rows = np.arange(height)
    inside = np.clip(last - inset, 0, None)
    cut_off = (last > inset) & (left[rows, np.clip(last, 0, None)] < settings.edge_met)
    cut_off &= (body[rows, inside] > 0.5) & (layer.hair[rows, inside] < 0.5)
    cut_off = _longest_run_below(cut_off)
    if cut_off.sum() < settings.least_cut_off * height or inside[cut_off].max() >= width - 1 - inset:
        return layer
    edge = int(np.median(inside[cut_off]))
    top = int(np.flatnonzero(cut_off)[0])
    slope = _slope_of_outline(layer.alpha, edge, top, settings)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    beyond = x - edge
    outline = top + slope * np.maximum(beyond, 0)
    filled = np.clip(y - outline + 0.5, 0, 1) * (beyond > 0)
    lowest = float(np.flatnonzero(cut_off)[-1])
    known_y = np.minimum(y, lowest)
    from_x, from_y = np.maximum(edge - beyond, 0), np.maximum(known_y - 2 * slope * beyond, 0)
    at_edge = np.full_like(x, edge)

    def mirrored(values: Array) -> FloatArray:
        values = np.ascontiguousarray(values, np.float32)
        return np.asarray(cv2.remap(values, from_x, from_y, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE))

    def beside(values: Array) -> FloatArray:
        values = np.ascontiguousarray(values, np.float32)
        nearest = cv2.remap(values, at_edge, known_y, cv2.INTER_NEAREST, None, cv2.BORDER_REPLICATE)
        return np.asarray(nearest)

    depth = beside(np.where(np.isfinite(layer.depth), layer.depth, 0))
    return continue_body(layer, body, filled > 0, filled, depth, mirrored, beside, from_y > 0)


def _longest_run_below(rows: BoolArray) -> BoolArray:
    """Keep of some rows (H,) the last ones that follow each other, over small gaps: a body's."""
    found = np.flatnonzero(rows)
    kept = np.zeros_like(rows)
    if len(found):
        gaps = np.flatnonzero(np.diff(found) > 0.01 * len(rows) + 1)
        kept[found[gaps[-1] + 1 if len(gaps) else 0] : found[-1] + 1] = True
    return kept


def _slope_of_outline(alpha: Array, edge: int, top: int, settings: GridSettings) -> float:
    """Rows by which an outline that ends at a column and a row falls with each column."""
    span = max(round(settings.outline_span * alpha.shape[1]), 2)
    columns = np.arange(max(edge - span, 0), edge - span // 3)
    near = alpha[max(top - 3 * span, 0) :, columns] > 0.5
    tops = np.where(near.any(axis=0), near.argmax(axis=0) + max(top - 3 * span, 0), top)
    if not len(columns):
        return 0.0
    return float(np.clip(np.median((top - tops) / (edge - columns)), 0, settings.steepest_outline))
