"""Real places as panoramas: the light they throw on a person, and what a camera sees of them.

A panorama is an equirectangular picture of linear radiance, as Poly Haven gives away. Directions are unit
vectors with x to the right, y away from the camera and z up; the middle column lies straight ahead (+y).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
from scipy.ndimage import gaussian_filter, map_coordinates

from hifi_portrait.errors import DatasetError
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.scenery.lights import Lights
from hifi_portrait.scenery.place_names import Place, place_of
from hifi_portrait.scenery.tone import LUMINANCE

PANORAMAS = Path(__file__).parents[1] / "assets" / "panoramas"
"""CC0 panoramas of real places that come with the package; NOTICE says from where."""
PANORAMA_HEIGHT = 256
"""Rows that panoramas are kept with; columns are twice as many."""
_LIGHT_ROWS = 64
"""Rows of the small copy that light is computed from."""
_MAX_KEYS = 3
_KEY_RADIUS = np.radians(22.0)
"""Half the width of the patch of a panorama that becomes one key light."""
_KEY_THRESHOLD = 1.6
"""A key light is what exceeds this multiple of the panorama's mean luminance."""
_MIN_KEY_FRACTION = 0.05
"""A patch becomes a key light when it gives at least this fraction of the panorama's light."""
_FACE_IRRADIANCE = 1.25
"""What a panorama's light on the face is scaled to, in the units of the studio lamps."""
_WHITE_BALANCE = 0.45
"""How far the colour of the light on the face is balanced to white: 0 not at all, 1 wholly."""
_LIGHT_SATURATION = 0.7
"""How much of the lights' colour is kept: radiance is unmixed from what a camera's filters mix."""
WORLD_METERING = 0.36
"""``Lights.metering`` of the variety "world": it keeps skin tones apart."""
_OVERFLOW_RADIANCE = 100.0
"""No lamp that is blue alone is as bright as this; some published files hold such a sun (pmndrs park)."""
_MAX_KEY = 3.6
"""Luminance that a key light is held to, in the units of the studio lamps, whose strongest is 3.2."""
_BACKGROUND_RANGE = (0.05, 0.85)
"""Mean radiance that a background is held between, as a photographer does with a reflector or a flash."""

# Irradiance over radiance of the bands of spherical harmonics, divided by pi:
# A_l / pi of Ramamoorthi and Hanrahan, "An Efficient Representation for Irradiance Environment Maps", 2001.
_BAND_FACTORS = np.array((1.0, *(2 / 3,) * 3, *(1 / 4,) * 5))


@dataclass(frozen=True, eq=False)
class KeyLight:
    """A bright patch of a panorama as one distant light."""

    direction: Array
    """(3,) unit, towards the light, in the panorama's own frame."""
    rgb: Array
    """(3,) its irradiance on a surface that faces it, divided by pi."""
    softness: float
    """0 for a point to 1 for a patch as large as a soft box."""


@dataclass(frozen=True, eq=False)
class Environment:
    """A panorama, prepared for lighting and for use as a background."""

    name: str
    """The file's name without its ending."""
    place: Place
    """What captions say of it."""
    radiance: FloatArray
    """(PANORAMA_HEIGHT, 2 * PANORAMA_HEIGHT, 3) linear, in the file's own scale."""
    keys: tuple[KeyLight, ...]
    """Its brightest patches, at most three."""
    ambient: Array
    """(9, 3) spherical harmonics of the irradiance of the rest, divided by pi."""

    @classmethod
    def from_radiance(cls, name: str, radiance: Array) -> Environment:
        """Prepare a panorama.

        Parameters
        ----------
        name
            Names the place; known names are in ``places.PLACES``.
        radiance
            (H, 2 H, 3) linear radiance, not negative.
        """
        size = (2 * PANORAMA_HEIGHT, PANORAMA_HEIGHT)
        kept = cv2.resize(np.asarray(radiance, np.float32), size, interpolation=cv2.INTER_AREA)
        small = cv2.resize(kept, (2 * _LIGHT_ROWS, _LIGHT_ROWS), interpolation=cv2.INTER_AREA)
        keys, rest = _split_keys(small.astype(np.float64))
        return cls(name, place_of(name), np.asarray(kept, np.float32), keys, irradiance_harmonics(rest))


