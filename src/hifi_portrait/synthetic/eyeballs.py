"""The picture on an eyeball: sclera, iris with fibres and a dark rim, pupil."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.synthetic.person import Person

SIZE = 192
IRIS = 0.455
"""Sine of the angle the iris' edge makes at the eye's centre."""
PUPIL = 0.44
"""The pupil's fraction of the iris' radius."""


@dataclass(frozen=True)
class EyeColours:
    """How an eyeball is coloured; radii of the iris are fractions of it, those of the eye sines."""

    fibres: tuple[int, int, int] = (37, 5, 61)
    """Waves around the iris of its fibres, of their bend, and of what cuts them."""
    fibre_bend: float = 3
    """How far the fibres bend, radians."""
    fibre_light: tuple[float, float] = (0.7, 0.6)
    """Brightness between fibres, and how much more on them."""
    inner_light: tuple[float, float] = (1.45, 0.5)
    """Brightness next to the pupil, and how much of it is lost further out."""
    inner_radius: tuple[float, float] = (0.35, 0.8)
    """Where it is lost."""
    rim: float = 0.72
    """Darkness of the rim."""
    rim_radius: tuple[float, float] = (0.78, 1.0)
    """Where the rim is."""
    sclera: tuple[float, float, float] = (0.80, 0.77, 0.74)
    """Colour of the white, linear."""
    corner: float = 0.28
    """How much darker the white is in the corners."""
    corner_rgb: tuple[float, float, float] = (0.35, 1.0, 1.0)
    """How much of that each channel has: corners are reddish."""
    corner_radius: tuple[float, float] = (0.62, 1.0)
    """Where the corners are."""
    pupil: float = 0.004
    """Reflectance of the pupil."""


EYE_COLOURS = EyeColours()


def eye_texture(person: Person) -> NDArray[np.float32]:
    """Reflectance (SIZE, SIZE, 3) over the sideways and upward direction from the eye's centre, -1 to 1."""
    rng = np.random.default_rng([74, person.seed])
    grid = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    x, z = np.meshgrid(grid, grid)
    radius, angle = np.hypot(x, z), np.arctan2(z, x)
    a, b = rng.random(2) * 6
    look = EYE_COLOURS
    waves, bends, cuts = look.fibres
    bent = angle * waves + look.fibre_bend * np.sin(angle * bends + a)
    fibres = 0.5 + 0.5 * np.sin(bent) * np.cos(angle * cuts + b)
    inner = look.inner_light[0] - look.inner_light[1] * smoothstep(radius / IRIS, *look.inner_radius)
    rim = 1 - look.rim * smoothstep(radius / IRIS, *look.rim_radius)
    light = look.fibre_light[0] + look.fibre_light[1] * fibres
    iris = np.asarray(person.eye_rgb) * (light * inner * rim)[..., None]
    corner = smoothstep(radius, *look.corner_radius)[..., None]
    sclera = np.array(look.sclera) * (1 - look.corner * corner * np.array(look.corner_rgb))
    in_iris = (1 - smoothstep(radius, IRIS * 0.95, IRIS * 1.06))[..., None]
    in_pupil = (1 - smoothstep(radius, IRIS * PUPIL * 0.9, IRIS * PUPIL * 1.1))[..., None]
    texture = sclera * (1 - in_iris) + iris * in_iris
    return np.asarray(np.clip(texture * (1 - in_pupil) + look.pupil * in_pupil, 0, 1), np.float32)
