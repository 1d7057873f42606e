"""A room without people: its sides, its light, its furniture, and the things in it that can be looked at."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hifi_portrait.head.arrays import Array
from mmrgaze360.scenes.furniture_models import FurnitureModel
from mmrgaze360.scenes.raycast import first_hit
from mmrgaze360.scenes.solids import FURNITURE_TAG, Paint, Solids

_CAMERA_CLEAR = 0.55
"""Nothing stands this near to the camera, metres along the floor, but a table on which it stands."""
_LAMP_RADIUS = 0.15
"""Of a room's lamps, metres: shadows are as soft as that."""


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Something to look at. Its tag among the solids is its place in the list of things."""

    place: Array
    """(3,) its middle."""
    radius: float
    """About half its size, metres."""


@dataclass(kw_only=True)
class Room:
    """A place and all that stands in it; metres, the camera at the origin."""

    bounds: Array
    """(6,) lower and upper end in x, y and z."""
    surfaces: Array
    """(6, 4) as `raycast.cast_panorama` takes it."""
    lamps: Array
    """(L, 8)"""
    ambient: Array
    """(2, 3)"""
    environment: str
    """Name of the panorama all around; empty for a room with walls."""
    round_table: bool
    """Whether the camera stands on a table."""
    solids: Solids = field(default_factory=Solids)
    things: list[Thing] = field(default_factory=list)
    furniture: int = 0
    """Pieces of furniture so far."""

    @property
    def floor(self) -> float:
        """Height of the floor, below 0."""
        return float(self.bounds[4])

    @property
    def walled(self) -> bool:
        """Whether it has walls."""
        return not self.environment

    def next_furniture(self) -> int:
        """Give the tag of another piece of furniture."""
        self.furniture += 1
        return FURNITURE_TAG + self.furniture - 1

    def holds(self, place: Array, radius: float) -> bool:
        """Tell whether a piece of this radius is inside the walls."""
        low, high = self.bounds[[0, 2]] + radius, self.bounds[[1, 3]] - radius
        return bool((place >= low).all() and (place <= high).all())

    def is_free(self, place: Array, radius: float, others: list[Array], clear: float) -> bool:
        """Tell whether a piece of this radius may stand somewhere (2,), ``clear`` away from ``others``."""
        if np.hypot(*place) < _CAMERA_CLEAR + radius:
            return False
        if not self.holds(place, radius):
            return False
        return all(np.hypot(*(place - other[:2])) > radius + clear for other in others)


def draw_colour(rng: np.random.Generator, dull: float = 0.0) -> tuple[float, float, float]:
    """Draw a linear colour; ``dull`` in [0, 1] makes it greyer."""
    saturation = rng.uniform(0.2, 0.95) * (1 - dull)
    rgb = np.array(colorsys.hsv_to_rgb(rng.random(), saturation, rng.uniform(0.25, 0.95)))
    r, g, b = map(float, rgb**2.2)
    return r, g, b


def draw_room(rng: np.random.Generator, environment: str = "") -> Room:
    """Draw a room's size, sides and light; or the ground of a panorama, whose light is set later."""
    round_table = bool(rng.random() < 0.3)
    height = rng.uniform(1.0, 1.3) if round_table else rng.uniform(0.8, 1.8)
    half = rng.uniform((2.2, 2.2), (5.0, 6.0))
    shift = rng.uniform(-0.7, 0.7, 2)
    top = rng.uniform(2.4, 3.4) - height
    bounds = np.array(
        (shift[0] - half[0], shift[0] + half[0], shift[1] - half[1], shift[1] + half[1], -height, top)
    )
    surfaces = np.zeros((6, 4))
    wall = np.array((0.62, 0.58, 0.52)) * rng.uniform(0.4, 1.25) * np.exp(rng.normal(0, 0.1, 3))
    for side in range(4):
        accent = rng.random() < 0.2
        surfaces[side, :3] = np.array(draw_colour(rng, 0.3)) if accent else wall
    surfaces[4, :3] = np.array(draw_colour(rng, 0.5)) * 0.6 + 0.06
    surfaces[4, 3] = rng.choice((0.15, 0.4, 0.8))
    surfaces[5, :3] = np.clip(0.8 + rng.normal(0, 0.04, 3), 0, 0.95)
    lamps = []
    for _ in range(rng.integers(1, 4)):
        x, y = rng.uniform(bounds[0], bounds[1]) * 0.6, rng.uniform(bounds[2], bounds[3]) * 0.6
        warm = np.array((1.06, 1.0, rng.uniform(0.75, 1.0)))
        lamps.append((x, y, top - 0.25, 1.0, *(rng.uniform(0.6, 1.3) * warm), _LAMP_RADIUS))
    sky = rng.uniform(0.35, 0.6) * np.exp(rng.normal(0, 0.05, 3))
    return Room(
        bounds=bounds,
        surfaces=surfaces,
        lamps=np.array(lamps),
        ambient=np.stack([sky, sky * rng.uniform(0.5, 0.9)]),
        environment=environment,
        round_table=round_table,
    )


