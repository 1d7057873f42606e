"""All faces of a build, as arrays: what duplicates, quality and groups are decided by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hifi_portrait.dataset.curate.detect import MEASURES
from hifi_portrait.dataset.curate.reasons import picture_name
from hifi_portrait.dataset.tables import read_columns
from hifi_portrait.faces import chip_transform
from hifi_portrait.faces.geometry import transform_points
from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head import Camera, HeadGeometry
from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.geometry import EXPRESSION_NAMES, IDENTITY_COMPONENTS

_EVERY = 12
"""Of the landmarks every so many-th is compared, and the one opposite to it."""

_COLUMNS = (
    "original",
    "source",
    "group",
    "frame",
    "track",
    "reason",
    "detail",
    "sha256",
    "pixels",
    "box",
    "pdq",
    "face",
    "landmarks",
    "embedding",
    "mirrored",
    "quality",
    *MEASURES,
    "chip_pdq",
    "mirrored_pdq",
)


_ARRAYS = ("box", "embedding", "landmarks", "mirrored")
"""Columns whose numbers would take ten times the memory as Python's."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Faces:
    """The N faces of all files, in the files' order, largest first in each file."""

    table: list[int]
    """Number of the stage's table that each face is in."""
    row: list[int]
    """Its row there."""
    original: list[str]
    """Its file's name."""
    source: list[str]
    """Its source's name."""
    group: list[str]
    """The folder that says who it is, or nothing."""
    track: list[str]
    """The track of a video that says who it is, or nothing."""
    frame: list[float | None]
    """Seconds into the video; None in a photo."""
    sha256: list[str]
    """Of its file; of a frame, of the picture that it becomes."""
    pixels: list[str]
    """SHA-256 of its picture's pixels."""
    area: FloatArray
    """(N,) pixels of its box in the picture."""
    face: npt.NDArray[np.int32]
    """(N,) which face of the picture."""
    picture: npt.NDArray[np.int64]
    """(N,) number of the picture, the same for faces of one."""
    vectors: FloatArray
    """(N, E) unit vectors that tell people apart: the embeddings of the face and of its mirror image."""
    measures: FloatArray
    """(N, M) `MEASURES`."""
    quality: FloatArray
    """(N,)."""
    shapes: FloatArray
    """(N, L, 2) some landmarks, in pixels of the aligned face."""
    pdq: npt.NDArray[np.uint8]
    """(N, 32) perceptual hash of the picture."""
    chip_pdq: npt.NDArray[np.uint8]
    """(N, 32) perceptual hash of the aligned face."""
    mirrored_pdq: npt.NDArray[np.uint8]
    """(N, 32) and of its mirror image."""

    def __len__(self) -> int:
        return len(self.row)

    def name(self, index: int) -> str:
        """Name the picture of a face in messages."""
        return picture_name(self.original[index], self.frame[index])


@dataclass(frozen=True, kw_only=True)
class FacelessFile:
    """A file that has no face to group."""

    original: str
    source: str
    sha256: str
    reason: str
    detail: str


