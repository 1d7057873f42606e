"""Which faces are one person's: without names, and with folders that say so, mostly rightly.

Without names: the nearest neighbours of each face make a graph, Chinese whispers (dlib) cut it into
communities, and average linkage (SciPy) cuts these into people. In a named folder average linkage finds the
largest group, which is who the folder is of; the others leave it, for another person where one fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import dlib
import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from hifi_portrait.dataset.curate.metric import Calibration, Metric, learn_metric, rows_by_label
from hifi_portrait.dataset.curate.neighbours import nearest
from hifi_portrait.head.arrays import FloatArray

_NEIGHBOURS = 16
_LOWEST = -8.0
"""Affinity below which two faces are as unlike as any."""

_LARGEST_COMMUNITY = 4000
"""Faces above which a community is cut by higher thresholds first: linkage needs memory for all pairs."""


@dataclass(frozen=True, kw_only=True)
class GroupingOptions:
    """How faces are put together."""

    purity: Literal["strict", "balanced"] = "strict"
    """"strict" leaves out whom it is not sure of, "balanced" finds more photos of each person."""
    learn: bool = True
    """Whether the collection's own scatter is learnt, beside the plain cosine."""


@dataclass(frozen=True, eq=False)
class Groups:
    """People found among N faces."""

    person: npt.NDArray[np.int64]
    """(N,) number of each face's person, -1 for nobody."""
    affinity: FloatArray
    """(N,) mean affinity to the other faces of the person, 0 at the threshold: how sure it is."""
    names: dict[int, tuple[str, ...]]
    """Person -> the folders that are of that person."""


def group_faces(
    vectors: FloatArray,
    pictures: npt.NDArray[np.int64],
    folders: Sequence[str],
    calibration: Calibration,
    options: GroupingOptions,
) -> Groups:
    """Find the people among faces.

    Parameters
    ----------
    vectors
        (N, E) unit vectors.
    pictures
        (N,) number of each face's picture: two faces of one are never one person.
    folders
        Name of the folder that says who each face is; empty where nothing does.
    calibration
        The recogniser's thresholds.
    options
        How.
    """
    number = len(vectors)
    if number == 0:
        return Groups(np.zeros(0, np.int64), np.zeros(0, np.float32), {})
    named = np.array([bool(name) for name in folders])
    plain = Metric(vectors, None)
    sure = np.full(number, -1, np.int64)
    _group_folders(plain, pictures, folders, calibration.folder_guard, 0, sure)
    _group_heap(plain, pictures, np.flatnonzero(~named), calibration.strict, 0, sure)
    metric = learn_metric(vectors, sure) if options.learn else plain
    learnt = calibration.strict_learnt if options.purity == "strict" else calibration.learnt
    guard = calibration.guard
    if metric.whitened is None:
        guard = calibration.strict if options.purity == "strict" else calibration.plain
    person = np.full(number, -1, np.int64)
    _group_folders(metric, pictures, folders, calibration.folder_guard, calibration.folder_learnt, person)
    cores = person.copy()
    _group_heap(metric, pictures, np.flatnonzero(~named), guard, learnt, person)
    _merge_people(metric, person, guard, learnt)
    left = np.flatnonzero((person < 0) & (named | named.any()))
    _adopt(metric, pictures, person, left, guard, learnt)
    _separate(metric, pictures, person, guard, learnt)
    names: dict[int, set[str]] = {}
    for index in np.flatnonzero(cores >= 0):
        if person[index] >= 0:
            names.setdefault(int(person[index]), set()).add(folders[int(index)])
    return Groups(
        person,
        _certainty(metric, person, guard, learnt),
        {number: tuple(sorted(found)) for number, found in names.items()},
    )


def _link(affinity: FloatArray) -> npt.NDArray[np.int64]:
    """Cluster by average linkage, cut where the mean affinity is 0; (M, M) -> (M,) from 0."""
    if len(affinity) < 2:
        return np.zeros(len(affinity), np.int64)
    top = float(affinity.max()) + 1
    distance = top - np.clip(affinity, _LOWEST, None)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average")
    return np.asarray(fcluster(tree, top, "distance") - 1, np.int64)


def _forbid(affinity: FloatArray, pictures: npt.NDArray[np.int64]) -> FloatArray:
    """Put faces of one picture as far apart as can be."""
    together = pictures[:, None] == pictures[None]
    np.fill_diagonal(together, False)
    return np.where(together, _LOWEST, affinity)


def _group_folders(
    metric: Metric,
    pictures: npt.NDArray[np.int64],
    folders: Sequence[str],
    guard: float,
    learnt: float,
    person: npt.NDArray[np.int64],
) -> None:
    """Find the largest group of each folder, and number it as a person."""
    rows_of: dict[str, list[int]] = {}
    for index, name in enumerate(folders):
        if name:
            rows_of.setdefault(name, []).append(index)
    for name in sorted(rows_of):
        rows = np.array(rows_of[name])
        affinity = _forbid(metric.affinity(rows, guard, learnt), pictures[rows])
        labels = _link(affinity)
        sizes = np.bincount(labels)
        if sizes.max() > 1 or len(rows) == 1:
            person[rows[labels == sizes.argmax()]] = person.max() + 1


