"""Tangent patches: what an ordinary camera at the panorama's middle would see, free of its distortion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike

from hifi_portrait.head.arrays import Array
from mmrgaze360.sphere.directions import direction_to_pixel

_LARGEST_MAP = 32000
"""OpenCV's remap takes pictures of fewer than 2**15 rows and columns."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TangentPatch:
    """A square gnomonic view of the sphere."""

    rotation: Array
    """(3, 3) from the patch's camera (x right, y forward, z up) to the panorama, of `rotation_of_view`."""
    fov: float
    """Angle of view in degrees, across as upwards, in (0, 180)."""
    size: int
    """Pixels across and up."""

    def __post_init__(self) -> None:
        if not 0 < self.fov < 180:
            raise ValueError(f"fov must lie between 0 and 180 degrees, not {self.fov}")

    @property
    def focal(self) -> float:
        """Distance of the picture plane, in pixels."""
        return float(self.size / 2 / np.tan(np.radians(self.fov) / 2))

    def directions(self) -> Array:
        """Give the direction (size, size, 3) of each pixel's centre; not of length 1."""
        across = np.arange(self.size) + 0.5 - self.size / 2
        x, z = np.meshgrid(across, -across)
        return np.stack([x, np.full_like(x, self.focal), z], -1) @ self.rotation.T

    def project(self, directions: ArrayLike) -> Array:
        """Give the places (..., 2) in the patch of directions (..., 3); NaN where they are behind it."""
        x, y, z = np.moveaxis(np.asarray(directions, np.float64) @ self.rotation, -1, 0)
        depth = np.where(y > 1e-9, y, np.nan)
        middle = self.size / 2
        return np.stack([middle + self.focal * x / depth, middle - self.focal * z / depth], -1)

    def read(self, panorama: Array) -> Array:
        """Read the patch (size, size, C) float32 out of a panorama (H, 2 H, C), linearly between pixels.

        A panorama with much more detail than the patch should be made smaller before: every pixel of the
        patch reads four of the panorama's.
        """
        return read_directions(panorama, self.directions())


def read_directions(panorama: Array, directions: ArrayLike) -> Array:
    """Read a panorama (H, 2 H, C) at directions (h, w, 3), linearly between pixels and over seam and poles.

    Returns
    -------
    picture
        (h, w, C) float32, in the panorama's units.
    """
    height, width = panorama.shape[:2]
    if max(height, width) > _LARGEST_MAP:
        raise ValueError(f"a panorama of {width} x {height} pixels is too large: make it {_LARGEST_MAP} wide")
    place = direction_to_pixel(directions, width, height)
    padded = pad_over_poles(panorama)
    # A pixel is added on each side: its centre, at +0.5, then has the index 1.
    return np.asarray(
        cv2.remap(
            padded.astype(np.float32, copy=False),
            (place[..., 0] + 0.5).astype(np.float32),
            (place[..., 1] + 0.5).astype(np.float32),
            cv2.INTER_LINEAR,
        ).reshape(*place.shape[:-1], *panorama.shape[2:])
    )


def pad_over_poles(panorama: Array) -> Array:
    """Add one pixel on each side: columns from across the seam, rows from across the pole."""
    half = panorama.shape[1] // 2
    top, bottom = np.roll(panorama[:1], half, 1), np.roll(panorama[-1:], half, 1)
    tall = np.concatenate([top, panorama, bottom], 0)
    return np.concatenate([tall[:, -1:], tall, tall[:, :1]], 1)
