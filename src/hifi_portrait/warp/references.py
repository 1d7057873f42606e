"""The references as the plain warp reads them: which of them decides, and how much the others say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from hifi_portrait.head.eyeballs import EYES
from hifi_portrait.head.geometry import EXPRESSION_NAMES, HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import BLINK, HeadModel, part_vertices, triangles_around_eyes
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.person.references import References
from hifi_portrait.warp.face.eyes import gaze_likeness, painted
from hifi_portrait.warp.glasses.detect import wears_glasses
from hifi_portrait.warp.glasses.remove import without_glasses
from hifi_portrait.warp.hair.shell import hair_thickness, raised
from hifi_portrait.warp.light import light_gains, light_likeness
from hifi_portrait.warp.photos import fitted_to, solid_part, without_background
from hifi_portrait.warp.registration import landmark_places, registered

_POSE_SCALE = 40.0  # degrees of head rotation over which a reference's say falls to 1 / e
_LID_SCALE = 1.5  # how much open lids instead of closed ones count beside that
_OTHER_SAY = 0.06  # of all references but the main one, where it sees the surface
_OTHER_GLASSES = 0.4  # say of a reference that wears glasses where none are wished, or the other way round
_ABOUT_EYES = 0.012  # metres about the eyes within which it has little
_LITTLE = 0.02
_ELSEWHERE = 1e-4  # least say of a reference on eyes that look elsewhere
_MOUTH_SCALES = {"jawOpen": 16.0, "mouthSmileLeft": 2.0, "mouthSmileRight": 2.0, "mouthPucker": 2.0}
"""How much a coefficient counts in choosing the references for the mouth; a jaw opens by small numbers."""
_MOUTH_REACH = (0.03, 0.05)  # metres from the teeth to where the mouth begins to end, and ends
_LEAST_BODY = (
    0.3  # of the shoulders that some reference shows: the least that whose clothes are worn must show
)

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Sources:
    """N references for one target.

    Attributes
    ----------
    crops, mattes
        (N, S, S, 3) uint8 and (N, S, S) in [0, 1], 0 beyond a photo's edges.
    shown
        (N, S, S) in [0, 1], where crops show their photos, from `in_photo`.
    solid
        (N, S, S) in [0, 1], the mattes without the person's edge.
    xy
        (N, V, 2) places of the vertices, as shares of the side, from `registered`.
    tables
        (2N, V, 3): x, y, visibility; then the same of the mirror image of each vertex.
    landmarks
        (N, 478, 2), as shares of the side.
    heads
        N.
    gains
        (N, 3) that bring the references to a common brightness.
    says
        (N, V) of each reference on each vertex.
    mouth
        (N,) of each about the mouth; the greatest is 1.
    main
        The reference that decides: hair, glasses, light and background are its.
    dress
        The reference whose clothes are worn.
    roll
        Of the main reference's head to the target's, in radians.
    hair
        (P,) thickness of the main reference's, from `hair_thickness`.
    painted_eyes
        (2,) in [0, 1], how far each eye is painted because no reference looks as the target does.
    """

    crops: Array
    mattes: Array
    shown: Array
    solid: Array
    xy: Array
    tables: Array
    landmarks: Array
    heads: tuple[HeadGeometry, ...]
    gains: Array
    says: Array
    mouth: Array
    main: int
    dress: int
    roll: float
    hair: Array
    painted_eyes: Array

    @classmethod
    def of(
        cls,
        references: References,
        target: HeadGeometry,
        size: int,
        model: HeadModel,
        *,
        bare_eyes: bool = False,
    ) -> Sources:
        """For a picture ``size`` pixels high.

        Most references decide whether glasses are worn; `bare_eyes` wishes for none in any case. Where they
        are not wished, they are taken out of photos. Photos that show it otherwise say less, and little about
        the eyes.
        """
        crops, mattes, shown = fitted_to(size, references.crops, references.mattes)
        crops = np.stack([without_background(*photo) for photo in zip(crops, mattes, strict=True)])
        posed = [model.posed(geometry) for geometry in references.geometries]
        solid = solid_part(mattes) * shown
        hair = hair_thickness(posed, references.geometries, mattes, model)
        views = [
            SurfaceView.of_vertices(model, raised(points, thickness, model), geometry)
            for points, thickness, geometry in zip(posed, hair, references.geometries, strict=True)
        ]
        side, heads = references.crops.shape[1], tuple(references.geometries)
        landmarks = landmark_places(references.landmarks, side, heads, model)
        xy = registered(np.stack([view.xy for view in views]), landmarks, heads, model)
        visibility = np.stack([view.visibility for view in views]).astype(np.float32)
        worn = np.array([wears_glasses(*photo, model) for photo in zip(crops, xy, visibility, strict=True)])
        wished = not bare_eyes and _most(worn, np.asarray(references.quality))
        if not wished:
            crops = _without_glasses(crops, worn, posed, references.geometries, model)
        unlike = worn != wished
        by_pose = _fitness(references, target)
        fitness = by_pose * np.where(unlike, _OTHER_GLASSES, 1).astype(np.float32)
        main = int(fitness.argmax())
        say = _OTHER_SAY * fitness
        say[main] = 1
        dress = _best_dressed(say, visibility, model)
        mouth = mouth_shares(by_pose, references, target)
        mouth *= light_likeness(crops, xy, visibility, main, np.flatnonzero(mouth_nearness(model) > 0.5))
        mouth /= mouth.max()
        says = _says(say, mouth, dress, visibility, model)
        otherwise = worn != worn[main] if wished else worn
        says[np.ix_(otherwise, about_eyes(model))] *= _LITTLE
        painted_eyes = _choose_eyes(says, references, target, model)
        gains = light_gains(crops, xy, visibility, say, model)
        tables = np.concatenate([xy, visibility[..., None]], axis=2)
        mirrored = tables[:, mirror_vertices(model)]
        roll = np.radians(references.geometries[main].pose.roll - target.pose.roll)
        return cls(
            crops,
            mattes * shown,
            shown,
            solid,
            xy,
            np.concatenate([tables, mirrored]),
            landmarks,
            heads,
            gains,
            says,
            mouth,
            main,
            dress,
            float(roll),
            hair[main],
            painted_eyes,
        )


@lru_cache(maxsize=4)
def mirror_vertices(model: HeadModel) -> npt.NDArray[np.int64]:
    """For each vertex (V,) the one at its mirror image on the other side of the mean head."""
    mean = model.mean[: model.num_vertices]
    mirrored = cKDTree(mean).query(mean * np.array([-1, 1, 1]))[1]
    return np.asarray(mirrored, np.int64)


def _fitness(references: References, target: HeadGeometry) -> npt.NDArray[np.float32]:
    """How good each reference is and how near in pose and lids, (N,) in [0, 1]; 1 of the main one.

    It alone decides where it can: the mean of several would be softer than any, with half a pair of glasses
    where some wear them.
    """
    quality = 0.05 + np.asarray(references.quality, np.float64)
    angles = np.array([_angle(geometry.rotation, target.rotation) for geometry in references.geometries])
    lids = np.array([geometry.expression[list(BLINK)].mean() for geometry in references.geometries])
    apart = angles / _POSE_SCALE + _LID_SCALE * np.abs(lids - target.expression[list(BLINK)].mean())
    fitness = quality * np.exp(-(apart - apart.min()))
    return np.asarray(fitness / fitness.max(), np.float32)


def _most(worn: Array, quality: Array) -> bool:
    """Whether more of the quality (N,) is that of photos that show it (N,)."""
    return bool((quality * worn).sum() > quality.sum() / 2)


def _without_glasses(
    crops: Array, worn: Array, posed: Sequence[Array], geometries: Sequence[HeadGeometry], model: HeadModel
) -> npt.NDArray[np.uint8]:
    photos = zip(crops, worn, posed, geometries, strict=True)
    return np.stack(
        [without_glasses(crop, points, head, model) if on else crop for crop, on, points, head in photos]
    )


@lru_cache(maxsize=4)
def about_eyes(model: HeadModel) -> npt.NDArray[np.int64]:
    """Vertices where glasses sit."""
    return np.unique(model.triangles[triangles_around_eyes(model, _ABOUT_EYES)])


def _best_dressed(say: Array, visibility: Array, model: HeadModel) -> int:
    """The reference whose clothes are worn: two shirts do not make one.

    Of those that show enough of the shoulders, the one that says most on the face.
    """
    shown = visibility[:, part_vertices(model, Part.SHOULDERS)].mean(axis=1)
    enough = shown >= _LEAST_BODY * shown.max()
    return int(np.where(enough, say, -1).argmax())


def mouth_shares(fitness: Array, references: References, target: HeadGeometry) -> npt.NDArray[np.float32]:
    """Say (N,) of each reference about the mouth: of all that hold it about as wished, for it moves most."""
    held, scales = [EXPRESSION_NAMES.index(name) for name in _MOUTH_SCALES], list(_MOUTH_SCALES.values())
    mouths = np.stack([geometry.expression[held] for geometry in references.geometries])
    apart = np.linalg.norm(scales * (mouths - target.expression[held]), axis=1)
    shares = fitness * np.exp(-apart)
    return (shares / shares.max()).astype(np.float32)


def _says(
    say: Array, mouth: Array, dress: int, visibility: Array, model: HeadModel
) -> npt.NDArray[np.float32]:
    """Say (N, V) of each reference on each vertex, from that (N,) on the head and about the mouth.

    In eyes the one counts that shows most of them: others have them closed, or nearly.
    """
    near = mouth_nearness(model)
    says = say[:, None] * (1 - near) + mouth[:, None] * near
    of_eyes = part_vertices(model, *EYES)
    open_wide = visibility[:, of_eyes].mean(axis=1)
    says[:, of_eyes] *= ((open_wide / max(open_wide.max(), 1e-6)) ** 4)[:, None]
    of_body = part_vertices(model, Part.SHOULDERS)
    says[:, of_body] = 0
    says[dress, of_body] = 1
    return np.asarray(says, np.float32)


def _choose_eyes(
    says: Array, references: References, target: HeadGeometry, model: HeadModel
) -> npt.NDArray[np.float32]:
    """How far each eye is painted (2,); lessens the says (N, V) on eyes of references that look elsewhere."""
    looks = gaze_likeness(references.geometries, target)
    of_eyes = np.zeros_like(looks)
    for eye, vertices in enumerate(model.eye_vertices):
        says[:, vertices] *= np.maximum(looks[:, eye] ** 2, _ELSEWHERE)[:, None]
        of_eyes[:, eye] = says[:, vertices].mean(axis=1)
    return painted(looks, of_eyes)


@lru_cache(maxsize=4)
def mouth_nearness(model: HeadModel) -> npt.NDArray[np.float32]:
    """For each vertex (V,) 1 about the mean head's mouth, falling to 0 on cheeks, nose and chin."""
    mean = model.mean[: model.num_vertices]
    teeth = mean[part_vertices(model, Part.UPPER_TEETH)].mean(axis=0)
    away = np.linalg.norm((mean - teeth) * (1, 0.5, 1), axis=1)  # the teeth lie behind the lips
    return np.clip((_MOUTH_REACH[1] - away) / (_MOUTH_REACH[1] - _MOUTH_REACH[0]), 0, 1).astype(np.float32)


def _angle(first: Array, second: Array) -> float:
    cosine = (np.trace(first.T @ second) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
