"""A panorama as users have it: a file, checked, and the views out of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hifi_portrait.errors import ImageError, OutputError, TargetError
from hifi_portrait.faces.image import load_image
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.io.atomic import write_output
from hifi_portrait.io.names import PICTURE_FORMATS, printable
from mmrgaze360.limits import LEAST_FOV, MOST_FOV
from mmrgaze360.sphere import (
    TangentPatch,
    direction_grid,
    lonlat_to_direction,
    rotation_of_view,
    turn_columns,
)

_LEAST_COLUMNS = 64
_TOLERANCE = 0.01
"""How far the ratio of the sides may be off 2, as cameras round."""


@dataclass(frozen=True, eq=False)
class Panorama:
    """A 360-degree picture.

    Build one by `open`, `from_pixels` or `from_photo`.
    """

    pixels: Array
    """(H, 2 H, 3) RGB, bytes; or floating point from 0 to 255."""
    name: str = "the panorama"
    """What messages call it."""

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if len(shape) != 3 or shape[2] != 3:
            raise ImageError(f"{self.name} must be a colour picture (H, 2 H, 3), not {shape}")
        height, width = shape[:2]
        if abs(width / height - 2) > 2 * _TOLERANCE:
            raise ImageError(
                f"{self.name} is {width} x {height} pixels, but a panorama is twice as wide as high. For a "
                "flat photo say how much it shows: --fov DEGREES, or Panorama.from_photo"
            )
        if width < _LEAST_COLUMNS:
            raise ImageError(f"{self.name} is {width} pixels wide; {_LEAST_COLUMNS} are needed")

    @classmethod
    def open(cls, path: str | Path, fov: float | None = None) -> Panorama:
        """Open a picture file.

        Parameters
        ----------
        path
            Of any format that `hifi_portrait.faces.load_image` reads.
        fov
            Of a flat photo: its horizontal angle of view, from 1 to 179 degrees. None for a panorama.

        Raises
        ------
        ImageError
            It cannot be read, or it is not twice as wide as high and there is no ``fov``.
        TargetError
            ``fov`` is out of range.
        """
        pixels = load_image(path)
        name = str(path)
        return cls(pixels, name) if fov is None else cls.from_photo(pixels, fov, name)

    @classmethod
    def from_photo(cls, photo: NDArray[np.uint8], fov: float, name: str = "the photo") -> Panorama:
        """Set a flat photo (h, w, 3) into a panorama, straight ahead; the rest is grey.

        Raises
        ------
        TargetError
            ``fov`` is not from 1 to 179 degrees.
        """
        _check_fov(fov, name)
        height, width = photo.shape[:2]
        focal = width / 2 / np.tan(np.radians(fov) / 2)
        columns = int(min(4096, max(512, 2 * round(np.pi * focal))))
        grid = direction_grid(columns, columns // 2)
        depth = np.where(grid[..., 1] > 1e-6, grid[..., 1], np.nan)
        u = (width / 2 + focal * grid[..., 0] / depth - 0.5).astype(np.float32)
        v = (height / 2 - focal * grid[..., 2] / depth - 0.5).astype(np.float32)
        grey = (128, 128, 128)
        read = cv2.remap(
            photo,
            np.nan_to_num(u, nan=-9.0),
            np.nan_to_num(v, nan=-9.0),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=grey,
        )
        return cls(np.asarray(read, np.uint8), name)

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    def view(self, longitude: float, latitude: float, fov: float, size: int = 512) -> NDArray[np.uint8]:
        """Show what an ordinary camera at its middle would see: (size, size, 3).

        Parameters
        ----------
        longitude, latitude
            Where the camera looks, degrees: from -360 to 360, and from -90 to 90.
        fov
            Its angle of view, from 1 to 179 degrees.
        size
            Pixels across.

        Raises
        ------
        TargetError
            One of these angles is out of range.
        """
        for what, value, most in (("longitude", longitude, 360), ("latitude", latitude, 90)):
            if not -most <= value <= most:
                raise TargetError(
                    f"--at of a view of {self.name}: the {what} must be from -{most} to {most} degrees, not"
                    f" {value}"
                )
        _check_fov(fov, f"a view of {self.name}")
        patch = TangentPatch(
            rotation=rotation_of_view(lonlat_to_direction(longitude, latitude)), fov=fov, size=size
        )
        return self.read(patch)

    def read(self, patch: TangentPatch) -> NDArray[np.uint8]:
        """Read a tangent patch (size, size, 3), from as much detail as it can show."""
        sharp = patch.focal * 2 * np.pi
        source = self.pixels
        if sharp * 1.5 < self.width:
            columns = max(_LEAST_COLUMNS, 2 * round(sharp * 0.75))
            source = cv2.resize(
                np.asarray(source, np.float32), (columns, columns // 2), interpolation=cv2.INTER_AREA
            )
        return np.asarray(np.clip(np.rint(patch.read(source)), 0, 255), np.uint8)

    @cached_property
    def _small(self) -> Array:
        """Fewer rows for the networks, all columns."""
        from mmrgaze360.network.scene import PANORAMA_SIZE

        rows = PANORAMA_SIZE[1]
        if self.height == rows:
            return np.asarray(self.pixels, np.float64)
        kind = cv2.INTER_AREA if self.height > rows else cv2.INTER_LINEAR
        return np.asarray(
            cv2.resize(np.asarray(self.pixels, np.float32), (self.width, rows), interpolation=kind),
            np.float64,
        )

    def turned_to(self, longitude: float) -> FloatArray:
        """Turn it so that a longitude is in the middle, at the size that the scene network takes.

        Returns
        -------
        picture
            (256, 512, 3) from -1 to 1. The turn is exact for any angle (`sphere.turn_columns`), so a panorama
            that was turned before gives the same.
        """
        from mmrgaze360.network.scene import PANORAMA_SIZE

        turned = turn_columns(self._small, -longitude, min(PANORAMA_SIZE[0], self.width))
        if turned.shape[1] != PANORAMA_SIZE[0]:
            turned = np.asarray(cv2.resize(turned, PANORAMA_SIZE, interpolation=cv2.INTER_LINEAR))
        return np.asarray(turned / 127.5 - 1, np.float32)

    def rows_turned_to(self, longitude: float, first: int, last: int) -> Array:
        """Turn some rows so that a longitude is in the middle, with all detail: (last - first, W, 3)."""
        return turn_columns(np.asarray(self.pixels[first:last], np.float64), -longitude)


def _check_fov(fov: float, name: str) -> None:
    if not LEAST_FOV <= fov <= MOST_FOV:
        raise TargetError(f"--fov of {name} must be from {LEAST_FOV:g} to {MOST_FOV:g} degrees, not {fov}")


def save_picture(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write a picture (H, W, 3); the name's ending says the format, and its folder is made.

    Raises
    ------
    OutputError
        The ending is none of `PICTURE_FORMATS`, or the file cannot be written.
    """
    kind = PICTURE_FORMATS.get(path.suffix.lower())
    if kind is None:
        raise OutputError(f"{printable(path)}: pictures are written as {', '.join(PICTURE_FORMATS)}")
    with write_output(path) as partial:
        Image.fromarray(pixels).save(partial, kind)
