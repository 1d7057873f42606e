"""Which reference decides, whose clothes are worn, and how well each holds head and mouth as requested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hifi_portrait.errors import TargetError
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.geometry import EXPRESSION_NAMES, HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import BLINK, HeadModel, part_vertices
from hifi_portrait.warp.glasses.settle import GlassesState
from hifi_portrait.warp.registration import RegisteredPhotos
from hifi_portrait.warp.settings import WeightSettings

_MOUTH_COEFFICIENTS = [
    EXPRESSION_NAMES.index(name) for name in ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "mouthPucker")
]
"""Coefficients that tell how a mouth is held."""


@dataclass(frozen=True, eq=False)
class Choice:
    """How N references compare as wholes.

    Attributes
    ----------
    main
        The reference that decides.
    dress
        The reference whose clothes are worn.
    on_head
        (N,) weight of each on the head; 1 of the main one.
    on_mouth
        (N,) weight of each about the mouth by how the mouth is held; the greatest is 1.
    """

    main: int
    dress: int
    on_head: FloatArray
    on_mouth: FloatArray


def choose_references(
    photos: RegisteredPhotos,
    glasses: GlassesState,
    target: HeadGeometry,
    model: HeadModel,
    settings: WeightSettings,
    look: int | None = None,
) -> Choice:
    """Choose the main reference for a target, and the one whose clothes are worn.

    Raises
    ------
    TargetError
        If ``look``, the number of the reference that is to be the main one, is that of none.
    """
    count = len(photos.heads)
    if look is not None and look >= count:
        photos_are = "is 1 photo, number 0" if count == 1 else f"are {count} photos, 0 to {count - 1}"
        raise TargetError(f"look {look}: there {photos_are}")
    by_pose = pose_fitness(photos.heads, photos.quality, target, settings)
    unlike = glasses.worn != glasses.requested
    fitness = by_pose * np.where(unlike, settings.other_glasses_weight, 1).astype(np.float32)
    main = int(fitness.argmax()) if look is None else look
    on_head = settings.other_weight * fitness
    on_head[main] = 1
    dress = _choose_dress(on_head, photos.visibility, model, settings)
    return Choice(main, dress, on_head, mouth_weights(by_pose, photos.heads, target, settings))


def pose_fitness(
    heads: Sequence[HeadGeometry], quality: Array, target: HeadGeometry, settings: WeightSettings
) -> FloatArray:
    """How good each reference is and how near in pose and lids, (N,) in [0, 1]; 1 of the best.

    It alone decides where it can: the mean of several would be softer than any, with half a pair of glasses
    where some wear them.
    """
    floored = settings.quality_floor + np.asarray(quality, np.float64)
    angles = np.array([_degrees_between(head.rotation, target.rotation) for head in heads])
    lids = np.array([head.expression[list(BLINK)].mean() for head in heads])
    away = np.abs(lids - target.expression[list(BLINK)].mean())
    apart = angles / settings.pose_scale + settings.lid_weight * away
    fitness = floored * np.exp(-(apart - apart.min()))
    return np.asarray(fitness / fitness.max(), np.float32)


def best_for_all(
    heads: Sequence[HeadGeometry],
    quality: Array,
    targets: Sequence[HeadGeometry],
    settings: WeightSettings,
) -> int:
    """Find the reference that suits several targets best: whose product of `pose_fitness` is the greatest."""
    fitness = [pose_fitness(heads, quality, target, settings) for target in targets]
    return int(np.log(np.maximum(np.stack(fitness), 1e-30)).sum(axis=0).argmax())


def _degrees_between(first: Array, second: Array) -> float:
    """Degrees of the turn from one rotation matrix (3, 3) to another."""
    cosine = (np.trace(first.T @ second) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _choose_dress(weights: Array, visibility: Array, model: HeadModel, settings: WeightSettings) -> int:
    """Choose the reference whose clothes are worn: two shirts do not make one.

    Of those that show enough of the shoulders, the one that counts most on the face.
    """
    shown = visibility[:, part_vertices(model, Part.SHOULDERS)].mean(axis=1)
    enough = shown >= settings.min_body_fraction * shown.max()
    return int(np.where(enough, weights, -1).argmax())


def mouth_weights(
    fitness: Array, heads: Sequence[HeadGeometry], target: HeadGeometry, settings: WeightSettings
) -> FloatArray:
    """Weight (N,) of each reference about the mouth, the greatest 1: of all that hold it about as requested.

    The mouth moves most, so that the reference of the best fitness (N,) may show another one.
    """
    scales = [settings.jaw_weight, settings.smile_weight, settings.smile_weight, settings.pucker_weight]
    mouths = np.stack([head.expression[_MOUTH_COEFFICIENTS] for head in heads])
    apart = np.linalg.norm(scales * (mouths - target.expression[_MOUTH_COEFFICIENTS]), axis=1)
    weights = fitness * np.exp(-apart)
    return np.asarray((weights / weights.max()).astype(np.float32))
