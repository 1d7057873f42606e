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
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from hifi_portrait.dataset.curate.calibration import Calibration
from hifi_portrait.dataset.curate.communities import find_communities
from hifi_portrait.dataset.curate.likelihood import learn_ratios
from hifi_portrait.dataset.curate.matching import LOWEST_MARGIN, Matcher
from hifi_portrait.dataset.curate.neighbours import choose_neighbourhoods
from hifi_portrait.dataset.curate.people import (
    INERTIA,
    MANY_FACES,
    assign_remaining,
    certainties,
    keep_settled,
    merge_people,
    people_of,
    separate,
)
from hifi_portrait.dataset.curate.rows import Rows, rows_by_label
from hifi_portrait.head.arrays import FloatArray

_LEARNT_FROM = 8000
"""Faces without names from which ratios are learnt at most."""

_ROUNDS = 2
"""How often they are: first from groups by the plain cosine, then from those by the ratios learnt before."""


_COMPARED = 2
"""Faces of a folder's person, those most alike, to which a face without a name is compared. Of 200 such faces
of people with nine photos each, .95 were more like their own person's two than all but 2 % of the others were
like anybody's; by the mean over all photos .935, and by the one most alike .955, which one wrong photo
decides."""


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


@dataclass(frozen=True, eq=False, kw_only=True)
class _Given:
    """What is known of N faces before they are grouped."""

    pictures: Rows
    """(N,)."""
    rows_of: dict[str, Rows]
    """Folder -> its faces."""
    heap: Rows
    """Faces in no folder."""
    settled: Rows
    """(N,) number of who each was when the set grew last, -1 for nobody."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _Matchers:
    """How faces are compared, by what is known of them."""

    folders: Matcher
    """In one folder."""
    heap: Matcher
    """Without names."""
    unnamed: Matcher
    """A face without a name with a person of many."""


def group_faces(
    vectors: FloatArray,
    pictures: npt.NDArray[np.int64],
    folders: Sequence[str],
    calibration: Calibration,
    options: GroupingOptions,
    settled: Sequence[str] | None = None,
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
    settled
        Who each face is in the data set so far, empty where it is nobody: these stay together, and apart from
        each other unless they are very much alike. None for a new set.
    """
    if len(vectors) == 0:
        return Groups(np.zeros(0, np.int64), np.zeros(0, np.float32), {})
    given = _Given(
        pictures=pictures,
        rows_of=_rows_of_folders(folders),
        heap=np.array([row for row, name in enumerate(folders) if not name], np.int64),
        settled=_numbers([""] * len(vectors) if settled is None else settled),
    )
    matchers = _matchers(vectors, given, calibration, options)
    person = np.full(len(vectors), -1, np.int64)
    _group_folders(matchers.folders, given, person)
    verified = person >= 0
    keep_settled(given.settled, person, everybody=False)
    if given.rows_of:
        enough = [number for number, rows in people_of(person).items() if len(rows) >= MANY_FACES]
        nameless = given.heap[(person[given.heap] < 0) & (given.settled[given.heap] < 0)]
        assign_remaining(matchers.unnamed, pictures, nameless, person, candidates=enough, compared=_COMPARED)
    _group_heap(matchers.heap, given, person)
    keep_settled(given.settled, person, everybody=True)
    merge_people(matchers.heap, pictures, given.settled, np.unique(person[verified]).tolist(), person)
    if given.rows_of:
        assign_remaining(matchers.heap, pictures, np.flatnonzero(person < 0), person)
    separate(matchers.heap, pictures, person)
    names: dict[int, set[str]] = {}
    for row in np.flatnonzero(verified & (person >= 0)):
        names.setdefault(int(person[row]), set()).add(folders[int(row)])
    return Groups(
        person,
        certainties(matchers.heap, person),
        {number: tuple(sorted(each)) for number, each in names.items()},
    )


