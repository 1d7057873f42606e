"""Where the people of a scene are, what each looks at, and how head, eyes and body share the turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hifi_portrait.head import HeadPose
from hifi_portrait.head.arrays import Array
from hifi_portrait.synthetic import gaze_in_head
from mmrgaze360.scenes.raycast import FAR, first_hit
from mmrgaze360.scenes.room import Room, draw_colour
from mmrgaze360.scenes.solids import BODY_TAG, RGB, Paint, Solids
from mmrgaze360.scenes.triangle_tree import TriangleTree
from mmrgaze360.sphere import angle_between, rotation_from_to, unit

KINDS = ("thing", "person", "place", "camera", "outside", "hidden")
"""What people look at. "hidden" is a thing that the camera does not see; "outside" lies beyond the walls."""

_KIND_SHARES = {"thing": 0.40, "person": 0.25, "place": 0.12, "camera": 0.08, "outside": 0.06, "hidden": 0.09}
_NUMBERS = (0.12, 0.24, 0.24, 0.16, 0.10, 0.07, 0.04, 0.03)
"""Shares of scenes with 1, 2, ... 8 people."""
_LOWEST, _HIGHEST = -60.0, 45.0
"""How far down and up people look, degrees."""
_NEAREST = 0.35
"""Nothing nearer to the eyes is looked at, metres."""
_HEAD_BALL = 0.12
"""Radius of a head as something that is in the way, metres."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A person before they look at anything."""

    person: int
    """Seed of the person."""
    eyes: Array
    """(3,) metres, the middle between the eyes."""
    seated: bool


@dataclass(frozen=True, kw_only=True)
class Looking:
    """A person who looks at something. All directions are in the upright frame of the scene."""

    person: int
    eyes: Array
    seated: bool
    target: Array
    """(3,) metres; the origin for the camera."""
    kind: str
    tag: int
    """Tag of what is looked at; that of a person, thing or piece of the room."""
    eye_turn: tuple[float, float]
    """Yaw and pitch of the eyes in the head, degrees."""
    head: Array
    """(3, 3)"""
    body: Array
    """(3, 3)"""

    @property
    def gaze(self) -> Array:
        """(3,) unit."""
        return unit(self.target - self.eyes)


def place_people(room: Room, rng: np.random.Generator, cast: list[int]) -> list[Standing]:
    """Put people into a room, none before another as the camera sees them.

    Parameters
    ----------
    room
        Without furniture.
    rng
        Draws how many, where, and who.
    cast
        Seeds of people to draw from, each at most once.
    """
    wanted = min(1 + int(rng.choice(len(_NUMBERS), p=_NUMBERS)), len(cast))
    seeds = rng.permutation(cast)[:wanted]
    found: list[Standing] = []
    for seed in seeds:
        for _ in range(30):
            azimuth = rng.uniform(0, 2 * np.pi)
            away = rng.uniform(0.9, 1.4) if room.round_table else rng.uniform(0.9, 3.4)
            x, y = away * np.sin(azimuth), away * np.cos(azimuth)
            inside = room.bounds[0] + 0.4 < x < room.bounds[1] - 0.4
            inside &= room.bounds[2] + 0.4 < y < room.bounds[3] - 0.4
            apart = all(
                np.hypot(x - other.eyes[0], y - other.eyes[1]) > 0.6
                and angle_between((x, y, 0), (*other.eyes[:2], 0)) > 0.25 / away + 0.12
                for other in found
            )
            if inside and apart:
                seated = room.round_table or bool(rng.random() < 0.35)
                child = rng.random() < 0.12
                low, high = (1.12, 1.28) if seated else ((1.0, 1.4) if child else (1.45, 1.8))
                eyes = np.array((x, y, room.floor + rng.uniform(low, high)))
                found.append(Standing(person=int(seed), eyes=eyes, seated=seated))
                break
    return found


def add_obstacles(people: list[Standing]) -> Solids:
    """Make heads and bodies as balls and rods that sight lines stop at."""
    solids, paint = Solids(), Paint(colour=(0.5, 0.5, 0.5))
    for k, person in enumerate(people):
        solids.add_sphere(person.eyes, _HEAD_BALL, paint, BODY_TAG + k)
        below = person.eyes - (0, 0, 0.35)
        solids.add_capsule(below, person.eyes - (0, 0, 0.8), 0.2, paint, BODY_TAG + k)
    return solids


