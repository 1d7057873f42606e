"""Heads of imagined people: sample phenotypes and local changes, and build their rest mesh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.asset import read_asset, unpack_shapes
from hifi_portrait.head.phenotype import ANCESTRIES, PHENOTYPE_NAMES, blendshape_weights

LOCAL_SIGMA = 0.28
"""Standard deviation of local changes. At 0.36 noses and heads begin to look extreme."""

LOCAL_LIMIT = 2.2
"""Local changes are cut at this many standard deviations, so that no feature is a caricature."""

ASYMMETRY_SIGMA = 0.04
"""Standard deviation of the difference between a person's left and right local changes."""

_DAMPING = {"head-": 0.7, "neck": 0.4, "measure-neck": 0.4, "ear": 0.8, "nose": 0.9}
"""Factor on the standard deviation of local changes whose names begin so."""

_UNDAMPED = ("head-age-incr", "head-fat-incr")
"""Beginnings of names that are exempt from it."""


@dataclass(frozen=True, eq=False)
class ShapeSample:
    """One person's shape in anny's parameters."""

    phenotype: dict[str, float]
    """Value in [0, 1] for each of ``PHENOTYPE_NAMES``."""
    local: FloatArray
    """(L,) float32 in [-1, 1], local changes in the order of ``ShapeModel.local_names``."""

    @property
    def gender(self) -> float:
        """0 male, 1 female."""
        return self.phenotype["gender"]

    @property
    def age(self) -> float:
        """0.62 (young adult) to 1 (old)."""
        return self.phenotype["age"]

    @property
    def ancestry(self) -> dict[str, float]:
        """Fractions of African, Asian and Caucasian ancestry; they sum to 1."""
        return {name: self.phenotype[name] for name in ANCESTRIES}


class ShapeModel:
    """Linear shapes of the head asset: phenotype components and local changes, joints as extra vertices.

    Attributes
    ----------
    template
        (V + J, 3) mean of the phenotypes; the joints follow the vertices.
    components
        (C, V + J, 3) phenotype principal components.
    local
        (L, 2, V + J, 3) local changes, their positive and negative part.
    local_names
        L names; ``l-`` and ``r-`` are the person's left and right.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        tensors, metadata = read_asset(path)
        self.template = tensors["shape.template"].astype(np.float32)
        self.components = unpack_shapes(tensors, "shape.components", tensors["block"])
        local = unpack_shapes(tensors, "shape.local", tensors["block"])
        self.local = local.reshape(-1, 2, *local.shape[1:])
        self.local_names = tuple(metadata["local_names"].split(","))
        self._anchors = {
            name.removeprefix("phenotype.anchors."): value
            for name, value in sorted(tensors.items())
            if name.startswith("phenotype.anchors.")
        }
        self._anchors = {name: self._anchors[name] for name in metadata["anchor_names"].split(",")}
        self._mask = tensors["phenotype.mask"]
        self._scores = tensors["phenotype.scores"].astype(np.float64)
        self._offset = tensors["phenotype.offset"].astype(np.float64)

    @classmethod
    @cache
    def load(cls, path: str | None = None) -> Self:
        """Load the model of an asset, kept after the first call."""
        return cls(path)

    def component_scores(self, phenotype: dict[str, float]) -> npt.NDArray[np.float64]:
        """Compute the scores (C,) of the phenotype components."""
        weights = blendshape_weights(phenotype, self._anchors, self._mask)
        return weights @ self._scores + self._offset

    def rest_vertices(self, sample: ShapeSample) -> FloatArray:
        """Make the rest mesh (V + J, 3) of a sample, in metres about the head joint; joints come last."""
        scores = self.component_scores(sample.phenotype).astype(np.float32)
        parts = np.stack([np.maximum(sample.local, 0), np.maximum(-sample.local, 0)], axis=1)
        rest = self.template + np.tensordot(scores, self.components, 1)
        return rest + np.tensordot(parts.astype(np.float32), self.local, 2)


def _local_sigma(name: str) -> float:
    if name.startswith(_UNDAMPED):
        return LOCAL_SIGMA
    damping = [factor for prefix, factor in _DAMPING.items() if name.startswith(prefix)]
    return LOCAL_SIGMA * (damping[0] if damping else 1.0)


def _sample_local(rng: np.random.Generator, names: tuple[str, ...]) -> FloatArray:
    shared: dict[str, float] = {}
    local = np.zeros(len(names), np.float32)
    for i, name in enumerate(names):
        feature = name[2:] if name.startswith(("l-", "r-")) else name
        if feature not in shared:
            score = np.clip(rng.standard_normal(), -LOCAL_LIMIT, LOCAL_LIMIT)
            shared[feature] = score * _local_sigma(feature)
        local[i] = shared[feature]
        if feature != name:
            local[i] += rng.normal(0, ASYMMETRY_SIGMA)
    return np.clip(local, -1, 1)


def sample_shape(rng: np.random.Generator, model: ShapeModel | None = None) -> ShapeSample:
    """Sample an adult: gender, age, ancestry mixture, build and about 130 local changes of the head."""
    model = model or ShapeModel.load()
    feminine = rng.random() < 0.5
    extremity = rng.uniform(0, 0.12)
    ancestry = rng.dirichlet([0.5, 0.5, 0.5])
    values = {
        "gender": 1 - extremity if feminine else extremity,
        "age": rng.uniform(0.62, 1.0),
        "muscle": rng.uniform(0.2, 0.8),
        "weight": 0.1 + 0.8 * rng.beta(2, 2.3),
        "height": rng.uniform(0.3, 0.7),
        "proportions": rng.uniform(0.3, 1.0),
        "cupsize": 0.5,
        "firmness": 0.5,
        **dict(zip(ANCESTRIES, ancestry, strict=True)),
    }
    phenotype = {name: float(values[name]) for name in PHENOTYPE_NAMES}
    return ShapeSample(phenotype, _sample_local(rng, model.local_names))


def rest_vertices(sample: ShapeSample, model: ShapeModel | None = None) -> Array:
    """Make the rest mesh (V + J, 3) of a sample, in metres about the head joint; joints come last."""
    return (model or ShapeModel.load()).rest_vertices(sample)
