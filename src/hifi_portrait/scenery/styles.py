"""Styles that make a painting, a drawing, a comic or an old photo of a picture, alike at every height."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.compiled import compiled
from hifi_portrait.head.numerics import smoothstep

_GREY = np.array((0.299, 0.587, 0.114), np.float32)
_REFERENCE_SIZE = 256
"""Picture size, in pixels, that the lengths below are given for."""


def paint_in_oil(picture: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Oil paint: flat dabs that follow the picture's edges, with the ridges that a brush leaves.

    A Kuwahara filter (Kuwahara et al. 1976; eight sectors as Papari et al. 2007) makes the dabs; line
    integrals of noise along the picture's structure make the ridges.

    Parameters
    ----------
    picture
        (H, W, 3) sRGB in [0, 1].
    rng
        For the brush.
    """
    scale = picture.shape[0] / _REFERENCE_SIZE
    radius = max(2, round(2.6 * scale))
    dabs = np.empty_like(picture)
    _kuwahara(np.ascontiguousarray(gaussian_filter(picture, (0.6 * scale, 0.6 * scale, 0))), radius, dabs)
    dabs = 0.72 * dabs + 0.28 * picture
    bristles = _brush_ridges(dabs @ _GREY, rng, scale)
    grey = (dabs @ _GREY)[..., None]
    vivid = grey + (dabs - grey) * 1.22
    vivid = vivid + 0.06 * np.sin(2 * np.pi * (vivid - 0.5)) * -0.5
    return np.clip(vivid * (1 + 0.022 * bristles[..., None]) + 0.004 * bristles[..., None], 0, 1).astype(
        np.float32
    )


@compiled(fastmath=True, nogil=True)
def _kuwahara(picture: FloatArray, radius: int, out: FloatArray) -> None:
    """Each pixel becomes a mean of the means of eight sectors about it, the even ones counting most."""
    height, width = picture.shape[0], picture.shape[1]
    total = np.zeros((8, 3))
    square = np.zeros(8)
    count = np.zeros(8)
    sector = np.zeros((2 * radius + 1, 2 * radius + 1), np.int64)
    for dj in range(-radius, radius + 1):
        for di in range(-radius, radius + 1):
            turn = (np.arctan2(dj, di) / (2 * np.pi) + 1.0) * 8.0
            sector[dj + radius, di + radius] = int(turn + 0.5) % 8
            if dj * dj + di * di > radius * radius + radius:
                sector[dj + radius, di + radius] = -1
    for j in range(height):
        for i in range(width):
            total[:] = 0.0
            square[:] = 0.0
            count[:] = 0.0
            for dj in range(-radius, radius + 1):
                y = min(max(j + dj, 0), height - 1)
                for di in range(-radius, radius + 1):
                    s = sector[dj + radius, di + radius]
                    if s < 0:
                        continue
                    x = min(max(i + di, 0), width - 1)
                    r = picture[y, x, 0]
                    g = picture[y, x, 1]
                    b = picture[y, x, 2]
                    total[s, 0] += r
                    total[s, 1] += g
                    total[s, 2] += b
                    square[s] += r * r + g * g + b * b
                    count[s] += 1.0
            weight = 0.0
            r = 0.0
            g = 0.0
            b = 0.0
            for s in range(8):
                n = count[s]
                mr = total[s, 0] / n
                mg = total[s, 1] / n
                mb = total[s, 2] / n
                variance = max(square[s] / n - mr * mr - mg * mg - mb * mb, 0.0)
                w = 1.0 / (1.0 + (variance * 900.0) ** 3)
                weight += w
                r += w * mr
                g += w * mg
                b += w * mb
            out[j, i, 0] = r / (weight + 1e-12)
            out[j, i, 1] = g / (weight + 1e-12)
            out[j, i, 2] = b / (weight + 1e-12)


