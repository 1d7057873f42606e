"""Ways to light a portrait."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head.arrays import RGB


@dataclass(frozen=True)
class Lamp:
    """A distant light. Angles in degrees as the camera sees them: azimuth to the right, elevation up."""

    azimuth: tuple[float, float]
    """Range it is drawn from; the side is drawn too."""
    elevation: tuple[float, float]
    strength: tuple[float, float]
    colour: RGB
    softness: float
    """0 hard to 1 very soft."""
    opposite: bool = False
    """Stands on the other side than the first lamp."""


@dataclass(frozen=True)
class Lighting:
    """Lamps and the light from all around."""

    fraction: float
    """How often it is used."""
    lamps: tuple[Lamp, ...]
    sky: RGB
    ground: RGB
    exposure: float = 1.0
    phrase: str = ""


LIGHTINGS: dict[str, Lighting] = {
    "soft studio light": Lighting(
        0.34,
        (
            Lamp((15, 45), (20, 40), (1.5, 1.9), (1.0, 0.98, 0.95), 0.9),
            Lamp((30, 60), (5, 20), (0.5, 0.8), (0.96, 0.98, 1.0), 1.0, opposite=True),
        ),
        (0.50, 0.50, 0.52),
        (0.34, 0.32, 0.30),
    ),
    "window light": Lighting(
        0.22,
        (Lamp((50, 75), (10, 30), (2.0, 2.6), (0.95, 0.99, 1.06), 0.8),),
        (0.40, 0.43, 0.48),
        (0.24, 0.22, 0.20),
    ),
    "sunlight": Lighting(
        0.18,
        (Lamp((20, 60), (35, 58), (2.6, 3.2), (1.10, 1.0, 0.86), 0.12),),
        (0.50, 0.58, 0.72),
        (0.36, 0.32, 0.25),
        1.05,
    ),
    "evening light": Lighting(
        0.14,
        (
            Lamp((35, 70), (6, 18), (2.1, 2.7), (1.28, 0.88, 0.55), 0.35),
            Lamp((90, 130), (10, 30), (0.5, 0.9), (0.75, 0.85, 1.15), 0.6, opposite=True),
        ),
        (0.36, 0.37, 0.46),
        (0.24, 0.20, 0.18),
        0.95,
    ),
    "low-key light": Lighting(
        0.12,
        (
            Lamp((35, 65), (22, 42), (2.6, 3.2), (1.02, 0.98, 0.92), 0.5),
            Lamp((110, 140), (15, 35), (0.8, 1.4), (0.92, 0.96, 1.06), 0.4, opposite=True),
        ),
        (0.13, 0.13, 0.14),
        (0.09, 0.085, 0.08),
        0.72,
    ),
}


@dataclass(frozen=True)
class Lights:
    """The lights of one picture, as the shading kernel takes them."""

    direction: NDArray[np.float64]
    """(L, 3) unit, towards each light."""
    rgb: NDArray[np.float64]
    """(L, 3)"""
    softness: NDArray[np.float64]
    """(L,)"""
    sky: NDArray[np.float64]
    ground: NDArray[np.float64]
    exposure: float
    ambient: NDArray[np.float64] | None = None
    """(9, 3) spherical harmonics of the light from all around, over pi; None for ``sky`` and ``ground``."""
    metering: float = 0.6
    """How far the exposure follows the brightness of the face: 0 not at all, 1 wholly."""


def arrange(name: str, rng: np.random.Generator) -> Lights:
    """Place the lamps of a lighting, with some variation."""
    lighting = LIGHTINGS[name]
    side = rng.choice([-1.0, 1.0])
    directions, colours, softness = [], [], []
    for lamp in lighting.lamps:
        azimuth = np.radians(rng.uniform(*lamp.azimuth)) * side * (-1 if lamp.opposite else 1)
        elevation = np.radians(rng.uniform(*lamp.elevation))
        directions.append(
            (np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation))
        )
        colours.append(np.array(lamp.colour) * rng.uniform(*lamp.strength) * np.exp(rng.normal(0, 0.03, 3)))
        softness.append(lamp.softness)
    fill = rng.uniform(0.8, 1.2)
    return Lights(
        np.array(directions),
        np.array(colours),
        np.array(softness),
        np.array(lighting.sky) * fill,
        np.array(lighting.ground) * fill,
        lighting.exposure * float(np.exp(rng.normal(0, 0.08))),
    )
