"""What the classifier tells apart: the classes of its heads, and which of them count as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hifi_portrait.synthetic import colours

UNKNOWN = -1
"""Label of an attribute that a photo does not have: hair colour of the bald, any colour without colours."""


@dataclass(frozen=True)
class Head:
    """One attribute: its classes, and the groups of those that are one answer.

    A class in no group is a group by itself.
    """

    name: str
    classes: tuple[str, ...]
    merged: tuple[tuple[str, ...], ...] = ()

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """All groups, single classes among them, in the order of their first class."""
        return tuple(dict.fromkeys(self.group_of(name) for name in self.classes))

    def group_of(self, name: str) -> tuple[str, ...]:
        """The group of a class.

        Raises
        ------
        ValueError
            If there is no such class.
        """
        if name not in self.classes:
            raise ValueError(f"unknown {self.name} {name!r}: take one of {', '.join(self.classes)}")
        return next((group for group in self.merged if name in group), (name,))

    def same(self, a: str, b: str) -> bool:
        """Whether two classes are one answer."""
        return self.group_of(a) == self.group_of(b)

    def grouping(self) -> np.ndarray:
        """(classes, groups) of 0 and 1: probabilities of classes times this are those of groups."""
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


def values_of(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Class by head of a synthetic photo's attributes; heads that are not defined for it are left out."""
    worn = attributes["glasses"]
    values = {GLASSES.name: worn if worn in ("none", "sunglasses") else "glasses"}
    if attributes["style"] == "photo":
        values[CLOTHING_COLOUR.name] = attributes["clothing_colour"]
        if attributes["hair_style"] != "bald":
            values[HAIR_COLOUR.name] = attributes["hair_colour"]
    return values


def labels_of(attributes: Mapping[str, Any]) -> list[int]:
    """Class index for each of `HEADS`, `UNKNOWN` where it is not defined."""
    values = values_of(attributes)
    return [head.classes.index(values[head.name]) if head.name in values else UNKNOWN for head in HEADS]
