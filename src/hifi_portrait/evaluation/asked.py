"""What a prompt asks for, and the people of whom it is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice

import numpy as np

from hifi_portrait.evaluation.attributes.classes import HEADS, Head, read_values
from hifi_portrait.evaluation.protocol import MAX_YAW, REFERENCES, TARGETS, UNSEEN_SEED
from hifi_portrait.head import Camera, HeadModel, rest_vertices
from hifi_portrait.synthetic import Person, PhotoSetup
from hifi_portrait.synthetic.photograph import describe

_BY_NAME = {head.name: head for head in HEADS}


@dataclass(frozen=True)
class AskedAttribute:
    """One attribute that a prompt asks for."""

    attribute: str
    """Name of the head."""
    value: str
    """The class."""
    changed: bool
    """Whether no reference shows it."""

    def appears_in(self, read: Mapping[str, str]) -> bool:
        """Tell whether a picture, read as `read` (class by head), shows it."""
        return _BY_NAME[self.attribute].same(self.value, read[self.attribute])


@dataclass(frozen=True, eq=False)
class Prompt:
    """One prompt for one person."""

    words: str
    """The prompt itself."""
    asked: tuple[AskedAttribute, ...]
    """What it asks for."""
    request: int
    """Which of the case's requests it goes with."""
    person: Person
    """As the true photo shows them."""
    photo: PhotoSetup
    """The set-up of the true photo."""


@dataclass(frozen=True, eq=False)
class Sitter:
    """The person of a synthetic case, with the photos that the protocol took of them."""

    person: Person
    references: tuple[PhotoSetup, ...]
    targets: tuple[PhotoSetup, ...]

    @classmethod
    def of_case(cls, number: int) -> Sitter:
        """Make the person and photos of `protocol.synthetic_cases` from their seeds; nothing is rendered."""
        person = Person.sample(UNSEEN_SEED + number)
        usable = _usable_photos(person)
        next(usable)  # the gallery's
        references = tuple(islice(usable, REFERENCES))
        return cls(person, references, tuple(islice(usable, TARGETS)))

    def unseen(self, head: Head) -> list[str]:
        """List the classes whose group no reference shows."""
        groups = {head.group_of(value) for value in self.shown(head)}
        return [value for value in head.classes if head.group_of(value) not in groups]

    def shown(self, head: Head) -> Counter[str]:
        """Count the references that show each class."""
        values = [read_values(describe(self.person, photo)) for photo in self.references]
        return Counter(value[head.name] for value in values if head.name in value)


def _usable_photos(person: Person) -> Iterator[PhotoSetup]:
    """Give the photos that the protocol chooses: those whose face is turned no further than `MAX_YAW`."""
    alignment = HeadModel.load().align(rest_vertices(person.shape).astype(np.float32))
    for number in count():
        photo = PhotoSetup.sample(person.seed * 100 + number, style="photo", sunglasses=False)
        geometry = alignment.geometry(
            photo.pose.matrix(),
            np.zeros(3),
            photo.expression,
            np.zeros(2),
            Camera.from_fov(256, photo.fov),
        )
        if abs(geometry.pose.yaw) <= MAX_YAW:
            yield photo
