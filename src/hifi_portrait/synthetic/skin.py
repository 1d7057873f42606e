"""The skin's colour texture: complexion, lips, brows, beard, freckles, age lines, make-up.

Everything is painted over the template position of each texel, so a region lies on the same feature of every
person. The regions are made once a process; a person mixes them.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.mesh import HAIRLINE
from hifi_portrait.synthetic import colours
from hifi_portrait.synthetic.body_mesh import TEXTURE_SIZE, body_mesh
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.tile_noise import noise, smoothstep


def scalp_field(points: NDArray, hairline: float = 0.0) -> NDArray:
    """How far a template point (..., 3) lies inside the scalp, metres; negative outside it."""
    x, y, z = np.abs(points[..., 0]), points[..., 1], points[..., 2]
    line = np.interp(y, *HAIRLINE)
    temple = np.exp(-(((x - 0.042) / 0.014) ** 2)) * (y < -0.05)
    field = z - line - hairline * (y < -0.04) * (1 + 1.5 * temple)
    on_ear = (x > 0.070) & (z < 0.042) & (y > -0.055) & (y < -0.010)
    return np.where(on_ear, -0.02, field)


def beard_region(points: NDArray, kind: str) -> NDArray:
    """Where a beard of ``kind`` grows, [0, 1], at template points (..., 3)."""
    x, y, z = np.abs(points[..., 0]), points[..., 1], points[..., 2]
    moustache = np.exp(-((x / 0.027) ** 4) - ((z + 0.0235) / 0.0062) ** 4) * (y < -0.112)
    chin = np.exp(-((x / 0.023) ** 4) - ((z + 0.075) / 0.022) ** 4) * (y < -0.070)
    corners = np.exp(-(((x - 0.029) / 0.0065) ** 2) - ((z + 0.045) / 0.020) ** 4) * (y < -0.09)
    cheek_line = (
        -0.022
        - 0.010 * np.sin(np.clip((x - 0.025) / 0.045, 0, 1) * np.pi)
        + 0.035 * smoothstep(x, 0.055, 0.072)
    )
    jaw = smoothstep(cheek_line - z, 0.0, 0.012) * smoothstep(-y, 0.030, 0.050)
    jaw *= 1 - smoothstep(-z, 0.095, 0.120)
    sideburn = (
        smoothstep(x, 0.060, 0.067)
        * smoothstep(-y, 0.045, 0.052)
        * (1 - smoothstep(-y, 0.068, 0.078))
        * (z < 0.05)
    )
    around_mouth = np.exp(-((x / 0.026) ** 4) - ((z + 0.0425) / 0.0140) ** 4) * (y < -0.1)
    full = np.maximum(jaw * (1 - around_mouth), sideburn * (z > -0.04))
    if kind in ("full beard", "stubble"):
        return np.clip(np.maximum.reduce([full, moustache, chin, corners]), 0, 1)
    if kind == "goatee":
        return np.clip(np.maximum.reduce([moustache, chin, corners]), 0, 1)
    if kind == "moustache":
        return moustache
    return np.zeros(x.shape)


@cache
def _position() -> tuple[FloatArray, FloatArray, FloatArray]:
    texel = body_mesh().texel
    return np.abs(texel[..., 0]), texel[..., 1], texel[..., 2]


def _blob(x: float, y: float, z: float, size: tuple[float, float, float]) -> FloatArray:
    px, py, pz = _position()
    return np.exp(
        -(((px - x) / size[0]) ** 2) - ((py - y) / size[1]) ** 2 - ((pz - z) / size[2]) ** 2
    ).astype(np.float32)


@cache
def _flush_region() -> FloatArray:
    """Cheeks, tip of the nose, ears and chin: where blood shows."""
    cheeks = 0.85 * _blob(0.044, -0.11, -0.010, (0.019, 0.04, 0.017))
    nose = 0.7 * _blob(0, -0.15, -0.004, (0.015, 0.02, 0.012))
    chin = 0.3 * _blob(0, -0.12, -0.07, (0.02, 0.05, 0.015))
    return cheeks + nose + chin + 0.5 * body_mesh().masks["ears"]


@cache
def _under_eye_region() -> FloatArray:
    return _blob(0.031, -0.12, 0.014, (0.016, 0.03, 0.006))


@cache
def _line_regions() -> FloatArray:
    """Folds that come with age: beside the nose, on the forehead, at the eyes' outer corners."""
    x, y, z = _position()
    t = np.clip((-0.006 - z) / 0.042, 0, 1)
    fold_x = 0.0205 + 0.0145 * t
    fold = (
        np.exp(-(((x - fold_x) / 0.0026) ** 2))
        * smoothstep(t, 0.02, 0.3)
        * (1 - smoothstep(t, 0.75, 1.0))
        * (y < -0.09)
    )
    forehead = np.zeros_like(x)
    for height, width in ((0.062, 0.034), (0.070, 0.040), (0.078, 0.036)):
        wave = height + 0.002 * np.cos(x / 0.02)
        forehead += (
            np.exp(-(((z - wave) / 0.0011) ** 2)) * (1 - smoothstep(x, width * 0.6, width)) * (y < -0.08)
        )
    crow = np.zeros_like(x)
    for slope in (-0.45, 0.0, 0.45):
        line = 0.030 + slope * (x - 0.052)
        crow += (
            np.exp(-(((z - line) / 0.0010) ** 2))
            * smoothstep(x, 0.051, 0.055)
            * (1 - smoothstep(x, 0.060, 0.066))
        )
    return (0.85 * fold + 0.55 * forehead + 0.5 * crow * (y < -0.06)).astype(np.float32)


