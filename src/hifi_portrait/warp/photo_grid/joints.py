"""How far each part of the mesh moves with the head."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.model import NECK_CHAIN, NECK_FRACTIONS, HeadModel


@lru_cache(maxsize=2)
def head_fraction(model: HeadModel) -> FloatArray:
    """Fraction of the head's motion, in [0, 1], with which each vertex (V,) of a model moves."""
    fractions = dict(zip(NECK_CHAIN, np.cumsum(NECK_FRACTIONS), strict=True))
    of_joints = [fractions.get(name, float(name.startswith("eye"))) for name in model.joint_names]
    return np.asarray(model.skinning @ np.array(of_joints, np.float32), np.float32)
