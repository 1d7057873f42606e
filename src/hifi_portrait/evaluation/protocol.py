"""The benchmark's fixed lists: which people, which references, which requested targets, which true photos."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from PIL import Image

from hifi_portrait.errors import DatasetError, IdentityError, TargetError
from hifi_portrait.faces.folder import list_photos
from hifi_portrait.head import HeadPose
from hifi_portrait.head.arrays import ByteArray
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.person.presets import PRESETS
from hifi_portrait.person.target import Target
from hifi_portrait.synthetic import Person, Photograph, PhotoSetup, photograph

UNSEEN_SEED = 9_000_000
"""Of the first person; training data are made from small seeds, so that these people are in none."""
CALIBRATION_SEED = 9_500_000
"""Of the first person whose photos calibrate the scorers."""
CALIBRATION_PEOPLE = 60
"""How many these are."""

REFERENCES = 4
"""Reference photos of each synthetic person by default."""
MAX_REFERENCES = 8
"""The most there may be."""
TARGETS = 4
"""Targets of each synthetic person."""
SIZE = 256
"""Side of synthetic people's photos, in pixels."""
MAX_YAW = 45.0
"""How far a photographed face may be turned, in degrees, for a detector to find it."""

# Preset, yaw and pitch of each portrait of a real person.
REAL_REQUESTS = (
    ("neutral", 0.0, 0.0),
    ("smile", 20.0, 0.0),
    ("surprise", -20.0, 5.0),
    ("laugh", 10.0, -8.0),
)

OnDone = Callable[[], None]


@dataclass(frozen=True)
class Request:
    """One portrait that is requested."""

    target: Target
    """What it is to show."""
    truth: Path | None = None
    """The true photo of the person looking so, if there is one."""


@dataclass(frozen=True)
class Case:
    """One person of the benchmark."""

    name: str
    """Begins the names of the person's pictures."""
    references: tuple[Path, ...]
    """The photos that the model gets."""
    gallery: tuple[Path, ...]
    """The photos that portraits are recognised by.

    Of a synthetic person it is one more true photo, which the model does not get; of a real person the
    references themselves, as there are no more photos.
    """
    requests: tuple[Request, ...]
    """The portraits that are drawn."""

    @property
    def gallery_is_unseen(self) -> bool:
        """Whether the portraits are compared with photos that the model did not get."""
        return not set(self.gallery) & set(self.references)


def make_synthetic_cases(
    people: int,
    folder: Path,
    *,
    references: int = REFERENCES,
    size: int = SIZE,
    on_done: OnDone | None = None,
) -> list[Case]:
    """Photograph unseen synthetic people into `folder`; photos already there are kept.

    Each has 4 targets with their true photos, and 1 further true photo as the gallery. People, targets,
    gallery and the first references are the same for every number of references.

    Parameters
    ----------
    references
        Reference photos of each, 1 to 8.
    size
        Side of the photos, in pixels.
    on_done
        Called after each person.

    Raises
    ------
    ValueError
        If `references` is out of range.
    """
    if not 1 <= references <= MAX_REFERENCES:
        raise ValueError(f"references must be from 1 to {MAX_REFERENCES}, not {references}")
    names = ["gallery", *_numbered("reference", REFERENCES), *_numbered("target", TARGETS)]
    names += _numbered("reference", references)[REFERENCES:]
    cases = []
    for index in range(people):
        person_folder = folder / f"{index:04d}"
        _photograph_person(UNSEEN_SEED + index, person_folder, names, size)
        given = tuple(person_folder / f"{name}.png" for name in _numbered("reference", references))
        cases.append(
            Case(person_folder.name, given, (person_folder / "gallery.png",), _read_requests(person_folder))
        )
        if on_done:
            on_done()
    return cases


def list_real_cases(folder: Path) -> list[Case]:
    """List the people in a folder of real photos, one sub-folder each; every photo is a reference.

    Raises
    ------
    DatasetError
        If the folder is missing or holds no sub-folder with a photo.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder: give one with a sub-folder for each person")
    requests = tuple(
        Request(Target(expression=PRESETS[expression], pose=HeadPose(yaw, pitch, 0.0)))
        for expression, yaw, pitch in REAL_REQUESTS  # as numbers, which a person's own smile does not replace
    )
    cases = []
    for person_folder in sorted(path for path in folder.iterdir() if path.is_dir()):
        try:
            photos = tuple(list_photos([person_folder])[0])
        except IdentityError:  # it holds none
            continue
        if photos:
            cases.append(Case(person_folder.name, photos, photos, requests))
    if not cases:
        raise DatasetError(f"{folder} has no sub-folder with a photo in it: one for each person is needed")
    return cases


def photograph_calibration_people(
    folder: Path, people: int = CALIBRATION_PEOPLE, *, size: int = SIZE, on_done: OnDone | None = None
) -> list[tuple[Request, ...]]:
    """Photograph further synthetic people, to calibrate the scorers by what each photo shows.

    The photos go into `folder`, 4 of each person; those already there are kept.
    """
    requests = []
    for index in range(people):
        person_folder = folder / f"{index:04d}"
        _photograph_person(CALIBRATION_SEED + index, person_folder, _numbered("target", TARGETS), size)
        requests.append(_read_requests(person_folder))
        if on_done:
            on_done()
    return requests


def _numbered(name: str, count: int) -> list[str]:
    return [f"{name}_{index}" for index in range(count)]


def _take(person_seed: int, number: int, size: int) -> Photograph:
    photo = PhotoSetup.sample(person_seed * 100 + number, style="photo", sunglasses=False)
    return photograph(Person.sample(person_seed), photo, size)


def _photograph_person(person_seed: int, folder: Path, names: Sequence[str], size: int) -> None:
    """Take the photos that can serve, in seed order and under `names`; those already there are kept."""
    described = folder / "targets.json"
    if described.exists() and all((folder / f"{name}.png").exists() for name in names):
        return
    folder.mkdir(parents=True, exist_ok=True)
    usable = _usable_photographs(person_seed, size)
    targets = []
    for name in names:
        taken = next(usable)
        write_picture(taken.image, folder / f"{name}.png")
        if name.startswith("target"):
            targets.append(Target.from_geometry(taken.truth.geometry).to_dict())
    described.write_text(json.dumps(targets))


def _usable_photographs(person_seed: int, size: int) -> Iterator[Photograph]:
    """Take photos of faces turned no further than a recogniser's detector and a target allow."""
    for number in count():
        taken = _take(person_seed, number, size)
        try:
            Target.from_geometry(taken.truth.geometry)
        except TargetError:
            continue
        if abs(taken.truth.geometry.pose.yaw) <= MAX_YAW:
            yield taken


def _read_requests(folder: Path) -> tuple[Request, ...]:
    described = json.loads((folder / "targets.json").read_text())
    return tuple(
        Request(Target.from_dict(values), folder / f"target_{index}.png")
        for index, values in enumerate(described)
    )


def write_picture(image: ByteArray, path: Path) -> None:
    """Write a uint8 RGB picture as PNG, atomically, so that a kill leaves no half picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, many_writers=True) as partial:
        Image.fromarray(image).save(partial, format="PNG")
