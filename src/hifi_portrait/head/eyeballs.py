"""The eyeballs of the mesh: their parts, and where each vertex lies on its eyeball."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel

EYES = (Part.LEFT_EYE, Part.RIGHT_EYE)
"""Parts of the mesh that are eyeballs: the person's left and right."""


@lru_cache(maxsize=4)
def eyeball_places(model: HeadModel) -> FloatArray:
    """Give each vertex's place (V, 2) on its eyeball, sideways and up from the pupil, in eyeball radii.

    0 off the eyeballs, beyond 1 on their backs.
    """
    mean = model.mean[: model.num_vertices]
    place = np.zeros((len(mean), 2), np.float32)
    for eye, name in zip(model.eye_vertices, ("eye.L", "eye.R"), strict=True):
        direction = mean[eye] - model.mean[model.joint(name)]
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        behind = np.where(direction[:, 1:2] > 0, 3.0, 1.0)
        place[eye] = direction[:, [0, 2]] * behind
    return place
