"""The benchmark's fixed lists: which people, which references, which requested targets, which true photos."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hifi_portrait.errors import DatasetError, TargetError
from hifi_portrait.faces import IMAGE_SUFFIXES
from hifi_portrait.head import HeadPose
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.person.target import Framing, Target
from hifi_portrait.synthetic import Person, Photo, Photograph, photograph

# Training data are made from small seeds; these people are in none of it.
UNSEEN_SEED = 9_000_000
CALIBRATION_SEED = 9_500_000
CALIBRATION_PEOPLE = 60

REFERENCES = 4
MAX_REFERENCES = 8
TARGETS = 4
SIZE = 256
MAX_YAW = 45.0

# What each real person is asked for: preset, yaw, pitch.
REAL_REQUESTS = (
    ("neutral", 0.0, 0.0),
    ("smile", 20.0, 0.0),
    ("surprise", -20.0, 5.0),
    ("laugh", 10.0, -8.0),
)

OnDone = Callable[[], None]


@dataclass(frozen=True)
class Request:
    """One portrait that is asked for, and the true photo of that person looking so, if there is one."""

    target: Target
    truth: Path | None = None


@dataclass(frozen=True)
class Case:
    """One person: what the model may see, what it is asked for, what its portraits are compared with.

    The gallery of a synthetic person is one more true photo, which the model does not see; that of a real
    person is the references themselves, all the photos there are.
    """

    name: str
    references: tuple[Path, ...]
    gallery: tuple[Path, ...]
    requests: tuple[Request, ...]

    @property
    def gallery_is_unseen(self) -> bool:
        """Whether the portraits are compared with photos that the model did not get."""
        return not set(self.gallery) & set(self.references)


def synthetic_cases(
    people: int,
    folder: Path,
    *,
    references: int = REFERENCES,
    size: int = SIZE,
    on_done: OnDone | None = None,
) -> list[Case]:
    """Unseen synthetic people, photographed into `folder`; those already there are kept.

    Each has 1 to 8 references, 4 targets with their true photos, and 1 further true photo as the gallery.
    People, targets, gallery and the first references are the same for every number of references.

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


def real_cases(folder: Path) -> list[Case]:
    """A folder of real photos, one sub-folder a person; every photo is a reference.

    Raises
    ------
    DatasetError
        If the folder is missing or holds no sub-folder with a photo.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder: give one with a sub-folder for each person")
    requests = tuple(
        Request(Target(expression=expression, pose=HeadPose(yaw, pitch, 0.0)))
        for expression, yaw, pitch in REAL_REQUESTS
    )
    cases = []
    for person_folder in sorted(path for path in folder.iterdir() if path.is_dir()):
        photos = tuple(sorted(p for p in person_folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES))
        if photos:
            cases.append(Case(person_folder.name, photos, photos, requests))
    if not cases:
        raise DatasetError(f"{folder} has no sub-folder with a photo in it: one for each person is needed")
    return cases


def photograph_calibration_people(
    folder: Path, people: int = CALIBRATION_PEOPLE, *, size: int = SIZE, on_done: OnDone | None = None
) -> list[tuple[Request, ...]]:
    """True photos of further synthetic people, and what each shows, to calibrate the scorers by.

    They are taken into `folder`, 4 of each person; those already there are kept.
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
    photo = Photo.sample(person_seed * 100 + number, style="photo", sunglasses=False)
    return photograph(Person.sample(person_seed), photo, size)


def _photograph_person(person_seed: int, folder: Path, names: Sequence[str], size: int) -> None:
    """The photos that can serve, in seed order and under `names`; what is already there is kept."""
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
            targets.append(_to_json(Target.from_geometry(taken.truth.geometry)))
    described.write_text(json.dumps(targets))


def _usable_photographs(person_seed: int, size: int) -> Iterator[Photograph]:
    """Photos turned no further than a recogniser's detector and a target may be."""
    for number in count():
        taken = _take(person_seed, number, size)
        try:
            Target.from_geometry(taken.truth.geometry)
        except TargetError:
            continue
        if abs(taken.truth.geometry.pose.yaw) <= MAX_YAW:
            yield taken


def _to_json(target: Target) -> dict[str, Any]:
    return {
        "expression": [float(value) for value in target.expression_vector()],
        "pose": asdict(target.pose),
        "gaze": list(target.gaze),
        "framing": asdict(target.framing),
    }


def _from_json(values: dict[str, Any]) -> Target:
    return Target(
        expression=values["expression"],
        pose=HeadPose(**values["pose"]),
        gaze=tuple(values["gaze"]),
        framing=Framing(**values["framing"]),
    )


def _read_requests(folder: Path) -> tuple[Request, ...]:
    described = json.loads((folder / "targets.json").read_text())
    return tuple(
        Request(_from_json(values), folder / f"target_{index}.png") for index, values in enumerate(described)
    )


def write_picture(image: np.ndarray, path: Path) -> None:
    """A uint8 RGB picture as PNG, whole or not at all, so that a kill leaves no half picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as partial:
        Image.fromarray(image).save(partial, format="PNG")
