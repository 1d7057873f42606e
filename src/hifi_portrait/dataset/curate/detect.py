"""The first stage: a file -> a row for each of its faces, with all that later steps decide by.

Every face of a picture gets a row, not the largest only: a photo of two people belongs to both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from hifi_portrait.dataset.analysis import recogniser_name
from hifi_portrait.dataset.curate.pdq import pdq_of
from hifi_portrait.dataset.curate.sources import InputFile
from hifi_portrait.dataset.records import true_suffix
from hifi_portrait.errors import ImageError
from hifi_portrait.faces import ArcFaceRecogniser, FaceAnalyser
from hifi_portrait.faces.face import MeasuredFace
from hifi_portrait.faces.image import MAX_PIXELS, decode_picture, open_bytes
from hifi_portrait.faces.quality import FaceQuality
from hifi_portrait.head.arrays import ByteArray, FloatArray
from hifi_portrait.io.provenance import find_record

MEASURES = tuple(FaceQuality.__dataclass_fields__)
"""What the quality of a face is made of."""

FACE_SCHEMA = pa.schema(
    {
        "path": pa.binary(),
        "original": pa.string(),
        "source": pa.string(),
        "group": pa.string(),
        "video": pa.string(),
        "frame": pa.float64(),
        "track": pa.int32(),
        "reason": pa.string(),
        "detail": pa.string(),
        "sha256": pa.string(),
        "pixels": pa.string(),
        "suffix": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "pdq": pa.binary(),
        "face": pa.int32(),
        "box": pa.list_(pa.float32(), 4),
        "landmarks": pa.list_(pa.float32(), 478 * 3),
        "crop_transform": pa.list_(pa.float32(), 9),
        "crop_size": pa.int32(),
        "recogniser": pa.string(),
        "embedding": pa.list_(pa.float32()),
        "mirrored": pa.list_(pa.float32()),
        "quality": pa.float32(),
        **dict.fromkeys(MEASURES, pa.float32()),
        "chip_pdq": pa.binary(),
        "mirrored_pdq": pa.binary(),
        "chip": pa.binary(),
    }
)
"""Columns of the stage's table: one row a face, or one row for a file that has none.

Of a frame of a video ``sha256`` is of the picture that it becomes, ``video`` is the SHA-256 of the video, and
``track`` the number of the faces in a row that are one person's. All three are null for photos."""

_SAME_PICTURE = 31
"""Bits of 256 in which the hashes of two copies of a picture differ at most."""

METADATA_BYTES = 2**20
"""Bytes at the start of a file in which its metadata are looked for."""


@dataclass(frozen=True)
class Forgotten:
    """Pictures that must not come back."""

    sha256: frozenset[str] = frozenset()
    """Of their files."""
    pdq: tuple[bytes, ...] = ()
    """Their perceptual hashes, 32 bytes each."""

    def knows(self, row: dict[str, Any]) -> bool:
        """Tell whether a picture is one of them, or a copy of one."""
        if row["sha256"] in self.sha256:
            return True
        bits = np.frombuffer(row["pdq"], np.uint8)
        return any(
            np.bitwise_count(bits ^ np.frombuffer(each, np.uint8)).sum() <= _SAME_PICTURE for each in self.pdq
        )


def detect_files(
    recogniser: Path | None, forgotten: Forgotten, files: Sequence[InputFile]
) -> list[list[dict[str, Any]]]:
    """Read files, and find and describe their faces.

    Parameters
    ----------
    recogniser
        ONNX file of an ArcFace network; None for the default recogniser.
    forgotten
        Pictures that are refused.
    files
        The files.

    Returns
    -------
    list of list of dict
        For each file its rows, each with all columns of `FACE_SCHEMA`.
    """
    analyser = analyser_of(recogniser)
    rows = [file_row(file) for file in files]
    pictures = (_read(file, row, forgotten) for file, row in zip(files, rows, strict=True))
    faces = analyser.measure_many(_or_error(pictures), on_error=lambda number, error: None)
    return [
        [row | face for face in group] or [row | {"reason": row["reason"] or "no_face"}]
        for row, group in zip(rows, face_rows(analyser, faces), strict=True)
    ]


