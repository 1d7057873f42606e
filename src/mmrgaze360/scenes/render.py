"""Drawing a planned scene: the room by rays, the people as figures laid over it, with the truth of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head import Camera
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.scenery.environment import Environment, expose_background, light_from, rotate_harmonics
from hifi_portrait.scenery.lights import Lights
from hifi_portrait.synthetic import Figure, Person, Placement, photograph_figure
from hifi_portrait.synthetic.finish import develop
from hifi_portrait.synthetic.render import Detail
from mmrgaze360.scenes.people import add_occluders
from mmrgaze360.scenes.plan import PlannedPerson, ScenePlan
from mmrgaze360.scenes.raycast import cast_panorama
from mmrgaze360.scenes.solids import Solids
from mmrgaze360.sphere import TangentPatch, direction_grid, direction_to_pixel, rotation_of_view, unit

HEAD_FROM_EYES = np.array((0.0, 0.055, -0.005))
"""Middle of a head from its eyes, in head space, metres."""
HEAD_HALF = (0.105, 0.140)
"""Half the width and height of a head's box, hair aside, metres."""
CROP_REACH = 1.35
"""Half the height of a head's close-up, as a multiple of half its box's: in the picture plane."""
CROP_SIZE = 64
"""Pixels across a close-up: as a panorama of about 4000 columns shows a head at two metres."""

_FIGURE_REACH = 0.46
"""Half the height of a figure's picture, metres at the eyes' distance."""
_FIGURE_SIZE = 160
_OVERSAMPLED = 1.5
"""Pixels of a figure for each that the panorama has for it."""
_DETAIL = Detail(shadow_size=192, shadow_taps=4, occlusion_samples=6, every_strand=5)
"""A figure's pixel is about 6 mm wide: three or four times as wide as a portrait's."""
_ARMS = 42.0
"""How far the figures' upper arms are lowered, degrees: below them bodies have arms of capsules."""
_BLACK = 0.15
"""A pixel of a panorama that is darker than this multiple of those around it is a fault of its file."""
_SOFT_LIGHT = 0.25
"""Radius of the softest light of a panorama, as the tangent of an angle."""
_TONES = 4096
_BRIGHTEST = 6.0
"""Linear light above this is white."""
_GRAIN = 0.008


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnPerson:
    """The truth of one person in a panorama. Directions and points are in the panorama's frame."""

    person: int
    head_box: Array
    """(4,) longitude and latitude of the head's middle, width and height, degrees."""
    eyes: Array
    """(3,) metres."""
    gaze: Array
    """(3,) unit."""
    head_direction: Array
    """(3,) unit: where the face points."""
    target: Array
    """(3,) metres; the origin for the camera."""
    kind: str
    in_view: bool
    hidden_by: str
    seated: bool
    close_up: NDArray[np.uint8]
    """(CROP_SIZE, CROP_SIZE, 3) the head in more detail than the panorama has."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnScene:
    """A panorama and its people."""

    seed: int
    picture: NDArray[np.uint8]
    """(H, 2 H, 3) RGB."""
    environment: str
    camera: Array
    people: tuple[DrawnPerson, ...]


@dataclass(frozen=True, eq=False)
class Cutout:
    """A figure as it is laid over a panorama, small enough to be kept."""

    rotation: Array
    """(3, 3) of its camera, in the scene's frame."""
    focal: float
    """For its whole size, pixels."""
    layer: NDArray[np.float16]
    """(S, S, 4) linear light multiplied with the matte, and the matte."""
    depth: NDArray[np.float16]
    """(S, S) metres along the axis."""
    exposure: float
    """Factor from the light on the person to ``layer``, for the body below."""


def head_middle(eyes: Array, head: Array) -> Array:
    """Give the middle (3,) of a head."""
    return np.asarray(eyes + head @ HEAD_FROM_EYES)


def close_up_fov(height: float) -> float:
    """Give the angle of view of a head's close-up, from the height of its box; both in degrees."""
    return float(np.degrees(2 * np.arctan(CROP_REACH * np.tan(np.radians(height) / 2))))


