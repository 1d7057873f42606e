"""How much each reference counts at each vertex: one decides, others where they show more than it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.eyeballs import EYES
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.warp.choose import Choice
from hifi_portrait.warp.face.eyes import gaze_likeness, painted_fractions
from hifi_portrait.warp.face.places import mouth_nearness, vertices_behind_glasses
from hifi_portrait.warp.glasses.settle import GlassesState
from hifi_portrait.warp.registration import RegisteredPhotos
from hifi_portrait.warp.settings import WarpSettings, WeightSettings


@dataclass(frozen=True, eq=False)
class ReferenceWeights:
    """How much each of N references counts where.

    Attributes
    ----------
    on_mouth
        (N,) of each about the mouth; the greatest is 1.
    on_vertices
        (N, V) of each at each vertex.
    painted_eyes
        (2,) in [0, 1], how far each eye is painted because no reference looks as the target does.
    """

    on_mouth: FloatArray
    on_vertices: FloatArray
    painted_eyes: FloatArray


def weigh_references(
    photos: RegisteredPhotos,
    choice: Choice,
    light_likeness: Array,
    glasses: GlassesState,
    target: HeadGeometry,
    model: HeadModel,
    settings: WarpSettings,
) -> ReferenceWeights:
    """Weigh N references for a target.

    Parameters
    ----------
    photos, choice, glasses
        The references, how they compare as wholes, and which of them wear glasses.
    light_likeness
        (N,) in [0, 1], whether light falls on each one's mouth as on the main one's.
    target
        What is drawn.
    model
        The head model.
    settings
        Those of weights and of gazes.
    """
    own = settings.weights
    near = mouth_nearness(model, *own.mouth_reach)
    on_mouth = choice.on_mouth * light_likeness * _uncovered_fraction(photos.uncovered, near > 0.5)
    on_mouth = on_mouth / on_mouth.max()
    weights = _weigh_vertices(choice, on_mouth, photos.visibility, model, own) * photos.uncovered
    behind = vertices_behind_glasses(model, own.glasses_reach)
    weights[np.ix_(glasses.hides(choice.main), behind)] *= own.hidden_eyes_weight
    on_vertices, painted_eyes = _weigh_eyes(weights, photos.heads, target, model, settings)
    return ReferenceWeights(on_mouth, on_vertices, painted_eyes)


def _uncovered_fraction(uncovered: Array, there: Array) -> FloatArray:
    """How much (N,) of some vertices nothing is before; a little for each, so that they can be compared."""
    counted = np.broadcast_to(uncovered, (len(uncovered), len(there)))[:, there]
    return np.asarray(np.maximum(counted.mean(axis=1) ** 4, 1e-4), np.float32)


def _weigh_vertices(
    choice: Choice, on_mouth: Array, visibility: Array, model: HeadModel, settings: WeightSettings
) -> FloatArray:
    """Weight (N, V) of each reference at each vertex, from those (N,) on the head and about the mouth.

    In eyes the one counts that shows most of them: others have them closed, or nearly.
    """
    near = mouth_nearness(model, *settings.mouth_reach)
    weights = choice.on_head[:, None] * (1 - near) + on_mouth[:, None] * near
    of_eyes = part_vertices(model, *EYES)
    open_wide = visibility[:, of_eyes].mean(axis=1)
    weights[:, of_eyes] *= ((open_wide / max(open_wide.max(), 1e-6)) ** settings.open_eyes_power)[:, None]
    of_body = part_vertices(model, Part.SHOULDERS)
    weights[:, of_body] = 0
    weights[choice.dress, of_body] = 1
    return np.asarray(weights, np.float32)


def _weigh_eyes(
    weights: Array,
    heads: Sequence[HeadGeometry],
    target: HeadGeometry,
    model: HeadModel,
    settings: WarpSettings,
) -> tuple[FloatArray, FloatArray]:
    """Weights (N, V) with less for eyes that look elsewhere, and how far each eye is painted (2,)."""
    likeness, weights = gaze_likeness(heads, target, settings.gaze), weights.copy()
    of_eyes = np.zeros_like(likeness)
    for eye, vertices in enumerate(model.eye_vertices):
        weights[:, vertices] *= np.maximum(likeness[:, eye] ** 2, settings.weights.min_gaze_weight)[:, None]
        of_eyes[:, eye] = weights[:, vertices].mean(axis=1)
    return weights, painted_fractions(likeness, of_eyes, settings.gaze)
