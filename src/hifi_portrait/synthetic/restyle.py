"""Sittings in which what a prompt may ask for changes from photo to photo, and nothing else about the look.

From such photos a model learns that the prompt decides over clothing's, hair's and backdrop's colour and over
glasses, whatever the references show.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hifi_portrait.scenery.backdrops import COLOURED
from hifi_portrait.synthetic import colours
from hifi_portrait.synthetic.person import GLASSES, Person
from hifi_portrait.synthetic.photo_setup import PhotoSetup

_CHANGES = {"clothing_colour": 0.5, "glasses": 0.5, "hair_colour": 0.6, "background_colour": 0.3}
"""How often an attribute changes within a restyled sitting."""
_UNCHANGED_FRACTION = 0.4
"""Fraction of its photos that show an attribute as the sitting's first photo does."""
_SUNGLASSES_FRACTION = 0.25
"""Fraction of drawn glasses that are sunglasses."""


def restyle(person: Person, sitting: Sequence[PhotoSetup], rng: np.random.Generator) -> list[PhotoSetup]:
    """Change one attribute or more, which captions name, among the photos of a sitting.

    All are of the style photo: sketches and photos without colour would not show the change.
    """
    possible = {
        name: fraction for name, fraction in _CHANGES.items() if _can_change(name, person, sitting[0])
    }
    changing = [name for name, fraction in possible.items() if rng.random() < fraction] or ["clothing_colour"]
    restyled = []
    for setup in sitting:
        values: dict[str, Any] = {"named": tuple(changing), "style": "photo"}
        for name in changing:
            if rng.random() >= _UNCHANGED_FRACTION:
                values |= _drawn(name, rng)
        restyled.append(replace(setup, **values))
    return restyled


def _can_change(name: str, person: Person, setup: PhotoSetup) -> bool:
    if name == "hair_colour":
        return person.hair.style != "bald"
    return name != "background_colour" or setup.background in COLOURED


def _drawn(name: str, rng: np.random.Generator) -> dict[str, Any]:
    """Fields of a photo with another value of an attribute."""
    if name == "glasses":
        frame = str(rng.choice(GLASSES[1:]))
        wears, dark = bool(rng.random() < 0.6), bool(rng.random() < _SUNGLASSES_FRACTION)
        return {"frame": frame, "wears_glasses": wears, "sunglasses": wears and dark}
    table = {"hair_colour": colours.HAIR, "clothing_colour": colours.CLOTH}.get(name, colours.WALL)
    colour = str(rng.choice(list(table)))
    rgb = colours.linear(table[colour], rng, 0.12)
    if name == "hair_colour":
        return {"hair_dye": (colour, rgb)}
    field = name.removesuffix("_colour")
    return {f"{field}_colour": colour, f"{field}_rgb": rgb}
