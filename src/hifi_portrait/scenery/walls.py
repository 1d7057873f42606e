"""Backdrops with a pattern: brick, wood, concrete, tiles, shelves of books, lights out of focus."""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from hifi_portrait.head.arrays import RGB, Array, FloatArray
from hifi_portrait.head.numerics import smoothstep

WALLS: dict[str, float] = {
    "bokeh": 0.26,
    "brick wall": 0.20,
    "wooden wall": 0.18,
    "concrete wall": 0.12,
    "tiled wall": 0.12,
    "bookshelf": 0.12,
}
"""Kinds and how often each is chosen among them."""
COLOURED_WALLS = ("bokeh", "brick wall", "wooden wall", "tiled wall")
"""Those whose colour captions name."""
WALL_COLOURS: dict[str, dict[str, RGB]] = {
    "bokeh": {
        "blue": (0.10, 0.25, 0.80),
        "golden": (1.00, 0.55, 0.12),
        "green": (0.15, 0.60, 0.18),
        "pink": (0.95, 0.25, 0.45),
        "purple": (0.45, 0.15, 0.75),
        "red": (0.90, 0.08, 0.06),
        "white": (0.90, 0.88, 0.85),
        "teal": (0.06, 0.55, 0.55),
    },
    "brick wall": {
        "red": (0.28, 0.085, 0.055),
        "brown": (0.17, 0.090, 0.055),
        "white": (0.62, 0.60, 0.56),
        "grey": (0.22, 0.21, 0.20),
    },
    "wooden wall": {
        "brown": (0.17, 0.085, 0.038),
        "dark brown": (0.060, 0.030, 0.014),
        "light brown": (0.42, 0.26, 0.13),
        "grey": (0.24, 0.225, 0.205),
        "white": (0.62, 0.60, 0.56),
        "blue": (0.10, 0.20, 0.36),
        "green": (0.13, 0.24, 0.13),
    },
    "tiled wall": {
        "white": (0.66, 0.67, 0.66),
        "blue": (0.08, 0.22, 0.46),
        "green": (0.08, 0.30, 0.18),
        "black": (0.018, 0.018, 0.020),
        "pink": (0.66, 0.33, 0.36),
        "yellow": (0.70, 0.50, 0.12),
    },
}
"""Linear colours of each coloured kind, by name."""


def paint_wall(kind: str, colour: RGB, size: int, rng: np.random.Generator) -> FloatArray:
    """Linear picture (size, size, 3) of one of ``WALLS``, a little out of focus."""
    painter, blur = _PAINTERS[kind]
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size - 0.5
    tilt, zoom = rng.normal(0, 0.012), rng.uniform(0.85, 1.25)
    x, y = (x + tilt * y) * zoom + rng.uniform(0, 4), (y - tilt * x) * zoom + rng.uniform(0, 4)
    picture = painter(x, y, np.asarray(colour, np.float64), rng)
    sigma = size * blur * rng.uniform(0.7, 1.6)
    picture = gaussian_filter(picture, (sigma, sigma, 0), mode="nearest", truncate=2.5)
    fall = (
        1
        + rng.normal(0, 0.25) * np.linspace(-0.5, 0.5, size)[None]
        + rng.normal(0, 0.12) * np.linspace(-0.5, 0.5, size)[:, None]
    )
    return np.asarray(
        np.clip(picture * np.clip(fall, 0.5, 1.5)[..., None] * rng.uniform(0.75, 1.15), 0, 1.6), np.float32
    )


def _hash(i: Array, j: Array, salt: int) -> Array:
    """Make a number in [0, 1) for each pair of whole numbers."""
    value = np.sin(i * 127.1 + j * 311.7 + salt * 17.3) * 43758.5453
    return np.asarray(value - np.floor(value))


def _rough(shape: tuple[int, ...], rng: np.random.Generator, sigma: float | tuple[float, float]) -> Array:
    field = gaussian_filter(rng.standard_normal(shape), sigma)
    return np.asarray(field / field.std())


