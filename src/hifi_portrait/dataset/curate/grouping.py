"""Which faces are one person's: without names, and with folders that say so, mostly rightly.

Without names: the nearest neighbours of each face make a graph, Chinese whispers cut it into communities, and
average linkage (SciPy) cuts these into people. In a named folder average linkage finds the largest group,
which is who the folder is of; the others leave it, for another person where one fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from hifi_portrait.dataset.curate.calibration import Calibration
from hifi_portrait.dataset.curate.communities import find_communities
from hifi_portrait.dataset.curate.matching import LOWEST_MARGIN, Matcher, Rows, rows_by_label, whiten
from hifi_portrait.dataset.curate.neighbours import EXACT_BELOW, choose_neighbourhoods, nearest
from hifi_portrait.head.arrays import FloatArray

_ALIKE_PEOPLE = 8
"""People most alike to each, with whom it may be merged."""

_TRIED_PEOPLE = 4
"""People to whom a face without one is compared."""


_MOST_TOGETHER = 0.1
"""Of the faces of the smaller of two groups, the fraction in pictures with the other up to which they may be
one person: a poster or a mirror shows somebody twice."""


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
    certainty: FloatArray
    """(N,) mean margin above the thresholds to the other faces of the person: how sure it is."""
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
    if len(vectors) == 0:
        return Groups(np.zeros(0, np.int64), np.zeros(0, np.float32), {})
    heap = np.array([row for row, name in enumerate(folders) if not name], np.int64)
    rows_of = _rows_of_folders(folders)
    in_folders, in_heap = _matchers(vectors, pictures, rows_of, heap, calibration, options)
    person = np.full(len(vectors), -1, np.int64)
    _group_folders(in_folders, pictures, rows_of, person)
    verified = person >= 0
    _group_heap(in_heap, pictures, heap, person)
    _merge_people(in_heap, pictures, person)
    if rows_of:
        _adopt(in_heap, pictures, person)
    _separate(in_heap, pictures, person)
    names: dict[int, set[str]] = {}
    for row in np.flatnonzero(verified & (person >= 0)):
        names.setdefault(int(person[row]), set()).add(folders[int(row)])
    return Groups(
        person, _certainty(in_heap, person), {number: tuple(sorted(each)) for number, each in names.items()}
    )


def _matchers(
    vectors: FloatArray,
    pictures: npt.NDArray[np.int64],
    rows_of: dict[str, Rows],
    heap: Rows,
    calibration: Calibration,
    options: GroupingOptions,
) -> tuple[Matcher, Matcher]:
    """Learn from groups that are surely pure; give what matches faces in folders, and all others."""
    is_strict = options.purity == "strict"
    alone = calibration.plain_strict if is_strict else calibration.plain_balanced
    whitened = calibration.whitened_strict if is_strict else calibration.whitened_balanced
    plain = Matcher(plain=vectors, plain_threshold=alone)
    matcher = plain
    if options.learn:
        sure = np.full(len(vectors), -1, np.int64)
        _group_folders(replace(plain, plain_threshold=calibration.folder_plain), pictures, rows_of, sure)
        if len(heap) >= EXACT_BELOW:
            heap = heap[choose_neighbourhoods(vectors[heap], EXACT_BELOW - 1)]
        _group_heap(replace(plain, plain_threshold=calibration.plain_strict), pictures, heap, sure)
        matcher = replace(plain, whitened=whiten(vectors, sure))
    in_folders = matcher.at(plain=calibration.folder_plain, whitened=calibration.folder_whitened)
    if matcher.whitened is None:
        return in_folders, matcher
    return in_folders, matcher.at(plain=calibration.plain_beside_whitened, whitened=whitened)


def _rows_of_folders(folders: Sequence[str]) -> dict[str, Rows]:
    """Find the faces of each folder, in the order of the folders' names."""
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(folders):
        if name:
            rows_of.setdefault(name, []).append(row)
    return {name: np.array(rows_of[name], np.int64) for name in sorted(rows_of)}


def _link(matcher: Matcher, rows: Rows, pictures: npt.NDArray[np.int64]) -> list[Rows]:
    """Cut faces by average linkage where the mean margin is 0, into groups of two and more.

    Faces of one picture are as far apart as can be.
    """
    margins = np.maximum(matcher.margins(rows), LOWEST_MARGIN)
    seen_in = pictures[rows]
    if len(np.unique(seen_in)) < len(rows):
        margins[seen_in[:, None] == seen_in] = LOWEST_MARGIN
    np.fill_diagonal(margins, LOWEST_MARGIN)
    top = float(margins.max()) + 1
    distances = top - margins
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), "average")
    if tree[-1, 2] <= top:
        return [rows]
    labels = fcluster(tree, top, "distance")
    return [rows[part] for part in rows_by_label(labels) if len(part) > 1]


