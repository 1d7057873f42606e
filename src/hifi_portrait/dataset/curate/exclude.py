"""People of other data sets, such as those of an evaluation, who must not get into this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hifi_portrait.dataset.curate.calibration import Calibration
from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.errors import DatasetError
from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.io.names import printable


def find_excluded(
    vectors: FloatArray,
    people: Mapping[int, Sequence[int]],
    folders: Sequence[Path],
    calibration: Calibration,
) -> dict[int, tuple[float, float]]:
    """Find the people who are in other data sets, by the mean cosine of all their pairs of photos.

    Parameters
    ----------
    vectors
        (N, E) unit vectors of faces.
    people
        Person -> faces.
    folders
        Analysed data sets.
    calibration
        The recogniser's thresholds; the lowest that is not for folders decides.

    Returns
    -------
    dict of int to (float, float)
        Person who is excluded -> the cosine to who comes closest, and the threshold.

    Raises
    ------
    DatasetError
        A folder is no data set, or is not analysed by the same recogniser.
    """
    means = [mean for folder in folders for mean in _means(folder, calibration.recogniser)]
    if not means or not people:
        return {}
    others = np.stack(means)
    threshold = calibration.plain_guard
    found = {}
    for person, rows in people.items():
        cosine = float((others @ vectors[list(rows)].mean(axis=0)).max())
        if cosine >= threshold:
            found[person] = (cosine, threshold)
    return found


def _means(folder: Path, recogniser: str) -> list[FloatArray]:
    photos = IDDataset(folder)
    means = []
    for name, rows in photos.identities.items():
        analyses = [photos.entry(row).analysis for row in rows]
        found = [each for each in analyses if each is not None and each.embedding is not None]
        if not found:
            raise DatasetError(
                f"{printable(folder)}: nothing is known of the face of {name}: analyse the data set first"
            )
        if any(each.recogniser not in ("", recogniser) for each in found):
            raise DatasetError(f"{printable(folder)} is analysed by another recogniser than {recogniser!r}")
        embeddings = [
            each.embedding / np.linalg.norm(each.embedding) for each in found if each.embedding is not None
        ]
        means.append(np.mean(embeddings, axis=0))
    return means
