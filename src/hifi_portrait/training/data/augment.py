"""Augmentation: degrade a clean picture as real photos are, and grade the photos of a sitting alike."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, ByteArray, FloatArray

_OCCLUDED = 0.06
"""Fraction of pictures with something in front."""

_LOW_LIGHT = 0.12
"""Fraction of pictures taken in low light, with the noise that comes with it."""


def degrade(pixels: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Degrade a picture (H, W, 3) as real photos are.

    Exposure, a colour cast, lost detail, noise and JPEG each come half the time; low light and something in
    front of the face, now and then.
    """
    degraded: Array = pixels.astype(np.float32) / 255
    if rng.random() < _OCCLUDED:
        degraded = occlude(degraded, rng)
    if rng.random() < _LOW_LIGHT:
        degraded = expose(degraded, gain=rng.uniform(0.3, 0.7), gamma=1.0)
        degraded = degraded + rng.normal(0, rng.uniform(0.01, 0.04), degraded.shape).astype(np.float32)
    if rng.random() < 0.5:
        degraded = expose(degraded, gain=np.exp(rng.normal(0, 0.15)), gamma=np.exp(rng.normal(0, 0.15)))
    if rng.random() < 0.5:
        degraded = degraded * np.exp(rng.normal(0, 0.06, 3)).astype(np.float32)
    if rng.random() < 0.5:
        degraded = shrink(degraded, scale=rng.uniform(0.4, 1.0))
    if rng.random() < 0.5:
        degraded = degraded + rng.normal(0, rng.uniform(0.004, 0.03), degraded.shape).astype(np.float32)
    degraded = np.rint(degraded.clip(0, 1) * 255).astype(np.uint8)
    return compress(degraded, quality=int(rng.integers(40, 96))) if rng.random() < 0.5 else degraded


def expose(pixels: Array, gain: float, gamma: float) -> FloatArray:
    """Change exposure (``gain``) and contrast (``gamma``) of a picture in [0, 1]; 1 and 1 change nothing."""
    return np.asarray((pixels.clip(0, 1) ** gamma) * gain, np.float32)


def occlude(pixels: Array, rng: np.random.Generator) -> FloatArray:
    """Put something of one colour, as wide as a hand, into a picture (H, W, 3) in [0, 1] from its edge."""
    height, width = pixels.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    reach = rng.uniform(0.30, 0.45)
    centre = (0.5 + reach * np.cos(angle)) * width, (0.5 + reach * np.sin(angle)) * height
    axes = rng.uniform(0.05, 0.12) * width, rng.uniform(0.12, 0.25) * height
    mask: Array = np.zeros((height, width), np.float32)
    box = (centre, (2 * axes[0], 2 * axes[1]), float(np.degrees(angle)) + 90 + rng.normal(0, 20))
    cv2.ellipse(mask, box, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.006 * width)[..., None]
    colour = rng.uniform(0.05, 0.8, 3).astype(np.float32)
    shade = 1 + 0.2 * (np.arange(width, dtype=np.float32)[None, :, None] / width - 0.5)
    return np.asarray(pixels * (1 - mask) + colour * shade * mask, np.float32)


@dataclass(frozen=True)
class ColourGrade:
    """Exposure, contrast and white balance that all photos of a sitting share."""

    gain: float
    """Factor of all values, above 0."""

    gamma: float
    """Exponent of all values, above 0: more of it darkens the middle."""

    balance: tuple[float, float, float]
    """Factors of red, green and blue, above 0."""

    @classmethod
    def sample(cls, rng: np.random.Generator) -> ColourGrade:
        """Draw a believable one."""
        red, green, blue = (float(value) for value in np.exp(rng.normal(0, 0.04, 3)))
        gain, gamma = np.exp(rng.normal(0, [0.15, 0.25]))
        return cls(float(gain), float(gamma), (red, green, blue))

    def __call__(self, pixels: ByteArray) -> ByteArray:
        """Grade pictures (..., 3)."""
        values = expose(np.linspace(0, 1, 256)[:, None], self.gain, self.gamma) * np.array(self.balance)
        table = np.rint(values.clip(0, 1) * 255).astype(np.uint8)
        return np.stack([table[:, channel][pixels[..., channel]] for channel in range(3)], axis=-1)


def shrink(pixels: Array, scale: float) -> FloatArray:
    """Lose detail: shrink a picture by ``scale`` in (0, 1] and enlarge it again."""
    height, width = pixels.shape[:2]
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    shrunk = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def compress(pixels: ByteArray, quality: int) -> ByteArray:
    """Compress a picture by JPEG of ``quality`` in [1, 100]."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
