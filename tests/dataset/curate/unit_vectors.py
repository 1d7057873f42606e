"""Faces as unit vectors of people who are numbers, and thresholds for them."""

import numpy as np

from hifi_portrait.dataset.curate.calibration import Calibration

WIDTH = 16
CALIBRATION = Calibration(
    recogniser="numbers",
    plain_strict=0.9,
    plain_balanced=0.85,
    plain_guard=0.8,
    ratio_strict=0.0,
    ratio_balanced=0.0,
    folder_plain=0.8,
    folder_ratio=0.0,
    unnamed_ratio=0.0,
    false_match_rate=0.0,
    faces=1000,
    doubling=2.0,
)


def people(count: int, photos: int, spread: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of people, and who each is of."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(count, WIDTH))
    truth = np.repeat(np.arange(count), photos)
    vectors = centres[truth] / np.linalg.norm(centres[truth], axis=1, keepdims=True)
    vectors = vectors + spread * rng.normal(size=vectors.shape)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth
