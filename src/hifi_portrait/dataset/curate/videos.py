"""Videos among the sources: frames are picked, and the faces of one person in a row of frames are a track.

A *shot* is what lies between two cuts, which FFmpeg's ``scdet`` finds. In it a face that is at nearly the
same place in the next frame, and that the recogniser takes for the same, goes on its track; so a track ends
at a cut that was missed, too. A track says that its faces are one person, as a folder does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hifi_portrait.dataset.analysis import recogniser_name
from hifi_portrait.dataset.curate.calibration import Calibration
from hifi_portrait.dataset.curate.detect import (
    METADATA_BYTES,
    Forgotten,
    analyser_of,
    detect_files,
    face_rows,
    file_row,
    forbids_training,
    picture_columns,
)
from hifi_portrait.dataset.curate.sources import InputFile
from hifi_portrait.errors import VideoError
from hifi_portrait.faces import FaceAnalyser
from hifi_portrait.faces.detector import overlap
from hifi_portrait.faces.image import decode_picture
from hifi_portrait.head.arrays import ByteArray, FloatArray
from hifi_portrait.io.provenance import file_sha256
from hifi_portrait.io.video import read_frames, read_frames_at, read_info

_TOGETHER = 8
"""Frames whose faces are recognised together."""

_LEAST_SIDE = 32
"""Pixels of the shorter side."""

_QUALITY = 95
"""Of the JPEG files that frames become."""


@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """How videos are read. Measured by ``benchmarks/dataset_videos.py cuts``."""

    spacing: float = 1.0
    """Seconds between the frames that are looked at; the first of each shot is one."""
    most_frames: int = 3600
    """Of one video; of a longer one the rest is left out."""
    cut: float = 5.0
    """`VideoFrame.change` from which a frame begins a shot. A shot that is cut in two does no harm: its
    tracks are put together again as people are."""
    overlap: float = 0.3
    """Of a face's boxes in two frames, as a fraction of their union, from which they are at one place."""
    same_face: float | None = None
    """Cosine below which a track ends; None for the calibration's ``plain_guard``."""


def detect_all(
    recogniser: Path | None,
    calibration: Calibration | None,
    options: VideoOptions,
    forgotten: Forgotten,
    files: Sequence[InputFile],
) -> list[list[dict[str, Any]]]:
    """Read photos and videos, and find and describe their faces.

    Parameters
    ----------
    recogniser
        ONNX file of an ArcFace network; None for the default recogniser.
    calibration
        The recogniser's thresholds; None for the package's.
    options
        How videos are read.
    forgotten
        Pictures that are refused.
    files
        The files.

    Returns
    -------
    list of list of dict
        For each file its rows, as `detect_files` gives them; of a video, the rows of all frames.
    """
    photos = iter(detect_files(recogniser, forgotten, [file for file in files if not file.is_video]))
    return [
        _detect_video(recogniser, calibration, options, forgotten, file) if file.is_video else next(photos)
        for file in files
    ]


def _detect_video(
    recogniser: Path | None,
    calibration: Calibration | None,
    options: VideoOptions,
    forgotten: Forgotten,
    file: InputFile,
) -> list[dict[str, Any]]:
    row = file_row(file)
    analyser = analyser_of(recogniser)
    thresholds = calibration or Calibration.of(recogniser_name(analyser))
    tracks = _Tracks(options, thresholds.plain_guard)
    rows: list[dict[str, Any]] = []
    try:
        row["video"] = row["sha256"] = file_sha256(file.path)
        if refusal := _refusal(file, row, forgotten):
            return [row | {"reason": refusal}]
        frames = _pick(file.path, options)
        while some := list(islice(frames, _TOGETHER)):
            rows += _frame_rows(analyser, forgotten, tracks, row, some)
    except VideoError as error:
        return [row | {"reason": "unreadable", "detail": str(error).replace(file.path, file.original)}]
    except OSError as error:
        return [row | {"reason": "unreadable", "detail": f"{error.strerror or error}"}]
    kept = [each for each in rows if each["face"] is not None]
    was_refused = bool(rows) and all(each["reason"] == "forgotten" for each in rows)
    return kept or [row | {"reason": "forgotten" if was_refused else "no_face"}]


def _refusal(file: InputFile, row: Mapping[str, Any], forgotten: Forgotten) -> str:
    """Say why a video is not looked at; nothing where it is."""
    if row["sha256"] in forgotten.sha256:
        return "forgotten"
    info = read_info(file.path)
    if info.record is not None:
        return "made_here"
    with open(file.path, "rb") as opened:
        if forbids_training(opened.read(METADATA_BYTES)):
            return "opted_out"
    return "picture_too_small" if min(info.width, info.height) < _LEAST_SIDE else ""


