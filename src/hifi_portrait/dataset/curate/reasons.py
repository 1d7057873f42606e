"""Why a file or a face is not in the data set: a closed list, and the table that keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

REASONS: Mapping[str, tuple[str, str]] = {
    "unreadable": ("read", "the file is damaged or no picture"),
    "crashed_reader": ("read", "reading the file ended two worker processes"),
    "picture_too_small": ("read", "the picture is too small"),
    "made_here": ("read", "this package drew the picture"),
    "opted_out": ("read", "the picture says that it must not be used for training"),
    "forgotten": ("read", "the picture, or a copy of it, was taken out by `dataset forget`"),
    "no_face": ("detect", "no face of a usable size was found"),
    "exact_duplicate": ("duplicates", "the same file, or the same pixels, is there already"),
    "near_duplicate": ("duplicates", "a better copy of the photo is there"),
    "small_face": ("quality", "the face has too few pixels"),
    "blurred": ("quality", "the face is blurred"),
    "badly_exposed": ("quality", "the face is too dark or burnt out"),
    "noisy": ("quality", "the face is too noisy"),
    "compressed": ("quality", "the face is too strongly compressed"),
    "turned_away": ("quality", "the face looks too far aside"),
    "hidden": ("quality", "the face is hidden in part"),
    "excluded_person": ("group", "the person is in a data set that is kept out"),
    "other_person": ("group", "the face is not the person that the folder is of"),
    "alone": ("group", "there are too few photos of the person"),
    "other_split": ("group", "the person is known already, in another split"),
    "poor_fit": ("fit", "the head model does not fit the face"),
    "file_gone": ("write", "the file was there before and is not any more"),
}
"""Reason -> the step that gives it, and what it says. The list is closed: a table has no other reasons."""

REJECTED_SCHEMA = pa.schema(
    {
        "original": pa.string(),
        "source": pa.string(),
        "sha256": pa.string(),
        "face": pa.int32(),
        "frame": pa.float64(),
        "step": pa.string(),
        "reason": pa.string(),
        "value": pa.float64(),
        "threshold": pa.float64(),
        "detail": pa.string(),
    }
)
"""Columns of the table of what is not in the data set: one row a file, or a face of one."""


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """Why a file, or one face of it, is not used."""

    reason: str
    """A key of `REASONS`."""
    value: float | None = None
    """What was measured, where it was a measurement that decided."""
    threshold: float | None = None
    """What it was compared with."""
    detail: str = ""
    """More about it, such as the name of the copy that stays."""

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise ValueError(f"unknown reason {self.reason!r}: the list of reasons is closed")


@dataclass(frozen=True, kw_only=True)
class RejectedFace(Rejection):
    """A rejection, and what it is of."""

    original: str
    """Name of the file as it was given."""
    source: str
    """Its source's name."""
    sha256: str
    """Of the file; empty where it could not be read."""
    face: int | None = None
    """Which of the picture's faces; None for the whole file."""
    frame: float | None = None
    """Seconds into the video."""

    def row(self) -> dict[str, Any]:
        """Give the row of the table."""
        return {name: getattr(self, name, None) for name in REJECTED_SCHEMA.names} | {
            "step": REASONS[self.reason][0]
        }


def picture_name(original: str, frame: float | None) -> str:
    """Name a photo, or a frame of a video, in messages and details."""
    return original if frame is None else f"{original} at {frame:.3f} s"
