"""The picture on an eyeball: sclera, iris with fibres and a dark rim, pupil."""

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.tile_noise import smoothstep

SIZE = 192
IRIS = 0.455
"""Sine of the angle the iris' edge makes at the eye's centre."""
PUPIL = 0.44
"""The pupil's fraction of the iris' radius."""


def eye_texture(person: Person) -> NDArray[np.float32]:
    """Reflectance (SIZE, SIZE, 3) over the sideways and upward direction from the eye's centre, -1 to 1."""
    rng = np.random.default_rng([74, person.seed])
    grid = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    x, z = np.meshgrid(grid, grid)
    radius, angle = np.hypot(x, z), np.arctan2(z, x)
    a, b = rng.random(2) * 6
    fibres = 0.5 + 0.5 * np.sin(angle * 37 + 3 * np.sin(angle * 5 + a)) * np.cos(angle * 61 + b)
    inner = 1.45 - 0.5 * smoothstep(radius / IRIS, 0.35, 0.8)
    rim = 1 - 0.72 * smoothstep(radius / IRIS, 0.78, 1.0)
    iris = np.asarray(person.eye_rgb) * ((0.7 + 0.6 * fibres) * inner * rim)[..., None]
    corner = smoothstep(radius, 0.62, 1.0)[..., None]
    sclera = np.array((0.80, 0.77, 0.74)) * (1 - 0.28 * corner * np.array((0.35, 1.0, 1.0)))
    in_iris = (1 - smoothstep(radius, IRIS * 0.95, IRIS * 1.06))[..., None]
    in_pupil = (1 - smoothstep(radius, IRIS * PUPIL * 0.9, IRIS * PUPIL * 1.1))[..., None]
    texture = sclera * (1 - in_iris) + iris * in_iris
    return np.clip(texture * (1 - in_pupil) + 0.004 * in_pupil, 0, 1).astype(np.float32)
