"""From readings of pictures to the figures of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.metrics import Interval
from hifi_portrait.evaluation.scorers.calibration import Calibration
from hifi_portrait.evaluation.scorers.control import ControlFigures, Quantities, control_figures
from hifi_portrait.evaluation.scorers.recognition import (
    IdentityFigures,
    copy_paste,
    embeddings,
    gallery_of,
    identity_figures,
    own_and_all,
)
from hifi_portrait.evaluation.scorers.scorers import Reading

Readings = Sequence[Sequence[Reading]]
"""People by pictures."""


@dataclass(frozen=True)
class Row:
    """The figures of one way of making the picture; empty or None where no scorer could give them.

    Attributes
    ----------
    identity, copy_paste
        By recogniser.
    frechet
        Distance of MobileNetV2 features to photographs, the mean over seeds.
    frechet_ratio
        That, as a share of the distance of true photos of the same size of set.
    """

    name: str
    pictures: int
    seeds: int = 1
    face_found: float | None = None
    identity: Mapping[str, IdentityFigures] = field(default_factory=dict)
    copy_paste: Mapping[str, Interval] = field(default_factory=dict)
    control: ControlFigures | None = None
    frechet: float | None = None
    frechet_ratio: float | None = None


@dataclass(frozen=True)
class ReferenceSet:
    """What rows are measured against; empty or None where there is no such thing.

    Attributes
    ----------
    gallery, references, truths
        What was read of the photos: that portraits are recognised by, that the model got, of the requests.
    requested
        What was asked for, (P, W) each.
    pose_distance
        Degrees from each request's head pose to each reference's, (P, W, K).
    photographs
        Features (N, D) of the photographs that the Frechet distance is to.
    true_frechet
        The distance of the true photos to those.
    true_similarity
        By recogniser: of the true photos with the gallery's people, (P, W, P).
    """

    gallery: Readings
    requested: Quantities
    recognisers: tuple[str, ...] = ()
    calibration: Calibration | None = None
    references: Readings = ()
    truths: Readings = ()
    pose_distance: np.ndarray | None = None
    photographs: np.ndarray | None = None
    true_frechet: float | None = None
    true_similarity: Mapping[str, np.ndarray] = field(default_factory=dict)


def summarise(
    name: str,
    readings: Readings,
    reference_set: ReferenceSet,
    *,
    seeds: int = 1,
    against: Quantities | None = None,
) -> Row:
    """All figures of a row of drawn pictures, its readings in people by seeds times requests."""
    control = None
    if reference_set.calibration is not None:
        photo = reference_set.calibration(reference_set.truths) if reference_set.truths else None
        control = control_figures(
            reference_set.calibration(readings), reference_set.requested, photo=photo, against=against
        )
    frechet = _frechet(readings, reference_set.photographs, seeds)
    return Row(
        name,
        pictures=sum(len(row) for row in readings),
        seeds=seeds,
        face_found=face_found(readings) if reference_set.recognisers else None,
        identity={
            recogniser: identity_figures(
                similarity_with(reference_set.gallery, readings, recogniser),
                reference_set.true_similarity.get(recogniser),
            )
            for recogniser in reference_set.recognisers
        },
        copy_paste=copy_pastes(readings, reference_set),
        control=control,
        frechet=frechet,
        frechet_ratio=frechet / reference_set.true_frechet
        if frechet and reference_set.true_frechet
        else None,
    )


def face_found(readings: Readings) -> float:
    """The share of pictures in which the recognisers' detector finds a face."""
    return float(np.mean([r.face_score is not None for row in readings for r in row]))


def similarity_with(gallery: Readings, readings: Readings, recogniser: str) -> np.ndarray:
    """Of every picture with every person of the gallery, (P, W, P)."""
    return own_and_all(embeddings(readings, recogniser), gallery_of(gallery, recogniser))


def copy_pastes(readings: Readings, reference_set: ReferenceSet) -> dict[str, Interval]:
    """Copy-paste by each recogniser, where references, true photos and their head poses are known."""
    if reference_set.pose_distance is None or not reference_set.truths:
        return {}
    return {
        recogniser: copy_paste(
            embeddings(readings, recogniser),
            embeddings(reference_set.references, recogniser),
            embeddings(reference_set.truths, recogniser),
            reference_set.pose_distance,
        )
        for recogniser in reference_set.recognisers
    }


def features_of(readings: Readings) -> np.ndarray:
    """(N, D) features of the pictures that have any."""
    return np.array([r.features for row in readings for r in row if r.features is not None])


def _frechet(readings: Readings, photographs: np.ndarray | None, seeds: int) -> float | None:
    if photographs is None:
        return None
    distances = []
    for seed in range(seeds):
        features = features_of([list(np.array_split(np.array(row, object), seeds)[seed]) for row in readings])
        if len(features) < 2:
            return None
        distances.append(metrics.frechet_distance(features, photographs))
    return float(np.mean(distances))
