"""What is behind the person: plain walls, gradients and places out of focus."""

import numpy as np
from scipy.ndimage import gaussian_filter

from hifi_portrait.head.arrays import RGB, Array, FloatArray
from hifi_portrait.head.numerics import smoothstep

BACKDROPS: dict[str, float] = {
    "plain": 0.30,
    "gradient": 0.20,
    "studio backdrop": 0.15,
    "room": 0.13,
    "park": 0.10,
    "city lights": 0.06,
    "sky": 0.06,
}
"""Kinds and how often each is used. The first three have a colour that captions name."""
COLOURED = ("plain", "gradient", "studio backdrop")


def backdrop(kind: str, colour: RGB, size: int, rng: np.random.Generator) -> FloatArray:
    """Linear RGB picture (size, size, 3) of a backdrop."""
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size - 0.5
    rgb = np.asarray(colour, np.float64)
    painter = {
        "plain": _plain,
        "gradient": _gradient,
        "studio backdrop": _studio,
        "room": _room,
        "park": _park,
        "city lights": _city,
        "sky": _sky,
    }[kind]
    return np.asarray(np.clip(painter(x, y, rgb, rng), 0, 1.5), np.float32)


def _plain(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    slope = 1 + rng.normal(0, 0.10) * x + rng.normal(0, 0.10) * y
    return rgb * slope[..., None]


def _gradient(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    angle = rng.normal(np.pi / 2, 0.6)
    t = np.clip(0.5 + np.cos(angle) * x + np.sin(angle) * y, 0, 1)[..., None]
    return np.asarray(rgb * (rng.uniform(1.0, 1.4) * (1 - t) + rng.uniform(0.25, 0.55) * t))


def _studio(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    cx, cy = rng.normal(0, 0.12), rng.normal(0, 0.10)
    glow = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / rng.uniform(0.10, 0.25))[..., None]
    cloud = gaussian_filter(rng.standard_normal(x.shape), x.shape[0] / 14)
    return np.asarray(rgb * (0.32 + 0.95 * glow) * (1 + 0.10 * cloud / cloud.std())[..., None])


def _blur(picture: Array, fraction: float) -> Array:
    sigma = picture.shape[0] * fraction
    return np.asarray(gaussian_filter(picture, (sigma, sigma, 0), mode="nearest", truncate=2.5))


def _box(picture: Array, x: Array, y: Array, box: tuple[float, float, float, float], rgb: Array) -> None:
    left, right, top, bottom = box
    picture[(x > left) & (x < right) & (y > top) & (y < bottom)] = rgb


def _room(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    wall = np.array((0.50, 0.44, 0.37)) * rng.uniform(0.4, 1.1) * np.exp(rng.normal(0, 0.08, 3))
    picture = np.broadcast_to(wall, (*x.shape, 3)).copy()
    window = rng.uniform(-0.6, 0.35)
    if rng.random() < 0.7:
        _box(picture, x, y, (window, window + 0.3, -0.5, 0.12), np.array((1.0, 1.05, 1.12)))
        _box(picture, x, y, (window + 0.14, window + 0.16, -0.5, 0.12), wall * 0.5)
    for _ in range(rng.integers(2, 5)):
        left, top = rng.uniform(-0.55, 0.45), rng.uniform(-0.35, 0.3)
        colour = rng.uniform(0.03, 0.5, 3) * rng.uniform(0.3, 1.0)
        _box(
            picture, x, y, (left, left + rng.uniform(0.06, 0.25), top, top + rng.uniform(0.08, 0.35)), colour
        )
    _box(picture, x, y, (-1, 1, rng.uniform(0.28, 0.42), 1), wall * rng.uniform(0.25, 0.5))
    return _blur(picture, rng.uniform(0.02, 0.04))


def _park(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    horizon = rng.uniform(-0.05, 0.2)
    sky = np.array((0.62, 0.76, 0.95)) * rng.uniform(0.7, 1.0)
    grass = np.array((0.16, 0.30, 0.07)) * rng.uniform(0.6, 1.2)
    picture = np.where((y > horizon)[..., None], grass, sky)
    for _ in range(rng.integers(6, 14)):
        cx, cy, r = rng.uniform(-0.6, 0.6), horizon - rng.uniform(0.0, 0.32), rng.uniform(0.08, 0.22)
        leaf = np.array((0.07, 0.17, 0.035)) * rng.uniform(0.5, 1.8) * np.exp(rng.normal(0, 0.15, 3))
        picture[(x - cx) ** 2 + (y - cy) ** 2 < r**2] = leaf
    picture = _blur(picture, 0.022)
    return picture + _discs(x, y, rng, 10, (0.35, 0.45, 0.20))


def _city(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    night = np.array((0.020, 0.026, 0.050)) * rng.uniform(0.7, 2.0)
    picture = np.broadcast_to(night, (*x.shape, 3)).copy()
    for _ in range(4):
        picture += _discs(x, y, rng, 7, tuple(np.array((1.0, 0.62, 0.28)) * np.exp(rng.normal(0, 0.45, 3))))
    return picture


def _discs(x: Array, y: Array, rng: np.random.Generator, count: int, colour: tuple[float, ...]) -> Array:
    """Out-of-focus points of light."""
    light = np.zeros((*x.shape, 3))
    for _ in range(count):
        cx, cy, r = rng.uniform(-0.55, 0.55), rng.uniform(-0.55, 0.4), rng.uniform(0.018, 0.055)
        distance = np.hypot(x - cx, y - cy)
        light += ((1 - smoothstep(distance, r * 0.85, r * 1.1)) * rng.uniform(0.1, 0.55))[
            ..., None
        ] * np.asarray(colour)
    return light


def _sky(x: Array, y: Array, rgb: Array, rng: np.random.Generator) -> Array:
    t = np.clip(y + 0.5, 0, 1)[..., None]
    top = np.array((0.16, 0.36, 0.74)) * rng.uniform(0.8, 1.2)
    picture = top * (1 - t) + np.array((0.62, 0.76, 0.92)) * t
    cloud = gaussian_filter(rng.standard_normal(x.shape), (x.shape[0] / 26, x.shape[0] / 11))
    return picture + (0.35 * smoothstep(cloud / cloud.std(), 0.2, 1.8))[..., None] * (1 - 0.5 * t)
