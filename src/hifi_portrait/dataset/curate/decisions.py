"""What is decided about all faces together, between the two stages: copies, poor photos, and who is who."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from hifi_portrait.dataset.curate.calibration import Calibration
from hifi_portrait.dataset.curate.duplicates import find_duplicates
from hifi_portrait.dataset.curate.exclude import find_excluded
from hifi_portrait.dataset.curate.faces import FacelessFile, Faces, load_faces
from hifi_portrait.dataset.curate.grouping import Groups, group_faces
from hifi_portrait.dataset.curate.identities import FaceKey
from hifi_portrait.dataset.curate.options import BuildOptions
from hifi_portrait.dataset.curate.quality import find_poor
from hifi_portrait.dataset.curate.reasons import Rejection
from hifi_portrait.dataset.curate.tracks import find_repeats
from hifi_portrait.dataset.tables import read_columns
from hifi_portrait.errors import DatasetError


@dataclass(frozen=True, eq=False, kw_only=True)
class Decision:
    """What becomes of all faces, before heads are fitted."""

    faces: Faces
    faceless: Sequence[FacelessFile]
    """Files in which there is nothing to decide about."""
    members: Mapping[int, list[int]]
    """Person -> indices of the faces."""
    folders: Mapping[int, tuple[str, ...]]
    """Person -> the folders that are of the person."""
    rejected: Mapping[int, Rejection]
    """Index of each other face, and why it goes."""
    calibration: Calibration
    """The thresholds by which it was decided."""


def decide(
    out: Path,
    tables: Sequence[str],
    options: BuildOptions,
    known: Mapping[FaceKey, str] = MappingProxyType({}),
) -> Decision:
    """Decide about all faces.

    Parameters
    ----------
    out
        The data set's folder.
    tables
        Names of the tables of the first stage.
    options
        By what.
    known
        Id under which a face is in the data set already: people who are in it stay together.
    """
    faces, faceless = load_faces([out / "work" / "faces" / f"{name}.parquet" for name in tables])
    rejected = find_duplicates(faces, options.duplicates, find_repeats(faces, options.tracks))
    for index, rejection in find_poor(faces, options.quality).items():
        rejected.setdefault(index, rejection)
    left = np.array([index for index in range(len(faces)) if index not in rejected], np.int64)
    calibration = _calibration(_recogniser(out, tables), options)
    groups = group_faces(
        faces.vectors[left],
        faces.picture[left],
        [faces.group[index] or faces.track[index] for index in left],
        calibration,
        options.grouping,
        [known.get(face_key(faces, index), "") for index in left],
    )
    folders = {name: tuple(sorted({*found} & {*faces.group})) for name, found in groups.names.items()}
    members = _members(faces, left, groups, calibration, options, rejected)
    return Decision(
        faces=faces,
        faceless=faceless,
        members=members,
        folders=folders,
        rejected=rejected,
        calibration=calibration,
    )


def face_key(faces: Faces, index: int) -> FaceKey:
    """Give what a face is known by when the data set grows."""
    return faces.sha256[index], int(faces.face[index])


def _recogniser(out: Path, tables: Sequence[str]) -> str:
    for name in tables:
        for found in read_columns(out / "work" / "faces" / f"{name}.parquet", ["recogniser"])[
            "recogniser"
        ].to_pylist():
            if found:
                return str(found)
    return "dlib"


def _calibration(recogniser: str, options: BuildOptions) -> Calibration:
    calibration = options.calibration or Calibration.of(recogniser)
    if calibration.recogniser != recogniser:
        raise DatasetError(
            f"the calibration is of the recogniser {calibration.recogniser!r}, not of {recogniser!r}"
        )
    return calibration


def _members(
    faces: Faces,
    left: npt.NDArray[np.int64],
    groups: Groups,
    calibration: Calibration,
    options: BuildOptions,
    rejected: dict[int, Rejection],
) -> dict[int, list[int]]:
    """List the faces of each person who stays, and say why the others go."""
    found: dict[int, list[int]] = {}
    for index, person in zip(left, groups.person, strict=True):
        if person >= 0:
            found.setdefault(int(person), []).append(int(index))
        else:
            rejected[int(index)] = (
                Rejection(reason="other_person", detail=faces.group[index])
                if faces.group[index]
                else Rejection(reason="alone", value=1.0, threshold=float(options.min_photos))
            )
    excluded = find_excluded(faces.vectors, found, options.exclude, calibration)
    for person, rows in list(found.items()):
        reason = "excluded_person" if person in excluded else "alone"
        if person in excluded or len({faces.picture[row] for row in rows}) < options.min_photos:
            value, threshold = excluded.get(person, (float(len(rows)), float(options.min_photos)))
            for row in found.pop(person):
                rejected[row] = Rejection(reason=reason, value=value, threshold=threshold)
    return found