def directions(rows: int) -> Array:
    """Give the unit direction (rows, 2 rows, 3) of each pixel of a panorama."""
    elevation = np.pi * (0.5 - (np.arange(rows) + 0.5) / rows)[:, None]
    azimuth = np.pi * ((np.arange(2 * rows) + 0.5) / rows - 1)[None]
    flat = np.cos(elevation)
    return np.stack(
        [
            np.sin(azimuth) * flat,
            np.cos(azimuth) * flat,
            np.broadcast_to(np.sin(elevation), (rows, 2 * rows)),
        ],
        -1,
    )


def solid_angles(rows: int) -> Array:
    """Solid angle (rows, 1) of the pixels of each row of a panorama, steradians; all pixels make 4 pi."""
    edges = np.sin(np.pi * (0.5 - np.arange(rows + 1) / rows))
    return ((edges[:-1] - edges[1:]) * np.pi / rows)[:, None]


def harmonics(direction: Array) -> Array:
    """Evaluate the nine real spherical harmonics (..., 9) of bands 0 to 2 at unit directions (..., 3)."""
    x, y, z = direction[..., 0], direction[..., 1], direction[..., 2]
    return np.stack(
        [
            np.full(x.shape, 0.282095),
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3 * z * z - 1),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        -1,
    )


def irradiance_harmonics(radiance: Array) -> Array:
    """Harmonics (9, 3) of a panorama's irradiance over pi: what a white matt surface sends back.

    Parameters
    ----------
    radiance
        (H, 2 H, 3) linear.
    """
    rows = len(radiance)
    weighted = harmonics(directions(rows)) * solid_angles(rows)[..., None]
    return np.asarray(np.einsum("yxk,yxc->kc", weighted, radiance) * _BAND_FACTORS[:, None])


def rotate_harmonics(coefficients: Array, rotation: Array) -> Array:
    """Coefficients (9, 3) of the same light in a turned frame.

    A direction ``d`` of the new frame is ``rotation @ d`` in the old one.
    """
    probe = _probe_directions()
    values: Array = harmonics(probe @ rotation.T) @ coefficients
    return np.linalg.lstsq(harmonics(probe), values, rcond=None)[0]


@cache
def _probe_directions() -> Array:
    """Directions (64, 3) spread evenly over the sphere (a Fibonacci lattice)."""
    k = np.arange(64) + 0.5
    z, turn = 1 - 2 * k / 64, k * np.pi * (1 + 5**0.5)
    flat = np.sqrt(1 - z * z)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], 1)


def _split_keys(radiance: Array) -> tuple[tuple[KeyLight, ...], Array]:
    """Take the brightest patches out of a panorama as lights; with what is left, they keep its energy."""
    rows = len(radiance)
    towards, weight = directions(rows), solid_angles(rows)
    rest = radiance.copy()
    total = float((rest @ LUMINANCE * weight).sum())
    threshold = _KEY_THRESHOLD * total / (4 * np.pi)
    keys: list[KeyLight] = []
    for _ in range(_MAX_KEYS):
        luminance = rest @ LUMINANCE
        excess = np.maximum(luminance - threshold, 0)
        peak = np.argmax(gaussian_filter(excess * weight, rows / 30, mode=("nearest", "wrap")))
        near = towards @ towards.reshape(-1, 3)[peak] > np.cos(_KEY_RADIUS)
        taken = rest * (excess / np.maximum(luminance, 1e-9) * near)[..., None]
        power = taken @ LUMINANCE * weight
        if power.sum() < _MIN_KEY_FRACTION * total:
            break
        mean = np.einsum("yx,yxd->d", power, towards) / power.sum()
        length = float(np.linalg.norm(mean))
        spread = np.sqrt(max(0.0, 2 * (1 - length)))
        keys.append(
            KeyLight(
                mean / length,
                (taken * weight[..., None]).sum((0, 1)) / np.pi,
                float(np.clip(spread / np.radians(14), 0.08, 1.0)),
            )
        )
        rest -= taken
    return tuple(keys), rest


