"""Labelled photos: rendered people with the label of each pixel, which the parsing network learns from.

A folder of shards, safetensors files of a few people each, every tensor one row a photo::

    images     (P, S, S, 3) uint8 RGB       labels  (P, S, S) uint8, `FaceLabel`
    mattes     (P, S, S) uint8            landmarks  (P, 478, 3) float32, in pixels

The mattes are those of the default matting network, with its mistakes, and the landmarks the true ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from hifi_portrait.dataset.executor import each_of, run_shards
from hifi_portrait.errors import DatasetError
from hifi_portrait.faces.matting import MediaPipeMatting
from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.synthetic.photograph import Photograph, photograph
from hifi_portrait.synthetic.write import plan_photos


@dataclass(frozen=True, eq=False)
class LabelledPhoto:
    """One photo and what each of its pixels shows."""

    image: ByteArray
    """(S, S, 3) RGB."""
    labels: ByteArray
    """(S, S), `FaceLabel`."""
    matte: FloatArray
    """(S, S) in [0, 1]."""
    landmarks: FloatArray
    """(478, 3), in pixels."""


def write_labelled_photos(
    out: str | Path,
    people: int,
    photos: int = 3,
    size: int = 256,
    *,
    seed: int = 0,
    environments: str | Path | None = None,
    per_shard: int = 16,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Render people of the variety "world" with their labels; shards that exist are kept.

    Parameters
    ----------
    out
        The folder.
    people, photos
        How many people, rounded up to whole shards, and how many photos of each.
    size
        Width and height of a photo in pixels.
    seed
        Seed of the first person.
    environments
        Folder of panoramas, as `hifi_portrait.synthetic.write.write_people` takes it.
    per_shard
        People in a file; those of an unfinished one are rendered again after a kill.
    workers
        Processes that render.
    progress
        Called with the number of shards done so far.

    Raises
    ------
    DatasetError
        ``environments`` is not a folder of panoramas, or a worker process died.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    firsts = range(seed, seed + people, per_shard)
    todo = [first for first in firsts if not _shard(folder, first).exists()]
    render = partial(
        _write_shard,
        folder=folder,
        people=per_shard,
        photos=photos,
        size=size,
        environments=None if environments is None else Path(environments),
    )
    done = len(firsts) - len(todo)
    shards = [(str(first), [first]) for first in todo]
    with closing(run_shards(each_of(render), shards, workers=workers if workers > 1 else 0)) as rendered:
        for _ in rendered:
            done += 1
            if progress is not None:
                progress(done)


class LabelledPhotos(Sequence[LabelledPhoto]):
    """Reads a folder of labelled photos.

    Raises
    ------
    DatasetError
        It has no shards, or one is damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        files = sorted(self.folder.glob("labelled-*.safetensors"))
        if not files:
            raise DatasetError(
                f"{self.folder} holds no labelled photos: make them by scripts/render_labelled_people.py"
            )
        try:
            shards: list[Any] = [safe_open(str(file), framework="numpy") for file in files]
        except (SafetensorError, OSError) as error:
            raise DatasetError(f"{self.folder} has a damaged shard: {error}") from error
        self._places = [
            (shard, row) for shard in shards for row in range(shard.get_slice("labels").get_shape()[0])
        ]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> LabelledPhoto:  # type: ignore[override]
        shard, row = self._places[index]
        image, labels, matte, landmarks = (
            shard.get_slice(name)[row : row + 1][0] for name in ("images", "labels", "mattes", "landmarks")
        )
        return LabelledPhoto(image, labels, matte.astype(np.float32) / 255, landmarks)


def _shard(folder: Path, first: int) -> Path:
    return folder / f"labelled-{first:08d}.safetensors"


def _write_shard(
    first: int, folder: Path, people: int, photos: int, size: int, environments: Path | None
) -> None:
    matting = MediaPipeMatting()
    rows: dict[str, list[Array]] = {"images": [], "labels": [], "mattes": [], "landmarks": []}
    for seed in range(first, first + people):
        person, setups = plan_photos(seed, photos, 1, 0.0, "world", environments)
        for setup in setups:
            taken = photograph(person, setup, size)
            rows["images"].append(taken.image)
            rows["labels"].append(taken.truth.labels)
            rows["mattes"].append((matting(taken.image) * 255 + 0.5).astype(np.uint8))
            rows["landmarks"].append(true_landmarks(taken))
    with atomic_write(_shard(folder, first)) as partial_file:
        save_file({name: np.stack(values) for name, values in rows.items()}, partial_file)


def true_landmarks(taken: Photograph) -> FloatArray:
    """Compute the landmarks (478, 3) of a synthetic photo, in its pixels; depth grows with the distance."""
    geometry = taken.truth.geometry
    placed = LandmarkModel.load().locate_in_head(geometry) @ geometry.rotation.T + geometry.translation
    distance = float(placed[:, 1].mean())
    depth = (placed[:, 1] - distance) * geometry.camera.focal / distance
    return np.concatenate([geometry.camera.project(placed), depth[:, None]], 1).astype(np.float32)
