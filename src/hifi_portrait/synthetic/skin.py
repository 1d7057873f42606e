"""The skin's colour texture: complexion, lips, brows, beard, freckles, age lines, make-up.

Everything is painted over the template position of each texel (see ``skin_regions``). The regions are made
once a process; a person mixes them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from hifi_portrait.head.arrays import RGB, Array, FloatArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.synthetic import colours
from hifi_portrait.synthetic.body_mesh import TEXTURE_SIZE, body_mesh
from hifi_portrait.synthetic.brows import brow_alpha, brow_colour
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.skin_regions import (
    beard_region,
    eyelid_region,
    flush_region,
    line_regions,
    lip_regions,
    lower_lash_region,
    nostril_region,
    scalp_field,
    texel_position,
    under_eye_region,
)
from hifi_portrait.synthetic.tile_noise import noise


@dataclass(frozen=True)
class Complexion:
    """How unevenly skin is coloured; a mark is the fractions of red, green and blue that it takes away."""

    mottle: tuple[tuple[float, float], ...] = ((0.022, 3), (0.030, 12), (0.016, 1))
    """Strength of each layer of uneven brightness, and the width of its spots in texels."""
    mottle_rgb: RGB = (0.6, 1.0, 1.1)
    """How much of it each channel has."""
    mottle_height: tuple[float, float] = (-0.10, -0.07)
    """It fades out over these heights of the neck, metres."""
    fair_below: float = 3.5
    """Melanin below which a blush shows fully."""
    flush_of_dark: float = 0.55
    """Strength of a blush on darker skin."""
    flush: RGB = (0.02, 0.24, 0.22)
    """Mark of a blush."""
    tired: tuple[float, float] = (0.15, 0.8)
    """Range of the shadow below the eyes."""
    tired_by_age: float = 0.3
    """How much stronger that shadow is on old skin."""
    under_eye: RGB = (0.12, 0.17, 0.12)
    """Mark of that shadow."""
    lines: RGB = (0.24, 0.32, 0.32)
    """Mark of age lines."""
    nostrils: RGB = (0.70, 0.75, 0.75)
    """Mark of the nostrils."""
    lower_lashes: RGB = (0.30, 0.32, 0.32)
    """Mark of the lower lashes."""


@dataclass(frozen=True)
class Lips:
    """How lips are coloured, and eyelids made up."""

    of_skin: RGB = (0.82, 0.53, 0.53)
    """Colour of bare lips, as a factor on the skin's."""
    bare_under_lipstick: float = 0.3
    """Fraction of the bare lips' colour that is seen under lipstick."""
    lipstick: float = 0.7
    """Fraction of the lipstick's colour that is seen."""
    coverage_woman: float = 0.85
    """Coverage of a woman's lips over the skin."""
    coverage_man: float = 0.68
    """Coverage of a man's lips over the skin."""
    grain: tuple[float, float] = (0.05, 1.5)
    """Strength of their unevenness, and the width of its spots in texels."""
    seam: RGB = (0.45, 0.5, 0.5)
    """What the dark line between them takes away of each channel."""
    eyeshadow: float = 0.5
    """Coverage of eyeshadow."""


@dataclass(frozen=True)
class Spots:
    """Freckles and moles; metres and texels."""

    front: float = -0.06
    """They lie before this y."""
    half_height: float = 0.08
    """They lie above and below the head joint by at most this."""
    freckles: tuple[tuple[float, int], ...] = ((1.1, 500), (1.6, 250))
    """Size in texels of each kind of freckle, and how many there are."""
    freckle_height: float = 0.03
    """Distance from the nose's height at which freckles have paled to 1 / e."""
    freckle_gain: float = 6
    """Strength of a freckle's middle, for each texel of its area."""
    freckle: RGB = (0.28, 0.42, 0.48)
    """What a freckle takes away of each channel."""
    mole_radius: tuple[float, float] = (0.0009, 0.0018)
    """Range of a mole's radius."""
    mole: RGB = (0.06, 0.028, 0.018)
    """Colour of a mole, linear."""
    mole_coverage: float = 0.75
    """Coverage of a mole."""