def camera_rotation(yaw: float, pitch: float) -> Array:
    """Matrix (3, 3) from the directions of a turned camera to those of the panorama.

    The camera is turned right by ``yaw`` and up by ``pitch``, in degrees.
    """
    a, b = np.radians(yaw), np.radians(pitch)
    turn = np.array(((np.cos(a), np.sin(a), 0), (-np.sin(a), np.cos(a), 0), (0, 0, 1)))
    tilt = np.array(((1, 0, 0), (0, np.cos(b), -np.sin(b)), (0, np.sin(b), np.cos(b))))
    return np.asarray(turn @ tilt)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """An environment as one camera has it: lights in camera space and the scale of its radiance."""

    lights: Lights
    scale: Array
    """(3,) factor from the file's radiance to the units of ``lights``, white balance included."""


def light_from(environment: Environment, rotation: Array, exposure: float = 1.0) -> Surroundings:
    """Light of an environment in the space of a camera.

    Parameters
    ----------
    environment
        Whose light.
    rotation
        (3, 3) from camera to panorama directions.
    exposure
        Factor on the finished picture's light.
    """
    ambient = rotate_harmonics(environment.ambient, rotation)
    direction = np.array([key.direction @ rotation for key in environment.keys]).reshape(-1, 3)
    rgb = np.array([key.rgb for key in environment.keys]).reshape(-1, 3)
    front = np.array(((0.0, -1.0, 0.0), (0.6, -0.8, 0.0), (-0.6, -0.8, 0.0), (0.0, -0.8, 0.6)))
    lit = harmonics(front) @ ambient + np.maximum(front @ direction.T, 0) @ rgb
    level = lit.mean(0)
    luminance = max(float(level @ LUMINANCE), 1e-6)
    scale = _FACE_IRRADIANCE / luminance * (luminance / np.maximum(level, 1e-6)) ** _WHITE_BALANCE
    if not len(direction):  # The shading kernel asks for one light: one without any power.
        direction, rgb = np.array([[0.0, -1.0, 0.0]]), np.zeros((1, 3))
    softness = np.array([key.softness for key in environment.keys] or [1.0])
    up, down = np.maximum(harmonics(np.array(((0.0, 0.0, 1.0), (0.0, 0.0, -1.0)))) @ ambient * scale, 0)
    lights = Lights(
        direction,
        _desaturate(_limit_keys(rgb * scale)),
        softness,
        _desaturate(up),
        _desaturate(down),
        exposure,
        _desaturate(ambient * scale),
        WORLD_METERING,
    )
    return Surroundings(lights, scale)


def _limit_keys(rgb: Array) -> Array:
    """Key lights (L, 3), none brighter than ``_MAX_KEY``: a photographer fills in against the sun."""
    luminance = (rgb @ LUMINANCE)[:, None]
    return np.asarray(rgb * np.minimum(1, _MAX_KEY / np.maximum(luminance, 1e-9)))


def _desaturate(rgb: Array) -> Array:
    """Colours (..., 3) of less saturation and the same luminance."""
    grey = (rgb @ LUMINANCE)[..., None]
    return np.asarray(grey + _LIGHT_SATURATION * (rgb - grey))


def view(environment: Environment, rotation: Array, fov: float, size: int, blur: float) -> FloatArray:
    """Show what a camera sees of an environment through a lens focused on the person.

    Parameters
    ----------
    environment
        The place.
    rotation
        (3, 3) from camera to panorama directions.
    fov
        Angle of view in degrees, vertical and horizontal.
    size
        Width and height in pixels.
    blur
        Radius of the disc that a point becomes, as a fraction of the picture.

    Returns
    -------
    picture
        (size, size, 3) linear radiance in the file's own scale.
    """
    margin = blur + 0.02
    wide = round(size * (1 + 2 * margin))
    edge = np.tan(np.radians(fov) / 2) * (1 + 2 * margin)
    across = ((np.arange(wide) + 0.5) / wide * 2 - 1) * edge
    x, z = np.meshgrid(across, -across)
    ray = np.stack([x, np.ones_like(x), z], -1) @ rotation.T
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    rows = len(environment.radiance)
    column = (np.arctan2(ray[..., 0], ray[..., 1]) / np.pi + 1) * rows - 0.5
    row = np.clip((0.5 - np.arcsin(np.clip(ray[..., 2], -1, 1)) / np.pi) * rows - 0.5, 0, rows - 1)
    # Bright lamps would ring in a spline and swamp the picture: linear between pixels, and held to a top.
    source = environment.radiance
    picture = np.stack(
        [map_coordinates(source[..., c], (row, column), order=1, mode="grid-wrap") for c in range(3)], -1
    )
    radius = max(1, round(blur * size))
    grid = np.arange(-radius, radius + 1)
    disc = (np.hypot(*np.meshgrid(grid, grid)) <= radius + 0.3).astype(np.float32)
    blurred = cv2.filter2D(picture.astype(np.float32), -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT)
    first = (wide - size) // 2
    return np.ascontiguousarray(blurred[first : first + size, first : first + size])


