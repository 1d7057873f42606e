"""Eyebrows: hairs drawn on the skin's texture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.synthetic.body_mesh import TEXTURE_SIZE
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.skin_regions import texel_position
from hifi_portrait.synthetic.tile_noise import noise


@dataclass(frozen=True)
class BrowShape:
    """What all eyebrows have in common; metres, or fractions of a brow's length from the nose outwards."""

    start: float = 0.0125
    """Distance of their inner ends from the face's middle."""
    height: float = 0.0462
    """Height of their inner ends."""
    peak: float = 0.68
    """Where they are highest."""
    fall: float = 1.3
    """How far they fall behind the peak, as a multiple of their rise to it."""
    fall_length: float = 0.32
    """Over which part of their length they fall."""
    inner_lift: float = 0.0022
    """How far the inner end is drawn up."""
    inner_length: float = 0.4
    """Where that ends."""
    least_arch: float = 0.0008
    """Rise to the peak of a brow without arch."""
    arch_gain: float = 0.8
    """Rise to the peak for each metre of ``BrowTraits.arch``."""
    thin_from: float = 0.45
    """Where they begin to thin out."""
    thinning: float = 0.72
    """By which fraction they thin out."""
    thinning_length: float = 0.55
    """Over which part of their length they thin out."""
    inner_width: tuple[float, float] = (0.72, 0.28)
    """Width of the inner end, as a fraction of the full width, and what the full width has more."""
    inner_width_end: float = 0.25
    """Where they have their full width."""
    fade_in: tuple[float, float] = (-0.06, 0.14)
    """Where they come in."""
    fade_out: tuple[float, float] = (0.9, 1.06)
    """Where they go out."""
    front: float = -0.07
    """They lie before this y."""
    hair_pitch: float = 0.0017
    """Distance from one drawn hair to the next."""
    hair_lean: tuple[float, float] = (1.2, 2.6)
    """Lean of the hairs at the nose, and how much less at the tail: they rise, then lie flat."""
    hair_range: tuple[float, float] = (-0.5, 1.2)
    """Bounds of that lean."""
    hair_jitter: float = 2.4
    """How unevenly they are spaced, radians."""
    coverage: tuple[float, float] = (0.78, 0.35)
    """Coverage between hairs, and how much more on them."""
    max_coverage: float = 0.96
    """Skin shows through by the rest."""


BROW = BrowShape()


def brow_alpha(person: Person, rng: np.random.Generator) -> FloatArray:
    """Coverage of the eyebrows (T, T): drawn hairs that rise at the nose and lie flat at the tail."""
    x, y, z = texel_position()
    brow = person.brows
    t = (x - BROW.start) / (brow.length - BROW.start)
    inside = np.clip(t, 0, 1)
    fall = BROW.fall * np.clip(inside - BROW.peak, 0, 1) / BROW.fall_length
    peak = np.clip(inside / BROW.peak, 0, 1) - fall
    inner_lift = BROW.inner_lift * (1 - np.clip(inside / BROW.inner_length, 0, 1))
    rise = BROW.least_arch + BROW.arch_gain * brow.arch + brow.tilt
    centre = BROW.height + brow.height + rise * peak + inner_lift
    thinning = BROW.thinning * np.clip(t - BROW.thin_from, 0, 1) / BROW.thinning_length
    width = brow.thickness * (1 - thinning)
    at_nose, more = BROW.inner_width
    width = width * (at_nose + more * smoothstep(t, 0.0, BROW.inner_width_end))
    across = (z - centre) / np.maximum(width, 1e-4)
    shape = (
        np.exp(-(np.abs(across) ** 3)) * smoothstep(t, *BROW.fade_in) * (1 - smoothstep(t, *BROW.fade_out))
    )
    shape = shape * (y < BROW.front)
    lean = np.clip(BROW.hair_lean[0] - BROW.hair_lean[1] * t, *BROW.hair_range)
    jitter = BROW.hair_jitter * noise(rng, 2, TEXTURE_SIZE)
    hairs = 0.5 + 0.5 * np.sin((x - lean * (z - centre)) * 2 * np.pi / BROW.hair_pitch + jitter)
    covered = shape * (BROW.coverage[0] + BROW.coverage[1] * hairs) * brow.density
    return np.asarray(np.clip(covered, 0, BROW.max_coverage), np.float32)


_GREY_BROW = (0.150, 0.140, 0.130)
"""Colour of the brows under grey and white hair, linear."""
_LIGHTEST_BROW = (0.110, 0.066, 0.036)
"""No brow is lighter than this before it is darkened, linear."""
_BROW_DARKENING = 0.7


def brow_colour(person: Person) -> NDArray[np.float32]:
    """Brows follow the hair but are darker than blond and less white than white."""
    if person.hair.colour in ("grey", "white"):
        return np.array(_GREY_BROW, np.float32)
    return (np.minimum(person.hair.rgb, _LIGHTEST_BROW) * _BROW_DARKENING).astype(np.float32)
