"""What a portrait may be set before: a real place with its light, a wall, or a studio's backdrop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from hifi_portrait.head.arrays import RGB, FloatArray
from hifi_portrait.scenery.environment import (
    PANORAMAS,
    Environment,
    camera_rotation,
    expose_background,
    light_from,
    read_panorama,
    view,
)
from hifi_portrait.scenery.studio import StudioLight
from hifi_portrait.scenery.tone import to_display
from hifi_portrait.scenery.walls import WALL_COLOURS, paint_wall

_SEED = 12
"""Of bricks, books and grains of wood: the same wall for every picture."""
_WALL_SIDE = 512
"""Pixels at which walls are painted, so that one looks the same in pictures of any size."""
_NIGHT = 0.55
"""Factor on the light of what lies between lights out of focus, and of these: it is night."""
_GLOW = 0.22
"""How much lighter a studio's backdrop is behind the head than at the picture's corners."""


@dataclass(frozen=True)
class PlaceView:
    """From where a panorama is seen."""

    panorama: Path
    """File of the panorama, ``.exr`` or ``.hdr``."""
    yaw: float = 0.0
    """Degrees by which the camera is turned to the right of the panorama's middle."""
    pitch: float = 2.0
    """Degrees by which it looks up."""
    fov: float = 44.0
    """Its angle of view in degrees."""
    blur: float = 0.02
    """Radius, as a fraction of the picture, of the disc that a point out of focus becomes."""
    exposure: float = 1.0
    """Factor on the light of what is seen of it: panoramas of the night are exposed for minutes."""


def _ours(name: str, yaw: float, **others: float) -> PlaceView:
    return PlaceView(PANORAMAS / f"{name}.exr", yaw, **others)


PLACE_VIEWS: Mapping[str, PlaceView] = {
    "park": _ours("pmndrs_park", 285),
    "forest": _ours("pmndrs_forest", 95),
    "garden": _ours("blender_forest", 30),
    "courtyard": _ours("blender_courtyard", 40),
    "city": _ours("pmndrs_city", 75),
    "old town": _ours("pmndrs_sunset", 290),
    "seaside": _ours("blender_sunset", 325),
    "sunset": _ours("blender_sunset", 20),
    "sunrise": _ours("pmndrs_sunrise", 350),
    "dusk": _ours("pmndrs_venice", 70),
    "night": _ours("pmndrs_night", 135, exposure=0.4),
    "desert": _ours("pmndrs_dawn", 130),
    "studio": _ours("pmndrs_studio", 270),
    "room": _ours("pmndrs_apartment", 205),
    "bedroom": _ours("blender_interior", 120),
    "lobby": _ours("pmndrs_lobby", 345),
    "hall": _ours("pmndrs_hall", 60),
    "shopping mall": _ours("pmndrs_esplanade", 165),
    "corridor": _ours("pmndrs_bridge", 45),
    "laboratory": _ours("pmndrs_lab", 140),
    "warehouse": _ours("pmndrs_warehouse", 100),
    "workshop": _ours("pmndrs_workshop", 100),
}
"""Views of the panoramas that come with the package, by what is asked for."""

WALLS: Mapping[str, tuple[str, RGB]] = {
    **{
        f"{colour} {kind}": (kind, rgb)
        for kind, colours in WALL_COLOURS.items()
        for colour, rgb in colours.items()
    },
    "brick wall": ("brick wall", WALL_COLOURS["brick wall"]["red"]),
    "wooden wall": ("wooden wall", WALL_COLOURS["wooden wall"]["brown"]),
    "tiled wall": ("tiled wall", WALL_COLOURS["tiled wall"]["white"]),
    "bokeh": ("bokeh", WALL_COLOURS["bokeh"]["golden"]),
    "concrete wall": ("concrete wall", (0.3, 0.3, 0.3)),
    "bookshelf": ("bookshelf", (0.3, 0.3, 0.3)),
}
"""Walls by their names: kind, and linear colour."""

