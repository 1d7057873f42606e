"""Phenotypes of the MakeHuman base mesh: macro parameters to shape-basis scores.

Follows anny's scheme: each parameter is interpolated linearly between anchors; a blendshape's weight is the
product of the anchor weights that its name lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

PHENOTYPE_NAMES = (
    "gender",
    "age",
    "muscle",
    "weight",
    "height",
    "proportions",
    "cupsize",
    "firmness",
    "african",
    "asian",
    "caucasian",
)
"""Each in [0, 1]; gender 0 is male and 1 female, adults have age >= 0.62; ancestries are shares."""

ANCESTRIES = ("african", "asian", "caucasian")


def anchor_weights(value: float, anchors: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Weights (A,) of linear interpolation between sorted anchors; outside them the nearest anchor holds."""
    weights = [np.interp(value, anchors, np.eye(len(anchors))[i]) for i in range(len(anchors))]
    return np.array(weights)


def blendshape_weights(
    phenotype: Mapping[str, float], anchors: Mapping[str, npt.NDArray[Any]], mask: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """Weights (K,) of the phenotype blendshapes.

    Args:
        phenotype: a value for each of ``PHENOTYPE_NAMES``; missing ones are 0.5.
        anchors: sorted anchors of each interpolated parameter, in the order of the mask's columns.
        mask: (K, C) which anchor weights each blendshape is a product of; the first three are ancestries.
    """
    ancestry = np.array([phenotype.get(name, 0.5) for name in ANCESTRIES])
    total = ancestry.sum()
    ancestry = ancestry / total if total > 0 else np.full(3, 1 / 3)
    columns = [anchor_weights(phenotype.get(name, 0.5), values) for name, values in anchors.items()]
    weights = np.concatenate([ancestry, *columns])
    return np.where(mask > 0, weights, 1.0).prod(axis=1)
