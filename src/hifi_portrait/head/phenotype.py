"""Phenotypes of the MakeHuman base mesh: macro parameters to shape-basis scores.

Follows anny's scheme: each parameter is interpolated linearly between anchors; a blendshape's weight is the
product of the anchor weights that its name lists.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.arrays import Array

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
"""Each in [0, 1]: gender is 0 male to 1 female, adults' age at least 0.62, ancestries are fractions."""

ANCESTRIES = ("african", "asian", "caucasian")


def anchor_weights(value: float, anchors: Array) -> npt.NDArray[np.float64]:
    """Weight sorted anchors (A,) to interpolate linearly between them; outside them the nearest one holds."""
    weights = [np.interp(value, anchors, np.eye(len(anchors))[i]) for i in range(len(anchors))]
    return np.array(weights)


def blendshape_weights(
    phenotype: Mapping[str, float], anchors: Mapping[str, Array], mask: Array
) -> npt.NDArray[np.float64]:
    """Compute the weights (K,) of the phenotype blendshapes.

    Parameters
    ----------
    phenotype
        A value for each of ``PHENOTYPE_NAMES``; missing ones are 0.5.
    anchors
        Sorted anchors of each interpolated parameter, in the order of the mask's columns.
    mask
        (K, C) which anchor weights each blendshape is a product of; the first three are ancestries.
    """
    ancestry = np.array([phenotype.get(name, 0.5) for name in ANCESTRIES])
    total = ancestry.sum()
    ancestry = ancestry / total if total > 0 else np.full(3, 1 / 3)
    columns = [anchor_weights(phenotype.get(name, 0.5), values) for name, values in anchors.items()]
    weights = np.concatenate([ancestry, *columns])
    return np.asarray(np.where(mask > 0, weights, 1.0).prod(axis=1))