def shoot(plan: ScenePlan, person: PlannedPerson) -> Cutout:
    """Photograph one of a scene's people from the camera's place, in the scene's light."""
    look = person.looking
    middle = head_middle(look.eyes, look.head)
    rotation = rotation_of_view(middle)
    away = float(np.linalg.norm(middle))
    camera = Camera.from_fov(_FIGURE_SIZE, 2 * np.degrees(np.arctan(_FIGURE_REACH / away)))
    placement = Placement(
        eyes=rotation.T @ look.eyes, head=rotation.T @ look.head, body=rotation.T @ look.body, arms=_ARMS
    )
    figure = photograph_figure(
        _person(look.person), person.setup, placement, camera, _lights(plan, look.eyes, rotation), _DETAIL
    )
    return _cut_out(figure, rotation, camera.focal)


@lru_cache(maxsize=16)
def _person(seed: int) -> Person:
    return Person.sample(seed)


def _cut_out(figure: Figure, rotation: Array, focal: float) -> Cutout:
    layer = np.concatenate([figure.colour, figure.matte[..., None]], -1).astype(np.float16)
    depth = np.minimum(figure.depth[::2, ::2], 60.0)
    return Cutout(rotation, focal, layer, depth.astype(np.float16), figure.exposure)


def _lights(plan: ScenePlan, eyes: Array, rotation: Array) -> Lights:
    """Give the light at a person's eyes, in the space of a camera turned by ``rotation``."""
    if plan.environment is not None:
        return light_from(plan.environment, rotation).lights
    room = plan.room
    way = room.lamps[:, :3] - eyes
    distance = np.linalg.norm(way, axis=1, keepdims=True)
    sky, ground = room.ambient
    harmonics = np.zeros((9, 3))
    harmonics[0], harmonics[2] = (sky + ground) / 2 / 0.282095, (sky - ground) / 2 / 0.488603
    return Lights(
        way / distance @ rotation,
        room.lamps[:, 4:7] / (1 + 0.12 * distance**2),
        np.full(len(way), 0.7),
        sky,
        ground,
        1.0,
        rotate_harmonics(harmonics, rotation),
        metering=0.35,
    )


