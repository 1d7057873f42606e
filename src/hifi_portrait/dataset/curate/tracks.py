"""Frames of a track that hardly differ: one of each such set stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hifi_portrait.dataset.curate.duplicates import landmark_error
from hifi_portrait.dataset.curate.faces import Faces
from hifi_portrait.dataset.curate.reasons import Rejection


@dataclass(frozen=True, kw_only=True)
class TrackOptions:
    """Which frames of a track are too much alike. Measured by ``benchmarks/dataset_videos.py``."""

    landmark_distance: float = 0.8
    """Pixels of the aligned face, of 150 a side, that landmarks are apart at least, in the mean: expression
    or pose have changed then. Copies of a photo are up to .5 apart; in faces below 200 pixels both grow."""
    face_bits: int = 60
    """Or bits of 256 of the hashes of the aligned faces: the light has changed, or something is before it."""


def find_repeats(faces: Faces, options: TrackOptions) -> dict[int, Rejection]:
    """Find faces of a track that look as a better one of the track does.

    Returns
    -------
    dict of int to Rejection
        Index of each face that goes, and why.
    """
    tracks: dict[str, list[int]] = {}
    for index, track in enumerate(faces.track):
        if track:
            tracks.setdefault(track, []).append(index)
    rejected = {}
    for rows in tracks.values():
        kept: list[int] = []
        for index in sorted(rows, key=lambda row: (-faces.area[row] * faces.quality[row] ** 2, row)):
            apart = np.linalg.norm(faces.shapes[kept] - faces.shapes[index], axis=2).mean(axis=1)
            bits = np.bitwise_count(faces.chip_pdq[kept] ^ faces.chip_pdq[index]).sum(axis=1)
            least = options.landmark_distance * landmark_error(float(faces.area[index]))
            alike = np.flatnonzero((apart < least) & (bits <= options.face_bits))
            if len(alike):
                nearest = int(alike[apart[alike].argmin()])
                rejected[index] = Rejection(
                    reason="near_duplicate",
                    value=float(apart[nearest]),
                    threshold=least,
                    detail=faces.name(kept[nearest]),
                )
            else:
                kept.append(index)
    return rejected