@cache
def _lip_regions() -> tuple[FloatArray, FloatArray]:
    """The lips and, dark, the line where they meet."""
    x, y, z = _position()
    lips = gaussian_filter(body_mesh().masks["lips"], 0.8)
    seam = np.exp(-(((z + 0.0375) / 0.0012) ** 2)) * (x < 0.026) * (y < -0.118)
    return lips, (seam * lips).astype(np.float32)


@cache
def _nostril_region() -> FloatArray:
    return _blob(0.008, -0.143, -0.0145, (0.0045, 0.006, 0.003))


def _over(texture: FloatArray, colour: NDArray | tuple[float, float, float], alpha: FloatArray) -> None:
    """Paint ``colour`` over ``texture`` in place; ``alpha`` (T, T) in [0, 1]."""
    a = alpha[..., None]
    texture *= 1 - a
    texture += a * np.asarray(colour, np.float32)


def _darken(texture: FloatArray, alpha: FloatArray, fraction: tuple[float, float, float]) -> None:
    texture *= 1 - alpha[..., None] * np.asarray(fraction, np.float32)


def brow_alpha(person: Person, rng: np.random.Generator) -> FloatArray:
    """Coverage of the eyebrows (T, T): drawn hairs that rise at the nose and lie flat at the tail."""
    x, y, z = _position()
    brow = person.brows
    start = 0.0125
    t = (x - start) / (brow.length - start)
    inside = np.clip(t, 0, 1)
    peak = np.clip(inside / 0.68, 0, 1) - 1.3 * np.clip(inside - 0.68, 0, 1) / 0.32
    inner_lift = 0.0022 * (1 - np.clip(inside / 0.4, 0, 1))
    centre = 0.0462 + brow.height + (0.0008 + 0.8 * brow.arch + brow.tilt) * peak + inner_lift
    width = brow.thickness * (1 - 0.72 * np.clip(t - 0.45, 0, 1) / 0.55)
    width = width * (0.72 + 0.28 * smoothstep(t, 0.0, 0.25))
    across = (z - centre) / np.maximum(width, 1e-4)
    shape = np.exp(-(np.abs(across) ** 3)) * smoothstep(t, -0.06, 0.14) * (1 - smoothstep(t, 0.9, 1.06))
    shape = shape * (y < -0.07)
    lean = np.clip(1.2 - 2.6 * t, -0.5, 1.2)
    hairs = 0.5 + 0.5 * np.sin(
        (x - lean * (z - centre)) * 2 * np.pi / 0.0017 + 2.4 * noise(rng, 2, TEXTURE_SIZE)
    )
    return np.clip(shape * (0.78 + 0.35 * hairs) * brow.density, 0, 0.96).astype(np.float32)


def brow_colour(person: Person) -> NDArray[np.float32]:
    """Brows follow the hair but are darker than blond and less white than white."""
    if person.hair.colour in ("grey", "white"):
        return np.array((0.150, 0.140, 0.130), np.float32)
    return (np.minimum(person.hair.rgb, (0.110, 0.066, 0.036)) * 0.7).astype(np.float32)


def beard_colour(person: Person) -> NDArray[np.float32]:
    """Beards follow the hair, a little darker."""
    return (np.asarray(person.hair.rgb) * 0.8 + 0.006).astype(np.float32)


def _paint_complexion(texture: FloatArray, person: Person, rng: np.random.Generator) -> None:
    z = _position()[2]
    mottle = 0.022 * noise(rng, 3, TEXTURE_SIZE) + 0.030 * noise(rng, 12, TEXTURE_SIZE)
    mottle += 0.016 * noise(rng, 1, TEXTURE_SIZE)
    texture *= 1 + (mottle * smoothstep(z, -0.10, -0.07))[..., None] * np.array((0.6, 1.0, 1.1), np.float32)
    pale = 1.0 if person.skin.melanin < 3.5 else 0.55
    _darken(texture, _flush_region() * person.skin.redness * pale, (0.02, 0.24, 0.22))
    tired = rng.uniform(0.15, 0.8) + 0.3 * person.skin.lines
    _darken(texture, _under_eye_region() * tired, (0.12, 0.17, 0.12))
    _darken(texture, _line_regions() * person.skin.lines, (0.24, 0.32, 0.32))
    _darken(texture, _nostril_region(), (0.70, 0.75, 0.75))


