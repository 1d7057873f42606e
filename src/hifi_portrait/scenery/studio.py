"""Lights that a portrait may be set in, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.scenery.lights import LIGHTINGS, Lights, arrange

_SEED = 3
"""Of where lamps stand: in the same places for every picture."""

_DARKER_BEHIND = 3.0
"""Power of a lighting's exposure by which the background becomes darker: the lamps are for the person."""

NEON = "neon light"
"""A pink tube on the left and a blue one on the right."""

LIGHT_NAMES = (*LIGHTINGS, NEON)
"""Names of `named_lights`."""


@dataclass(frozen=True, eq=False)
class StudioLight:
    """A light that falls on a person."""

    lights: Lights
    """Lamps, and the light from all around, in the space of the camera."""
    exposure: float = 1.0
    """How bright the person is in it, as a factor on linear light."""

    @property
    def behind(self) -> float:
        """How bright a photo's own background is in it."""
        return float(self.exposure**_DARKER_BEHIND)


@dataclass(frozen=True, eq=False)
class LightOnPerson:
    """By which factors a light makes a picture lighter or darker, and of which hue."""

    factors: FloatArray
    """(H, W, 3), 0 or more, on the person's linear light."""
    behind: FloatArray
    """(3,) on that of the photo's own background."""


@cache
def named_lights() -> Mapping[str, StudioLight]:
    """Give the lights by their names, `LIGHT_NAMES`."""
    arranged = {name: arrange(name, np.random.default_rng(_SEED)) for name in LIGHTINGS}
    tubes = np.array(((-0.8, -0.5, 0.25), (0.85, -0.45, 0.1)))
    neon = Lights(
        tubes / np.linalg.norm(tubes, axis=1, keepdims=True),
        np.array(((2.4, 0.45, 1.7), (0.35, 0.9, 2.6))),
        np.array((0.7, 0.7)),
        np.array((0.10, 0.09, 0.16)),
        np.array((0.08, 0.06, 0.12)),
        0.6,
    )
    known = {name: StudioLight(lights, min(lights.exposure, 1.0)) for name, lights in arranged.items()}
    return {**known, NEON: StudioLight(neon, neon.exposure)}


def check_light(name: Any) -> None:
    """Check the name of a light, as a call takes it.

    Raises
    ------
    ValueError
        It is neither "photo" nor one of `LIGHT_NAMES`.
    """
    if name not in ("photo", *LIGHT_NAMES):
        known = ", ".join(map(repr, ("photo", *LIGHT_NAMES)))
        raise ValueError(f"`light` must be one of {known}, but is {name!r:.80}")
