"""How bright a matt surface is in some lights."""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.scenery.environment import harmonics
from hifi_portrait.scenery.lights import Lights

_WRAP = (0.1, 0.35)
"""How far a light reaches round a head, as a cosine: of a point, and what a wide soft box adds."""
_WRAPPED_POWER = 1.3
"""Power of the wrapped cosine, so that light does not end in an edge."""


def irradiance(lights: Lights, normals: Array) -> Array:
    """Give the light that surfaces send back, over that of a white matt one.

    Parameters
    ----------
    lights
        Lamps, and the light from all around: harmonics, or a sky and a ground.
    normals
        (..., 3) unit, in the space of the camera: x to the right, y away from it, z up.

    Returns
    -------
    ndarray
        (..., 3) linear, 0 or more.
    """
    if lights.ambient is not None:
        light = harmonics(normals) @ lights.ambient
    else:
        upwards = 0.5 + 0.5 * normals[..., 2:]
        light = upwards * lights.sky + (1 - upwards) * lights.ground
    for direction, rgb, softness in zip(lights.direction, lights.rgb, lights.softness, strict=True):
        wrap = _WRAP[0] + _WRAP[1] * softness
        cosine = np.maximum((normals @ direction + wrap) / (1 + wrap), 0)
        light = light + cosine[..., None] ** _WRAPPED_POWER * rgb
    return np.maximum(light, 0)
