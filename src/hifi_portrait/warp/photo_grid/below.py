"""A body that a photo's lower edge cuts off goes on below it, mirrored, where it is wider than the mesh's."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.warp.photo_grid.continued import continue_body
from hifi_portrait.warp.photo_grid.layer import PhotoLayer
from hifi_portrait.warp.settings.photo_grid import GridSettings

_BEHIND_ALL = 1e3
"""Metres: what goes on is behind the mesh's own shoulders, whose clothes go on by themselves."""


def extend_below(layer: PhotoLayer, settings: GridSettings) -> PhotoLayer:
    """Let a body that is cut off at a photo's lower edge go on to the picture's.

    Parameters
    ----------
    layer
        What a photo shows in a target.
    settings
        How exactly the photo's edge is met, and how far its lower edge may lean.
    """
    if layer.across is None or layer.body is None:
        return layer
    seen = np.isfinite(layer.across)
    height, width = seen.shape
    inset = max(round(settings.edge_inset * height), 2)
    shown = seen.any(axis=0)
    last = np.where(shown, height - 1 - seen[::-1].argmax(axis=0), -1)
    columns, row = np.arange(width), np.clip(last - inset, 0, None)
    cut_off = shown & (last < height - 1) & (last >= last.max() - settings.lower_edge_leans * height)
    cut_off &= (layer.alpha[row, columns] > 0.5) & (layer.body[row, columns] > 0.5)
    cut_off &= layer.hair[row, columns] < 0.5
    if not cut_off.any():
        return layer
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    there = cut_off & (y > row)
    from_y = np.clip(np.where(there, 2 * row - y, y), 0, None).astype(np.float32)

    def mirrored(values: Array) -> FloatArray:
        values = np.ascontiguousarray(values, np.float32)
        return np.asarray(cv2.remap(values, x, from_y, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE))

    def at_edge(values: Array) -> Array:
        return np.broadcast_to(values[row, columns], values.shape)

    alpha = layer.alpha[row, columns]
    return continue_body(layer, layer.body, there, alpha, np.array(_BEHIND_ALL), mirrored, at_edge)
