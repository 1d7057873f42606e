"""How much each reference counts: one decides where it can, and others where they show more than it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray, IntArray
from hifi_portrait.head.eyeballs import EYES
from hifi_portrait.head.geometry import EXPRESSION_NAMES, HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import BLINK, HeadModel, part_vertices, triangles_around_eyes
from hifi_portrait.warp.face.eyes import gaze_likeness, painted
from hifi_portrait.warp.light import light_likeness
from hifi_portrait.warp.registration import RegisteredPhotos
from hifi_portrait.warp.settings import WarpSettings, WeightSettings

_MOUTH = [
    EXPRESSION_NAMES.index(name) for name in ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "mouthPucker")
]
"""Coefficients that tell how a mouth is held."""


@dataclass(frozen=True, eq=False)
class ReferenceWeights:
    """How much each of N references counts.

    Attributes
    ----------
    main
        The reference that decides.
    dress
        The reference whose clothes are worn.
    on_head
        (N,) of each on the head as a whole; 1 of the main one.
    on_mouth
        (N,) of each about the mouth; the greatest is 1.
    on_vertices
        (N, V) of each at each vertex.
    painted_eyes
        (2,) in [0, 1], how far each eye is painted because no reference looks as the target does.
    """

    main: int
    dress: int
    on_head: FloatArray
    on_mouth: FloatArray
    on_vertices: FloatArray
    painted_eyes: FloatArray


def weigh_references(
    photos: RegisteredPhotos,
    wearing: BoolArray,
    requested: bool,
    target: HeadGeometry,
    model: HeadModel,
    settings: WarpSettings,
) -> ReferenceWeights:
    """Weigh N references for a target.

    Parameters
    ----------
    photos
        The references.
    wearing
        (N,) which of them wear glasses.
    requested
        Whether the references' own glasses are to be shown.
    target
        What is drawn.
    model
        The head model.
    settings
        Those of weights, of light and of gazes.
    """
    own = settings.weights
    by_pose = pose_fitness(photos.heads, photos.quality, target, own)
    unlike = wearing != requested
    fitness = by_pose * np.where(unlike, own.other_glasses_weight, 1).astype(np.float32)
    main = int(fitness.argmax())
    on_head = own.other_weight * fitness
    on_head[main] = 1
    dress = _best_dressed(on_head, photos.visibility, model, own)
    on_mouth = mouth_weights(by_pose, photos.heads, target, own)
    mouth_vertices = np.flatnonzero(mouth_nearness(model, *own.mouth_reach) > 0.5)
    on_mouth = on_mouth * light_likeness(
        photos.crops, photos.xy, photos.visibility, main, mouth_vertices, settings.light
    )
    on_mouth = on_mouth / on_mouth.max()
    on_vertices = _vertex_weights(on_head, on_mouth, dress, photos.visibility, model, own)
    hidden = wearing != wearing[main] if requested else wearing
    on_vertices[np.ix_(hidden, vertices_behind_glasses(model, own.glasses_reach))] *= own.hidden_eyes_weight
    on_vertices, painted_eyes = _weigh_eyes(on_vertices, photos.heads, target, model, own)
    return ReferenceWeights(main, dress, on_head, on_mouth, on_vertices, painted_eyes)


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


def _degrees_between(first: Array, second: Array) -> float:
    """Degrees of the turn from one rotation matrix (3, 3) to another."""
    cosine = (np.trace(first.T @ second) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _best_dressed(weights: Array, visibility: Array, model: HeadModel, settings: WeightSettings) -> int:
    """The reference whose clothes are worn: two shirts do not make one.

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
    mouths = np.stack([head.expression[_MOUTH] for head in heads])
    apart = np.linalg.norm(scales * (mouths - target.expression[_MOUTH]), axis=1)
    weights = fitness * np.exp(-apart)
    return (weights / weights.max()).astype(np.float32)


def _vertex_weights(
    on_head: Array, on_mouth: Array, dress: int, visibility: Array, model: HeadModel, settings: WeightSettings
) -> FloatArray:
    """Weight (N, V) of each reference at each vertex, from those (N,) on the head and about the mouth.

    In eyes the one counts that shows most of them: others have them closed, or nearly.
    """
    near = mouth_nearness(model, *settings.mouth_reach)
    weights = on_head[:, None] * (1 - near) + on_mouth[:, None] * near
    of_eyes = part_vertices(model, *EYES)
    open_wide = visibility[:, of_eyes].mean(axis=1)
    weights[:, of_eyes] *= ((open_wide / max(open_wide.max(), 1e-6)) ** settings.open_eyes_power)[:, None]
    of_body = part_vertices(model, Part.SHOULDERS)
    weights[:, of_body] = 0
    weights[dress, of_body] = 1
    return np.asarray(weights, np.float32)


def _weigh_eyes(
    weights: Array,
    heads: Sequence[HeadGeometry],
    target: HeadGeometry,
    model: HeadModel,
    settings: WeightSettings,
) -> tuple[FloatArray, FloatArray]:
    """Weights (N, V) with less for eyes that look elsewhere, and how far each eye is painted (2,)."""
    likeness, weights = gaze_likeness(heads, target), weights.copy()
    of_eyes = np.zeros_like(likeness)
    for eye, vertices in enumerate(model.eye_vertices):
        weights[:, vertices] *= np.maximum(likeness[:, eye] ** 2, settings.min_gaze_weight)[:, None]
        of_eyes[:, eye] = weights[:, vertices].mean(axis=1)
    return weights, painted(likeness, of_eyes)


@lru_cache(maxsize=4)
def vertices_behind_glasses(model: HeadModel, reach: float) -> IntArray:
    """Vertices within so many metres of the eyes, where glasses sit."""
    return np.unique(model.triangles[triangles_around_eyes(model, reach)])


@lru_cache(maxsize=4)
def mouth_nearness(model: HeadModel, inner: float, outer: float) -> FloatArray:
    """For each vertex (V,) 1 about the mean head's mouth, falling to 0 on cheeks, nose and chin.

    It falls between so many metres from the upper teeth.
    """
    mean = model.mean[: model.num_vertices]
    teeth = mean[part_vertices(model, Part.UPPER_TEETH)].mean(axis=0)
    away = np.linalg.norm((mean - teeth) * (1, 0.5, 1), axis=1)  # the teeth lie behind the lips
    return np.clip((outer - away) / (outer - inner), 0, 1).astype(np.float32)
