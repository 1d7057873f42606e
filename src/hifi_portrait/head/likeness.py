"""How alike two fitted head shapes are.

Identity components are fitted with very different certainty: a cosine of them weighs noise like shape. Linear
discriminant analysis (Fisher 1936) of fits to disjoint photos of the same people finds the directions that
tell people apart, and how far each can be trusted; ``scripts/calibrate_likeness.py`` makes the asset.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.geometry import IDENTITY_COMPONENTS

LIKENESS_ASSET = "likeness.safetensors"
"""Below the package's ``assets``: ``mean`` (80,) and ``axes`` (80, 80)."""


def shape_embedding(identity: npt.ArrayLike) -> FloatArray:
    """Embed head shapes as unit vectors (..., 80) whose dot product tells how alike they are.

    Parameters
    ----------
    identity
        (..., 80) identity coefficients of fits.

    Raises
    ------
    ValueError
        If the last axis is not of 80 coefficients.
    """
    values = np.asarray(identity, np.float64)
    if values.shape[-1] != IDENTITY_COMPONENTS:
        raise ValueError(f"`identity` must end in {IDENTITY_COMPONENTS} values, but has shape {values.shape}")
    mean, axes = _likeness()
    embedding = (values - mean) @ axes
    return np.asarray(embedding / np.linalg.norm(embedding, axis=-1, keepdims=True), np.float32)


@lru_cache(maxsize=1)
def _likeness() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    with resources.as_file(resources.files("hifi_portrait") / "assets" / LIKENESS_ASSET) as path:
        tensors = load_file(path)
    return tensors["mean"].astype(np.float64), tensors["axes"].astype(np.float64)