def _brush_ridges(grey: Array, rng: np.random.Generator, scale: float) -> Array:
    """Noise (H, W) smeared along the edges' direction, deviation 1."""
    soft = gaussian_filter(grey, 1.5 * scale)
    dy, dx = np.gradient(soft)
    sigma = 9 * scale
    xx, yy, xy = (gaussian_filter(v, sigma) for v in (dx * dx, dy * dy, dx * dy))
    along = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    noise = gaussian_filter(rng.standard_normal(grey.shape), 0.55 * scale).astype(np.float32)
    height, width = grey.shape
    row, column = np.mgrid[0:height, 0:width].astype(np.float32)
    total = np.zeros(grey.shape, np.float32)
    for step in np.linspace(-6, 6, 9) * scale:
        total += cv2.remap(
            noise,
            (column + step * np.cos(along)).astype(np.float32),
            (row + step * np.sin(along)).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
    return np.asarray(total / total.std())


def paint_watercolour(picture: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Watercolour: flat washes that darken at their edges, grains of pigment, white paper towards the rim.

    After Bousseau et al., "Interactive watercolor rendering with temporal coherence and abstraction", 2006.

    Parameters
    ----------
    picture
        (H, W, 3) sRGB in [0, 1].
    rng
        For paper and pigment.
    """
    scale = picture.shape[0] / _REFERENCE_SIZE
    washes = np.empty_like(picture)
    _kuwahara(
        np.ascontiguousarray(gaussian_filter(picture, (0.7 * scale, 0.7 * scale, 0))),
        max(2, round(2 * scale)),
        washes,
    )
    washes = 0.65 * washes + 0.35 * picture
    grey = washes @ _GREY
    edge = np.hypot(*np.gradient(gaussian_filter(grey, 0.8 * scale))) * scale
    shape = grey.shape
    turbulence, grain = (_unit_noise(rng, shape, sigma * scale) for sigma in (9.0, 0.7))
    density = 1 + 0.16 * turbulence + 0.05 * grain + 2.2 * np.clip(edge, 0, 0.12)
    light = 0.16 + 0.84 * washes
    mean = (light @ _GREY)[..., None]
    light = np.clip(mean + (light - mean) * 1.25, 0.02, 1)
    # Pigment density modulates colour as Bousseau et al. do: C' = C - (C - C^2)(d - 1).
    painted = light - (light - light**2) * (density - 1)[..., None]
    row, column = (np.indices(shape) + 0.5) / np.array(shape)[:, None, None] - 0.5
    rim = np.maximum(np.abs(row), np.abs(column)) + 0.02 * turbulence
    bare = np.clip((rim - 0.455) / 0.03, 0, 1)[..., None]
    paper = 0.965 + 0.008 * grain[..., None]
    return np.asarray(np.clip(painted * (1 - bare) + paper * bare, 0, 1), np.float32)


def draw_in_pencil(picture: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Pencil on paper: outlines, and hatching that is the denser the darker, crossed where it is darkest.

    Parameters
    ----------
    picture
        (H, W, 3) sRGB in [0, 1].
    rng
        For paper and strokes.
    """
    scale = picture.shape[0] / _REFERENCE_SIZE
    grey = picture @ _GREY
    lines = gaussian_filter(grey, 1.6 * scale) - gaussian_filter(grey, 0.7 * scale)
    outline = np.clip(11 * lines, 0, 0.9)
    dark = np.clip(1 - gaussian_filter(grey, 0.5 * scale), 0, 1) ** 1.3
    lean = np.radians(rng.uniform(40, 65))
    first = _strokes(rng, grey.shape, lean, scale)
    second = _strokes(rng, grey.shape, lean + np.pi / 2.4, scale)
    hatching = np.clip((first - 1 + 0.95 * dark) / 0.60 + 0.5, 0, 1) * np.minimum(1, 3 * dark)
    crossing = np.clip((second - 1.45 + dark) / 0.60 + 0.5, 0, 1)
    graphite = 0.52 * dark + 0.15 * hatching + 0.13 * crossing
    grain = _unit_noise(rng, grey.shape, 0.6 * scale)
    drawn = (0.965 + 0.010 * grain) * (1 - graphite * (1 + 0.10 * grain)) * (1 - outline)
    return np.asarray(np.clip(drawn[..., None] * np.array((1.0, 0.995, 0.985)), 0, 1), np.float32)


def _strokes(rng: np.random.Generator, shape: tuple[int, ...], lean: float, scale: float) -> Array:
    """Parallel strokes (H, W) as evenly spread values in [0, 1]; ``lean`` is their direction in radians."""
    noise = gaussian_filter(rng.standard_normal(shape), 0.42 * scale).astype(np.float32)
    reach = round(7 * scale)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for step in np.linspace(-reach, reach, 4 * reach + 1):
        kernel[round(reach - step * np.sin(lean)), round(reach + step * np.cos(lean))] = 1
    smeared = cv2.filter2D(noise, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    return np.asarray(ndtr(smeared / smeared.std()))


def _unit_noise(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> Array:
    """Smooth noise of deviation 1."""
    field = gaussian_filter(rng.standard_normal(shape), sigma)
    return np.asarray(field / field.std())


def draw_comic(picture: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw a comic: flat, bright colours in steps of light, ink lines, and dots of print in the shadows.

    Lines are those of an extended difference of Gaussians (Winnemoeller, Kyprianidis and Olsen 2012).

    Parameters
    ----------
    picture
        (H, W, 3) sRGB in [0, 1].
    rng
        Turns the screen of dots.
    """
    scale = picture.shape[0] / _REFERENCE_SIZE
    smooth: Array = picture
    for _ in range(2):
        smooth = cv2.bilateralFilter(np.ascontiguousarray(smooth), round(5 * scale) | 1, 0.12, 2.5 * scale)
    grey = smooth @ _GREY
    steps = 5
    place = grey * steps
    flat = (np.floor(place) + _soft_edge(place - np.floor(place))) / steps
    ratio = (flat + 0.10) / (grey + 0.10)
    colour = smooth * ratio[..., None]
    mean = (colour @ _GREY)[..., None]
    colour = np.clip(mean + (colour - mean) * 1.5 + 0.03, 0, 1)
    angle = np.pi / 4 + rng.normal(0, 0.1)
    row, column = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]]
    period = 4.2 * scale
    u = (column * np.cos(angle) + row * np.sin(angle)) * 2 * np.pi / period
    v = (row * np.cos(angle) - column * np.sin(angle)) * 2 * np.pi / period
    screen = 0.25 * (np.cos(u) + np.cos(v)) + 0.5
    dots = (1 / (1 + np.exp(-(screen - 0.25 - 1.5 * grey) * 12))) * (grey < 0.5)
    colour = colour * (1 - 0.35 * dots[..., None])
    fine = gaussian_filter(grey, 0.8 * scale)
    coarse = gaussian_filter(grey, 1.6 * 0.8 * scale)
    difference = fine - 0.965 * coarse
    ink = np.clip(1 + np.tanh((difference - 0.0035) * 140), 0, 1)
    return np.asarray(np.clip(colour * ink[..., None], 0, 1), np.float32)


def _soft_edge(fraction: Array) -> Array:
    """Make a step at one half, a few hundredths wide, so that steps of light have no ragged edge."""
    return smoothstep(fraction, 0.42, 0.58)


def turn_grey(picture: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Make a black and white photo, with a little more contrast.

    Parameters
    ----------
    picture
        (H, W, 3) sRGB in [0, 1].
    rng
        Not used.
    """
    tone = np.clip((picture @ _GREY - 0.5) * 1.12 + 0.5, 0, 1)
    return np.asarray(np.repeat(tone[..., None], 3, -1))


def tone_sepia(picture: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Make a photo in the browns of old prints; see `turn_grey`."""
    grey = (picture @ _GREY)[..., None]
    return np.asarray(np.clip(grey * np.array((1.07, 0.88, 0.66)) + 0.02, 0, 1), np.float32)


STYLES: Mapping[str, Callable[[FloatArray, np.random.Generator], FloatArray]] = {
    "black and white photo": turn_grey,
    "sepia photo": tone_sepia,
    "oil painting": paint_in_oil,
    "watercolour": paint_watercolour,
    "pencil sketch": draw_in_pencil,
    "comic": draw_comic,
}
"""Styles by their names; beside them there is "photo", the picture as it is."""


def stylise(picture: FloatArray, style: str, rng: np.random.Generator) -> FloatArray:
    """Turn a picture into one of `STYLES`; "photo" leaves it as it is.

    Parameters
    ----------
    picture
        (H, W, 3) sRGB in [0, 1].
    style
        Its name.
    rng
        For paper, brush and strokes.
    """
    return picture if style == "photo" else STYLES[style](picture, rng)
