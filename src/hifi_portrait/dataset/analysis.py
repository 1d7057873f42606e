"""Analyse a data set: what perception finds in each photo, and one head fit for each identity.

The unit of work is a shard, whose analysis table is written atomically, so that a killed run continues with
the shard it was in. All photos of an identity are in one shard, so that its fit reads all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

from tqdm import tqdm

from hifi_portrait.dataset.format import IDDataset, PhotoAnalysis, write_analysis
from hifi_portrait.dataset.pool import map_in_order, worker_pool
from hifi_portrait.dataset.tables import shards
from hifi_portrait.errors import HiFiPortraitError, ImageError
from hifi_portrait.faces import Face, FaceAnalyser, ImageLike, default_analyser
from hifi_portrait.fitting import fit


def analyse_dataset(path: str | Path, *, workers: int = 1, progress: bool = False) -> int:
    """Analyse every shard of a data set that has no analysis yet.

    Parameters
    ----------
    path
        The data set's folder.
    workers
        How many processes analyse, 1 or more.
    progress
        Whether to show a progress bar.

    Returns
    -------
    int
        The number of photos analysed.

    Raises
    ------
    DatasetError
        The data set cannot be read, or a process died.
    """
    path = Path(path)
    total = len(IDDataset(path))
    todo = [shard for shard in shards(path) if not (path / "analysis" / f"{shard}.parquet").exists()]
    count = 0
    pool = worker_pool(workers)
    with pool, tqdm(total=total, desc="analyse", unit="photo", disable=not progress) as bar:
        for shard in todo:
            photos = IDDataset(path, shard=shard)
            names = list(photos.identities)
            analyse_stored = partial(_analyse_stored, path, shard)
            rows = []
            with closing(map_in_order(pool, analyse_stored, names, ahead=4 * workers)) as results:
                for name, analyses in zip(names, results, strict=True):
                    ids = [photos.entry(i).photo_id for i in photos.identities[name]]
                    rows += [(name, photo_id, each) for photo_id, each in zip(ids, analyses, strict=True)]
                    bar.update(len(ids))
            write_analysis(path, shard, rows)
            count += len(rows)
    return count


def analyse_photos(
    photos: Sequence[ImageLike], *, analyser: FaceAnalyser | None = None
) -> list[PhotoAnalysis]:
    """Analyse all photos of one person: the largest face of each, and one head fit over all of them.

    Parameters
    ----------
    photos
        Paths or pictures.
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
    for photo in photos:
        face, reason = _largest_face(photo, analyser)
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
        results.append(replace(_analysis_of(face), fit=geometry, residual=float(residual)))
    return results


def _analyse_stored(path: Path, shard: str, identity_id: str) -> list[PhotoAnalysis]:
    photos = _open_shard(path, shard)
    return analyse_photos([photos[i].pixels() for i in photos.identities[identity_id]])


@lru_cache(maxsize=1)
def _open_shard(path: Path, shard: str) -> IDDataset:
    return IDDataset(path, shard=shard)


def _largest_face(photo: ImageLike, analyser: FaceAnalyser) -> tuple[Face | None, str]:
    try:
        faces = analyser.analyse_all(photo)
    except ImageError as error:
        return None, str(error)
    return (faces[0], "") if faces else (None, "no face was found")


def _analysis_of(face: Face) -> PhotoAnalysis:
    return PhotoAnalysis(
        found=True,
        landmarks=face.landmarks,
        crop_transform=face.crop_transform,
        crop_size=len(face.crop),
        embedding=face.embedding,
        quality=float(face.quality),
        matte=face.matte,
    )