def add_occluders(solids: Solids, person: Looking, tag: int) -> None:
    """Add head and shoulders, which figures show, as solids that only keep light from others."""
    paint = Paint(colour=(0.5, 0.5, 0.5))
    solids.add_sphere(person.eyes + person.head @ np.array((0.0, 0.06, 0.01)), 0.11, paint, tag)
    side, back = person.body @ np.array((0.12, 0.0, 0.0)), person.body @ np.array((0.0, 0.06, -0.30))
    solids.add_capsule(person.eyes + back - side, person.eyes + back + side, 0.085, paint, tag)


def find_looks(
    room: Room, rng: np.random.Generator, people: list[Standing], solids: Array, trees: TriangleTree
) -> list[Looking | None]:
    """Let each person look at something that they see; None for one who finds nothing.

    Parameters
    ----------
    room, rng, people
        Furnished, draws everything, in the order of their tags.
    solids, trees
        All that sight lines stop at.
    """
    return [_find_look(room, rng, people, k, solids, trees) for k in range(len(people))]


def _find_look(
    room: Room,
    rng: np.random.Generator,
    people: list[Standing],
    k: int,
    solids: Array,
    trees: TriangleTree,
) -> Looking | None:
    eyes = people[k].eyes
    for _ in range(40):
        kind = str(rng.choice(KINDS, p=[_KIND_SHARES[name] for name in KINDS]))
        found = _draw_target(room, rng, people, k, kind)
        if found is None:
            continue
        target, tag, radius = found
        way = target - eyes
        distance = float(np.linalg.norm(way))
        if distance < _NEAREST or not _LOWEST < np.degrees(np.arcsin(way[2] / distance)) < _HIGHEST:
            continue
        if kind != "camera":
            if np.linalg.norm(target) < 0.3 or angle_between(target, eyes) < np.radians(4):
                continue
            far = abs(np.degrees(np.arcsin(target[2] / np.linalg.norm(target)))) > 30
            if not far and rng.random() < 0.35:  # so that high and low targets are common enough
                continue
        if kind != "outside":
            met, what = first_hit(eyes, way / distance, solids, room.bounds, room.walled, BODY_TAG + k, trees)
            if met < distance - radius - 0.05 and what != tag:
                continue
            if tag >= 0 and kind in ("thing", "hidden") and met < FAR and what != tag:
                continue
        return _turn(rng, people[k], target, kind, tag)
    return None


def _draw_target(
    room: Room, rng: np.random.Generator, people: list[Standing], k: int, kind: str
) -> tuple[Array, int, float] | None:
    """Draw a point, the tag of what is there, and its radius."""
    eyes = people[k].eyes
    if kind == "camera":
        return np.zeros(3), -2, 0.1
    if kind == "person":
        others = [n for n in range(len(people)) if n != k]
        if not others:
            return None
        n = int(rng.choice(others))
        return people[n].eyes, BODY_TAG + n, _HEAD_BALL
    if kind in ("thing", "hidden"):
        if not room.things:
            return None
        n = int(rng.integers(len(room.things)))
        thing = room.things[n]
        return thing.place, n, thing.radius
    azimuth, height = rng.uniform(0, 2 * np.pi), np.radians(rng.normal(-2, 14))
    way = np.array((np.cos(height) * np.sin(azimuth), np.cos(height) * np.cos(azimuth), np.sin(height)))
    if not room.walled:
        if kind == "outside":
            return None
        reach = float(rng.uniform(1.5, 6))
        if way[2] < 0:
            reach = min(reach, (room.floor - eyes[2]) / way[2])
        return eyes + reach * way, -1, 0.1
    empty = Solids().table()
    reach, _ = first_hit(eyes, way, empty, room.bounds, True, -9)
    if kind == "outside":
        return eyes + (reach + float(rng.uniform(1, 6))) * way, -1, 0.1
    return eyes + reach * 0.995 * way, -1, 0.05


def _turn(rng: np.random.Generator, person: Standing, target: Array, kind: str, tag: int) -> Looking:
    """Share the turn towards a target between eyes, head and body; the eyes then look at it exactly."""
    gaze = unit(target - person.eyes)
    yaw, pitch = np.degrees(np.arctan2(gaze[0], -gaze[1])), np.degrees(np.arcsin(gaze[2]))
    eye_yaw = float(np.clip(rng.normal(0, 9), -22, 22))
    eye_pitch = float(np.clip(rng.normal(0.18 * pitch, 5), -14, 14))
    roll = float(np.clip(rng.normal(0, 4), -12, 12))
    near = HeadPose(yaw - eye_yaw, pitch - eye_pitch, roll).matrix()
    head = rotation_from_to(near @ gaze_in_head(eye_yaw, eye_pitch), gaze) @ near
    turned = HeadPose.from_matrix(head).yaw + float(np.clip(rng.normal(0, 22), -50, 50))
    return Looking(
        person=person.person,
        eyes=person.eyes,
        seated=person.seated,
        target=target,
        kind=kind,
        tag=tag,
        eye_turn=(eye_yaw, eye_pitch),
        head=head,
        body=HeadPose(turned).matrix(),
    )


