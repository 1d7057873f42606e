"""Where on the face each pixel of a drawn head is, in metres of the mean head from the middle of its eyes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster

Array = npt.NDArray[Any]
Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
"""Least and most of each axis: to the person's left, forwards, up."""


class FacePlaces:
    """Places on the face of a raster's pixels.

    Attributes
    ----------
    left, forward, up
        (H, W) in metres; meaningless off the mesh.
    eye
        How far to the side of the middle an eye is.
    """

    def __init__(self, raster: Raster, model: HeadModel) -> None:
        mean = model.mean[: model.num_vertices]
        eyes = np.stack([(mean[eye].min(axis=0) + mean[eye].max(axis=0)) / 2 for eye in model.eye_vertices])
        self.left, back, self.up = np.moveaxis(
            raster.interpolate(mean - eyes.mean(axis=0), model.triangles), 2, 0
        )
        self.forward = -back
        self.eye = float(np.abs(eyes[:, 0]).mean())
        self._on_mesh = raster.mask

    def within(self, box: Box) -> npt.NDArray[np.bool_]:
        """Which pixels (H, W) are on the mesh and within a box."""
        axes = zip((self.left, self.forward, self.up), box, strict=True)
        inside = [(values > least) & (values < most) for values, (least, most) in axes]
        return np.asarray(np.logical_and.reduce([self._on_mesh, *inside]))
