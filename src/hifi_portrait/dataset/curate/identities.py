"""Identity ids that last: a person keeps the id, and with it the split, when the data set grows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hifi_portrait.dataset.records import split_of

FaceKey = tuple[str, int]
"""SHA-256 of a file, and which of its faces."""


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The id of each group."""

    ids: list[str]
    """One for each group, in order."""
    next_number: int
    """Number of the next new id."""
    moved: set[FaceKey]
    """Faces that were in the set under an id of another split: they are left out, so that nobody who was
    trained on is tested."""


def identity_id(number: int) -> str:
    """Name the person of a number."""
    return f"id-{number:07d}"


def assign_ids(
    groups: Sequence[Sequence[FaceKey]], known: Mapping[FaceKey, str], next_number: int = 0
) -> Assignment:
    """Give each group the id of the old group with which it shares most faces, or a new one.

    An id goes to one group only: that which shares most faces with it. What is given and where nothing is
    known does not depend on the groups' order.

    Parameters
    ----------
    groups
        The faces of each person.
    known
        Id under which a face is in the data set already.
    next_number
        Number of the next new id; numbers are never used again.
    """
    claims = [
        (-count, name, min(group), place)
        for place, group in enumerate(groups)
        for name, count in Counter(known[key] for key in group if key in known).items()
    ]
    given: dict[int, str] = {}
    taken: set[str] = set()
    for _, name, _, place in sorted(claims):
        if place not in given and name not in taken:
            given[place] = name
            taken.add(name)
    for place in sorted(set(range(len(groups))) - given.keys(), key=lambda each: min(groups[each])):
        given[place] = identity_id(next_number)
        next_number += 1
    moved = {
        key
        for place, group in enumerate(groups)
        for key in group
        if key in known and split_of(known[key]) != split_of(given[place])
    }
    ids = [given[place] for place in range(len(groups))]
    return Assignment(ids=ids, next_number=next_number, moved=moved)