def load_faces(tables: Sequence[Path]) -> tuple[Faces, list[FacelessFile]]:
    """Read what the first stage found, and the files in which it found nothing."""
    columns: dict[str, list[object]] = {name: [] for name in _COLUMNS if name not in _ARRAYS}
    arrays: dict[str, list[FloatArray]] = {name: [] for name in _ARRAYS}
    places: list[tuple[int, int]] = []
    faceless = []
    for number, file in enumerate(tables):
        table = read_columns(file, _COLUMNS)
        found = table["face"].is_valid().to_pylist()
        for row in table.filter(pa.array([not each for each in found], pa.bool_())).to_pylist():
            names = ("original", "source", "sha256", "reason", "detail")
            faceless.append(FacelessFile(**{name: row[name] for name in names}))
        places += [(number, row) for row, each in enumerate(found) if each]
        table = table.filter(pa.array(found, pa.bool_()))
        for name in columns:
            columns[name] += table[name].to_pylist()
        if table.num_rows:
            for name in ("box", "embedding", "mirrored"):
                arrays[name].append(_array(table[name]))
            arrays["landmarks"].append(np.stack([_shape(each) for each in _array(table["landmarks"])]))
    pictures: dict[str, int] = {}
    keys = [
        f"{source}/{picture_name(name, frame)}"  # type: ignore[arg-type]
        for source, name, frame in zip(columns["source"], columns["original"], columns["frame"], strict=True)
    ]
    tracks = [
        "" if track is None else f"{source}/{name}#{track}"
        for source, name, track in zip(columns["source"], columns["original"], columns["track"], strict=True)
    ]
    empty = [np.zeros((0, 1), np.float32)]
    vectors, mirrored = (_unit(np.concatenate(arrays[name] or empty)) for name in ("embedding", "mirrored"))
    landmarks = len(compared_landmarks()[0])
    faces = Faces(
        table=[table for table, _ in places],
        row=[row for _, row in places],
        original=columns["original"],  # type: ignore[arg-type]
        source=columns["source"],  # type: ignore[arg-type]
        group=columns["group"],  # type: ignore[arg-type]
        track=tracks,
        frame=columns["frame"],  # type: ignore[arg-type]
        sha256=columns["sha256"],  # type: ignore[arg-type]
        pixels=columns["pixels"],  # type: ignore[arg-type]
        area=_areas(np.concatenate(arrays["box"] or [np.zeros((0, 4), np.float32)])),
        face=np.array(columns["face"], np.int32),
        picture=np.array([pictures.setdefault(key, len(pictures)) for key in keys], np.int64),
        vectors=_unit(vectors + mirrored),
        measures=np.array([columns[name] for name in MEASURES], np.float32).T.reshape(-1, len(MEASURES)),
        quality=np.array(columns["quality"], np.float32),
        shapes=np.concatenate(arrays["landmarks"] or [np.zeros((0, landmarks, 2), np.float32)]),
        pdq=_hashes(columns["pdq"]),
        chip_pdq=_hashes(columns["chip_pdq"]),
        mirrored_pdq=_hashes(columns["mirrored_pdq"]),
    )
    return faces, faceless


@cache
def compared_landmarks() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Choose landmarks whose places tell one expression and pose from another.

    Returns
    -------
    chosen, mirror
        (L,) numbers of the landmarks, and for each the place in ``chosen`` of the one opposite to it.
    """
    geometry = HeadGeometry(
        identity=np.zeros(IDENTITY_COMPONENTS, np.float32),
        expression=np.zeros(len(EXPRESSION_NAMES), np.float32),
        rotation=np.eye(3, dtype=np.float32),
        translation=np.array([0, 1, 0], np.float32),
        gaze=np.zeros(2, np.float32),
        camera=Camera.from_fov(256),
    )
    mean = LandmarkModel.load().locate_in_head(geometry)[:468]
    opposite = np.linalg.norm(mean[:, None] * [-1, 1, 1] - mean[None], axis=2).argmin(axis=1)
    some = np.arange(0, 468, _EVERY)
    chosen = np.unique(np.concatenate([some, opposite[some]]))
    where = np.linalg.norm(mean[chosen][:, None] * [-1, 1, 1] - mean[chosen][None], axis=2)
    return chosen, where.argmin(axis=1)


def _shape(landmarks: FloatArray) -> FloatArray:
    placed = landmarks.reshape(478, 3)
    return transform_points(placed, chip_transform(placed))[compared_landmarks()[0], :2].astype(np.float32)


def _array(column: pa.ChunkedArray) -> FloatArray:
    """Read a column of lists of equal length, which has rows."""
    values = pa.concat_arrays(column.chunks).flatten().to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float32).reshape(len(column), -1)


def _areas(boxes: FloatArray) -> FloatArray:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), np.float32)


def _unit(rows: FloatArray) -> FloatArray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _hashes(values: Sequence[object]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(values), np.uint8).reshape(-1, 32)  # type: ignore[arg-type]
