"""Photos in which hair colour, glasses and clothing colour have nothing to do with who the person is.

Among the synthetic people as they are sampled, hair colour goes with skin and age, so that a classifier
could guess it from the face. These people's attributes are drawn evenly, whoever they are: trained on them it
has to look, and held out they say whether it does.

``hifi-portrait attributes photos --out DIR --count 400`` writes an ID data set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from hifi_portrait.dataset.format import IDDatasetWriter, PhotoRecord
from hifi_portrait.synthetic import Person, PhotoSetup, colours, photograph
from hifi_portrait.synthetic.person import GLASSES
from hifi_portrait.synthetic.write import PHOTO_SEEDS, SHARD_PHOTOS, identity_id, photo_record

FIRST_SEED = 8_000_000
"""Of the people to train on; they are in no other data set."""
WITHOUT_GLASSES = 0.4
"""Fraction of the photos that show no glasses."""
SUNGLASSES = 0.15
"""Fraction of the photos whose glasses, if any, are dark."""


def make_recoloured_person(seed: int) -> tuple[Person, np.random.Generator]:
    """Make the person of a seed with hair and frames drawn evenly, and a generator for their photos."""
    rng = np.random.default_rng([101, seed])
    person = Person.sample(seed)
    hair = change_hair_colour(person, str(rng.choice(list(colours.HAIR))), rng)
    return replace(hair, glasses=str(rng.choice(GLASSES[1:]))), rng


def change_hair_colour(person: Person, colour: str, rng: np.random.Generator) -> Person:
    """Give the person hair of another of `colours.HAIR`, varied as the sampled ones are."""
    rgb = colours.linear(colours.HAIR[colour], rng, 0.14)
    return replace(person, hair=replace(person.hair, colour=colour, rgb=rgb))


def change_clothing_colour(photo: PhotoSetup, colour: str, rng: np.random.Generator) -> PhotoSetup:
    """Give the garment of a photo another of `colours.CLOTH`, varied as the sampled ones are."""
    rgb = colours.linear(colours.CLOTH[colour], rng, 0.12)
    return replace(photo, clothing_colour=colour, clothing_rgb=rgb)


def photograph_recoloured(seed: int, photos: int, size: int = 256) -> list[PhotoRecord]:
    """Take all photos of the recoloured person of a seed, each with clothes and glasses of its own."""
    person, rng = make_recoloured_person(seed)
    records = []
    for number in range(photos):
        photo = PhotoSetup.sample(
            seed * PHOTO_SEEDS + number,
            style="photo",
            sunglasses=bool(rng.random() < SUNGLASSES),
            wears_glasses=bool(rng.random() >= WITHOUT_GLASSES),
        )
        photo = change_clothing_colour(photo, str(rng.choice(list(colours.CLOTH))), rng)
        records.append(photo_record(seed, number, photograph(person, photo, size)))
    return records


def write_recoloured(
    out: str | Path,
    count: int,
    photos: int = 3,
    seed: int = FIRST_SEED,
    on_done: Callable[[], None] | None = None,
) -> None:
    """Photograph the people with seeds `seed` to `seed + count - 1`; a call after a kill goes on.

    `on_done` is called after each person.

    Raises
    ------
    DatasetError
        If `out` is something else than an ID data set.
    """
    with IDDatasetWriter(out, name=f"recoloured-{seed}", shard_photos=SHARD_PHOTOS) as writer:
        for person_seed in range(seed, seed + count):
            if identity_id(person_seed) not in writer.complete:
                writer.add(identity_id(person_seed), photograph_recoloured(person_seed, photos))
            if on_done:
                on_done()
