"""The solids that rooms are furnished with: boxes, spheres, cylinders and capsules, as rows of one table."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hifi_portrait.head.arrays import Array
from mmrgaze360.scenes.triangle_tree import TriangleTree

BOX, SPHERE, CYLINDER, CAPSULE, MODEL = range(5)
PLAIN, CHECKED, STRIPED, LINED, SPECKLED = range(5)
"""How a surface is painted with its second colour."""

COLUMNS = 22
"""kind, centre 3, half sizes 3, turn, colour 3, pattern, second colour 3, tag, glow, bound, radius, cosine
and sine of the turn, and whether it casts shadows."""

ROOM_TAG = -1
"""Walls, floor and ceiling, or the panorama all around."""
FURNITURE_TAG = 1000
"""Furniture ``k`` has the tag ``FURNITURE_TAG + k``; things that are looked at have 0, 1, ..."""
BODY_TAG = 2000
"""Person ``k`` has the tag ``BODY_TAG + k``: body and head."""

RGB = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Paint:
    """What a surface looks like; colours are linear."""

    colour: RGB
    pattern: int = PLAIN
    second: RGB = (0.0, 0.0, 0.0)
    glow: float = 0.0
    """Light of its own, as a multiple of its colour; what has it takes no light from others."""
    casts: bool = True
    """Whether it casts shadows; all take light from what is close."""


@dataclass(kw_only=True)
class Solids:
    """Solids that are being put into a scene."""

    rows: list[list[float]] = field(default_factory=list)
    models: list[TriangleTree] = field(default_factory=list)
    """Trees of the models, in the order in which these were added."""

    def add_box(self, centre: Array, half: Array, turn: float, paint: Paint, tag: int) -> None:
        """Add a box with half sizes (3,), turned about the vertical by ``turn`` radians to the left."""
        self._add(BOX, centre, half, turn, paint, tag, float(np.linalg.norm(half)), 0.0)

    def add_sphere(self, centre: Array, radius: float, paint: Paint, tag: int) -> None:
        """Add a sphere."""
        self._add(SPHERE, centre, (radius,) * 3, 0.0, paint, tag, radius, radius)

    def add_cylinder(self, centre: Array, half: Array, turn: float, paint: Paint, tag: int) -> None:
        """Add an upright cylinder of half axes ``half[:2]`` and half height ``half[2]``."""
        bound = float(np.hypot(max(half[0], half[1]), half[2]))
        self._add(CYLINDER, centre, half, turn, paint, tag, bound, 0.0)

    def add_capsule(self, start: Array, end: Array, radius: float, paint: Paint, tag: int) -> None:
        """Add a rounded rod between two points."""
        middle, half = (np.asarray(start) + end) / 2, (np.asarray(end) - start) / 2
        self._add(CAPSULE, middle, half, 0.0, paint, tag, float(np.linalg.norm(half)) + radius, radius)

    def add_model(self, centre: Array, half: Array, turn: float, tree: TriangleTree, tag: int) -> None:
        """Add a model whose box has half sizes (3,)."""
        root = sum(len(model.nodes) for model in self.models)
        self.models.append(tree)
        plain = Paint(colour=(0.0, 0.0, 0.0))
        self._add(MODEL, centre, half, turn, plain, tag, float(np.linalg.norm(half)), root)

    def trees(self) -> TriangleTree:
        """Join the models' triangles to one table."""
        return TriangleTree.join(self.models)

    def table(self) -> Array:
        """Give all solids as rows (N, COLUMNS)."""
        return np.array(self.rows, np.float64).reshape(-1, COLUMNS)

    def _add(
        self,
        kind: int,
        centre: Array | tuple[float, ...],
        half: Array | tuple[float, ...],
        turn: float,
        paint: Paint,
        tag: int,
        bound: float,
        radius: float,
    ) -> None:
        look = (*paint.colour, paint.pattern, *paint.second, tag, paint.glow)
        row = (kind, *centre, *half, turn, *look, bound, radius, np.cos(turn), np.sin(turn), paint.casts)
        self.rows.append([float(value) for value in row])