def add_thing(room: Room, rng: np.random.Generator, place: Array, radius: float, kind: int = -1) -> None:
    """Add something to look at, of a drawn kind and look: 0 a box, 1 a ball, 2 a tin, 3 a rod."""
    kind = int(rng.integers(0, 4)) if kind < 0 else kind
    paint = Paint(colour=draw_colour(rng), pattern=int(rng.integers(0, 5)), second=draw_colour(rng))
    tag, turn = len(room.things), float(rng.uniform(0, 3))
    if kind == 0:
        half = np.array((rng.uniform(0.6, 1.0), rng.uniform(0.3, 1.0), 1.0)) * radius
        room.solids.add_box(place, half, turn, paint, tag)
    elif kind == 1:
        room.solids.add_sphere(place, radius, paint, tag)
    elif kind == 2:
        room.solids.add_cylinder(place, np.array((0.55, 0.55, 1.0)) * radius, turn, paint, tag)
    else:
        lean = np.array((np.cos(turn), np.sin(turn), 0.8)) * radius * 0.6
        room.solids.add_capsule(place - lean, place + lean, radius * 0.35, paint, tag)
    room.things.append(Thing(place=np.asarray(place, np.float64), radius=float(radius)))


def furnish(
    room: Room, rng: np.random.Generator, people: list[Array], models: Sequence[FurnitureModel] = ()
) -> None:
    """Put in tables, seats, shelves, pictures and lamps, and things on, before, above and behind them.

    Parameters
    ----------
    room
        Is added to.
    rng
        Draws everything.
    people
        Heads (3,), around which the floor stays free.
    models
        Pieces of a library to draw from, in place of most shelves.
    """
    others = list(people)
    if room.round_table:
        _add_round_table(room, rng)
    for _ in range(int(rng.integers(1, 4))):
        _add_table(room, rng, others)
    for _ in range(int(rng.integers(5, 12)) if models else 0):  # about half find a place
        _add_model(room, rng, others, models[int(rng.integers(len(models)))])
    for _ in range(int(rng.integers(0, 2 if models else 4))):
        _add_shelf(room, rng, others)
    for _ in range(int(rng.integers(1, 4))):
        _add_on_floor(room, rng, others)
    if room.walled:
        for _ in range(int(rng.integers(1, 5))):
            _add_on_wall(room, rng)
        for _ in range(int(rng.integers(0, 4))):
            _add_overhead(room, rng)
    for _ in range(int(rng.integers(0, 3))):
        _add_near_camera(room, rng)


def _wood(rng: np.random.Generator) -> Paint:
    if rng.random() < 0.5:
        tone = rng.uniform(0.5, 1.2)
        return Paint(colour=(0.32 * tone, 0.19 * tone, 0.09 * tone))
    return Paint(colour=draw_colour(rng, 0.6))


def _somewhere(room: Room, rng: np.random.Generator, nearest: float, farthest: float) -> Array:
    azimuth, away = rng.uniform(0, 2 * np.pi), rng.uniform(nearest, farthest)
    return np.array((away * np.sin(azimuth), away * np.cos(azimuth)))


