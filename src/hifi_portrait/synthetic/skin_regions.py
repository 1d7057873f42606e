"""Where on the skin things are: scalp, beard, blush, lips, lids, folds of age.

Regions are given over template points: metres, centred on the head joint, x to the person's left (regions are
the same on both sides), y backwards, z up. They lie on the same feature of every person.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.mesh import HAIRLINE
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.synthetic.body_mesh import body_mesh


@dataclass(frozen=True)
class Scalp:
    """Shape of the scalp beside ``HAIRLINE``; metres."""

    temple_x: float = 0.042
    """Middle of the temple, where a hairline goes back the most."""
    temple_width: float = 0.014
    """Width of the temple."""
    temple_front: float = -0.05
    """The temple lies before this y."""
    receding_front: float = -0.04
    """A hairline goes back before this y only."""
    receding_at_temple: float = 1.5
    """How much farther a hairline goes back at the temple, as a multiple of elsewhere."""
    ear_x: float = 0.070
    """The ear lies beyond this x."""
    ear_top: float = 0.042
    """The ear lies below this z."""
    ear_front: float = -0.055
    """The ear lies behind this y."""
    ear_back: float = -0.010
    """The ear lies before this y."""
    off_scalp: float = -0.02
    """Field on the ear, where no hair grows."""


SCALP = Scalp()


@dataclass(frozen=True)
class Patch:
    """A soft-edged patch of the face, seen from in front; metres."""

    x: float
    """Distance of its middle from the face's."""
    half_width: float
    """Half its width."""
    z: float
    """Height of its middle."""
    half_height: float
    """Half its height."""
    front: float
    """It lies before this y only."""
    power_x: int = 4
    """How steep its edges are sideways: 2 for a Gaussian, more for a box."""
    power_z: int = 4
    """How steep its upper and lower edges are."""

    def at(self, x: Array, y: Array, z: Array) -> Array:
        """Coverage in [0, 1] at template points; ``x`` is not negative."""
        across = ((x - self.x) / self.half_width) ** self.power_x
        along = ((z - self.z) / self.half_height) ** self.power_z
        return np.asarray(np.exp(-across - along) * (y < self.front))


MOUSTACHE = Patch(0.0, 0.027, -0.0235, 0.0062, -0.112)
CHIN = Patch(0.0, 0.023, -0.075, 0.022, -0.070)
MOUTH_CORNERS = Patch(0.029, 0.0065, -0.045, 0.020, -0.09, power_x=2)
AROUND_MOUTH = Patch(0.0, 0.026, -0.0425, 0.0140, -0.1)
"""Lips and what is next to them, which a full beard leaves free."""
EYELID = Patch(0.033, 0.017, 0.0385, 0.0055, -0.09, power_x=2, power_z=2)


@dataclass(frozen=True)
class Jaw:
    """Cheeks and jaw under a full beard; metres. Pairs are where an edge begins and where it ends."""

    cheek_height: float = -0.022
    """Height of the beard's upper edge beside the mouth."""
    cheek_dip: float = 0.010
    """How far that edge sags."""
    cheek_x: float = 0.025
    """Where it begins to sag."""
    cheek_width: float = 0.045
    """Over which width it sags."""
    cheek_rise: float = 0.035
    """How far it rises to the sideburn."""
    rise_x: tuple[float, float] = (0.055, 0.072)
    """Where it rises."""
    edge: tuple[float, float] = (0.0, 0.012)
    """Softness of the upper edge."""
    depth: tuple[float, float] = (0.030, 0.050)
    """How far before the head joint it begins."""
    neck: tuple[float, float] = (0.095, 0.120)
    """How far below the head joint it ends."""
    sideburn_x: tuple[float, float] = (0.060, 0.067)
    """Inner edge of the sideburn."""
    sideburn_back: tuple[float, float] = (0.045, 0.052)
    """Back edge of the sideburn, before the head joint."""
    sideburn_front: tuple[float, float] = (0.068, 0.078)
    """Front edge of the sideburn, before the head joint."""
    sideburn_top: float = 0.05
    """Height of the sideburn's upper end."""
    sideburn_bottom: float = -0.04
    """Height below which the jaw's beard takes its place."""


JAW = Jaw()


def scalp_field(points: Array, hairline: float = 0.0) -> Array:
    """How far a template point (..., 3) lies inside the scalp, metres; negative outside it.

    ``hairline`` is how far the hairline sits back from the usual place, metres.
    """
    x, y, z = np.abs(points[..., 0]), points[..., 1], points[..., 2]
    line = np.interp(y, *HAIRLINE)
    temple = np.exp(-(((x - SCALP.temple_x) / SCALP.temple_width) ** 2)) * (y < SCALP.temple_front)
    field = z - line - hairline * (y < SCALP.receding_front) * (1 + SCALP.receding_at_temple * temple)
    on_ear = (x > SCALP.ear_x) & (z < SCALP.ear_top) & (y > SCALP.ear_front) & (y < SCALP.ear_back)
    return np.where(on_ear, SCALP.off_scalp, field)


