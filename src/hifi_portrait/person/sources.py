"""What an identity is made of: photos, folders of them, and people who were analysed before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from hifi_portrait.errors import IdentityError, ImageError, NoFaceError
from hifi_portrait.faces import Face, FaceAnalyser, ImageLike, source_name
from hifi_portrait.faces.folder import UnusedFile, list_photos
from hifi_portrait.faces.recogniser import align_chip
from hifi_portrait.fitting.keypoints import KEYPOINTS
from hifi_portrait.io.names import printable

if TYPE_CHECKING:
    from hifi_portrait.person.identity import Identity

IDENTITY_SUFFIX = ".safetensors"
"""Of the file that a saved identity is."""

Source: TypeAlias = "ImageLike | Identity"
"""A photo, or a person who was analysed before."""


@dataclass(frozen=True)
class ListedSources:
    """What was handed in, with folders listed and saved identities loaded."""

    sources: list[Source]
    unused: list[UnusedFile]
    """Files that are no photos, or are not used for another reason."""


@dataclass(frozen=True)
class AnalysedSources:
    """The faces of what was handed in."""

    found: list[list[Face]]
    """The faces of each photo that has any, largest first."""
    unusable: list[tuple[str, str]]
    """Name of each other photo, and why it is not used."""


def list_sources(given: Source | Sequence[Source]) -> ListedSources:
    """List photos and saved identities.

    Parameters
    ----------
    given
        Photos, folders of photos, saved identities' files and identities, or one of these.

    Raises
    ------
    ImageError, IdentityError
        Nothing was given, a path does not exist, a folder holds no photo, or a saved identity is damaged.
    """
    from hifi_portrait.person.identity import Identity

    if isinstance(given, bytes | bytearray):  # not a sequence of numbers, each a photo
        raise ImageError("bytes are no photo: give a path, or open them with PIL.Image")
    many = isinstance(given, list | tuple) or (
        isinstance(given, Sequence) and not isinstance(given, str | PathLike)
    )
    listed = list(cast("Sequence[Source]", given)) if many else [cast("Source", given)]
    if not listed:
        raise IdentityError("an identity needs at least one photo")
    paths = [Path(each) for each in listed if isinstance(each, str | PathLike)]
    single = [path for path in paths if not is_saved_identity(path) and not path.is_dir()]
    files, unused = list_photos(single, beside_others=len(listed) > len(single)) if single else ([], [])
    sources: list[Source] = []
    for each in listed:
        if not isinstance(each, str | PathLike):
            sources.append(each)
        elif is_saved_identity(Path(each)):
            sources.append(Identity.load(each))
        elif Path(each).is_dir():
            in_folder, others = list_photos([Path(each)])
            sources += in_folder
            unused += others
        elif Path(each) in files:
            sources.append(Path(each))
    return ListedSources(sources, unused)


def is_saved_identity(path: Path) -> bool:
    """Tell by its name whether a file is a saved identity."""
    return path.suffix.lower() == IDENTITY_SUFFIX and not path.is_dir()


def analyse_sources(sources: Sequence[Source], analyser: FaceAnalyser) -> AnalysedSources:
    """Find the faces of photos, and take those of saved identities.

    Raises
    ------
    ImageError
        No photo can be read.
    NoFaceError
        No photo has a usable face.
    """
    from hifi_portrait.person.identity import Identity

    photos = [source for source in sources if not isinstance(source, Identity)]
    errors: dict[int, ImageError] = {}
    analysed = iter(analyser.analyse_many(photos, on_error=errors.__setitem__))
    found: list[list[Face]] = []
    unusable: list[tuple[str, str]] = []
    number = 0
    for source in sources:
        if isinstance(source, Identity):
            found += [[face] for face in _faces_of(source)]
            continue
        group = next(analysed)
        if group:
            found.append(group)
        elif number in errors:
            name = source_name(source)
            reason = str(errors[number]).replace(name, Path(name).name)  # it is saved, which paths are not
            unusable.append((name, f"it cannot be read: {reason}"))
        else:
            unusable.append((source_name(source), "no usable face was found in it"))
        number += 1
    if not found and len(errors) == len(photos):
        raise errors[0]
    if not found:
        first = next(photo for place, photo in enumerate(photos) if place not in errors)
        analyser.analyse(first)  # raises, saying what is wrong with it
        raise NoFaceError(f"{source_name(first)}: no usable face was found")
    widths = {face.embedding.shape for group in found for face in group}
    if len(widths) > 1:
        raise IdentityError(
            "a saved identity was made with another recogniser than is used for the photos: give photos"
            " alone, or the same recogniser"
        )
    return AnalysedSources(found, unusable)


def _faces_of(identity: Identity) -> list[Face]:
    """Give the faces of an identity, each as that of a photo which is the portrait crop."""
    faces = []
    for index, source in enumerate(identity.sources):
        crop, landmarks = identity.crops[index], identity.landmarks[index]
        corners = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
        faces.append(
            Face(
                source=printable(source),
                box=np.concatenate(corners).astype(np.float32),
                keypoints=landmarks[list(KEYPOINTS.values()), :2],
                landmarks=landmarks,
                crop=crop,
                crop_landmarks=landmarks,
                crop_transform=np.eye(3),
                matte=identity.mattes[index],
                wide_crop=None if identity.wide_crops is None else identity.wide_crops[index],
                wide_matte=None if identity.wide_mattes is None else identity.wide_mattes[index],
                aligned=align_chip(crop, landmarks),
                embedding=identity.embeddings[index],
                quality=float(identity.quality[index]),
            )
        )
    return faces