def _brick(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    height, width = rng.uniform(0.045, 0.06), rng.uniform(0.13, 0.17)
    row = np.floor(y / height)
    along = x / width + 0.5 * (row % 2)
    column = np.floor(along)
    u, v = along - column, y / height - row
    joint = 0.09
    inside = (
        smoothstep(np.minimum(u, 1 - u), 0.01, 0.045)
        * smoothstep(np.minimum(v, 1 - v), joint * 0.4, joint * 1.4)
    )[..., None]
    shade = (0.65 + 0.7 * _hash(column, row, int(rng.integers(99))))[..., None]
    shade = shade * (1 + 0.10 * _rough(x.shape, rng, 1.2))[..., None]
    mortar = (0.35 * rgb + 0.65 * np.array((0.42, 0.39, 0.35))) * rng.uniform(0.5, 1.1)
    return np.asarray(rgb * shade * inside + mortar * (1 - inside))


def _wood(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    if rng.random() < 0.4:
        x, y = y, x
    width = rng.uniform(0.09, 0.15)
    plank = np.floor(x / width)
    u = x / width - plank
    grain = np.sin(
        90 * u + 9 * np.sin(3.1 * y + 9 * _hash(plank, plank * 0, 3)) + 40 * _hash(plank, plank * 0, 7)
    )
    shade = 0.75 + 0.45 * _hash(plank, plank * 0, int(rng.integers(99))) + 0.09 * grain
    gap = smoothstep(np.minimum(u, 1 - u), 0.01, 0.05)
    return np.asarray(rgb * (shade * (0.25 + 0.75 * gap))[..., None])


def _concrete(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    size = x.shape[0]
    base = np.array((0.30, 0.295, 0.285)) * rng.uniform(0.5, 1.4)
    stain = 1 + 0.11 * _rough(x.shape, rng, size / 12) + 0.06 * _rough(x.shape, rng, size / 60)
    streak = 1 - 0.08 * np.clip(_rough(x.shape, rng, (size / 5, size / 90)), 0, 3)
    seam = (
        1
        - 0.45 * np.exp(-(((x % 0.72) - 0.2) ** 2) / 2e-5)
        - 0.45 * np.exp(-(((y % 0.55) - 0.1) ** 2) / 2e-5)
    )
    return np.asarray(base * (stain * streak * np.clip(seam, 0.4, 1))[..., None])


def _tiles(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    side = rng.uniform(0.07, 0.12)
    i, j = np.floor(x / side), np.floor(y / side)
    u, v = x / side - i, y / side - j
    inside = smoothstep(np.minimum(np.minimum(u, 1 - u), np.minimum(v, 1 - v)), 0.012, 0.04)[..., None]
    shade = 0.86 + 0.28 * _hash(i, j, int(rng.integers(99)))
    sheen = 0.05 * np.exp(-((u - 0.3) ** 2 + (v - 0.25) ** 2) / 0.03)
    grout = np.array((0.36, 0.35, 0.33)) if rgb.mean() > 0.1 else np.array((0.20, 0.20, 0.20))
    return np.asarray((rgb * shade[..., None] + sheen[..., None]) * inside + grout * (1 - inside))


def _books(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    shelf = rng.uniform(0.24, 0.30)
    row = np.floor(y / shelf)
    v = y / shelf - row
    width = 0.034
    warped = x + 0.012 * np.sin(x * 31 + row * 5) + 0.009 * np.sin(x * 73 + row * 11)
    book = np.floor(warped / width)
    u = warped / width - book
    salt = int(rng.integers(99))
    hue = np.stack([_hash(book, row, salt + k) for k in range(3)], -1)
    colour = 0.02 + 0.40 * hue**2.2 * (0.4 + 0.9 * _hash(book, row, salt + 5))[..., None]
    top = 0.10 + 0.30 * _hash(book, row, salt + 9)
    spine = (v > top) & (v < 0.93)
    round_spine = (0.45 + 0.55 * np.sin(np.pi * np.clip(u, 0.03, 0.97)))[..., None]
    label = ((v > 0.5) & (v < 0.57) & (_hash(book, row, salt + 13) > 0.5))[..., None]
    dark = np.array((0.012, 0.009, 0.007))
    wood = np.array((0.20, 0.105, 0.05)) * 0.8
    picture = np.where(spine[..., None], np.where(label, 0.5 * colour + 0.22, colour) * round_spine, dark)
    return np.where((v >= 0.93)[..., None], wood, picture)


def _bokeh(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    size = x.shape[0]
    py, px = (np.mgrid[0:size, 0:size] + 0.5) / size - 0.5
    haze = 1 + 0.45 * _rough(px.shape, rng, size / 7)
    picture = rgb * np.clip(haze, 0.2, 2.2)[..., None] * rng.uniform(0.05, 0.30)
    radius = rng.uniform(0.025, 0.07)
    for _ in range(int(rng.integers(16, 45))):
        cx, cy, r = rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.5), radius * rng.uniform(0.75, 1.2)
        distance = np.hypot(px - cx, py - cy)
        disc = (1 - smoothstep(distance, r * 0.90, r * 1.04)) * (0.75 + 0.25 * smoothstep(distance, 0, r))
        tint = rgb * np.exp(rng.normal(0, 0.25, 3))
        picture += disc[..., None] * tint * rng.uniform(0.08, 0.75)
    return np.asarray(picture)


_PAINTERS: dict[str, tuple[Callable[[Array, Array, Array, np.random.Generator], Array], float]] = {
    "bokeh": (_bokeh, 0.004),
    "brick wall": (_brick, 0.0055),
    "wooden wall": (_wood, 0.0045),
    "concrete wall": (_concrete, 0.004),
    "tiled wall": (_tiles, 0.005),
    "bookshelf": (_books, 0.008),
}
"""Each kind's painter and its blur, a fraction of the picture."""