@dataclass(frozen=True)
class PaintedHair:
    """Hair that is painted on the skin, under the strands that stand on it."""

    stubble: float = 0.42
    """Coverage of stubble."""
    full_beard: float = 0.90
    """Coverage under a full beard."""
    goatee: float = 0.85
    """Coverage under a goatee."""
    moustache: float = 0.88
    """Coverage under a moustache."""
    beard_softness: float = 3
    """Blur of a beard's edge, texels."""
    off_lips: float = 1.6
    """How far the lips keep a beard off."""
    beard_grain: tuple[float, float, float] = (0.78, 0.30, 0.12)
    """Mean coverage of its grain, and the strengths of the fine and the coarse unevenness."""
    beard_grain_width: tuple[float, float] = (0.9, 4)
    """Width of that unevenness, texels."""
    beard_shade: tuple[float, float] = (0.8, 0.006)
    """Factor on the hair's colour, and what is added: beards are a little darker."""
    scalp_edge: tuple[float, float] = (-0.003, 0.006)
    """Over which depths inside the scalp its paint comes in, metres."""
    scalp_grain: tuple[float, float, float] = (0.94, 0.06, 2)
    """Mean coverage of the scalp, strength of its unevenness, and the width of that in texels."""
    scalp_bald: float = 0.14
    """Coverage of a bald scalp: the shade of shaved hair."""
    scalp: float = 0.93
    """Coverage of a scalp under hair."""
    scalp_shade: float = 0.55
    """Factor on the hair's colour on the scalp."""


COMPLEXION, LIPS, SPOTS, PAINTED_HAIR = Complexion(), Lips(), Spots(), PaintedHair()


def _cover(texture: FloatArray, colour: Array | RGB, alpha: FloatArray) -> None:
    """Paint ``colour`` over ``texture`` in place; ``alpha`` (T, T) in [0, 1]."""
    a = alpha[..., None]
    texture *= 1 - a
    texture += a * np.asarray(colour, np.float32)


def _darken(texture: FloatArray, alpha: FloatArray, fraction: RGB) -> None:
    """Take ``fraction`` of each channel away where ``alpha`` (T, T) is 1, in place."""
    texture *= 1 - alpha[..., None] * np.asarray(fraction, np.float32)


def beard_colour(person: Person) -> NDArray[np.float32]:
    """Beards follow the hair, a little darker."""
    factor, added = PAINTED_HAIR.beard_shade
    return (np.asarray(person.hair.rgb) * factor + added).astype(np.float32)


def _paint_complexion(texture: FloatArray, person: Person, rng: np.random.Generator) -> None:
    z = texel_position()[2]
    (fine, fine_width), (coarse, coarse_width), (finest, finest_width) = COMPLEXION.mottle
    mottle = fine * noise(rng, fine_width, TEXTURE_SIZE) + coarse * noise(rng, coarse_width, TEXTURE_SIZE)
    mottle += finest * noise(rng, finest_width, TEXTURE_SIZE)
    on_head = (mottle * smoothstep(z, *COMPLEXION.mottle_height))[..., None]
    texture *= 1 + on_head * np.array(COMPLEXION.mottle_rgb, np.float32)
    pale = 1.0 if person.skin.melanin < COMPLEXION.fair_below else COMPLEXION.flush_of_dark
    _darken(texture, flush_region() * person.skin.redness * pale, COMPLEXION.flush)
    tired = rng.uniform(*COMPLEXION.tired) + COMPLEXION.tired_by_age * person.skin.lines
    _darken(texture, under_eye_region() * tired, COMPLEXION.under_eye)
    _darken(texture, line_regions() * person.skin.lines, COMPLEXION.lines)
    _darken(texture, nostril_region(), COMPLEXION.nostrils)


def _paint_lips(texture: FloatArray, person: Person, rng: np.random.Generator) -> None:
    lips, seam = lip_regions()
    colour = np.asarray(colours.skin_colour(person.skin.melanin)) * LIPS.of_skin
    if person.skin.lipstick is not None:
        colour = LIPS.bare_under_lipstick * colour + LIPS.lipstick * np.asarray(person.skin.lipstick)
    alpha = lips * (LIPS.coverage_woman if person.gender == "woman" else LIPS.coverage_man)
    strength, width = LIPS.grain
    _cover(texture, colour, alpha * (1 + strength * noise(rng, width, TEXTURE_SIZE)))
    _darken(texture, seam, LIPS.seam)