def expose_background(radiance: Array, scale: Array, brightness: float = 1.0) -> FloatArray:
    """Expose a view as a camera shows it beside a face that is rightly exposed.

    Parameters
    ----------
    radiance
        (H, W, 3) linear, in the file's own scale.
    scale
        (3,) factor to the units of the lights.
    brightness
        Factor on the result, ``Place.brightness``.
    """
    picture = np.minimum(radiance * scale, 12.0)
    mean = float((picture @ LUMINANCE).mean())
    low, high = _BACKGROUND_RANGE
    factor = np.clip(mean, low, high) / max(mean, 1e-6)
    return np.asarray(picture * factor * brightness, np.float32)


@cache
def load_environments(folder: Path) -> tuple[Environment, ...]:
    """All panoramas (``.exr`` and ``.hdr``) of a folder, in the order of their names.

    Raises
    ------
    DatasetError
        When there is no such folder, no panorama in it, or one that cannot be read.
    """
    if not folder.is_dir():
        raise DatasetError(
            f"no folder of environments at {folder}: run scripts/fetch_environments.py to make one"
        )
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in (".exr", ".hdr"))
    if not files:
        raise DatasetError(
            f"no .exr or .hdr panorama in {folder}: run scripts/fetch_environments.py to fetch some"
        )
    return tuple(Environment.from_radiance(f.stem, read_panorama(f)) for f in files)


def read_panorama(path: Path) -> FloatArray:
    """Linear radiance (H, 2 H, 3) of an OpenEXR or Radiance file.

    Raises
    ------
    DatasetError
        When the file cannot be read, or is not twice as wide as high.
    """
    if path.suffix.lower() == ".hdr":
        read = cv2.imread(str(path), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
        if read is None:
            raise DatasetError(f"{path} is not a Radiance picture that can be read")
        pixels = np.asarray(read, np.float32)[..., ::-1]
    else:
        pixels = _read_exr(path)
    if pixels.ndim != 3 or pixels.shape[2] < 3 or pixels.shape[1] != 2 * pixels.shape[0]:
        raise DatasetError(
            f"{path} is not a panorama: it must be twice as wide as high, in colour, not {pixels.shape}"
        )
    clean = np.nan_to_num(pixels[..., :3], nan=0.0, posinf=65504.0, neginf=0.0)
    return _repair_overflow(np.maximum(clean, 0).astype(np.float32))


def _repair_overflow(radiance: FloatArray) -> FloatArray:
    """Make white what is very bright in blue alone: a sun whose red and green the file has lost."""
    red, blue = radiance[..., 0], radiance[..., 2]
    lost = (blue > _OVERFLOW_RADIANCE) & (red < 0.05 * blue)
    return np.where(lost[..., None], blue[..., None], radiance)


def _read_exr(path: Path) -> FloatArray:
    try:
        with OpenEXR.File(str(path)) as file:
            channels = file.channels()
            if "RGB" in channels or "RGBA" in channels:
                return np.asarray(channels["RGB" if "RGB" in channels else "RGBA"].pixels, np.float32)
            return np.stack([np.asarray(channels[name].pixels, np.float32) for name in "RGB"], -1)
    except (RuntimeError, OSError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as an OpenEXR picture: {error}") from error