def _add_round_table(room: Room, rng: np.random.Generator) -> None:
    paint, tag, radius = _wood(rng), room.next_furniture(), float(rng.uniform(0.5, 0.75))
    top = -0.34
    room.solids.add_cylinder(np.array((0, 0, top)), np.array((radius, radius, 0.02)), 0.0, paint, tag)
    foot = (room.floor + top) / 2
    half = (top - room.floor) / 2
    room.solids.add_cylinder(np.array((0, 0, foot)), np.array((0.08, 0.08, half)), 0.0, paint, tag)
    for _ in range(int(rng.integers(2, 6))):
        x, y = _somewhere(room, rng, 0.22, radius - 0.05)
        size = rng.uniform(0.035, 0.09)
        add_thing(room, rng, np.array((x, y, top + 0.02 + size)), size)


def _add_table(room: Room, rng: np.random.Generator, others: list[Array]) -> None:
    half = rng.uniform(0.3, 0.6, 2)
    place = _somewhere(room, rng, 1.0, 3.6)
    if not room.is_free(place, float(half.max()), others, 0.35):
        return
    paint, tag, turn = _wood(rng), room.next_furniture(), float(rng.uniform(0, 3))
    top = room.floor + float(rng.uniform(0.4, 0.95))
    room.solids.add_box(np.array((*place, top - 0.02)), np.array((*half, 0.02)), turn, paint, tag)
    c, s = np.cos(turn), np.sin(turn)
    for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        x, y = a * (half[0] - 0.04), b * (half[1] - 0.04)
        foot = np.array((place[0] + c * x - s * y, place[1] + s * x + c * y, (room.floor + top) / 2 - 0.02))
        leg = np.array((0.025, 0.025, (top - room.floor) / 2 - 0.02))
        room.solids.add_box(foot, leg, turn, paint, tag)
    for _ in range(int(rng.integers(1, 4))):
        reach = half.min() * 0.8 * np.sqrt(rng.random())
        azimuth, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.04, 0.13)
        x, y = place + reach * np.array((np.sin(azimuth), np.cos(azimuth)))
        add_thing(room, rng, np.array((x, y, top + size)), size)
    others.append(np.array((*place, top)))


def _add_shelf(room: Room, rng: np.random.Generator, others: list[Array]) -> None:
    half = np.array((rng.uniform(0.3, 0.7), rng.uniform(0.15, 0.3), rng.uniform(0.4, 1.0)))
    place = _somewhere(room, rng, 1.4, 4.5)
    if not room.is_free(place, float(np.hypot(*half[:2])), others, 0.4):
        return
    paint = Paint(colour=draw_colour(rng, 0.4), pattern=int(rng.integers(0, 4)), second=draw_colour(rng, 0.4))
    middle = np.array((*place, room.floor + half[2]))
    facing = float(np.arctan2(-place[0], place[1]))
    turn = facing + float(rng.normal(0, 0.25))
    room.solids.add_box(middle, half, turn, paint, room.next_furniture())
    others.append(middle)
    size = float(rng.uniform(0.08, 0.16))
    if rng.random() < 0.6:  # behind it, as the camera sees it: to be looked at, and hidden
        behind = place * (1 + (half[1] + 0.3) / np.hypot(*place))
        top = room.floor + 2 * half[2]
        low = room.floor + size + 0.02
        height = min(float(rng.uniform(room.floor + 0.3, top - size)), top - size - 0.05)
        if (np.abs(behind) < np.abs(room.bounds[[1, 3]]) - size).all():
            add_thing(room, rng, np.array((*behind, max(low, height))), size)
    if rng.random() < 0.6:
        add_thing(room, rng, np.array((*place, room.floor + 2 * half[2] + size)), size)


