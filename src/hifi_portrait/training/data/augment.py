"""Wear a clean picture as real photos are worn: exposure, low light, colour cast, things in front, blur,
noise, JPEG; and regrade the photos of a sitting alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


def degrade(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A worn copy of a uint8 (H, W, 3) picture.

    Each kind of wear is there half the time; low light, and something in front of the face, now and then.
    """
    worn = pixels.astype(np.float32) / 255
    if rng.random() < 0.06:
        worn = occlude(worn, rng)
    if rng.random() < 0.12:
        worn = expose(worn, gain=rng.uniform(0.3, 0.7), gamma=1.0)
        worn = worn + rng.normal(0, rng.uniform(0.01, 0.04), worn.shape).astype(np.float32)
    if rng.random() < 0.5:
        worn = expose(worn, gain=np.exp(rng.normal(0, 0.15)), gamma=np.exp(rng.normal(0, 0.15)))
    if rng.random() < 0.5:
        worn = worn * np.exp(rng.normal(0, 0.06, 3)).astype(np.float32)
    if rng.random() < 0.5:
        worn = shrink(worn, scale=rng.uniform(0.4, 1.0))
    if rng.random() < 0.5:
        worn = worn + rng.normal(0, rng.uniform(0.004, 0.03), worn.shape).astype(np.float32)
    worn = np.rint(worn.clip(0, 1) * 255).astype(np.uint8)
    return compress(worn, quality=int(rng.integers(40, 96))) if rng.random() < 0.5 else worn


def expose(pixels: np.ndarray, gain: float, gamma: float) -> np.ndarray:
    """Another exposure and contrast of a picture in [0, 1]."""
    return np.asarray((pixels.clip(0, 1) ** gamma) * gain, np.float32)


def occlude(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A hand's or an object's width of one colour that reaches into a picture in [0, 1] from its edge."""
    height, width = pixels.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    reach = rng.uniform(0.30, 0.45)
    centre = (0.5 + reach * np.cos(angle)) * width, (0.5 + reach * np.sin(angle)) * height
    axes = rng.uniform(0.05, 0.12) * width, rng.uniform(0.12, 0.25) * height
    mask: np.ndarray = np.zeros((height, width), np.float32)
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
    gamma: float
    balance: tuple[float, float, float]

    @classmethod
    def sample(cls, rng: np.random.Generator) -> ColourGrade:
        """A believable one."""
        red, green, blue = (float(value) for value in np.exp(rng.normal(0, 0.04, 3)))
        gain, gamma = np.exp(rng.normal(0, [0.15, 0.25]))
        return cls(float(gain), float(gamma), (red, green, blue))

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Regrade uint8 pictures (..., 3)."""
        values = expose(np.linspace(0, 1, 256)[:, None], self.gain, self.gamma) * np.array(self.balance)
        table = np.rint(values.clip(0, 1) * 255).astype(np.uint8)
        return np.stack([table[:, channel][pixels[..., channel]] for channel in range(3)], axis=-1)


def shrink(pixels: np.ndarray, scale: float) -> np.ndarray:
    """Lose detail: shrink by ``scale`` and enlarge again."""
    height, width = pixels.shape[:2]
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    shrunk = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR))


def compress(pixels: np.ndarray, quality: int) -> np.ndarray:
    """A uint8 picture after JPEG of ``quality`` in [1, 100]."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