def _paint_lips(texture: FloatArray, person: Person, rng: np.random.Generator) -> None:
    lips, seam = _lip_regions()
    colour = np.asarray(colours.skin_colour(person.skin.melanin)) * (0.82, 0.53, 0.53)
    if person.skin.lipstick is not None:
        colour = 0.3 * colour + 0.7 * np.asarray(person.skin.lipstick)
    alpha = lips * (0.85 if person.gender == "woman" else 0.68)
    _over(texture, colour, alpha * (1 + 0.05 * noise(rng, 1.5, TEXTURE_SIZE)))
    _darken(texture, seam, (0.45, 0.5, 0.5))


def _paint_spots(texture: FloatArray, person: Person, rng: np.random.Generator) -> None:
    texel = body_mesh().texel
    rows, columns = np.nonzero((texel[..., 1] < -0.06) & (texel[..., 2] < 0.08) & (texel[..., 2] > -0.08))
    if person.skin.freckles > 0:
        freckles = np.zeros((TEXTURE_SIZE, TEXTURE_SIZE), np.float32)
        for sigma, count in ((1.1, 500), (1.6, 250)):
            pick = rng.integers(0, len(rows), count)
            dots = np.zeros_like(freckles)
            dots[rows[pick], columns[pick]] = np.exp(-((texel[rows[pick], columns[pick], 2] / 0.03) ** 2))
            freckles += gaussian_filter(dots, sigma) * sigma**2 * 6
        _darken(texture, np.clip(freckles, 0, 1) * person.skin.freckles, (0.28, 0.42, 0.48))
    for _ in range(person.skin.moles):
        centre = rng.integers(0, len(rows))
        radius = rng.uniform(0.0009, 0.0018)
        distance = ((texel - texel[rows[centre], columns[centre]]) ** 2).sum(-1) / radius**2
        _over(texture, (0.06, 0.028, 0.018), 0.75 * np.exp(-(distance**2)))


def _paint_eyelids(texture: FloatArray, person: Person) -> None:
    x, y, z = _position()
    lower_lashes = (
        np.exp(-(((z - 0.0235) / 0.0014) ** 2))
        * smoothstep(x, 0.024, 0.032)
        * (1 - smoothstep(x, 0.044, 0.048))
    )
    _darken(texture, (lower_lashes * (y < -0.11)).astype(np.float32), (0.30, 0.32, 0.32))
    if person.skin.eyeshadow is not None:
        lid = np.exp(-(((x - 0.033) / 0.017) ** 2) - ((z - 0.0385) / 0.0055) ** 2) * (y < -0.09)
        _over(texture, person.skin.eyeshadow, 0.5 * lid.astype(np.float32))


def _paint_hair(texture: FloatArray, person: Person, rng: np.random.Generator) -> None:
    if person.beard != "none":
        strength = {"stubble": 0.42, "full beard": 0.90, "goatee": 0.85, "moustache": 0.88}[person.beard]
        region = gaussian_filter(beard_region(body_mesh().texel, person.beard).astype(np.float32), 3)
        region *= 1 - np.clip(1.6 * _lip_regions()[0], 0, 1)
        grain = np.clip(
            0.78 + 0.30 * noise(rng, 0.9, TEXTURE_SIZE) + 0.12 * noise(rng, 4, TEXTURE_SIZE), 0, 1
        )
        _over(texture, beard_colour(person), region * grain * strength)
    scalp = smoothstep(scalp_field(body_mesh().texel, person.hair.hairline), -0.003, 0.006).astype(np.float32)
    scalp *= np.clip(0.94 + 0.06 * noise(rng, 2, TEXTURE_SIZE), 0, 1)
    shade = 0.14 if person.hair.style == "bald" else 0.93
    _over(texture, np.asarray(person.hair.rgb) * 0.55, scalp * shade)
    _over(texture, brow_colour(person), brow_alpha(person, rng))


def skin_texture(person: Person) -> FloatArray:
    """The person's skin, linear RGB reflectance (T, T, 3) in [0, 1]."""
    rng = np.random.default_rng([73, person.seed])
    texture = np.empty((TEXTURE_SIZE, TEXTURE_SIZE, 3), np.float32)
    texture[:] = colours.skin_colour(person.skin.melanin)
    _paint_complexion(texture, person, rng)
    _paint_lips(texture, person, rng)
    _paint_spots(texture, person, rng)
    _paint_eyelids(texture, person)
    _paint_hair(texture, person, rng)
    return np.clip(texture, 0, 1)
