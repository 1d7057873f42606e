"""The shape without any phenotype: what is described on it, such as clothes and glasses, fits every head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.asset import read_asset
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.shape import ShapeModel

Array = npt.NDArray[Any]


@cache
def base_shape() -> npt.NDArray[np.float32]:
    """Rest mesh (V + J, 3) of the shape, in metres, the head joint at the origin."""
    shapes = ShapeModel.load()
    offset = read_asset()[0]["phenotype.offset"]
    return (shapes.template + np.tensordot(offset, shapes.components, 1)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Fitting:
    """Takes the base shape's coordinates to a person's, axis by axis: what was measured on one fits all."""

    scale: npt.NDArray[np.float32]
    offset: npt.NDArray[np.float32]

    @classmethod
    def of(cls, rest: Array) -> Self:
        """Least-squares fit of a person's rest mesh (V + J, 3) by the base shape, over the head's skin."""
        head = part_vertices(HeadModel.load(), Part.SKIN)
        base, person = base_shape()[head], rest[head]
        centred = base - base.mean(0)
        scale = (centred * person).sum(0) / (centred**2).sum(0)
        return cls(scale.astype(np.float32), (person.mean(0) - scale * base.mean(0)).astype(np.float32))

    def to_person(self, points: Array) -> npt.NDArray[np.float32]:
        """Base coordinates (..., 3) to the person's."""
        return (points * self.scale + self.offset).astype(np.float32)

    def to_base(self, points: Array) -> npt.NDArray[np.float32]:
        """The person's coordinates (..., 3) to those of the base shape."""
        return ((points - self.offset) / self.scale).astype(np.float32)
