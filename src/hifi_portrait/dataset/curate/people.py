"""What is done with people once they are found: joining them, and giving them faces that are left."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hifi_portrait.dataset.curate.matching import LOWEST_MARGIN, Matcher
from hifi_portrait.dataset.curate.neighbours import nearest
from hifi_portrait.dataset.curate.rows import Rows, rows_by_label
from hifi_portrait.head.arrays import FloatArray

INERTIA = 1.0
"""Margin that two people of a data set need to become one when it grows."""

_NAMED_APART = 0.3
"""The same of two people with folders or tracks of their own and many faces each: no two of 300 people have
a mean margin of more, and four of five people whose photos were divided into two folders."""

MANY_FACES = 4
"""Faces from which on a person is known well: faces without a name are given to it by less."""

_ALIKE_PEOPLE = 8
"""People most alike to each, with whom it may be merged."""

_TRIED_PEOPLE = 8
"""People to whom a face without one is compared."""

_MOST_TOGETHER = 0.1
"""Of the faces of the smaller of two groups, the fraction in pictures with the other up to which they may be
one person: a poster or a mirror shows somebody twice."""


def people_of(person: Rows) -> dict[int, Rows]:
    """Find the faces of each person: number -> rows."""
    numbers = ((int(person[rows[0]]), rows) for rows in rows_by_label(person))
    return {number: rows for number, rows in numbers if number >= 0}


def keep_settled(settled: Rows, person: Rows, *, everybody: bool) -> None:
    """See that faces which were one person in the data set are one person still.

    Parameters
    ----------
    settled
        (N,) number of who each face was; -1 where it was nobody.
    person
        (N,) who it is; changed in place.
    everybody
        Whether people of whom no face is anybody's yet get a number of their own.
    """
    for rows in people_of(settled).values():
        found = person[rows][person[rows] >= 0]
        if len(found):
            person[rows] = np.bincount(found).argmax()
        elif everybody:
            person[rows] = person.max() + 1


def merge_people(matcher: Matcher, pictures: Rows, settled: Rows, named: Iterable[int], person: Rows) -> None:
    """Join people, such as two folders, whose faces are alike in the mean; most alike first.

    Who are seen together in several pictures, such as two tracks of a video, are two people. Two people of
    the data set need more than others do, and so do two of the numbers ``named``, whom folders tell apart.
    """
    people = people_of(person)
    if len(people) < 2:
        return
    names = {*named}
    has_name = {number: number in names and len(rows) >= MANY_FACES for number, rows in people.items()}
    is_settled = {number: bool((settled[rows] >= 0).any()) for number, rows in people.items()}
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
        least = _NAMED_APART if has_name[first] and has_name[second] else 0.0
        least = INERTIA if is_settled[first] and is_settled[second] else least
        if matcher.mean_margin(people[first], people[second]) >= least:
            people[first] = np.concatenate([people[first], people.pop(second)])
            person[people[first]] = first
            is_settled[first] |= is_settled[second]
            has_name[first] |= has_name[second]
            joined_to = {number: first if now == second else now for number, now in joined_to.items()}


def _are_together(pictures: Rows, one: Rows, other: Rows) -> bool:
    return len(np.intersect1d(pictures[one], pictures[other])) > _MOST_TOGETHER * min(len(one), len(other))


def assign_remaining(
    matcher: Matcher,
    pictures: Rows,
    left: Rows,
    person: Rows,
    *,
    candidates: Iterable[int] | None = None,
    compared: int | None = None,
) -> None:
    """Assign faces without a person to the one whom they are most like, if they are like anybody.

    Parameters
    ----------
    matcher
        How alike faces are.
    pictures
        (N,) number of each face's picture.
    left
        (M,) indices of those faces.
    person
        (N,) who each face is; changed in place.
    candidates
        Numbers of the people who may get faces; None for all.
    compared
        To how many of a person's faces, those most alike; None for all.
    """
    people = people_of(person)
    if candidates is not None:
        people = {number: people[number] for number in candidates}
    if not people or not len(left):
        return
    centres, numbers = matcher.centres(list(people.values())), list(people)
    found: list[tuple[float, int, int]] = []
    for rows in np.array_split(left, len(left) // 1024 + 1):
        alike = np.argsort(-(matcher.search_vectors(rows) @ centres.T), axis=1)[:, :_TRIED_PEOPLE]
        for row, places in zip(rows.tolist(), alike, strict=True):
            margin, number = max(
                (_fit(matcher, row, people[numbers[place]], compared), numbers[place]) for place in places
            )
            if margin >= 0:
                found.append((-margin, row, number))
    taken = {(int(pictures[row]), number) for number, rows in people.items() for row in rows}
    for _, row, number in sorted(found):
        if (int(pictures[row]), number) not in taken:
            taken.add((int(pictures[row]), number))
            person[row] = number


def _fit(matcher: Matcher, row: int, person: Rows, compared: int | None) -> float:
    """Compute the mean margin of a face to those of a person's that are most like it."""
    margins = np.sort(np.maximum(matcher.margins(np.array([row]), person)[0], LOWEST_MARGIN))
    return float(margins[0 if compared is None else -compared :].mean())


def separate(matcher: Matcher, pictures: Rows, person: Rows) -> None:
    """Of two faces of one picture in a group keep the one that fits better."""
    for number, rows in people_of(person).items():
        if len(np.unique(pictures[rows])) == len(rows):
            continue
        fits = matcher.margins(rows).mean(axis=1)
        for place in np.argsort(fits):
            twins = rows[(pictures[rows] == pictures[rows[place]]) & (person[rows] == number)]
            if len(twins) > 1:
                person[rows[place]] = -1


def certainties(matcher: Matcher, person: Rows) -> FloatArray:
    """Compute the mean margin of each face to the others of its person: (N,)."""
    certainty = np.full(len(person), np.float32(LOWEST_MARGIN))
    for rows in people_of(person).values():
        margins = matcher.margins(rows)
        np.fill_diagonal(margins, 0)
        certainty[rows] = margins.sum(axis=1) / max(len(rows) - 1, 1)
    return certainty
