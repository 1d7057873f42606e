"""Which faces of several photos belong to one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hifi_portrait.faces.face import Face
from hifi_portrait.head.arrays import Array

_OUTLIER_MARGIN = 0.53
"""How far below the others' median similarity a face counts as somebody else's, though it is similar enough.

A fraction of what lies between the similarity that two people reach and 1.
"""

MIN_SECOND_FACE = 0.25
"""Faces smaller than this fraction of the largest in their photo are bystanders, and not who is meant."""


@dataclass(frozen=True, eq=False)
class Selection:
    """The faces of the person whom most photos show, and what the other photos show."""

    faces: tuple[Face, ...]
    """One face of each photo that shows the person, in the photos' order."""
    strangers: tuple[Face, ...]
    """Of each other photo the face that comes closest."""
    rivals: tuple[Face, ...]
    """Those strangers who are one other person, if that one is in as many photos or more; else empty."""
    groups: int = 0
    """How many of the photos that show the person show others, too, who are no bystanders."""
    equals: int = 0
    """How many other people are in as many photos as the person, beside them in the same photos."""


def select_person(
    found: Sequence[Sequence[Face]], same_person: float, *, anchor: Face | None = None
) -> Selection:
    """Find the person whom most photos show.

    Parameters
    ----------
    found
        The faces of each photo, largest first, none empty. Where a photo shows several people, the face
        that agrees with the other photos is taken.
    same_person
        Embeddings with a smaller cosine belong to two people.
    anchor
        A face of the person, where it is known who is meant.
    """
    meant = [face for group in found for face in without_bystanders(group)]
    in_photos = [_best_similarities(face, found) for face in meant]
    companions = [int((similarities >= same_person).sum()) for similarities in in_photos]
    if anchor is None:
        largest = {id(group[0]) for group in found}
        order = [
            count + 0.5 * (id(face) in largest) + 0.4 * round(float(similarities.mean()), 5)
            for face, count, similarities in zip(meant, companions, in_photos, strict=True)
        ]
        medoid = meant[int(np.argmax(order))]
    else:
        medoid = anchor
    faces = [max(group, key=medoid.similarity) for group in found]
    belongs = _belonging(faces, medoid, same_person)
    if anchor is not None:
        belongs = [keep or face is anchor for face, keep in zip(faces, belongs, strict=True)]
    person = tuple(face for face, kept in zip(faces, belongs, strict=True) if kept)
    strangers = tuple(face for face, kept in zip(faces, belongs, strict=True) if not kept)
    rivals = () if anchor is not None else _rivals(person, strangers, same_person)
    shown = [group for group, kept in zip(found, belongs, strict=True) if kept]
    groups = sum(len(without_bystanders(group)) > 1 for group in shown)
    equals = _count_equals(medoid, meant, companions, len(person), same_person)
    return Selection(person, strangers, rivals, groups, equals)


def without_bystanders(group: Sequence[Face]) -> list[Face]:
    """Give the faces of a photo, largest first, that are not much smaller than the largest."""
    if len(group) == 1:
        return list(group)
    return [face for face in group if _size(face) >= MIN_SECOND_FACE * _size(group[0])]


def mean_similarity(face: Face, others: Sequence[Face]) -> float:
    """Compute the mean cosine to the others, in [-1, 1]; 1 where there are none."""
    similarities = [face.similarity(other) for other in others if other is not face]
    return float(np.mean(similarities)) if similarities else 1.0


def _size(face: Face) -> float:
    return float(np.max(face.box[2:] - face.box[:2], initial=0.0))


def _best_similarities(face: Face, found: Sequence[Sequence[Face]]) -> Array:
    """Compute how similar the most similar face of each photo is."""
    return np.array([max(face.similarity(other) for other in group) for group in found])


def _count_equals(
    medoid: Face, meant: Sequence[Face], companions: Sequence[int], count: int, same_person: float
) -> int:
    """Count the other people who are in at least so many photos."""
    others: list[Face] = []
    for face, photos in zip(meant, companions, strict=True):
        known = [medoid, *others]
        if photos >= count and all(face.similarity(other) < same_person for other in known):
            others.append(face)
    return len(others)


def _medoid(faces: Sequence[Face], same_person: float) -> Face:
    """Find the face that most others resemble; among equals, the one they resemble most, then the first."""
    embeddings = np.stack([face.direction for face in faces])
    similarity = embeddings @ embeddings.T
    companions = (similarity >= same_person).sum(axis=1)
    return faces[int(np.argmax(companions + similarity.mean(axis=1).round(5)))]


def _belonging(faces: Sequence[Face], medoid: Face, same_person: float) -> list[bool]:
    """Tell whether each face is the medoid's person: similar enough, and not far below what others reach."""
    kept = [face.similarity(medoid) >= same_person for face in faces]
    group = [face for face, keep in zip(faces, kept, strict=True) if keep]
    if len(group) < 4:
        return kept
    typical = float(np.median([_typical_similarity(face, group) for face in group]))
    return [
        keep and _typical_similarity(face, group) >= typical - _OUTLIER_MARGIN * (1 - same_person)
        for face, keep in zip(faces, kept, strict=True)
    ]


def _typical_similarity(face: Face, group: Sequence[Face]) -> float:
    return float(np.median([face.similarity(other) for other in group if other is not face]))


def _rivals(person: Sequence[Face], strangers: Sequence[Face], same_person: float) -> tuple[Face, ...]:
    if not strangers:
        return ()
    rival = _medoid(strangers, same_person)
    rivals = tuple(face for face in strangers if face.similarity(rival) >= same_person)
    return rivals if len(rivals) >= len(person) else ()
