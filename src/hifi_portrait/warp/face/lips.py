"""The inner edges of lips in a picture: a frame in which to place what is between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.landmarks.contours import CONTOURS
from hifi_portrait.warp.face.teeth import upper_teeth_shown

_MIDDLE = 5  # of the 11 points of either lip's inner edge, from corner to corner
_AROUND = CONTOURS["inner lips"].landmarks  # from the right corner along the upper lip, and back
_UPPER = list(_AROUND[: 2 * _MIDDLE + 1])
_LOWER = [_AROUND[0], *reversed(_AROUND[2 * _MIDDLE :])]
NOMINAL = np.array((-1, -0.84, -0.69, -0.5, -0.27, 0, 0.27, 0.5, 0.69, 0.84, 1))
"""Places of the edges' points across a mouth, from the right corner to the left."""

_FRONT = 0.4  # share of the mouth's width in which what hangs on either lip is told apart
_BLACK = 0.45  # brightness of the dark between, at most, as a share of the lightest
_LEAST_DARK = 0.15  # share of the way down that it takes, at least
_LEVEL = 0.25  # share of their true distance below which two corners do not tell how a mouth leans

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Lips:
    """The inner edges of lips in a picture.

    Attributes
    ----------
    corner
        (2,) the right corner's place, in pixels.
    axes
        (2, 2) unit vectors: to the left corner, and down.
    across
        (11,) places of the edges' points along the first; they never turn back.
    upper, lower
        (11,) of both edges along the second.
    metre
        Pixels.
    width
        Metres from corner to corner, however they are turned.
    bared
        Metres of the upper teeth that they leave bare, from `upper_teeth_shown`.
    """

    corner: Array
    axes: Array
    across: Array
    upper: Array
    lower: Array
    metre: float
    width: float
    bared: float

    @classmethod
    def of(cls, landmarks: Array, head: HeadGeometry, size: int, model: HeadModel) -> Lips:
        """From landmarks (478, 2), as shares of the side of a picture ``size`` pixels high."""
        corners = LandmarkModel.load(model).locate_in_head(head)[[_UPPER[0], _UPPER[-1]]]
        depth = float((corners @ head.rotation.T + head.translation)[:, 1].mean())
        metre = head.camera.focal / head.camera.height * size / depth
        width = float(np.linalg.norm(corners[1] - corners[0]))
        upper, lower = size * landmarks[_UPPER], size * landmarks[_LOWER]
        apart = upper[-1] - upper[0]
        if np.linalg.norm(apart) < _LEVEL * width * metre:
            roll = np.radians(head.pose.roll)
            apart = np.array([np.cos(roll), np.sin(roll)])
        along = apart / np.linalg.norm(apart)
        axes = np.stack([along, [-along[1], along[0]]])
        above, below = (upper - upper[0]) @ axes.T, (lower - upper[0]) @ axes.T
        across = (above[:, 0] + below[:, 0]) / 2
        across[_MIDDLE:] = np.maximum.accumulate(across[_MIDDLE:])
        across[_MIDDLE::-1] = np.minimum.accumulate(across[_MIDDLE::-1])
        bared = upper_teeth_shown(head.expression) / 1e3
        return cls(upper[0], axes, across, above[:, 1], below[:, 1], metre, width, bared)

    @property
    def opening(self) -> float:
        """Metres between the lips, where they are parted most."""
        return float((self.lower - self.upper).max()) / self.metre

    @property
    def halves(self) -> Array:
        """Metres (2,) that the picture shows from the middle to the right corner, and to the left."""
        return np.abs(self.across[[0, -1]] - self.across[_MIDDLE]) / self.metre

    def framed(self, pixels: Array) -> tuple[Array, Array]:
        """Pixels (P, 2) along and below the line between the corners, (P,) each."""
        along, below = ((pixels - self.corner) @ self.axes.T).T
        return along, below

    def height(self, along: Array) -> Array:
        """Pixels (P,) from the upper lip to the lower at places along."""
        return np.asarray(np.interp(along, self.across, self.lower - self.upper))

    def between(self, along: Array, below: Array) -> Array:
        """Pixels (P, 2) at places along and so far below the upper lip."""
        framed = np.stack([along, np.interp(along, self.across, self.upper) + below], axis=1)
        return np.asarray(self.corner + framed @ self.axes)

    def gap(self, picture: Array) -> float:
        """Share of the way down, in their picture, to the dark between what hangs on either lip, or 1."""
        along = np.interp(np.linspace(-_FRONT, _FRONT, 9), NOMINAL, self.across)
        down = np.linspace(0.1, 0.95, 18)
        grid = [self.between(along, share * self.height(along)) - 0.5 for share in down]
        x, y = np.moveaxis(np.stack(grid), 2, 0).astype(np.float32)
        seen = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        profile = np.median(seen.mean(axis=2), axis=1)
        dark = down[profile < _BLACK * profile.max()]
        return float(dark.mean()) if len(dark) > _LEAST_DARK * len(down) else 1.0
