"""The fixed list of prompts: what each unseen synthetic person is asked to look like.

Each prompt asks for one attribute or several, which the references show (kept) or do not (changed). The true
photo of a prompt is the person of the request it is drawn for, rendered with what was asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count, islice

import numpy as np

from hifi_portrait.errors import DatasetError
from hifi_portrait.evaluation.attributes.classes import (
    CLOTHING_COLOUR,
    GLASSES,
    HAIR_COLOUR,
    HEADS,
    Head,
    read_values,
)
from hifi_portrait.evaluation.attributes.recoloured import change_clothing_colour, change_hair_colour
from hifi_portrait.evaluation.protocol import MAX_YAW, REFERENCES, TARGETS, UNSEEN_SEED, Case
from hifi_portrait.head import Camera, HeadModel, rest_vertices
from hifi_portrait.synthetic import Person, PhotoSetup
from hifi_portrait.synthetic.caption import HAIR_PHRASES, article
from hifi_portrait.synthetic.person import GLASSES as FRAMES
from hifi_portrait.synthetic.photograph import describe

PROMPTS = 5
"""How many a person gets: hair, glasses, clothing, two at once, and all as the references have it."""

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

    def shown(self, head: Head) -> Counter[str]:
        """Count the references that show each class."""
        values = [read_values(describe(self.person, photo)) for photo in self.references]
        return Counter(value[head.name] for value in values if head.name in value)


@lru_cache(maxsize=1024)
def make_prompts(number: int) -> tuple[Prompt, ...]:
    """Make the prompts of a synthetic case from its number; equal numbers give equal prompts.

    Someone bald is asked for clothing and glasses where others are asked for hair.
    """
    sitter = Sitter.of_case(number)
    rng = np.random.default_rng([103, number])
    has_hair = sitter.person.hair.style != "bald"
    first = HAIR_COLOUR if has_hair else CLOTHING_COLOUR
    second = (HAIR_COLOUR, CLOTHING_COLOUR) if has_hair else (GLASSES, CLOTHING_COLOUR)
    changes: tuple[tuple[Head, ...], ...] = ((first,), (GLASSES,), (CLOTHING_COLOUR,), second)
    wanted = [
        [AskedAttribute(head.name, _unseen(sitter, head, rng), True) for head in heads] for heads in changes
    ]
    wanted.append(
        [
            AskedAttribute(head.name, shown.most_common(1)[0][0], False)
            for head in HEADS
            if (shown := sitter.shown(head)) and (head is not GLASSES or shown.most_common(1)[0][0] != "none")
        ]
    )
    return tuple(
        _prompt(sitter, tuple(asked), place % TARGETS, int(rng.integers(len(FRAMES[1:]))), rng)
        for place, asked in enumerate(wanted)
    )


def check_case(case: Case, number: int) -> None:
    """Refuse a case whose photos are not those that the prompts were made for.

    Raises
    ------
    DatasetError
        If its targets are not those of the protocol's person with this number.
    """
    targets = Sitter.of_case(number).targets
    for request, photo in zip(case.requests, targets, strict=True):
        if not np.allclose(request.target.expression_vector(), np.clip(photo.expression, 0, 1), atol=1e-5):
            raise DatasetError(
                f"the photos of person {case.name} were taken by another version of the protocol: "
                "give another --out"
            )


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


def _unseen(sitter: Sitter, head: Head, rng: np.random.Generator) -> str:
    """Choose a class whose group no reference shows; of glasses, what most references do not show."""
    shown = sitter.shown(head)
    if head is GLASSES:
        return _other_glasses(shown, rng)
    groups = {head.group_of(value) for value in shown}
    return str(rng.choice([value for value in head.classes if head.group_of(value) not in groups]))


def _other_glasses(shown: Counter[str], rng: np.random.Generator) -> str:
    if "glasses" not in shown:
        return "glasses" if rng.random() < 0.8 else "sunglasses"
    return "sunglasses" if "none" in shown else "none"


def _prompt(
    sitter: Sitter, asked: tuple[AskedAttribute, ...], request: int, frame: int, rng: np.random.Generator
) -> Prompt:
    person, photo = sitter.person, sitter.targets[request]
    features, clothes = [], ""
    for one in asked:
        if one.attribute == HAIR_COLOUR.name:
            features.append(_with_article(HAIR_PHRASES[person.hair.style][0], one.value))
            person = change_hair_colour(person, one.value, rng)
        elif one.attribute == GLASSES.name:
            shape = person.glasses if person.glasses != "none" else FRAMES[1:][frame]
            features.append({"none": "no glasses", "glasses": f"{shape} glasses"}.get(one.value, one.value))
            person = replace(person, glasses=shape)
            dark = one.value == "sunglasses"
            photo = replace(photo, wears_glasses=one.value != "none", sunglasses=dark)
        else:
            clothes = f", wearing {article(f'{one.value} {photo.clothing}')}"
            photo = change_clothing_colour(photo, one.value, rng)
    having = f" with {' and '.join(features)}" if features else ""
    return Prompt(f"a photo of a {person.gender}{having}{clothes}", asked, request, person, photo)


def _with_article(phrase: str, colour: str) -> str:
    words = phrase.format(colour=colour)
    return article(words[2:]) if words.startswith("a ") else words
