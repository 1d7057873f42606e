"""Which faces of several photos belong to one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hifi_portrait.faces.face import Face

_OUTLIER_MARGIN = 0.53
"""How far below the others' median similarity a face counts as somebody else's, though it is similar enough.

A fraction of what lies between the similarity that two people reach and 1.
"""


@dataclass(frozen=True, eq=False)
class Selection:
    """The faces of the person whom most photos show, and what the other photos show."""

    faces: tuple[Face, ...]
    """One face of each photo that shows the person, in the photos' order."""
    strangers: tuple[Face, ...]
    """Of each other photo the face that comes closest."""
    rivals: tuple[Face, ...]
    """Those strangers who are one other person, if that one is in as many photos or more; else empty."""


def select_person(found: Sequence[Sequence[Face]], same_person: float) -> Selection:
    """Find the person whom most photos show.

    Parameters
    ----------
    found
        The faces of each photo, largest first, none empty. Where a photo shows several people, the face
        that agrees with the other photos is taken.
    same_person
        Embeddings with a smaller cosine belong to two people.
    """
    largest = [group[0] for group in found]
    if len(found) == 1:
        return Selection((largest[0],), (), ())
    medoid = _medoid(largest, same_person)
    faces = [max(group, key=medoid.similarity) for group in found]
    belongs = _belonging(faces, medoid, same_person)
    person = tuple(face for face, kept in zip(faces, belongs, strict=True) if kept)
    strangers = tuple(face for face, kept in zip(faces, belongs, strict=True) if not kept)
    return Selection(person, strangers, _rivals(person, strangers, same_person))


def mean_similarity(face: Face, others: Sequence[Face]) -> float:
    """Compute the mean cosine to the others, in [-1, 1]; 1 where there are none."""
    similarities = [face.similarity(other) for other in others if other is not face]
    return float(np.mean(similarities)) if similarities else 1.0


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