def draw_scene(plan: ScenePlan, cutouts: dict[int, Cutout], width: int) -> DrawnScene:
    """Draw a scene.

    Parameters
    ----------
    plan
        The scene.
    cutouts
        What `shoot` gave, by the people's tags.
    width
        Columns of the panorama; half as many rows.
    """
    rng = np.random.default_rng([361, plan.seed])
    grid = direction_grid(width, width // 2)
    if not np.array_equal(plan.camera, np.eye(3)):
        grid = (grid.reshape(-1, 3) @ plan.camera).reshape(grid.shape)
        grid.flags.writeable = False
    lamps, ambient, around = plan.room.lamps, plan.room.ambient, None
    if plan.environment is not None:
        lamps, ambient, around = _light_of(plan)
    table = plan.room.solids.table()
    unseen = Solids()
    for person in plan.people:
        add_occluders(unseen, person.looking, person.tag)
        table[table[:, 15] == person.tag, 8:11] *= cutouts[person.tag].exposure
    colour, distance, tags = cast_panorama(
        grid,
        table,
        plan.room.bounds,
        plan.room.surfaces,
        lamps,
        ambient,
        around,
        unseen.table(),
        plan.room.solids.trees(),
    )
    ordered = sorted(plan.people, key=lambda person: -float(np.linalg.norm(person.looking.eyes)))
    for person in ordered:
        cutout = cutouts[person.tag]
        layer, depth = _reduce(cutout, width)
        focal = cutout.focal * len(layer) / len(cutout.layer)
        lay_figure(colour, distance, tags, grid, cutout.rotation, focal, layer, depth, person.tag)
    people = tuple(
        _describe(plan, person, cutouts[person.tag], colour, rng)
        for person in plan.people
        if person.eyes_in_view
    )
    return DrawnScene(
        seed=plan.seed,
        picture=tone_map(colour, rng),
        environment=plan.room.environment,
        camera=plan.camera,
        people=people,
    )


def _light_of(plan: ScenePlan) -> tuple[Array, Array, FloatArray]:
    """Give lamps, ambient light and the picture all around, of a panorama."""
    assert plan.environment is not None
    surroundings = light_from(plan.environment, np.eye(3))
    lights = surroundings.lights
    distant = np.zeros((len(lights.direction), 1))
    radius = _SOFT_LIGHT * np.asarray(lights.softness)[:, None]
    lamps = np.concatenate([lights.direction, distant, np.asarray(lights.rgb), radius], 1)
    around = expose_background(
        without_ringing(plan.environment), surroundings.scale, plan.environment.place.brightness
    )
    return lamps, np.stack([lights.sky, lights.ground]), around


@lru_cache(maxsize=64)
def without_ringing(environment: Environment) -> FloatArray:
    """Fill the black pixels that compression has left beside lamps and windows in some of the panoramas."""
    usual = cv2.medianBlur(environment.radiance, 5)
    black = environment.radiance.mean(-1) < _BLACK * usual.mean(-1)
    return np.where(black[..., None], usual, environment.radiance)


def _reduce(cutout: Cutout, width: int) -> tuple[FloatArray, FloatArray]:
    """Make a figure's picture as small as a panorama shows it, so that it does not flicker."""
    size = len(cutout.layer)
    fov = 2 * np.arctan(size / 2 / cutout.focal)
    wanted = int(np.ceil(fov / (2 * np.pi) * width * _OVERSAMPLED))
    layer, depth = cutout.layer.astype(np.float32), cutout.depth.astype(np.float32)
    if wanted < size:
        layer = np.asarray(cv2.resize(layer, (wanted, wanted), interpolation=cv2.INTER_AREA), np.float32)
        depth = np.asarray(cv2.resize(depth, (wanted, wanted), interpolation=cv2.INTER_NEAREST), np.float32)
    return np.ascontiguousarray(layer), np.ascontiguousarray(depth)


@numba.njit(cache=True, fastmath=True, nogil=True)
def lay_figure(
    colour: FloatArray,
    distance: FloatArray,
    tags: NDArray[np.int64],
    grid: Array,
    rotation: Array,
    focal: float,
    layer: FloatArray,
    depth: FloatArray,
    tag: int,
) -> None:
    """Lay a figure over a panorama where it is nearer than what is there; bodies end at their figure."""
    height, width = distance.shape
    size = layer.shape[0]
    middle = size / 2
    edge = focal / np.sqrt(focal * focal + 2 * middle * middle)
    for j in range(height):
        for i in range(width):
            d = grid[j, i]
            y = d[0] * rotation[0, 1] + d[1] * rotation[1, 1] + d[2] * rotation[2, 1]
            if y < edge:
                continue
            x = d[0] * rotation[0, 0] + d[1] * rotation[1, 0] + d[2] * rotation[2, 0]
            z = d[0] * rotation[0, 2] + d[1] * rotation[1, 2] + d[2] * rotation[2, 2]
            u, v = middle + focal * x / y - 0.5, middle - focal * z / y - 0.5
            if u < 0 or v < 0 or u > size - 1.001 or v > size - 1.001:
                continue
            a, b = int(u), int(v)
            s, t = u - a, v - b
            matte = (layer[b, a, 3] * (1 - s) + layer[b, a + 1, 3] * s) * (1 - t) + (
                layer[b + 1, a, 3] * (1 - s) + layer[b + 1, a + 1, 3] * s
            ) * t
            if matte <= 0.004:
                continue
            near = min(min(depth[b, a], depth[b, a + 1]), min(depth[b + 1, a], depth[b + 1, a + 1])) / y
            if tags[j, i] != tag and near > distance[j, i] + 0.02:
                continue
            for c in range(3):
                light = (layer[b, a, c] * (1 - s) + layer[b, a + 1, c] * s) * (1 - t) + (
                    layer[b + 1, a, c] * (1 - s) + layer[b + 1, a + 1, c] * s
                ) * t
                colour[j, i, c] = colour[j, i, c] * (1 - matte) + light
            if matte > 0.5:
                distance[j, i], tags[j, i] = near, tag


def _describe(
    plan: ScenePlan, person: PlannedPerson, cutout: Cutout, colour: FloatArray, rng: np.random.Generator
) -> DrawnPerson:
    look, camera = person.looking, plan.camera
    middle = camera @ head_middle(look.eyes, look.head)
    away = float(np.linalg.norm(middle))
    width, height = (float(np.degrees(2 * np.arctan(half / away))) for half in HEAD_HALF)
    lon = float(np.degrees(np.arctan2(middle[0], middle[1])))
    lat = float(np.degrees(np.arcsin(middle[2] / away)))
    patch = TangentPatch(rotation=rotation_of_view(middle), fov=close_up_fov(height), size=CROP_SIZE)
    return DrawnPerson(
        person=look.person,
        head_box=np.array((lon, lat, width, height)),
        eyes=camera @ look.eyes,
        gaze=camera @ look.gaze,
        head_direction=-camera @ look.head[:, 1],
        target=camera @ look.target,
        kind=look.kind,
        in_view=person.in_view,
        hidden_by=person.hidden_by,
        seated=look.seated,
        close_up=_close_up(patch, camera, cutout, colour, rng),
    )


def _close_up(
    patch: TangentPatch, camera: Array, cutout: Cutout, colour: FloatArray, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Show a head in the detail of its figure, before what the panorama shows behind it."""
    rays = patch.directions()
    place = direction_to_pixel(rays, colour.shape[1], colour.shape[0]).astype(np.float32) - 0.5
    x, y = place[..., 0], np.clip(place[..., 1], 0, colour.shape[0] - 1)
    behind = cv2.remap(colour, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    # The patch is upright in the panorama, the figure in the scene.
    own = unit(rays) @ camera @ cutout.rotation
    middle = len(cutout.layer) / 2 - 0.5
    u = (middle + cutout.focal * own[..., 0] / own[..., 1]).astype(np.float32)
    v = (middle - cutout.focal * own[..., 2] / own[..., 1]).astype(np.float32)
    layer = cv2.remap(cutout.layer.astype(np.float32), u, v, cv2.INTER_LINEAR)
    linear = layer[..., :3] + behind * (1 - layer[..., 3:])
    return tone_map(np.asarray(linear, np.float32), rng)


@cache
def _tone_curve() -> FloatArray:
    ramp = np.linspace(0, _BRIGHTEST, _TONES, dtype=np.float32)
    return develop(ramp, np.random.default_rng(0), grain=0.0) * np.float32(255)


def tone_map(linear: FloatArray, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn linear light (H, W, 3) into a picture, with a little grain, as `synthetic.finish.develop` does."""
    grain = rng.standard_normal((128, 128, 3), np.float32) * np.float32(_GRAIN * 255)
    picture = np.empty(linear.shape, np.uint8)
    _develop(linear, _tone_curve(), grain, picture)
    return picture


@numba.njit(cache=True, fastmath=True, nogil=True)
def _develop(linear: FloatArray, curve: FloatArray, grain: FloatArray, picture: NDArray[np.uint8]) -> None:
    height, width = linear.shape[:2]
    scale = (_TONES - 1) / _BRIGHTEST
    for j in range(height):
        for i in range(width):
            for c in range(3):
                place = int(min(max(linear[j, i, c] * scale, 0.0), _TONES - 1.0))
                tone = curve[place] + grain[j & 127, i & 127, c] + 0.5
                picture[j, i, c] = np.uint8(min(max(tone, 0.0), 255.0))