BACKDROP_COLOURS: Mapping[str, tuple[int, int, int]] = {
    "white": (242, 242, 241),
    "light-grey": (196, 197, 198),
    "grey": (134, 135, 138),
    "dark-grey": (66, 67, 70),
    "black": (20, 20, 22),
    "red": (168, 44, 42),
    "burgundy": (92, 28, 40),
    "orange": (222, 128, 50),
    "yellow": (236, 198, 84),
    "green": (70, 128, 82),
    "dark-green": (32, 66, 46),
    "olive": (108, 110, 72),
    "teal": (44, 122, 126),
    "light-blue": (162, 198, 226),
    "blue": (60, 104, 176),
    "navy": (28, 40, 72),
    "purple": (104, 66, 142),
    "pink": (232, 164, 182),
    "beige": (214, 198, 176),
    "brown": (106, 80, 60),
}
"""sRGB colours (0 to 255) of painted walls and paper behind a sitter, by their names."""


@dataclass(frozen=True)
class Backdrop:
    """What is behind a person: one of a place's view, a wall or a colour."""

    place: PlaceView | None = None
    """A place, whose light falls on the person too."""
    wall: str | None = None
    """One of `WALLS`."""
    colour: tuple[int, int, int] | None = None
    """sRGB in [0, 255] of a studio's backdrop, a little lighter behind the head."""

    @classmethod
    def named(cls, name: str) -> Backdrop | None:
        """Find a backdrop by a name of `PLACE_VIEWS` or `WALLS`, or "blue backdrop"; None if it is none."""
        if name in PLACE_VIEWS:
            return cls(place=PLACE_VIEWS[name])
        if name in WALLS:
            return cls(wall=name)
        colour, _, kind = name.rpartition(" ")
        if kind == "backdrop" and colour in BACKDROP_COLOURS:
            return cls(colour=BACKDROP_COLOURS[colour])
        return None

    @property
    def light(self) -> StudioLight | None:
        """The light of the place; None where the photo's own light may stay."""
        return None if self.place is None else _light(self.place)

    def paint(self, height: int, width: int) -> FloatArray:
        """Paint it as large as a picture.

        Returns
        -------
        picture
            (height, width, 3) in [0, 255].

        Raises
        ------
        DatasetError
            The panorama cannot be read, or is not twice as wide as high.
        """
        side = max(height, width)
        top, left = (side - height) // 2, (side - width) // 2
        return _paint(self, side)[top : top + height, left : left + width]


@lru_cache(maxsize=8)
def _environment(panorama: Path) -> Environment:
    return Environment.from_radiance(panorama.stem, read_panorama(panorama))


@lru_cache(maxsize=32)
def _light(place: PlaceView) -> StudioLight:
    environment = _environment(place.panorama)
    lights = light_from(environment, camera_rotation(place.yaw, place.pitch)).lights
    return StudioLight(lights, (1 + environment.place.brightness) / 2)


@lru_cache(maxsize=4)
def _paint(backdrop: Backdrop, side: int) -> FloatArray:
    if backdrop.place is not None:
        place = backdrop.place
        environment, rotation = _environment(place.panorama), camera_rotation(place.yaw, place.pitch)
        seen = view(environment, rotation, place.fov, side, place.blur)
        scale = light_from(environment, rotation).scale
        linear = place.exposure * expose_background(seen, scale, environment.place.brightness)
        painted = 255 * np.clip(to_display(linear), 0, 1)
    elif backdrop.wall is not None:
        kind, colour = WALLS[backdrop.wall]
        linear = paint_wall(kind, colour, _WALL_SIDE, np.random.default_rng(_SEED))
        linear = _NIGHT * linear if kind == "bokeh" else linear
        wall = 255 * np.clip(to_display(linear), 0, 1)
        painted = cv2.resize(
            wall, (side, side), interpolation=cv2.INTER_AREA if side < _WALL_SIDE else cv2.INTER_CUBIC
        )
    else:
        painted = _paint_paper(np.asarray(backdrop.colour, np.float32), side)
    picture = np.clip(np.asarray(painted, np.float32), 0, 255)
    picture.flags.writeable = False
    return picture


def _paint_paper(colour: FloatArray, side: int) -> FloatArray:
    """Paint a roll of paper that a lamp lights from above (side, side, 3)."""
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side - 0.5
    fall = np.clip((x**2 + (y + 0.12) ** 2) / 0.6, 0, 1)[..., None]
    return np.asarray(np.clip(colour * (1 + 0.25 * _GLOW) * (1 - _GLOW * fall), 0, 255), np.float32)
