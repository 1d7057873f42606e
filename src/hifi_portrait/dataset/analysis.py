"""Analyse a data set: what perception finds in each photo, and one head fit for each identity.

The unit of work is a shard, whose analysis table is written atomically, so that a killed run continues with
the shard it was in. All photos of an identity are in one shard, so that its fit reads all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hifi_portrait.dataset.executor import each_of, run_shards
from hifi_portrait.dataset.format import IDDataset, PhotoAnalysis, write_analysis
from hifi_portrait.dataset.tables import shards
from hifi_portrait.errors import HiFiPortraitError, ImageError
from hifi_portrait.faces import Face, FaceAnalyser, ImageLike, default_analyser
from hifi_portrait.faces.detector import overlap
from hifi_portrait.fitting import fit
from hifi_portrait.head.arrays import Array

CRASHED = "crashed the reader"
"""Why there is no face in a photo whose reading ended two worker processes."""

_SAME_BOX = 0.3
"""Overlap of boxes, intersection over union, from which on a detection is the face that a row names."""


def analyse_dataset(path: str | Path, *, workers: int = 1, progress: bool = False) -> int:
    """Analyse every shard of a data set that has no analysis yet.

    Parameters
    ----------
    path
        The data set's folder.
    workers
        How many processes analyse; with 1 it is this process.
    progress
        Whether to show a progress bar.

    Returns
    -------
    int
        The number of photos analysed.

    Raises
    ------
    DatasetError
        The data set cannot be read, or worker processes cannot be started.
    """
    path = Path(path)
    total = len(IDDataset(path))
    todo = [shard for shard in shards(path) if not (path / "analysis" / f"{shard}.parquet").exists()]
    count = 0

    def identities() -> Iterator[tuple[str, list[tuple[str, str]]]]:
        for shard in todo:
            yield shard, [(shard, name) for name in IDDataset(path, shard=shard).identities]

    runs = run_shards(
        each_of(partial(_analyse_stored, path)),
        identities(),
        workers=workers if workers > 1 else 0,
        on_crash=partial(_describe_crash, path),
    )
    with closing(runs), tqdm(total=total, desc="analyse", unit="photo", disable=not progress) as bar:
        for shard, results in runs:
            rows = [row for analysed in results for row in analysed]
            write_analysis(path, shard, rows)
            count += len(rows)
            bar.update(len(rows))
    return count


def analyse_photos(
    photos: Sequence[ImageLike],
    *,
    boxes: Sequence[Array | None] | None = None,
    analyser: FaceAnalyser | None = None,
) -> list[PhotoAnalysis]:
    """Analyse all photos of one person: the person's face of each, and one head fit over all of them.

    Parameters
    ----------
    photos
        Paths or pictures.
    boxes
        (4,) box of the person's face in each photo's pixels; where there is none, the largest face is taken.
    analyser
        Finds, crops and describes faces; the default one where None.

    Returns
    -------
    list of PhotoAnalysis
        One for each photo. A photo that cannot be used is marked as not found, with the reason.
    """
    analyser = analyser or default_analyser()
    faces: list[Face | None] = []
    reasons: list[str] = []
    for photo, box in zip(photos, boxes or [None] * len(photos), strict=True):
        face, reason = _persons_face(photo, box, analyser)
        faces.append(face)
        reasons.append(reason)
    found = [face for face in faces if face is not None]
    if not found:
        return [PhotoAnalysis(found=False, reason=reason) for reason in reasons]
    try:
        head = fit(
            [face.crop_landmarks for face in found],
            [(len(face.crop), len(face.crop)) for face in found],
            weights=[max(face.quality, 0.01) for face in found],
        )
    except HiFiPortraitError as error:
        return [PhotoAnalysis(found=False, reason=reason or str(error)) for reason in reasons]
    fits = iter(zip(head.geometries, head.residuals, strict=True))
    results = []
    for face, reason in zip(faces, reasons, strict=True):
        if face is None:
            results.append(PhotoAnalysis(found=False, reason=reason))
            continue
        geometry, residual = next(fits)
        found_face = analysis_of(face, recogniser_name(analyser))
        results.append(replace(found_face, fit=geometry, residual=float(residual)))
    return results


def _analyse_stored(path: Path, entry: tuple[str, str]) -> list[tuple[str, str, PhotoAnalysis]]:
    shard, identity_id = entry
    photos = _open_shard(path, shard)
    records = [photos[i] for i in photos.identities[identity_id]]
    analyses = analyse_photos(
        [record.pixels() for record in records], boxes=[record.box for record in records]
    )
    ids = [record.photo_id for record in records]
    return [(identity_id, photo_id, each) for photo_id, each in zip(ids, analyses, strict=True)]


def _describe_crash(path: Path, entry: tuple[str, str]) -> list[tuple[str, str, PhotoAnalysis]]:
    shard, identity_id = entry
    photos = _open_shard(path, shard)
    crashed = PhotoAnalysis(found=False, reason=CRASHED)
    return [(identity_id, photos.entry(i).photo_id, crashed) for i in photos.identities[identity_id]]


@lru_cache(maxsize=1)
def _open_shard(path: Path, shard: str) -> IDDataset:
    return IDDataset(path, shard=shard)


def _persons_face(photo: ImageLike, box: Array | None, analyser: FaceAnalyser) -> tuple[Face | None, str]:
    try:
        faces = analyser.analyse_all(photo)
    except ImageError as error:
        return None, str(error)
    if not faces:
        return None, "no face was found"
    if box is None:
        return faces[0], ""
    wanted = np.asarray(box, np.float32)
    face = max(faces, key=lambda each: overlap(each.box, wanted))
    return (face, "") if overlap(face.box, wanted) >= _SAME_BOX else (None, "the face was not found again")


def analysis_of(face: Face, recogniser: str = "") -> PhotoAnalysis:
    """Put a face into the form that a data set keeps, without the head fit."""
    return PhotoAnalysis(
        found=True,
        landmarks=face.landmarks,
        crop_transform=face.crop_transform,
        crop_size=len(face.crop),
        embedding=face.embedding,
        recogniser=recogniser,
        quality=float(face.quality),
        matte=face.matte,
    )


def recogniser_name(analyser: FaceAnalyser) -> str:
    """Name the recogniser of an analyser."""
    return str(getattr(analyser.recogniser, "name", type(analyser.recogniser).__name__))
