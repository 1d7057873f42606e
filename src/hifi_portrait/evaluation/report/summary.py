"""From readings of pictures to the figures of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.metrics import Interval
from hifi_portrait.evaluation.scorers.calibration import Calibration
from hifi_portrait.evaluation.scorers.control import ControlFigures, Quantities, compute_control_figures
from hifi_portrait.evaluation.scorers.recognition import (
    IdentityFigures,
    average_gallery,
    compare_with_gallery,
    compute_identity_figures,
    copy_paste,
    embeddings,
)
from hifi_portrait.evaluation.scorers.scorers import Reading
from hifi_portrait.head.arrays import Array

Readings = Sequence[Sequence[Reading]]
"""People by pictures."""


@dataclass(frozen=True)
class Row:
    """The figures of one way of making the picture; empty or None where no scorer could give them."""

    name: str
    """As the tables show it."""
    pictures: int
    """How many were read."""
    seeds: int = 1
    """How many pictures there are of each request."""
    face_found: float | None = None
    """Fraction of the pictures in which a face is found."""
    identity: Mapping[str, IdentityFigures] = field(default_factory=dict)
    """By recogniser."""
    copy_paste: Mapping[str, Interval] = field(default_factory=dict)
    """By recogniser, see `hifi_portrait.evaluation.scorers.recognition.copy_paste`."""
    control: ControlFigures | None = None
    """Errors of head pose, expression and gaze."""
    frechet: float | None = None
    """Distance of MobileNetV2 features to photographs, the mean over seeds."""
    frechet_ratio: float | None = None
    """That, as a fraction of the distance of as many true photos."""


@dataclass(frozen=True)
class ReferenceSet:
    """What rows are measured against; empty or None where there is no such thing."""

    gallery: Readings
    """Of the photos that portraits are recognised by."""
    requested: Quantities
    """What was requested, (P, R) each."""
    recognisers: tuple[str, ...] = ()
    """Names of the recognisers that read the gallery."""
    calibration: Calibration | None = None
    """Turns readings into degrees and coefficients."""
    references: Readings = ()
    """Of the photos that the model got."""
    truths: Readings = ()
    """Of the true photos of the requests."""
    pose_distance: Array | None = None
    """Degrees from each request's head pose to each reference's, (P, R, K)."""
    photographs: Array | None = None
    """Features (N, D) of the photographs that the Frechet distance is to."""
    true_frechet: float | None = None
    """The distance of the true photos to those."""
    true_similarity: Mapping[str, Array] = field(default_factory=dict)
    """By recogniser: of the true photos with the gallery's people, (P, R, P)."""


def summarise(
    name: str,
    readings: Readings,
    reference_set: ReferenceSet,
    *,
    seeds: int = 1,
    against: Quantities | None = None,
) -> Row:
    """Compute all figures of a row.

    Parameters
    ----------
    readings
        Of its pictures: people by seeds times requests.
    against
        What was read of the row that control is compared with.
    """
    control = None
    if reference_set.calibration is not None:
        photo = reference_set.calibration(reference_set.truths) if reference_set.truths else None
        control = compute_control_figures(
            reference_set.calibration(readings), reference_set.requested, photo=photo, against=against
        )
    frechet = _frechet(readings, reference_set.photographs, seeds)
    return Row(
        name,
        pictures=sum(len(row) for row in readings),
        seeds=seeds,
        face_found=face_found(readings) if reference_set.recognisers else None,
        identity={
            recogniser: compute_identity_figures(
                compare_with_people(reference_set.gallery, readings, recogniser),
                reference_set.true_similarity.get(recogniser),
            )
            for recogniser in reference_set.recognisers
        },
        copy_paste=measure_copy_pastes(readings, reference_set),
        control=control,
        frechet=frechet,
        frechet_ratio=frechet / reference_set.true_frechet
        if frechet and reference_set.true_frechet
        else None,
    )


def face_found(readings: Readings) -> float:
    """Compute the fraction of pictures in which the recognisers' detector finds a face."""
    return float(np.mean([r.face_score is not None for row in readings for r in row]))


def compare_with_people(gallery: Readings, readings: Readings, recogniser: str) -> Array:
    """Compare every picture with every person of the gallery, (P, R, P)."""
    return compare_with_gallery(embeddings(readings, recogniser), average_gallery(gallery, recogniser))


def measure_copy_pastes(readings: Readings, reference_set: ReferenceSet) -> dict[str, Interval]:
    """Measure copy-paste by each recogniser, where references, true photos and their poses are known."""
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


def gather_features(readings: Readings) -> Array:
    """Gather the features (N, D) of the pictures that have any."""
    return np.array([r.features for row in readings for r in row if r.features is not None])


def _frechet(readings: Readings, photographs: Array | None, seeds: int) -> float | None:
    if photographs is None:
        return None
    distances = []
    for seed in range(seeds):
        features = gather_features(
            [list(np.array_split(np.array(row, object), seeds)[seed]) for row in readings]
        )
        if len(features) < 2:
            return None
        distances.append(metrics.frechet_distance(features, photographs))
    return float(np.mean(distances))