def _group_heap(
    metric: Metric,
    pictures: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    guard: float,
    learnt: float,
    person: npt.NDArray[np.int64],
) -> None:
    """Group faces of which nothing is known."""
    if len(rows) < 2:
        return
    neighbours, cosines = nearest(metric.best[rows], _NEIGHBOURS)
    threshold = guard if metric.whitened is None else learnt
    for community in _communities(neighbours, cosines, threshold):
        for members in _smaller(rows[community], metric.best, threshold):
            labels = _link(_forbid(metric.affinity(members, guard, learnt), pictures[members]))
            for label in range(labels.max() + 1):
                if (labels == label).sum() > 1:
                    person[members[labels == label]] = person.max() + 1


def _communities(
    neighbours: npt.NDArray[np.int64], cosines: FloatArray, threshold: float
) -> list[npt.NDArray[np.int64]]:
    """Cut the graph of neighbours above a threshold into communities, by dlib's Chinese whispers."""
    edges = [
        (int(one), int(other), float(cosine))
        for one, (others, near) in enumerate(zip(neighbours, cosines, strict=True))
        for other, cosine in zip(others, near, strict=True)
        if cosine >= threshold and one != other
    ]
    number = len(neighbours)
    edges += [(index, index, 1.0) for index in range(number)]
    labels = np.array(dlib.chinese_whispers(edges))
    return [rows for rows in rows_by_label(labels) if len(rows) > 1]


def _smaller(
    rows: npt.NDArray[np.int64], vectors: FloatArray, threshold: float
) -> list[npt.NDArray[np.int64]]:
    """Cut a community that is too large for linkage, at higher and higher thresholds."""
    if len(rows) <= _LARGEST_COMMUNITY:
        return [rows]
    higher = threshold + 0.1 * (1 - threshold)
    neighbours, cosines = nearest(vectors[rows], _NEIGHBOURS)
    parts = _communities(neighbours, cosines, higher)
    return [small for part in parts for small in _smaller(rows[part], vectors, higher)]


def _people(person: npt.NDArray[np.int64]) -> dict[int, npt.NDArray[np.int64]]:
    numbers = ((int(person[rows[0]]), rows) for rows in rows_by_label(person))
    return {number: rows for number, rows in numbers if number >= 0}


def _centres(metric: Metric, people: dict[int, npt.NDArray[np.int64]]) -> FloatArray:
    centres = np.stack([metric.best[rows].mean(axis=0) for rows in people.values()])
    return np.asarray(centres / np.linalg.norm(centres, axis=1, keepdims=True))


def _mean_between(
    metric: Metric,
    one: npt.NDArray[np.int64],
    other: npt.NDArray[np.int64],
    guard: float,
    learnt: float,
) -> float:
    affinity = metric.affinity(np.concatenate([one, other]), guard, learnt)
    return float(np.clip(affinity[: len(one), len(one) :], _LOWEST, None).mean())


def _merge_people(metric: Metric, person: npt.NDArray[np.int64], guard: float, learnt: float) -> None:
    """Join people, such as two folders, whose faces are alike in the mean; most alike first."""
    people = _people(person)
    if len(people) < 2:
        return
    numbers = list(people)
    neighbours, _ = nearest(_centres(metric, people), 8)
    pairs = {
        (min(numbers[one], numbers[other]), max(numbers[one], numbers[other]))
        for one, others in enumerate(neighbours)
        for other in others
    }
    found = [
        (_mean_between(metric, people[one], people[other], guard, learnt), one, other)
        for one, other in sorted(pairs)
    ]
    now = {number: number for number in numbers}
    for affinity, one, other in sorted(found, key=lambda each: (-each[0], each[1:])):
        if affinity < 0:
            return
        first, second = sorted((now[one], now[other]))
        if first == second:
            continue
        rows, others = np.flatnonzero(person == first), np.flatnonzero(person == second)
        if _mean_between(metric, rows, others, guard, learnt) >= 0:
            person[others] = first
            now = {number: first if at == second else at for number, at in now.items()}


def _adopt(
    metric: Metric,
    pictures: npt.NDArray[np.int64],
    person: npt.NDArray[np.int64],
    left: npt.NDArray[np.int64],
    guard: float,
    learnt: float,
) -> None:
    """Give faces that their folder does not want to the person whom they are most like, if they are."""
    people = _people(person)
    if not people:
        return
    centres, numbers = _centres(metric, people), list(people)
    for index in left:
        for place in np.argsort(-(centres @ metric.best[index]))[:4]:
            rows = people[numbers[place]]
            if pictures[index] in pictures[rows]:
                continue
            if _mean_between(metric, np.array([index]), rows, guard, learnt) >= 0:
                person[index] = numbers[place]
                break


def _separate(
    metric: Metric,
    pictures: npt.NDArray[np.int64],
    person: npt.NDArray[np.int64],
    guard: float,
    learnt: float,
) -> None:
    """Of two faces of one picture in a group keep the one that fits better."""
    for number, rows in _people(person).items():
        if len(np.unique(pictures[rows])) == len(rows):
            continue
        fits = metric.affinity(rows, guard, learnt).mean(axis=1)
        for place in np.argsort(fits):
            twins = rows[(pictures[rows] == pictures[rows[place]]) & (person[rows] == number)]
            if len(twins) > 1:
                person[rows[place]] = -1


def _certainty(metric: Metric, person: npt.NDArray[np.int64], guard: float, learnt: float) -> FloatArray:
    certainty = np.full(len(person), np.float32(_LOWEST))
    for rows in _people(person).values():
        affinity = metric.affinity(rows, guard, learnt)
        np.fill_diagonal(affinity, 0)
        certainty[rows] = affinity.sum(axis=1) / max(len(rows) - 1, 1)
    return certainty