def face_rows(
    analyser: FaceAnalyser, pictures: Sequence[Sequence[MeasuredFace]]
) -> list[list[dict[str, Any]]]:
    """Describe the faces of some pictures: the columns of `FACE_SCHEMA` that are a face's own."""
    chips = [face.aligned for group in pictures for face in group]
    if not chips:
        return [[] for _ in pictures]
    chips += [np.asarray(chip[:, ::-1]) for chip in chips]
    vectors = analyser.recogniser(np.stack(chips))  # in one call, which is quicker than two
    each = zip(vectors[: len(chips) // 2], vectors[len(chips) // 2 :], strict=True)
    name = recogniser_name(analyser)
    return [
        [_face_row(face, number, *next(each), name) for number, face in enumerate(group)]
        for group in pictures
    ]


def crashed_row(file: InputFile) -> list[dict[str, Any]]:
    """Give the row of a file that ended two workers."""
    return [file_row(file) | {"reason": "crashed_reader"}]


@cache
def analyser_of(recogniser: Path | None) -> FaceAnalyser:
    """Give the analyser with a recogniser; None for the default one."""
    return FaceAnalyser() if recogniser is None else FaceAnalyser(recogniser=ArcFaceRecogniser(recogniser))


def file_row(file: InputFile) -> dict[str, Any]:
    """Give a row of which only the file is known."""
    row: dict[str, Any] = dict.fromkeys(FACE_SCHEMA.names)
    return row | {
        "path": os.fsencode(file.path),
        "original": file.original,
        "source": file.source,
        "group": file.group,
        "reason": "",
        "detail": "",
        "sha256": "",
    }


def _read(file: InputFile, row: dict[str, Any], forgotten: Forgotten) -> ByteArray | ImageError:
    """Read a picture, and put what is known of its file into its row; an error where it cannot be used."""
    try:
        data = Path(file.path).read_bytes()
        row["sha256"] = sha256(data).hexdigest()
        with open_bytes(data, file.original) as picture:
            if find_record(picture) is not None:
                return _refuse(row, "made_here", "")
            if forbids_training(data[:METADATA_BYTES]):
                return _refuse(row, "opted_out", "")
            if min(picture.size) < 32:
                return _refuse(row, "picture_too_small", f"{picture.width}x{picture.height}")
            if picture.width * picture.height > MAX_PIXELS:
                return _refuse(row, "unreadable", f"{picture.width}x{picture.height} pixels are too many")
        pixels = decode_picture(data, file.original)
    except ImageError as error:
        return _refuse(row, "unreadable", str(error))
    except OSError as error:
        return _refuse(row, "unreadable", f"{error.strerror or error}")
    row |= picture_columns(data, pixels)
    if forgotten.knows(row):
        return _refuse(row, "forgotten", "")
    return pixels


def picture_columns(data: bytes, pixels: ByteArray) -> dict[str, Any]:
    """Describe a picture: the columns of `FACE_SCHEMA` that all its faces share."""
    return {
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "suffix": true_suffix(data),
        "pixels": sha256(pixels.tobytes()).hexdigest(),
        "pdq": pdq_of(pixels),
    }


def forbids_training(metadata: bytes) -> bool:
    """Tell whether metadata forbid training: IPTC/PLUS Data Mining in XMP, or C2PA's assertion."""
    return b"DMI-PROHIBITED" in metadata or (
        b"c2pa.training-mining" in metadata and b"notAllowed" in metadata
    )


def _refuse(row: dict[str, Any], reason: str, detail: str) -> ImageError:
    row["reason"], row["detail"] = reason, detail
    return ImageError(reason)


def _or_error(pictures: Iterator[ByteArray | ImageError]) -> Iterator[ByteArray]:
    """Yield the pictures; in the place of one that cannot be used an empty one, which analysis refuses."""
    for picture in pictures:
        yield np.zeros((0, 0, 3), np.uint8) if isinstance(picture, ImageError) else picture


def _face_row(
    face: MeasuredFace, number: int, vector: FloatArray, mirrored: FloatArray, recogniser: str
) -> dict[str, Any]:
    chip = face.aligned
    return {
        "face": number,
        "box": face.box,
        "landmarks": face.landmarks.ravel(),
        "crop_transform": np.asarray(face.crop_transform, np.float32).ravel(),
        "crop_size": face.crop_size,
        "recogniser": recogniser,
        "embedding": np.asarray(vector, np.float32),
        "mirrored": np.asarray(mirrored, np.float32),
        "quality": face.measures.score,
        **{name: float(getattr(face.measures, name)) for name in MEASURES},
        "chip_pdq": pdq_of(chip),
        "mirrored_pdq": pdq_of(chip[:, ::-1]),
        "chip": _small_jpeg(chip),
    }


def _small_jpeg(chip: ByteArray) -> bytes:
    """Encode the aligned face for the report."""
    stream = BytesIO()
    Image.fromarray(chip).resize((96, 96)).save(stream, "JPEG", quality=80)
    return stream.getvalue()