def _add_model(room: Room, rng: np.random.Generator, others: list[Array], model: FurnitureModel) -> None:
    """Add a piece of a library: with its back to a wall, or anywhere with its front to the camera."""
    half = np.array(model.size) / 2
    if room.walled and rng.random() < 0.7:
        side = int(rng.integers(0, 4))
        axis, sign = side // 2, 1 if side % 2 else -1
        place = np.zeros(2)
        place[axis] = room.bounds[side] - sign * (half[1] + 0.03)
        place[1 - axis] = rng.uniform(*room.bounds[2 - 2 * axis : 4 - 2 * axis] * 0.8)
        turn = (0.0 if sign > 0 else np.pi) if axis else (-np.pi / 2 if sign > 0 else np.pi / 2)
    else:
        place = _somewhere(room, rng, 1.3, 4.0)
        turn = float(np.arctan2(-place[0], place[1]) + rng.normal(0, 0.3))
    reach = float(np.hypot(*half[:2]))
    if np.hypot(*place) < reach + 0.7 or any(
        np.hypot(*(place - other[:2])) < reach + 0.4 for other in others
    ):
        return
    if not room.holds(place, float(half[:2].min())) or room.floor + model.size[2] > room.bounds[5]:
        return
    middle = np.array((*place, room.floor + half[2]))
    room.solids.add_model(middle, half, turn, model.tree, room.next_furniture())
    others.append(middle)
    if model.top > 0 and rng.random() < 0.5:
        size = float(rng.uniform(0.05, 0.1))
        above = np.array((*place, room.floor + model.size[2] + 1.0))
        down, _ = first_hit(
            above,
            np.array((0.0, 0.0, -1.0)),
            room.solids.table()[-1:],
            room.bounds,
            False,
            -9,
            room.solids.trees(),
        )
        if down < 1.0 + model.size[2] - 0.2:
            add_thing(room, rng, above - (0, 0, down - size), size)


def _add_on_floor(room: Room, rng: np.random.Generator, others: list[Array]) -> None:
    size = float(rng.uniform(0.07, 0.22))
    place = _somewhere(room, rng, 0.7, 3.2)
    if room.is_free(place, size, others, 0.3):
        add_thing(room, rng, np.array((*place, room.floor + size)), size)


def _add_on_wall(room: Room, rng: np.random.Generator) -> None:
    side, size = int(rng.integers(0, 4)), float(rng.uniform(0.2, 0.5))
    height = min(room.floor + float(rng.uniform(0.9, 2.1)), room.bounds[5] - size)
    half = (0.02, size, size * 0.7) if side < 2 else (size, 0.02, size * 0.7)
    axis = side // 2
    place = np.zeros(3)
    place[axis] = room.bounds[side] + (0.02 if side % 2 == 0 else -0.02)
    other = 1 - axis
    place[other] = rng.uniform(room.bounds[2 * other] + size, room.bounds[2 * other + 1] - size)
    place[2] = height
    screen = rng.random() < 0.3
    paint = Paint(
        colour=draw_colour(rng),
        pattern=int(rng.integers(0, 5)),
        second=draw_colour(rng),
        glow=float(rng.uniform(0.5, 1.2)) if screen else 0.0,
    )
    room.solids.add_box(place, np.array(half), 0.0, paint, len(room.things))
    room.things.append(Thing(place=place, radius=size * 0.7))


def _add_overhead(room: Room, rng: np.random.Generator) -> None:
    """Add a lamp that hangs from the ceiling: seen at high latitude."""
    x, y = _somewhere(room, rng, 0.15, 2.2)
    if not (room.bounds[0] < x < room.bounds[1] and room.bounds[2] < y < room.bounds[3]):
        return
    drop, size = float(rng.uniform(0.1, 0.5)), float(rng.uniform(0.1, 0.18))
    place = np.array((x, y, room.bounds[5] - drop - size))
    glow = Paint(colour=draw_colour(rng, 0.7), glow=float(rng.uniform(0.5, 2.0)))
    tag = len(room.things)
    room.solids.add_sphere(place, size, glow, tag)
    cord = np.array((x, y, room.bounds[5]))
    room.solids.add_capsule(place + np.array((0, 0, size)), cord, 0.012, Paint(colour=(0.1, 0.1, 0.1)), tag)
    room.things.append(Thing(place=place, radius=size))


def _add_near_camera(room: Room, rng: np.random.Generator) -> None:
    """Add something on the floor beside the tripod: seen at low latitude."""
    if room.round_table:
        return
    x, y = _somewhere(room, rng, 0.25, 0.8)
    size = float(rng.uniform(0.06, 0.15))
    add_thing(room, rng, np.array((x, y, room.floor + size)), size)
