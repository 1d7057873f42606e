"""A photo's layer with its body continued beyond the edge that cuts it off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.photo_grid.layer import PhotoLayer


def continue_body(
    layer: PhotoLayer,
    body: Array,
    there: Array,
    alpha: Array,
    depth: Array,
    mirrored: Callable[[Array], FloatArray],
    at_edge: Callable[[Array], Array],
    known: Array | float = 1.0,
) -> PhotoLayer:
    """Continue a body where it is cut off: mirrored where that is its clothes; else as it is at the edge.

    Parameters
    ----------
    layer
        What a photo shows.
    body
        (H, W) in [0, 1], how far that moves with the body.
    there
        (H, W) bool, where the body goes on.
    alpha, depth
        (H, W), or to be broadcast to it, what it has there.
    mirrored, at_edge
        Give values (H, W) or (H, W, C) of the layer mirrored at the edge, and as they are at it.
    known
        (H, W) in [0, 1], how far what is mirrored lies in the picture.
    """
    worn = body * (1 - layer.hair) if layer.parsed is None else body * layer.parsed[..., 1]
    of_body = (smoothstep(mirrored(worn), 0.5, 1) * known)[..., None]
    here = there[..., None]

    def continued(values: Array) -> Array:
        edge = at_edge(values)
        return np.where(here, np.asarray(edge + of_body * (mirrored(values) - edge), np.float32), values)

    return replace(
        layer,
        colour=continued(layer.colour),
        alpha=np.where(there, alpha, layer.alpha).astype(np.float32),
        hair=np.where(there, 0, layer.hair).astype(np.float32),
        trust=np.where(there, 1, layer.trust).astype(np.float32),
        emptiness=np.where(there, 0, layer.emptiness).astype(np.float32),
        depth=np.where(there, depth, layer.depth).astype(np.float32),
        remainder=np.where(here, 0, layer.remainder).astype(np.float32),
        parsed=None if layer.parsed is None else continued(layer.parsed),
    )
