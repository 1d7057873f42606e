"""What the classifier tells apart: the classes of its heads, and which of them count as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.scenery.backdrops import COLOURED
from hifi_portrait.scenery.lights import LIGHTINGS
from hifi_portrait.scenery.place_names import PLACES
from hifi_portrait.synthetic import colours
from hifi_portrait.synthetic.person import BEARDS
from hifi_portrait.synthetic.wide import STYLES

UNKNOWN = -1
"""Label of an attribute that a photo does not have: hair colour of the bald, any colour without colours."""

KINDS_OF_PLACES: dict[str, tuple[str, ...]] = {
    "nature": ("garden", "forest", "park", "meadow at sunrise", "desert at dawn", "field at night"),
    "city": ("city", "courtyard", "city square at sunset"),
    "seaside": ("seaside at sunset", "seaside at dusk"),
    "sky": ("cloudy sky", "sky"),
    "indoors": (
        *("apartment", "hotel room", "hall", "shopping mall", "laboratory", "lobby", "room"),
        *("warehouse", "workshop", "glass bridge"),
    ),
}
"""Kinds of background, and the names of the places that are of one, painted backdrops among them."""
_OTHER_BACKGROUNDS = {
    **dict.fromkeys(COLOURED, "plain"),
    **{name: name for name in ("brick wall", "wooden wall", "concrete wall", "tiled wall", "bookshelf")},
    **dict.fromkeys(("bokeh", "city lights"), "lights out of focus"),
}
"""Backgrounds that are no places, and their kinds."""


@dataclass(frozen=True)
class Head:
    """One attribute that the classifier reads."""

    name: str
    """Such as "hair colour"."""
    classes: tuple[str, ...]
    """What it tells apart."""
    merged: tuple[tuple[str, ...], ...] = ()
    """Groups of classes that count as one answer; a class in none is a group by itself."""

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """All groups, single classes among them, in the order of their first class."""
        return tuple(dict.fromkeys(self.group_of(name) for name in self.classes))

    def group_of(self, name: str) -> tuple[str, ...]:
        """Find the group of a class.

        Raises
        ------
        ValueError
            If there is no such class.
        """
        if name not in self.classes:
            raise ValueError(f"unknown {self.name} {name!r}: take one of {', '.join(self.classes)}")
        return next((group for group in self.merged if name in group), (name,))

    def same(self, a: str, b: str) -> bool:
        """Tell whether two classes are one answer."""
        return self.group_of(a) == self.group_of(b)

    def grouping(self) -> Array:
        """Make the matrix (classes, groups) of 0 and 1 that adds probabilities of classes up to groups."""
        groups = self.groups
        return np.array([[float(name in group) for group in groups] for name in self.classes])


HAIR_COLOUR = Head(
    "hair colour",
    tuple(colours.HAIR),
    # Under unknown light each of these pairs is read as the other in a tenth to a half of the photos.
    merged=(("black", "dark brown"), ("auburn", "red"), ("blond", "light blond"), ("grey", "white")),
)
GLASSES = Head("glasses", ("none", "glasses", "sunglasses"))
CLOTHING_COLOUR = Head("clothing colour", tuple(colours.CLOTH))
BEARD = Head("beard", BEARDS, merged=(("none", "stubble"),))  # stubble is finer than the pixels it is read at
BACKGROUND = Head("background", (*dict.fromkeys(_OTHER_BACKGROUNDS.values()), *KINDS_OF_PLACES))
LIGHT = Head("light", tuple(dict.fromkeys((*LIGHTINGS, *(place.light for place in PLACES.values())))))
STYLE = Head("style", tuple(STYLES))
HEADS = (HAIR_COLOUR, GLASSES, CLOTHING_COLOUR, BEARD, BACKGROUND, LIGHT, STYLE)


def read_values(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Read the class of each head off a synthetic photo's attributes; undefined heads are left out."""
    worn, style, light = attributes["glasses"], attributes["style"], attributes["light"]
    values = {
        GLASSES.name: worn if worn in ("none", "sunglasses") else "glasses",
        BEARD.name: attributes["beard"],
        STYLE.name: style,
    }
    behind = kind_of_background(attributes.get("place") or attributes["background"])
    if behind is not None:
        values[BACKGROUND.name] = behind
    if style == "photo":
        values[CLOTHING_COLOUR.name] = attributes["clothing_colour"]
        if attributes["hair_style"] not in ("bald", "covered"):
            values[HAIR_COLOUR.name] = attributes["hair_colour"]
        if light in LIGHT.classes:
            values[LIGHT.name] = light
    return values


def kind_of_background(name: str) -> str | None:
    """Find the kind of a place or backdrop; None for one that is of no kind, such as a photo studio."""
    of_place = (kind for kind, names in KINDS_OF_PLACES.items() if name in names)
    return _OTHER_BACKGROUNDS.get(name) or next(of_place, None)


def read_labels(attributes: Mapping[str, Any]) -> list[int]:
    """Give the class index of each of `HEADS`, `UNKNOWN` where it is not defined."""
    values = read_values(attributes)
    return [head.classes.index(values[head.name]) if head.name in values else UNKNOWN for head in HEADS]
