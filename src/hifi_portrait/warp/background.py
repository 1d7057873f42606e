"""The background behind the person: the main reference's, and the edge between the two."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.settings import BackgroundSettings

_LAYERS = np.zeros(len(Part), np.uint8)
_LAYERS[[Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE, Part.MOUTH_CAVITY, Part.SHOULDERS]] = 1, 2, 3, 4, 5
"""Number of the layer of each part. Where one layer ends and another begins, the mesh's edge is a step."""


def add_background(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: put the person before the main reference's background, and smooth the edges of the mesh.

    Off the head's surface, coverage is half of the person's alpha from here on.
    """
    settings = context.settings.background
    height, width = canvas.alpha.shape
    behind = np.asarray(cv2.resize(context.sources.behind, (width, height)), np.float32)
    person = _soften_edge(canvas, settings)
    shown = person[..., None]
    picture = canvas.colour * shown + behind * (1 - shown) + canvas.remainder
    raster = canvas.raster
    layers = raster.mask * (1 + _LAYERS[context.model.parts[raster.triangle]])
    on_bald = context.target.raster.mask & raster.mask  # shoulders end where the person does
    return replace(
        canvas,
        colour=picture + (1 - canvas.photo[..., None]) * (_soften_steps(picture, layers, settings) - picture),
        coverage=np.where(on_bald, canvas.coverage, canvas.alpha / 2),
        person=person,
        behind=behind,
    )


def _soften_edge(canvas: Canvas, settings: BackgroundSettings) -> FloatArray:
    """Give the person's alpha (H, W) a photo's own edge, or one as soft as a photo's."""
    sigma = settings.edge_softness * len(canvas.alpha) / 256
    blurred = cv2.GaussianBlur(canvas.alpha, (0, 0), sigma)
    soft = np.minimum(canvas.alpha, blurred * settings.edge_gain)
    return np.asarray(soft + canvas.photo * (canvas.alpha - soft), np.float32)


def _soften_steps(picture: Array, layers: Array, settings: BackgroundSettings) -> Array:
    """Smooth the steps of a picture (H, W, 3) where one of the layers (H, W) ends and another begins."""
    layers = layers.astype(np.uint8)
    around = np.ones((3, 3), np.uint8)
    step = (cv2.dilate(layers, around) != cv2.erode(layers, around)).astype(np.float32)
    near = cv2.GaussianBlur(step, (0, 0), settings.layer_reach)[..., None]
    sigma = settings.layer_softness * len(picture) / 256
    return np.asarray(picture + near * (cv2.GaussianBlur(picture, (0, 0), sigma) - picture))