def _paint_spots(texture: FloatArray, person: Person, rng: np.random.Generator) -> None:
    texel = body_mesh().texel
    y, z = texel[..., 1], texel[..., 2]
    rows, columns = np.nonzero((y < SPOTS.front) & (z < SPOTS.half_height) & (z > -SPOTS.half_height))
    if person.skin.freckles > 0:
        freckles = np.zeros((TEXTURE_SIZE, TEXTURE_SIZE), np.float32)
        for sigma, count in SPOTS.freckles:
            pick = rng.integers(0, len(rows), count)
            dots = np.zeros_like(freckles)
            height = z[rows[pick], columns[pick]] / SPOTS.freckle_height
            dots[rows[pick], columns[pick]] = np.exp(-(height**2))
            freckles += gaussian_filter(dots, sigma) * sigma**2 * SPOTS.freckle_gain
        _darken(texture, np.clip(freckles, 0, 1) * person.skin.freckles, SPOTS.freckle)
    for _ in range(person.skin.moles):
        centre = rng.integers(0, len(rows))
        radius = rng.uniform(*SPOTS.mole_radius)
        distance = ((texel - texel[rows[centre], columns[centre]]) ** 2).sum(-1) / radius**2
        _cover(texture, SPOTS.mole, SPOTS.mole_coverage * np.exp(-(distance**2)))


def _paint_eyelids(texture: FloatArray, person: Person) -> None:
    _darken(texture, lower_lash_region(), COMPLEXION.lower_lashes)
    if person.skin.eyeshadow is not None:
        _cover(texture, person.skin.eyeshadow, LIPS.eyeshadow * eyelid_region())


def _paint_hair(texture: FloatArray, person: Person, rng: np.random.Generator) -> None:
    paint = PAINTED_HAIR
    if person.beard != "none":
        strength = {
            "stubble": paint.stubble,
            "full beard": paint.full_beard,
            "goatee": paint.goatee,
            "moustache": paint.moustache,
        }[person.beard]
        region = beard_region(body_mesh().texel, person.beard).astype(np.float32)
        region = gaussian_filter(region, paint.beard_softness)
        region *= 1 - np.clip(paint.off_lips * lip_regions()[0], 0, 1)
        mean, fine, coarse = paint.beard_grain
        fine_width, coarse_width = paint.beard_grain_width
        grain = mean + fine * noise(rng, fine_width, TEXTURE_SIZE)
        grain = np.clip(grain + coarse * noise(rng, coarse_width, TEXTURE_SIZE), 0, 1)
        _cover(texture, beard_colour(person), region * grain * strength)
    field = scalp_field(body_mesh().texel, person.hair.hairline)
    scalp = smoothstep(field, *paint.scalp_edge).astype(np.float32)
    mean, strength, width = paint.scalp_grain
    scalp *= np.clip(mean + strength * noise(rng, width, TEXTURE_SIZE), 0, 1)
    shade = paint.scalp_bald if person.hair.style == "bald" else paint.scalp
    _cover(texture, np.asarray(person.hair.rgb) * paint.scalp_shade, scalp * shade)
    _cover(texture, brow_colour(person), brow_alpha(person, rng))


def skin_texture(person: Person) -> FloatArray:
    """Paint a person's skin, linear RGB reflectance (T, T, 3) in [0, 1]."""
    rng = np.random.default_rng([73, person.seed])
    texture = np.empty((TEXTURE_SIZE, TEXTURE_SIZE, 3), np.float32)
    texture[:] = colours.skin_colour(person.skin.melanin)
    _paint_complexion(texture, person, rng)
    _paint_lips(texture, person, rng)
    _paint_spots(texture, person, rng)
    _paint_eyelids(texture, person)
    _paint_hair(texture, person, rng)
    return np.clip(texture, 0, 1)
