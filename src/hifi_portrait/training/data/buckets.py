"""Aspect buckets: targets of other shapes than a square, beside the square crops of a prepared folder.

``buckets.json`` lists the shapes (height, width), the square first. For each of P photos ``bucket.npy``
(P,) holds the number of its shape as a target, and ``bucket_row.npy`` (P,) its row in ``latents_HxW.npy``;
squares stay in ``latents.npy``. References are square crops whatever the target's shape.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from tqdm import tqdm

from hifi_portrait.dataset.format import PhotoRecord
from hifi_portrait.errors import DatasetError
from hifi_portrait.faces.geometry import cut_out
from hifi_portrait.head import Camera, HeadGeometry
from hifi_portrait.head.arrays import Array, ByteArray
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.training.data.encode import LatentEncoder
from hifi_portrait.training.data.prepared import Prepared

Shape = tuple[int, int]
"""Height and width in pixels."""

_BATCH = 8
"""Pictures that are encoded at a time."""


class Buckets:
    """Reads the targets of a prepared folder.

    Attributes
    ----------
    shapes : list of Shape
        All shapes, the square first.
    of_photo : numpy.ndarray
        (P,) number of each photo's shape.

    Raises
    ------
    DatasetError
        The folder has no buckets.
    """

    def __init__(self, prepared: Prepared) -> None:
        place = prepared.folder / "buckets.json"
        if not place.exists():
            raise DatasetError(
                f"{prepared.folder} has no aspect buckets: prepare it again, with --buckets HEIGHTxWIDTH,..."
            )
        self.shapes: list[Shape] = [(height, width) for height, width in json.loads(place.read_text())]
        self.of_photo: npt.NDArray[np.uint8] = np.load(prepared.folder / "bucket.npy")
        self._row = np.load(prepared.folder / "bucket_row.npy")
        self._prepared = prepared
        self._latents = [
            np.load(_latents_file(prepared.folder, shape), mmap_mode="r") for shape in self.shapes[1:]
        ]

    def latents(self, photo: int) -> Tensor:
        """Give the scaled latents (C, h, w) of a photo as a target, in float32."""
        bucket = int(self.of_photo[photo])
        if bucket == 0:
            return self._prepared.latents(photo)
        return torch.from_numpy(self._latents[bucket - 1][self._row[photo]].astype(np.float32))

    def geometry(self, photo: int, square: HeadGeometry) -> HeadGeometry:
        """Give a head of the square crop as the target shows it."""
        return reframe(square, self.shapes[int(self.of_photo[photo])])


def reframe(geometry: HeadGeometry, shape: Shape) -> HeadGeometry:
    """Give a head as a picture of another shape about the same middle shows it."""
    height, width = shape
    camera = geometry.camera
    centre = (camera.cx + (width - camera.width) / 2, camera.cy + (height - camera.height) / 2)
    return replace(geometry, camera=Camera(camera.focal, *centre, width, height))


def choose_shape(extent: tuple[int, int], transform: Array, shapes: Sequence[Shape]) -> int:
    """Choose the shape that shows a photo best: that with the least beside the photo.

    Among equals it is the one whose proportions are nearest to the photo's.

    Parameters
    ----------
    extent
        Width and height of the photo in pixels.
    transform
        (3, 3) from pixels of the photo to pixels of the square crop.
    shapes
        Shapes to choose from, the square first.

    Returns
    -------
    int
        Number of the shape.
    """
    (square, _), (wide, high) = shapes[0], extent
    scale = float(transform[0, 0])
    left, top = transform[0, 2], transform[1, 2]
    right, bottom = left + scale * wide, top + scale * high

    def merit(shape: Shape) -> tuple[float, float]:
        height, width = shape
        x, y = (square - width) / 2, (square - height) / 2
        seen_x = max(0.0, min(right, x + width) - max(left, x)) / width
        seen_y = max(0.0, min(bottom, y + height) - max(top, y)) / height
        return round(seen_x * seen_y, 2), -abs(float(np.log(width / height) - np.log(wide / high)))

    return max(range(len(shapes)), key=lambda place: merit(shapes[place]))


def make_buckets(
    data: str | Path, folder: str | Path, shapes: Sequence[Shape], *, progress: bool = False
) -> None:
    """Sort the photos of a prepared folder into shapes, and encode those that are not square.

    Parameters
    ----------
    data
        The data set that the folder was prepared from.
    folder
        The prepared folder.
    shapes
        Shapes to sort into. The square need not be among them.
    progress
        Whether to show a progress bar.

    Raises
    ------
    DatasetError
        There is no autoencoder in ``folder`` yet, or the data set has changed since.
    """
    prepared = Prepared(folder)
    photos, indices = prepared.source(data)
    encoder = LatentEncoder(prepared.folder)
    square = (prepared.size, prepared.size)
    shapes = [square, *(shape for shape in shapes if shape != square)]
    of_photo, row = np.zeros(len(prepared), np.uint8), np.zeros(len(prepared), np.int32)
    for number, index in enumerate(indices):
        photo = photos.entry(int(index))
        of_photo[number] = choose_shape(
            (photo.width, photo.height), square_transform(photo, prepared.size), shapes
        )
    for place, shape in enumerate(shapes[1:], start=1):
        chosen = np.flatnonzero(of_photo == place)
        row[chosen] = np.arange(len(chosen))
        sides = [side // encoder.factor for side in shape]
        latents = np.lib.format.open_memmap(
            _latents_file(prepared.folder, shape), "w+", np.float16, (len(chosen), encoder.channels, *sides)
        )
        steps = range(0, len(chosen), _BATCH)
        for start in tqdm(steps, desc=f"bucket {shape[0]}x{shape[1]}", disable=not progress):
            rows = slice(start, start + _BATCH)
            cut = [_cut(photos[int(indices[n])], prepared.size, shape) for n in chosen[rows]]
            latents[rows] = encoder(np.stack(cut))
        latents.flush()
    np.save(prepared.folder / "bucket.npy", of_photo)
    np.save(prepared.folder / "bucket_row.npy", row)
    with atomic_write(prepared.folder / "buckets.json") as partial:
        partial.write_text(json.dumps(shapes))


def square_transform(photo: PhotoRecord, size: int) -> npt.NDArray[np.float64]:
    """Compute the transform (3, 3) from a photo's pixels to those of its square crop of ``size`` pixels."""
    assert photo.analysis is not None and photo.analysis.crop_transform is not None
    scale = size / photo.analysis.crop_size
    transform: npt.NDArray[np.float64] = np.diag([scale, scale, 1]) @ photo.analysis.crop_transform
    return transform


def _cut(photo: PhotoRecord, size: int, shape: Shape) -> ByteArray:
    height, width = shape
    middle = np.array([[1, 0, (width - size) / 2], [0, 1, (height - size) / 2], [0, 0, 1]])
    return cut_out(photo.pixels(), middle @ square_transform(photo, size), (width, height))


def _latents_file(folder: Path, shape: Shape) -> Path:
    return folder / f"latents_{shape[0]}x{shape[1]}.npy"
