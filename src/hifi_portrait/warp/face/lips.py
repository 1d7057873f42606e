"""The inner edges of lips in a picture: a frame in which to place what is between them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.landmarks.contours import CONTOURS
from hifi_portrait.warp.face.teeth import bared_teeth
from hifi_portrait.warp.settings import LipSettings, WarpSettings

_MIDDLE_POINT = 5
"""Index of the middle of the 11 points of either lip's inner edge, from corner to corner."""

_LIP_LANDMARKS = CONTOURS["inner lips"].landmarks
"""Landmarks from the right corner along the upper lip, and back along the lower."""

_UPPER_EDGE = list(_LIP_LANDMARKS[: 2 * _MIDDLE_POINT + 1])
_LOWER_EDGE = [_LIP_LANDMARKS[0], *reversed(_LIP_LANDMARKS[2 * _MIDDLE_POINT :])]
NOMINAL = np.array((-1, -0.84, -0.69, -0.5, -0.27, 0, 0.27, 0.5, 0.69, 0.84, 1))
"""Places of the edges' points across a mouth, from the right corner to the left."""


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
        Metres of the upper teeth that they leave bare, from `bared_teeth`.
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
    def of(
        cls, landmarks: Array, head: HeadGeometry, size: int, model: HeadModel, settings: WarpSettings
    ) -> Lips:
        """From landmarks (478, 2), as fractions of the side of a picture ``size`` pixels high."""
        corners = LandmarkModel.load(model).locate_in_head(head)[[_UPPER_EDGE[0], _UPPER_EDGE[-1]]]
        depth = float((corners @ head.rotation.T + head.translation)[:, 1].mean())
        metre = head.camera.focal / head.camera.height * size / depth
        width = float(np.linalg.norm(corners[1] - corners[0]))
        upper, lower = size * landmarks[_UPPER_EDGE], size * landmarks[_LOWER_EDGE]
        apart = upper[-1] - upper[0]
        if np.linalg.norm(apart) < settings.lips.min_corner_distance * width * metre:
            roll = np.radians(head.pose.roll)
            apart = np.array([np.cos(roll), np.sin(roll)])
        along = apart / np.linalg.norm(apart)
        axes = np.stack([along, [-along[1], along[0]]])
        above, below = (upper - upper[0]) @ axes.T, (lower - upper[0]) @ axes.T
        across = (above[:, 0] + below[:, 0]) / 2
        across[_MIDDLE_POINT:] = np.maximum.accumulate(across[_MIDDLE_POINT:])
        across[_MIDDLE_POINT::-1] = np.minimum.accumulate(across[_MIDDLE_POINT::-1])
        bared = bared_teeth(head.expression, settings.teeth) / 1e3
        return cls(upper[0], axes, across, above[:, 1], below[:, 1], metre, width, bared)

    @property
    def opening(self) -> float:
        """Metres between the lips, where they are parted most."""
        return float((self.lower - self.upper).max()) / self.metre

    @property
    def halves(self) -> Array:
        """Metres (2,) that the picture shows from the middle to the right corner, and to the left."""
        return np.asarray(np.abs(self.across[[0, -1]] - self.across[_MIDDLE_POINT]) / self.metre)

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

    def dark_gap(self, picture: Array, settings: LipSettings) -> float:
        """Fraction of the way down to the dark between what hangs on either lip; 1 if there is none.

        ``picture`` (S, S, 3) is the one that the lips are in.
        """
        front = np.linspace(-settings.front_fraction, settings.front_fraction, 9)
        along = np.interp(front, NOMINAL, self.across)
        down = np.linspace(0.1, 0.95, 18)
        grid = [self.between(along, fraction * self.height(along)) - 0.5 for fraction in down]
        x, y = np.moveaxis(np.stack(grid), 2, 0).astype(np.float32)
        seen = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        profile = np.median(seen.mean(axis=2), axis=1)
        dark = down[profile < settings.dark_brightness * profile.max()]
        return float(dark.mean()) if len(dark) > settings.min_dark * len(down) else 1.0
