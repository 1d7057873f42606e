"""What the classifier tells apart: the classes of its heads, and which of them count as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.synthetic import colours

UNKNOWN = -1
"""Label of an attribute that a photo does not have: hair colour of the bald, any colour without colours."""


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
HEADS = (HAIR_COLOUR, GLASSES, CLOTHING_COLOUR)


def read_values(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Read the class of each head off a synthetic photo's attributes; undefined heads are left out."""
    worn = attributes["glasses"]
    values = {GLASSES.name: worn if worn in ("none", "sunglasses") else "glasses"}
    if attributes["style"] == "photo":
        values[CLOTHING_COLOUR.name] = attributes["clothing_colour"]
        if attributes["hair_style"] != "bald":
            values[HAIR_COLOUR.name] = attributes["hair_colour"]
    return values


def read_labels(attributes: Mapping[str, Any]) -> list[int]:
    """Give the class index of each of `HEADS`, `UNKNOWN` where it is not defined."""
    values = read_values(attributes)
    return [head.classes.index(values[head.name]) if head.name in values else UNKNOWN for head in HEADS]
