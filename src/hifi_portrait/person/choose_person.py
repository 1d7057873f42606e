"""Whose identity it is, where photos show several people; and which photos are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hifi_portrait.errors import IdentityError, NoFaceError
from hifi_portrait.faces import Face
from hifi_portrait.faces.analyser import read_face_number
from hifi_portrait.faces.same_person import Selection, mean_similarity, select_person
from hifi_portrait.io.names import printable
from hifi_portrait.person.covered_faces import describe_odd_places


@dataclass(frozen=True)
class DroppedPhoto:
    """A photo that was handed in and is not used."""

    source: str
    """Its path, or a description."""
    reason: str
    """Why it is not used."""
    similarity: float | None = None
    """Cosine of its best face to the person, in [-1, 1]; None where no face was found."""


def choose_person(
    found: Sequence[Sequence[Face]], same_person: float, index: int | None
) -> tuple[list[Face], list[DroppedPhoto], list[str]]:
    """Choose one person among those whom photos show: the one of the given number, or who is in most.

    Parameters
    ----------
    found
        The faces of each photo, the largest first.
    same_person
        Cosine from which on two faces are one person.
    index
        Which face of the first photo that has so many it is; None for who is in most photos.

    Returns
    -------
    faces, dropped, notices
        The person's face of each photo that has it, the other photos, and what is to be said about it.

    Raises
    ------
    IdentityError
        The photos show different people, none of them in more photos than the others.
    NoFaceError
        No photo has that many faces.
    """
    anchor = None if index is None else _find_anchor(found, index)
    selection = select_person(found, same_person, anchor=anchor)
    used, rivals = selection.faces, selection.rivals
    if rivals:
        raise IdentityError(
            f"the photos show different people: {_join_sources(used)} and {_join_sources(rivals)} (similarity"
            f" {used[0].similarity(rivals[0]):.3f}; photos of one person have at least {same_person})."
            " Give photos of one person, or more photos of the one who is meant, or choose: face=0, --face 0"
            + _describe_covers([*used, *rivals])
        )
    agreement = float(np.mean([mean_similarity(face, used) for face in used]))
    dropped = []
    for face in selection.strangers:
        similarity = mean_similarity(face, used)
        odd = describe_odd_places(face)
        who = "somebody else" if odd is None else f"somebody else, or something covers {odd}"
        reason = f"it shows {who}: similarity {similarity:.3f}, the others agree to {agreement:.3f}"
        dropped.append(DroppedPhoto(face.source, reason, similarity))
    return list(used), dropped, _describe_choice(selection, index)


def _describe_covers(faces: Sequence[Face]) -> str:
    """Say of faces that are told apart what may be before them, which makes one person's faces unlike."""
    places = [(face, describe_odd_places(face)) for face in faces]
    told = [f"{odd} in {name_alone(face.source)}" for face, odd in places if odd is not None]
    if not told:
        return ""
    return f". Something may cover {' and '.join(told)}: another photo, without it, would tell"


def _find_anchor(found: Sequence[Sequence[Face]], index: int) -> Face:
    index = read_face_number(index)
    for group in found:
        if index < len(group):
            return group[index]
    most = max(len(group) for group in found)
    raise NoFaceError(
        f"no photo has a face {index}: faces are counted from 0 (the largest), and there are {most} at most"
    )


def _describe_choice(selection: Selection, index: int | None) -> list[str]:
    """Say who was taken where photos show several people."""
    if selection.groups == 0 or index is not None:
        return []
    used = len(selection.faces)
    if selection.equals:
        return [
            f"{selection.equals + 1} people are in as many photos each: the larger one in"
            f" {name_alone(selection.faces[0].source)} is taken; choose another with face=1, on the command"
            " line --face 1 (of `redraw`, --photo-face 1)"
        ]
    return [
        f"{selection.groups} of the photos show{'s' if selection.groups == 1 else ''} several people: the one"
        f" who is in most photos, {used}, is taken; choose with face=N, on the command line --face N"
        " (of `redraw`, --photo-face N)"
    ]


def name_alone(source: str) -> str:
    """Give a photo's name without its folders."""
    return printable(Path(source).name)


def _join_sources(faces: Sequence[Face]) -> str:
    return ", ".join(face.source for face in faces)