def beard_region(points: Array, kind: str) -> Array:
    """Where a beard of ``kind`` grows, [0, 1], at template points (..., 3)."""
    x, y, z = np.abs(points[..., 0]), points[..., 1], points[..., 2]
    moustache, chin, corners = (patch.at(x, y, z) for patch in (MOUSTACHE, CHIN, MOUTH_CORNERS))
    if kind in ("full beard", "stubble"):
        return np.asarray(np.clip(np.maximum.reduce([_full_beard(x, y, z), moustache, chin, corners]), 0, 1))
    if kind == "goatee":
        return np.asarray(np.clip(np.maximum.reduce([moustache, chin, corners]), 0, 1))
    if kind == "moustache":
        return moustache
    return np.zeros(x.shape)


def _full_beard(x: Array, y: Array, z: Array) -> Array:
    """Jaw, cheeks and sideburns, [0, 1]."""
    cheek_line = (
        JAW.cheek_height
        - JAW.cheek_dip * np.sin(np.clip((x - JAW.cheek_x) / JAW.cheek_width, 0, 1) * np.pi)
        + JAW.cheek_rise * smoothstep(x, *JAW.rise_x)
    )
    jaw = smoothstep(cheek_line - z, *JAW.edge) * smoothstep(-y, *JAW.depth)
    jaw *= 1 - smoothstep(-z, *JAW.neck)
    sideburn = (
        smoothstep(x, *JAW.sideburn_x)
        * smoothstep(-y, *JAW.sideburn_back)
        * (1 - smoothstep(-y, *JAW.sideburn_front))
        * (z < JAW.sideburn_top)
    )
    return np.asarray(np.maximum(jaw * (1 - AROUND_MOUTH.at(x, y, z)), sideburn * (z > JAW.sideburn_bottom)))


@dataclass(frozen=True)
class Blob:
    """A Gaussian spot of the skin, on both sides alike."""

    strength: float
    """Its height in the middle."""
    centre: tuple[float, float, float]
    """Template point of its middle, metres."""
    size: tuple[float, float, float]
    """Distances at which it has fallen to 1 / e, metres."""


_FLUSH = (
    Blob(0.85, (0.044, -0.11, -0.010), (0.019, 0.04, 0.017)),
    Blob(0.7, (0.0, -0.15, -0.004), (0.015, 0.02, 0.012)),
    Blob(0.3, (0.0, -0.12, -0.07), (0.02, 0.05, 0.015)),
)
"""Cheeks, tip of the nose and chin, where blood shows."""
_FLUSH_OF_EARS = 0.5
_UNDER_EYE = Blob(1.0, (0.031, -0.12, 0.014), (0.016, 0.03, 0.006))
_NOSTRIL = Blob(1.0, (0.008, -0.143, -0.0145), (0.0045, 0.006, 0.003))


@dataclass(frozen=True)
class AgeLines:
    """Folds that come with age; metres."""

    fold_top: float = -0.006
    """Height at which the fold beside the nose begins."""
    fold_length: float = 0.042
    """Its length downwards."""
    fold_x: tuple[float, float] = (0.0205, 0.0145)
    """Its distance from the middle at the top, and how much more at its end."""
    fold_width: float = 0.0026
    """Its width."""
    fold_begin: tuple[float, float] = (0.02, 0.3)
    """Where it comes in, fractions of its length."""
    fold_end: tuple[float, float] = (0.75, 1.0)
    """Where it goes out, fractions of its length."""
    fold_front: float = -0.09
    """It lies before this y."""
    forehead: tuple[tuple[float, float], ...] = ((0.062, 0.034), (0.070, 0.040), (0.078, 0.036))
    """Height and half width of each line of the forehead."""
    forehead_wave: tuple[float, float] = (0.002, 0.02)
    """How far these rise in the middle, and over which width."""
    forehead_width: float = 0.0011
    """Their width."""
    forehead_fade: float = 0.6
    """Fraction of their half width from which they fade."""
    forehead_front: float = -0.08
    """They lie before this y."""
    crow_slopes: tuple[float, ...] = (-0.45, 0.0, 0.45)
    """Slopes of the lines at an eye's outer corner."""
    crow_corner: tuple[float, float] = (0.052, 0.030)
    """x and z of that corner."""
    crow_width: float = 0.0010
    """Their width."""
    crow_begin: tuple[float, float] = (0.051, 0.055)
    """x over which they come in."""
    crow_end: tuple[float, float] = (0.060, 0.066)
    """x over which they go out."""
    crow_front: float = -0.06
    """They lie before this y."""
    strengths: tuple[float, float, float] = (0.85, 0.55, 0.5)
    """Strength of the fold beside the nose, of the forehead's lines and of those at the eyes."""