def _group_folders(
    matcher: Matcher, pictures: npt.NDArray[np.int64], rows_of: dict[str, Rows], person: Rows
) -> None:
    """Find the largest group of each folder, and number it as a person."""
    number = int(person.max()) + 1
    for rows in rows_of.values():
        groups = _link(matcher, rows, pictures) if len(rows) > 1 else [rows]
        if groups:
            person[max(groups, key=len)] = number
            number += 1


def _group_heap(matcher: Matcher, pictures: npt.NDArray[np.int64], heap: Rows, person: Rows) -> None:
    """Group faces of which nothing is known."""
    number = int(person.max()) + 1
    for community in find_communities(matcher.vectors[heap], matcher.threshold):
        for rows in _link(matcher, heap[community], pictures):
            person[rows] = number
            number += 1


def _people(person: Rows) -> dict[int, Rows]:
    numbers = ((int(person[rows[0]]), rows) for rows in rows_by_label(person))
    return {number: rows for number, rows in numbers if number >= 0}


def _merge_people(matcher: Matcher, pictures: Rows, person: Rows) -> None:
    """Join people, such as two folders, whose faces are alike in the mean; most alike first.

    Who are seen together in several pictures, such as two tracks of a video, are two people.
    """
    people = _people(person)
    if len(people) < 2:
        return
    numbers = list(people)
    neighbours, _ = nearest(matcher.centres(list(people.values())), _ALIKE_PEOPLE)
    pairs = {
        (min(numbers[one], numbers[other]), max(numbers[one], numbers[other]))
        for one, others in enumerate(neighbours.tolist())
        for other in others
    }
    found = [(matcher.mean_margin(people[one], people[other]), one, other) for one, other in sorted(pairs)]
    joined_to = {number: number for number in numbers}
    for margin, one, other in sorted(found, key=lambda each: (-each[0], each[1:])):
        if margin < 0:
            return
        first, second = sorted((joined_to[one], joined_to[other]))
        if first == second or _are_together(pictures, people[first], people[second]):
            continue
        if matcher.mean_margin(people[first], people[second]) >= 0:
            people[first] = np.concatenate([people[first], people.pop(second)])
            person[people[first]] = first
            joined_to = {number: first if now == second else now for number, now in joined_to.items()}


def _are_together(pictures: Rows, one: Rows, other: Rows) -> bool:
    return len(np.intersect1d(pictures[one], pictures[other])) > _MOST_TOGETHER * min(len(one), len(other))


def _adopt(matcher: Matcher, pictures: npt.NDArray[np.int64], person: Rows) -> None:
    """Give faces without a person to the one whom they are most like, if they are."""
    people = _people(person)
    left = np.flatnonzero(person < 0)
    if not people or not len(left):
        return
    centres, numbers = matcher.centres(list(people.values())), list(people)
    for rows in np.array_split(left, len(left) // 1024 + 1):
        alike = np.argsort(-(matcher.vectors[rows] @ centres.T), axis=1)[:, :_TRIED_PEOPLE]
        for row, places in zip(rows, alike, strict=True):
            for number in (numbers[place] for place in places):
                if pictures[row] in pictures[people[number]]:
                    continue
                if matcher.mean_margin(np.array([row]), people[number]) >= 0:
                    person[row] = number
                    break


def _separate(matcher: Matcher, pictures: npt.NDArray[np.int64], person: Rows) -> None:
    """Of two faces of one picture in a group keep the one that fits better."""
    for number, rows in _people(person).items():
        if len(np.unique(pictures[rows])) == len(rows):
            continue
        fits = matcher.margins(rows).mean(axis=1)
        for place in np.argsort(fits):
            twins = rows[(pictures[rows] == pictures[rows[place]]) & (person[rows] == number)]
            if len(twins) > 1:
                person[rows[place]] = -1


def _certainty(matcher: Matcher, person: Rows) -> FloatArray:
    certainty = np.full(len(person), np.float32(LOWEST_MARGIN))
    for rows in _people(person).values():
        margins = matcher.margins(rows)
        np.fill_diagonal(margins, 0)
        certainty[rows] = margins.sum(axis=1) / max(len(rows) - 1, 1)
    return certainty
