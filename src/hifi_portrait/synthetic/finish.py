"""From a linear picture to a finished one: tone mapping, grain, picture styles."""

import numpy as np
from scipy.ndimage import gaussian_filter, sobel

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.synthetic.picture_styles import draw_comic, draw_in_pencil, paint_in_oil, paint_watercolour


def develop(linear: FloatArray, rng: np.random.Generator, grain: float = 0.007) -> FloatArray:
    """Tone-map linear light (H, W, 3) to sRGB in [0, 1], with a little grain."""
    light = np.maximum(linear, 0)
    mapped = 1 - np.exp(-1.35 * light)
    srgb = np.where(mapped < 0.0031308, 12.92 * mapped, 1.055 * mapped ** (1 / 2.4) - 0.055)
    srgb = srgb + 0.035 * np.sin(2 * np.pi * (srgb - 0.5)) * 0.8
    return np.clip(srgb + rng.normal(0, grain, srgb.shape), 0, 1).astype(np.float32)


def stylise(picture: FloatArray, style: str, rng: np.random.Generator, world: bool = False) -> FloatArray:
    """Turn an sRGB picture (H, W, 3) in [0, 1] into one of ``wide.STYLES``, as the variety has it."""
    if style == "photo":
        return picture
    grey = picture @ np.array((0.299, 0.587, 0.114), np.float32)
    if style == "black and white photo":
        tone = np.clip((grey - 0.5) * 1.12 + 0.5, 0, 1)
        return np.asarray(np.repeat(tone[..., None], 3, -1))
    if style == "sepia photo":
        return np.asarray(np.clip(grey[..., None] * np.array((1.07, 0.88, 0.66)) + 0.02, 0, 1), np.float32)
    if world:
        return _WORLD_STYLES[style](picture, rng)
    if style == "pencil sketch":
        return _pencil(grey, rng)
    if style == "watercolour":
        return _watercolour(picture, rng)
    return _WORLD_STYLES[style](picture, rng)


_WORLD_STYLES = {
    "pencil sketch": draw_in_pencil,
    "watercolour": paint_watercolour,
    "oil painting": paint_in_oil,
    "comic": draw_comic,
}
"""Painted and drawn styles of the variety "world"; "studio" has a pencil and a watercolour of its own."""


def _pencil(grey: FloatArray, rng: np.random.Generator) -> FloatArray:
    scale = grey.shape[0] / 256
    blurred = gaussian_filter(1 - grey, 5.5 * scale)
    dodge = np.clip(grey / np.maximum(1 - blurred, 0.06), 0, 1)
    smooth = gaussian_filter(grey, 0.7 * scale)
    edges = np.hypot(sobel(smooth, 0), sobel(smooth, 1))
    hatch = gaussian_filter(rng.standard_normal(grey.shape), (0.4, 2.2 * scale)) * 0.35
    tone = 0.30 * (1 - grey) * (1 + hatch)
    paper = 0.97 - 0.01 * rng.standard_normal(grey.shape)
    drawn = paper * np.clip(dodge - tone - 0.35 * np.clip(edges, 0, 1), 0.05, 1)
    return np.asarray(np.clip(drawn[..., None] * np.array((1.0, 0.995, 0.98)), 0, 1), np.float32)


def _watercolour(picture: FloatArray, rng: np.random.Generator) -> FloatArray:
    scale = picture.shape[0] / 256
    soft = gaussian_filter(picture, (1.3 * scale, 1.3 * scale, 0))
    flat = 0.6 * np.round(soft * 8) / 8 + 0.4 * soft
    flat = gaussian_filter(flat, (0.6 * scale, 0.6 * scale, 0))
    grey = soft.mean(-1)
    edges = np.clip(np.hypot(sobel(grey, 0), sobel(grey, 1)) * 0.35, 0, 0.16)[..., None]
    wash = gaussian_filter(rng.standard_normal(grey.shape), 7 * scale)
    paper = gaussian_filter(rng.standard_normal(grey.shape), 0.6 * scale)
    light = 0.22 + 0.78 * flat
    light = light * (1 + 0.035 * wash / wash.std() + 0.015 * paper / paper.std())[..., None]
    mean = light.mean(-1, keepdims=True)
    return np.asarray(np.clip(mean + (light - mean) * 1.3 - edges, 0, 1), np.float32)
