"""A scene before it is drawn: the room, the people, what each looks at, and the camera's tilt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.scenery.environment import Environment
from hifi_portrait.synthetic import PhotoSetup
from mmrgaze360.scenes.furniture_models import FurnitureModel
from mmrgaze360.scenes.people import (
    Looking,
    add_body,
    add_obstacles,
    find_looks,
    look_hidden,
    place_people,
)
from mmrgaze360.scenes.raycast import first_hit
from mmrgaze360.scenes.room import Room, draw_room, furnish
from mmrgaze360.scenes.solids import BODY_TAG, FURNITURE_TAG
from mmrgaze360.scenes.triangle_tree import TriangleTree
from mmrgaze360.sphere import random_rotation, unit

DISTORTIONS = {"none": 0.0, "tilted": 30.0, "strong": 180.0}
"""Largest tilt of the camera in degrees, by name: upright; as if held by hand; any rotation of the sphere."""

_INDOORS = 0.65
"""Share of scenes in rooms, where there are panoramas for the others."""
_MOST_SEEDS = 10
"""Setups of a scene's people have the seeds ``_MOST_SEEDS * seed + k``."""


@dataclass(frozen=True, kw_only=True)
class PlannedPerson:
    """One of a scene's people, and what the camera sees of their target."""

    looking: Looking
    setup: PhotoSetup
    tag: int
    eyes_in_view: bool
    """Whether nothing hides the eyes' place from the camera."""
    in_view: bool
    """Whether the panorama shows the target."""
    hidden_by: str
    """What hides it: "camera", "wall", "person", "furniture", "thing"; empty where nothing does."""


@dataclass(frozen=True, kw_only=True)
class ScenePlan:
    """All that a scene is drawn from."""

    seed: int
    room: Room
    environment: Environment | None
    people: tuple[PlannedPerson, ...]
    camera: Array
    """(3, 3) from directions of the scene to those of the panorama."""


def plan_scene(
    seed: int,
    cast: Sequence[int],
    environments: Sequence[Environment] = (),
    distortion: str = "none",
    furniture: Sequence[FurnitureModel] = (),
) -> ScenePlan:
    """Plan a scene.

    Parameters
    ----------
    seed
        Equal seeds and arguments give equal scenes.
    cast
        Seeds of people who may be in it.
    environments
        Panoramas for scenes without a room.
    distortion
        One of `DISTORTIONS`: how far the camera is tilted.
    furniture
        Models to furnish with; boxes otherwise.

    Raises
    ------
    ValueError
        ``distortion`` is unknown.
    """
    if distortion not in DISTORTIONS:
        raise ValueError(f"unknown distortion {distortion!r}: take one of {', '.join(DISTORTIONS)}")
    rng = np.random.default_rng([360, seed])
    outdoors = rng.random() > _INDOORS
    environment = environments[int(rng.integers(len(environments)))] if environments and outdoors else None
    room = draw_room(rng, "" if environment is None else environment.name)
    standing = place_people(room, rng, list(cast))
    furnish(room, rng, [person.eyes for person in standing], furniture)
    obstacles = add_obstacles(standing).table()
    trees = room.solids.trees()
    looks = find_looks(room, rng, standing, np.concatenate([room.solids.table(), obstacles]), trees)
    found = [(k, look) for k, look in enumerate(looks) if look is not None]
    setups = {}
    for k, look in found:
        setups[k] = PhotoSetup.sample(
            _MOST_SEEDS * seed + k, style="photo", sunglasses=False, gaze=look.eye_turn
        )
        add_body(room.solids, look, k, room, rng, setups[k].clothing_rgb)
    everything = np.concatenate([room.solids.table(), obstacles])
    people = tuple(_see(room, look, setups[k], BODY_TAG + k, everything, trees) for k, look in found)
    most_tilt = DISTORTIONS[distortion]
    camera = random_rotation(rng, most_tilt) if most_tilt else np.eye(3)
    return ScenePlan(seed=seed, room=room, environment=environment, people=people, camera=camera)


def _see(
    room: Room, look: Looking, setup: PhotoSetup, tag: int, solids: Array, trees: TriangleTree
) -> PlannedPerson:
    """Look from the camera at a person's eyes and target."""
    origin = np.zeros(3)

    def meet(place: Array) -> tuple[float, int]:
        return first_hit(origin, unit(place), solids, room.bounds, room.walled, -9, trees)

    _, before_eyes = meet(look.eyes)
    in_view, hidden_by = False, "camera"
    if look.kind == "outside":
        hidden_by = "wall"
    elif look.kind != "camera":
        met, what = meet(look.target)
        in_view = bool(what == look.tag if look.tag >= 0 else met > np.linalg.norm(look.target) - 0.12)
        hidden_by = "" if in_view else _name(what)
    look = look_hidden(look, in_view)
    return PlannedPerson(
        looking=look,
        setup=setup,
        tag=tag,
        eyes_in_view=before_eyes == tag,
        in_view=in_view,
        hidden_by=hidden_by,
    )


def _name(tag: int) -> str:
    if tag >= BODY_TAG:
        return "person"
    if tag >= FURNITURE_TAG:
        return "furniture"
    return "thing" if tag >= 0 else "wall"
