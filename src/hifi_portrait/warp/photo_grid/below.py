"""A body that a photo's lower edge cuts off goes on below it, mirrored, where it is wider than the mesh's."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.numerics import smoothstep
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

    worn = layer.body * (1 - layer.hair) if layer.parsed is None else layer.body * layer.parsed[..., 1]
    of_body = smoothstep(mirrored(worn), 0.5, 1)[..., None]

    def continued(values: Array) -> FloatArray:
        """Mirrored where that is the body's clothes; else as it is at the edge."""
        at_edge = np.broadcast_to(values[row, columns], values.shape)
        return np.asarray(at_edge + of_body * (mirrored(values) - at_edge), np.float32)

    here = there[..., None]
    return replace(
        layer,
        colour=np.where(here, continued(layer.colour), layer.colour),
        alpha=np.where(there, layer.alpha[row, columns], layer.alpha).astype(np.float32),
        hair=np.where(there, 0, layer.hair).astype(np.float32),
        trust=np.where(there, 1, layer.trust).astype(np.float32),
        emptiness=np.where(there, 0, layer.emptiness).astype(np.float32),
        depth=np.where(there, _BEHIND_ALL, layer.depth).astype(np.float32),
        remainder=np.where(here, 0, layer.remainder).astype(np.float32),
        parsed=None if layer.parsed is None else np.where(here, continued(layer.parsed), layer.parsed),
    )