AGE_LINES = AgeLines()


@cache
def texel_position() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Template x (not negative), y and z (T, T) under each texel of the head's texture."""
    texel = body_mesh().texel
    return np.abs(texel[..., 0]), texel[..., 1], texel[..., 2]


def _paint_blob(blob: Blob) -> FloatArray:
    px, py, pz = texel_position()
    (x, y, z), size = blob.centre, blob.size
    return np.asarray(
        np.exp(-(((px - x) / size[0]) ** 2) - ((py - y) / size[1]) ** 2 - ((pz - z) / size[2]) ** 2),
        np.float32,
    )


@cache
def flush_region() -> FloatArray:
    """Cheeks, tip of the nose, ears and chin (T, T): where blood shows."""
    cheeks, nose, chin = (blob.strength * _paint_blob(blob) for blob in _FLUSH)
    return np.asarray(cheeks + nose + chin + _FLUSH_OF_EARS * body_mesh().masks["ears"])


@cache
def under_eye_region() -> FloatArray:
    """Below the eyes (T, T)."""
    return _paint_blob(_UNDER_EYE)


@cache
def nostril_region() -> FloatArray:
    """Paint the nostrils (T, T)."""
    return _paint_blob(_NOSTRIL)


@cache
def line_regions() -> FloatArray:
    """Folds that come with age (T, T): beside the nose, on the forehead, at the eyes' outer corners."""
    x, y, z = texel_position()
    lines = AGE_LINES
    t = np.clip((lines.fold_top - z) / lines.fold_length, 0, 1)
    fold_x = lines.fold_x[0] + lines.fold_x[1] * t
    fold = (
        np.exp(-(((x - fold_x) / lines.fold_width) ** 2))
        * smoothstep(t, *lines.fold_begin)
        * (1 - smoothstep(t, *lines.fold_end))
        * (y < lines.fold_front)
    )
    forehead = np.zeros_like(x)
    for height, width in lines.forehead:
        wave = height + lines.forehead_wave[0] * np.cos(x / lines.forehead_wave[1])
        forehead += (
            np.exp(-(((z - wave) / lines.forehead_width) ** 2))
            * (1 - smoothstep(x, width * lines.forehead_fade, width))
            * (y < lines.forehead_front)
        )
    crow = np.zeros_like(x)
    corner_x, corner_z = lines.crow_corner
    for slope in lines.crow_slopes:
        line = corner_z + slope * (x - corner_x)
        crow += (
            np.exp(-(((z - line) / lines.crow_width) ** 2))
            * smoothstep(x, *lines.crow_begin)
            * (1 - smoothstep(x, *lines.crow_end))
        )
    of_fold, of_forehead, of_eyes = lines.strengths
    return np.asarray(
        of_fold * fold + of_forehead * forehead + of_eyes * crow * (y < lines.crow_front), np.float32
    )


_SEAM_HEIGHT, _SEAM_WIDTH = -0.0375, 0.0012
"""Where the lips meet, and how wide the dark line between them is, metres."""
_SEAM_HALF_LENGTH, _SEAM_FRONT = 0.026, -0.118
"""It reaches so far from the middle, and lies before this y, metres."""
_LIP_SOFTNESS = 0.8
"""Blur of the lips' edge, texels."""


@cache
def lip_regions() -> tuple[FloatArray, FloatArray]:
    """Paint the lips and, dark, the line where they meet, (T, T) each."""
    x, y, z = texel_position()
    lips = gaussian_filter(body_mesh().masks["lips"], _LIP_SOFTNESS)
    seam = np.exp(-(((z - _SEAM_HEIGHT) / _SEAM_WIDTH) ** 2)) * (x < _SEAM_HALF_LENGTH) * (y < _SEAM_FRONT)
    return lips, (seam * lips).astype(np.float32)


_LASH_HEIGHT, _LASH_WIDTH, _LASH_FRONT = 0.0235, 0.0014, -0.11
"""Height and width of the lower lashes, and the y before which they lie, metres."""
_LASH_BEGIN, _LASH_END = (0.024, 0.032), (0.044, 0.048)
"""x over which they come in and go out, metres."""


def lower_lash_region() -> FloatArray:
    """Paint the lower lashes (T, T), which the mesh is drawn without."""
    x, y, z = texel_position()
    lashes = (
        np.exp(-(((z - _LASH_HEIGHT) / _LASH_WIDTH) ** 2))
        * smoothstep(x, *_LASH_BEGIN)
        * (1 - smoothstep(x, *_LASH_END))
    )
    return np.asarray(lashes * (y < _LASH_FRONT), np.float32)


def eyelid_region() -> FloatArray:
    """Paint the upper eyelids (T, T), where eyeshadow goes."""
    return EYELID.at(*texel_position()).astype(np.float32)