def _matchers(
    vectors: FloatArray, given: _Given, calibration: Calibration, options: GroupingOptions
) -> _Matchers:
    """Learn from groups that are nearly pure, and choose the thresholds."""
    is_strict = options.purity == "strict"
    alone = Matcher(
        plain=vectors,
        plain_threshold=calibration.plain_strict if is_strict else calibration.plain_balanced,
    )
    matchers = _Matchers(
        folders=alone.at(plain=calibration.folder_plain, ratio=calibration.folder_ratio),
        heap=alone,
        unnamed=alone,
    )
    if not options.learn:
        return matchers
    heap = given.heap
    if len(heap) > _LEARNT_FROM:
        heap = heap[choose_neighbourhoods(vectors[heap], _LEARNT_FROM)]
    known = replace(given, heap=heap, settled=np.full(len(vectors), -1, np.int64))
    sure = replace(matchers, heap=alone.at(plain=calibration.plain_strict, ratio=0))
    learnt = False
    for _ in range(_ROUNDS):
        groups = np.full(len(vectors), -1, np.int64)
        _group_folders(sure.folders, known, groups)
        _group_heap(sure.heap, known, groups)
        ratios = learn_ratios(vectors, groups)
        if ratios is None:
            break
        learnt = True
        sure = _at_thresholds(replace(alone, ratios=ratios), calibration, calibration.ratio_strict)
    if not learnt:
        return matchers
    ratio = calibration.ratio_strict if is_strict else calibration.ratio_balanced
    return _at_thresholds(sure.heap, calibration, ratio)


def _at_thresholds(matcher: Matcher, calibration: Calibration, ratio: float) -> _Matchers:
    more = calibration.more_for(len(matcher.plain))
    return _Matchers(
        folders=matcher.at(plain=calibration.folder_plain, ratio=calibration.folder_ratio),
        heap=matcher.at(plain=calibration.plain_guard, ratio=ratio + more),
        unnamed=matcher.at(plain=calibration.folder_plain, ratio=calibration.unnamed_ratio + more),
    )


def _rows_of_folders(folders: Sequence[str]) -> dict[str, Rows]:
    """Find the faces of each folder, in the order of the folders' names."""
    numbers = _numbers(folders)
    names = sorted({name for name in folders if name})
    return {names[int(numbers[rows[0]])]: rows for rows in rows_by_label(numbers) if numbers[rows[0]] >= 0}


def _numbers(names: Sequence[str]) -> Rows:
    """Give each name the number of its place in their order; -1 to the empty one."""
    place = {name: number for number, name in enumerate(sorted({name for name in names if name}))}
    return np.array([place.get(name, -1) for name in names], np.int64)


def _link(matcher: Matcher, rows: Rows, given: _Given) -> list[Rows]:
    """Cut faces by average linkage where the mean margin is 0, into groups of two and more.

    Faces of one picture are as far apart as can be, those of a person of the set as near.
    """
    margins = np.maximum(matcher.margins(rows), LOWEST_MARGIN)
    seen_in, settled = given.pictures[rows], given.settled[rows]
    if (settled >= 0).any():
        margins -= INERTIA * ((settled >= 0)[:, None] & (settled >= 0))
    if len(np.unique(seen_in)) < len(rows):
        margins[seen_in[:, None] == seen_in] = LOWEST_MARGIN
    np.fill_diagonal(margins, LOWEST_MARGIN)
    top = float(margins.max()) + 1
    distances = top - margins
    distances[(settled >= 0) & (settled[:, None] == settled)] = 0
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), "average")
    if tree[-1, 2] <= top:
        return [rows]
    labels = fcluster(tree, top, "distance")
    return [rows[part] for part in rows_by_label(labels) if len(part) > 1]


def _group_folders(matcher: Matcher, given: _Given, person: Rows) -> None:
    """Find the largest group of each folder, and number it as a person."""
    number = int(person.max()) + 1
    for rows in given.rows_of.values():
        groups = _link(matcher, rows, given) if len(rows) > 1 else [rows]
        if groups:
            person[max(groups, key=len)] = number
            number += 1


def _group_heap(matcher: Matcher, given: _Given, person: Rows) -> None:
    """Group faces of which nothing is known, and which are nobody's yet."""
    number = int(person.max()) + 1
    heap = given.heap[person[given.heap] < 0]
    communities = find_communities(matcher, heap)
    if (given.settled[heap] >= 0).any():
        communities = _united(communities, heap, given.settled)
    for community in communities:
        for rows in _link(matcher, community, given):
            person[rows] = number
            number += 1


def _united(communities: list[Rows], heap: Rows, settled: Rows) -> list[Rows]:
    """Unite communities that hold faces of one person of the set, and take in those that are in none."""
    old = heap[settled[heap] >= 0]
    faces = np.concatenate([*communities, old])
    first = len(settled)
    where = np.concatenate(
        [np.full(len(rows), first + place) for place, rows in enumerate(communities)]
        + [first + len(communities) + settled[old]]
    )
    size = int(where.max()) + 1
    links = coo_array((np.ones(len(faces), np.int8), (faces, where)), shape=(size, size))
    labels = connected_components(links, directed=False)[1]
    rows = np.unique(faces)
    return [rows[part] for part in rows_by_label(labels[rows]) if len(part) > 1]
