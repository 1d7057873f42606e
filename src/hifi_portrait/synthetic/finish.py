"""From a linear picture to a finished one: tone mapping, grain, picture styles."""

import numpy as np
from scipy.ndimage import gaussian_filter, sobel

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.scenery import styles
from hifi_portrait.scenery.tone import to_display


def develop(linear: FloatArray, rng: np.random.Generator, grain: float = 0.007) -> FloatArray:
    """Tone-map linear light (H, W, 3) to sRGB in [0, 1], with a little grain."""
    srgb = to_display(linear)
    return np.clip(srgb + rng.normal(0, grain, srgb.shape), 0, 1).astype(np.float32)


def stylise(picture: FloatArray, style: str, rng: np.random.Generator, world: bool = False) -> FloatArray:
    """Turn an sRGB picture (H, W, 3) in [0, 1] into one of ``wide.STYLES``, as the variety has it."""
    if not world and style == "pencil sketch":
        return _pencil(picture @ np.array((0.299, 0.587, 0.114), np.float32), rng)
    if not world and style == "watercolour":
        return _watercolour(picture, rng)
    return styles.stylise(picture, style, rng)


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
