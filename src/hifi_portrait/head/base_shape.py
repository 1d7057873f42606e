"""The shape without any phenotype: what is described on it, such as clothes and glasses, fits every head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.asset import read_asset
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.shape import ShapeModel


@cache
def base_shape(model: HeadModel) -> FloatArray:
    """Make the rest mesh (V + J, 3) of the shape, in metres, the head joint at the origin."""
    shapes = ShapeModel.load(None if model.path is None else str(model.path))
    offset = read_asset(model.path)[0]["phenotype.offset"]
    return np.asarray(shapes.template + np.tensordot(offset, shapes.components, 1), np.float32)


@dataclass(frozen=True, eq=False)
class Fitting:
    """Takes the base shape's coordinates to a person's, axis by axis: what was measured on one fits all."""

    scale: FloatArray
    """(3,) factor on each axis."""
    offset: FloatArray
    """(3,) metres, added to what is scaled."""

    @classmethod
    def from_rest(cls, rest: Array, model: HeadModel) -> Self:
        """Fit the base shape to a person's rest mesh (V + J, 3) by least squares over the head's skin."""
        head = part_vertices(model, Part.SKIN)
        base, person = base_shape(model)[head], rest[head]
        centred = base - base.mean(0)
        scale = (centred * person).sum(0) / (centred**2).sum(0)
        return cls(scale.astype(np.float32), (person.mean(0) - scale * base.mean(0)).astype(np.float32))

    def to_person(self, points: Array) -> FloatArray:
        """Turn the base shape's coordinates (..., 3) into the person's."""
        return np.asarray(points * self.scale + self.offset, np.float32)

    def to_base(self, points: Array) -> FloatArray:
        """Turn the person's coordinates (..., 3) into those of the base shape."""
        return np.asarray((points - self.offset) / self.scale, np.float32)
