"""Wear a clean picture as real photos are worn: exposure, colour cast, blur, noise, JPEG."""

from __future__ import annotations

import cv2
import numpy as np


def degrade(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A worn copy of a uint8 (H, W, 3) picture; each kind of wear is there half the time."""
    worn = pixels.astype(np.float32) / 255
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
