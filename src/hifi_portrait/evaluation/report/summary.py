"""From readings of pictures to the figures of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.metrics import Interval
from hifi_portrait.evaluation.scorers.calibration import Rulers
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
class Standard:
    """What rows are measured against; empty or None where there is no such thing.

    Attributes
    ----------
    gallery, references, truths
        What was read of the photos: that portraits are recognised by, that the model got, of the wishes.
    wished
        What was asked for, (P, W) each.
    pose_distance
        Degrees from each wish's head pose to each reference's, (P, W, K).
    photographs
        Features (N, D) of the photographs that the Frechet distance is to.
    true_frechet
        The distance of the true photos to those.
    true_similarity
        By recogniser: of the true photos with the gallery's people, (P, W, P).
    """

    gallery: Readings
    wished: Quantities
    recognisers: tuple[str, ...] = ()
    rulers: Rulers | None = None
    references: Readings = ()
    truths: Readings = ()
    pose_distance: np.ndarray | None = None
    photographs: np.ndarray | None = None
    true_frechet: float | None = None
    true_similarity: Mapping[str, np.ndarray] = field(default_factory=dict)


def summarise(
    name: str, readings: Readings, standard: Standard, *, seeds: int = 1, against: Quantities | None = None
) -> Row:
    """All figures of a row of drawn pictures, its readings in people by seeds times wishes."""
    control = None
    if standard.rulers is not None:
        photo = standard.rulers(standard.truths) if standard.truths else None
        control = control_figures(standard.rulers(readings), standard.wished, photo=photo, against=against)
    frechet = _frechet(readings, standard.photographs, seeds)
    return Row(
        name,
        pictures=sum(len(row) for row in readings),
        seeds=seeds,
        face_found=face_found(readings) if standard.recognisers else None,
        identity={
            recogniser: identity_figures(
                similarity_with(standard.gallery, readings, recogniser),
                standard.true_similarity.get(recogniser),
            )
            for recogniser in standard.recognisers
        },
        copy_paste=copy_pastes(readings, standard),
        control=control,
        frechet=frechet,
        frechet_ratio=frechet / standard.true_frechet if frechet and standard.true_frechet else None,
    )


def face_found(readings: Readings) -> float:
    """The share of pictures in which the recognisers' detector finds a face."""
    return float(np.mean([r.face_score is not None for row in readings for r in row]))


def similarity_with(gallery: Readings, readings: Readings, recogniser: str) -> np.ndarray:
    """Of every picture with every person of the gallery, (P, W, P)."""
    return own_and_all(embeddings(readings, recogniser), gallery_of(gallery, recogniser))


def copy_pastes(readings: Readings, standard: Standard) -> dict[str, Interval]:
    """Copy-paste by each recogniser, where references, true photos and their head poses are known."""
    if standard.pose_distance is None or not standard.truths:
        return {}
    return {
        recogniser: copy_paste(
            embeddings(readings, recogniser),
            embeddings(standard.references, recogniser),
            embeddings(standard.truths, recogniser),
            standard.pose_distance,
        )
        for recogniser in standard.recognisers
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