@dataclass(frozen=True)
class _Picked:
    """A frame that is looked at, and the number of its shot."""

    time: float
    shot: int
    image: bytes


def _pick(path: str, options: VideoOptions) -> Iterator[_Picked]:
    shot, last, count = 0, -np.inf, 0
    for frame in read_frames(path, measure_change=True):
        if frame.change is not None and frame.change >= options.cut:
            shot, last = shot + 1, -np.inf
        if frame.time >= last + options.spacing - 1e-6:
            yield _Picked(frame.time, shot, _encode(frame.pixels()))
            last, count = frame.time, count + 1
            if count == options.most_frames:
                return


def _encode(pixels: ByteArray) -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=_QUALITY, subsampling=0)
    return stream.getvalue()


def _frame_rows(
    analyser: FaceAnalyser,
    forgotten: Forgotten,
    tracks: _Tracks,
    row: Mapping[str, Any],
    frames: Sequence[_Picked],
) -> list[dict[str, Any]]:
    """Describe the faces of some frames, as they will be stored: a frame is a picture from here on."""
    pictures = [decode_picture(frame.image) for frame in frames]
    faces = face_rows(analyser, analyser.measure_many(pictures))
    rows = []
    for frame, pixels, described in zip(frames, pictures, faces, strict=True):
        picture = {
            **row,
            "frame": frame.time,
            "sha256": sha256(frame.image).hexdigest(),
            **picture_columns(frame.image, pixels),
        }
        if forgotten.knows(picture):
            tracks.follow(frame.shot, [])
            rows.append(picture | {"reason": "forgotten"})
            continue
        numbers = tracks.follow(frame.shot, described)
        rows += [picture | face | {"track": number} for face, number in zip(described, numbers, strict=True)]
    return rows


@dataclass
class _Tracks:
    """The tracks of a video, as far as it was looked at."""

    options: VideoOptions
    same_face: float
    count: int = 0
    shot: int = 0
    live: list[tuple[int, FloatArray, FloatArray]] = field(default_factory=list)
    """Number, box and vector of the faces of the frame before."""

    def follow(self, shot: int, faces: Sequence[Mapping[str, Any]]) -> list[int]:
        """Give the number of the track of each face of the next frame."""
        if shot != self.shot:
            self.shot, self.live = shot, []
        least = self.options.same_face if self.options.same_face is not None else self.same_face
        found = [(face["box"], _vector(face)) for face in faces]
        pairs = sorted(
            (
                (overlap(box, before), place, number)
                for place, (box, vector) in enumerate(found)
                for number, before, known in self.live
                if overlap(box, before) >= self.options.overlap and float(vector @ known) >= least
            ),
            reverse=True,
        )
        numbers: dict[int, int] = {}
        for _, place, number in pairs:
            if place not in numbers and number not in numbers.values():
                numbers[place] = number
        for place in range(len(found)):
            if place not in numbers:
                numbers[place] = self.count
                self.count += 1
        self.live = [(numbers[place], *each) for place, each in enumerate(found)]
        return [numbers[place] for place in range(len(found))]


def _vector(face: Mapping[str, Any]) -> FloatArray:
    """Give the unit vector that tells people apart, as `hifi_portrait.dataset.curate.faces` makes it."""
    both = [np.asarray(face[name], np.float32) for name in ("embedding", "mirrored")]
    total = sum(each / max(float(np.linalg.norm(each)), 1e-12) for each in both)
    return np.asarray(total / np.linalg.norm(total), np.float32)


def frame_images(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, float], bytes]:
    """Read frames again from their videos.

    Parameters
    ----------
    rows
        Rows of the first stage, each with ``path``, ``video`` and ``frame``.

    Returns
    -------
    dict of (str, float) to bytes
        SHA-256 of the video and time of the frame -> the encoded picture. What is gone is left out.
    """
    times: dict[tuple[str, bytes], set[float]] = {}
    for row in rows:
        times.setdefault((row["video"], row["path"]), set()).add(row["frame"])
    found = {}
    for (video, path), wanted in times.items():
        try:
            frames = read_frames_at(os.fsdecode(path), sorted(wanted))
            for time, frame in zip(sorted(wanted), frames, strict=True):
                if frame is not None:
                    found[video, time] = _encode(frame.pixels())
        except VideoError:
            continue
    return found


def sitting_of(row: Mapping[str, Any]) -> int | None:
    """Give the number of a track, in which light, clothes and background are the same; None for a photo."""
    if row["track"] is None:
        return None
    digest = blake2b(f"{row['video']}#{row['track']}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big")