def look_hidden(person: Looking, in_view: bool) -> Looking:
    """Name the kind after what the camera sees: a thing that it sees is not hidden, nor the other way."""
    if person.kind in ("thing", "hidden"):
        return replace(person, kind="thing" if in_view else "hidden")
    return person


def add_body(
    solids: Solids, person: Looking, number: int, room: Room, rng: np.random.Generator, clothing: RGB
) -> None:
    """Add what a photographed figure ends above: the trunk from the chest down, arms and legs.

    Parameters
    ----------
    solids
        Is added to.
    person, number
        Who, and their place among the scene's people.
    room
        Where; it gets a chair for one who sits.
    rng
        Draws colours and postures.
    clothing
        Linear colour of what the figure wears.
    """
    cloth, trousers = Paint(colour=clothing), Paint(colour=draw_colour(rng, 0.5))
    skin = Paint(colour=(0.45, 0.28, 0.2), casts=False)
    shoes = Paint(colour=(0.05, 0.045, 0.04), casts=False)
    body, tag, floor = person.body, BODY_TAG + number, room.floor
    height = person.eyes[2] - floor
    scale = min(1.0, height / 1.45) if not person.seated else 1.0

    def at(right: float, forward: float, up: float) -> Array:
        # Shoulders face along -y of the body.
        flat = body @ np.array((right, -forward, 0.0))
        return np.asarray(person.eyes + scale * (flat + np.array((0.0, 0.0, up))))

    turn = float(np.arctan2(body[1, 0], body[0, 0]))
    chest, hips = -0.37, -0.72 if person.seated else -0.80
    middle = at(0, -0.085, (chest + hips) / 2)
    half = np.array((0.18, 0.125, (chest - hips) / 2)) * scale
    solids.add_cylinder(middle, half, turn, cloth, tag)
    for side in (-1, 1):
        _add_arm(solids, at, side, person.seated, replace(cloth, casts=False), skin, tag, rng)
        hip = at(side * 0.09, -0.08, hips)
        if person.seated:
            knee = at(side * 0.12, 0.38, hips)
            foot = np.array((*at(side * 0.12, 0.36, 0)[:2], floor + 0.06))
        else:
            knee = (hip + np.array((*hip[:2], floor))) / 2
            foot = np.array((*hip[:2], floor + 0.06))
        solids.add_capsule(hip, knee, 0.085 * scale, trousers, tag)
        solids.add_capsule(knee, foot, 0.065 * scale, trousers, tag)
        heel = np.array((*foot[:2], floor + 0.045))
        solids.add_capsule(heel, heel - body[:, 1] * (0.15 * scale, 0.15 * scale, 0), 0.045, shoes, tag)
    if person.seated:
        seat = at(0, 0.02, hips - 0.12)
        chair = room.next_furniture()
        wood = Paint(colour=draw_colour(rng, 0.5))
        solids.add_box(seat, np.array((0.22, 0.22, 0.03)), turn, wood, chair)
        leg = (seat[2] - floor) / 2
        solids.add_box(np.array((*seat[:2], floor + leg)), np.array((0.04, 0.04, leg)), turn, wood, chair)
        back = at(0, -0.24, hips + 0.15)
        solids.add_box(back, np.array((0.2, 0.02, 0.25)), turn, wood, chair)


def _add_arm(
    solids: Solids,
    at: Callable[[float, float, float], Array],
    side: int,
    seated: bool,
    cloth: Paint,
    skin: Paint,
    tag: int,
    rng: np.random.Generator,
) -> None:
    shoulder = at(side * 0.19, -0.095, -0.36)
    posture = rng.random()
    if posture < 0.45 and not seated:  # hanging
        elbow, hand = at(side * 0.23, -0.10, -0.62), at(side * 0.24, -0.03, -0.86)
    elif posture < 0.85:  # before the belly, or on a table
        elbow, hand = at(side * 0.25, 0.0, -0.62), at(side * 0.10, 0.28, -0.60)
    else:  # stretched out
        elbow, hand = at(side * 0.27, 0.18, -0.48), at(side * 0.22, 0.44, -0.40)
    solids.add_capsule(shoulder, elbow, 0.055, cloth, tag)
    solids.add_capsule(elbow, hand, 0.04, cloth, tag)
    solids.add_sphere(hand, 0.05, skin, tag)
