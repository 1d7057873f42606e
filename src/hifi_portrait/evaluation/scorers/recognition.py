"""Is it the person? Similarity, rank-1 and copy-paste by one recogniser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.metrics import Interval
from hifi_portrait.evaluation.scorers.scorers import Reading
from hifi_portrait.head.arrays import Array


@dataclass(frozen=True)
class IdentityFigures:
    """What one recogniser finds of a row."""

    similarity: Interval
    """Mean cosine similarity of the pictures with their person."""
    rank_one: Interval
    """Fraction of the pictures that resemble their person most."""
    share_of_true: Interval | None = None
    """The similarity as a fraction of that of the true photos; None where there are none."""
    wrong_similarity: float | None = None
    """Mean similarity with everybody else; None of a single person."""
    right_wrong_auc: float | None = None
    """Chance that a picture is more like its person than like another; None of a single person."""


def embeddings(readings: Sequence[Sequence[Reading]], recogniser: str) -> Array:
    """Stack the embeddings, (P, R, D), zero where no face was found: such a picture resembles nobody.

    D is 1 if there is no face at all.
    """
    found = (r.embeddings[recogniser] for row in readings for r in row if recogniser in r.embeddings)
    zero = np.zeros_like(next(found, np.zeros(1)))
    return np.array([[r.embeddings.get(recogniser, zero) for r in row] for row in readings])


def average_gallery(readings: Sequence[Sequence[Reading]], recogniser: str) -> Array:
    """Average the unit embeddings of each person's photos: (P, D)."""
    size = next(
        (len(r.embeddings[recogniser]) for row in readings for r in row if recogniser in r.embeddings), 1
    )
    people = []
    for row in readings:
        found = [r.embeddings[recogniser] for r in row if recogniser in r.embeddings]
        people.append(metrics.normalise(np.array(found)).mean(0) if found else np.zeros(size))
    return np.array(people)


def compare_with_gallery(queries: Array, gallery: Array) -> Array:
    """Compare every picture with every person, (P, R, D) and (P, D) -> (P, R, P)."""
    people, requests, size = queries.shape
    if size != gallery.shape[1]:  # not one face among the pictures
        return np.zeros((people, requests, len(gallery)))
    return metrics.similarity_matrix(queries.reshape(-1, size), gallery).reshape(people, requests, people)


def leave_one_out(readings: Sequence[Sequence[Reading]], gallery: Array, recogniser: str) -> Array:
    """Compare as `compare_with_gallery`, for the photos of the gallery itself: each with its person's others.

    Takes people with at least two photos each, cut to the smallest number anyone has.
    """
    photos = min(len(row) for row in readings)
    queries = embeddings([row[:photos] for row in readings], recogniser)
    similarity = compare_with_gallery(queries, gallery)
    for person, row in enumerate(readings):
        for photo in range(photos):
            rest = average_gallery([[*row[:photo], *row[photo + 1 :]]], recogniser)[0]
            if len(rest) == queries.shape[-1]:
                similarity[person, photo, person] = metrics.cosine_similarity(queries[person, photo], rest)
    return similarity


def compute_identity_figures(similarity: Array, true: Array | None = None) -> IdentityFigures:
    """Compute the figures of a row from its similarities (P, R, P), and from those of the true photos."""
    people, requests, _ = similarity.shape
    person = np.arange(people)
    own = similarity[person, :, person]
    wrong = similarity[~np.eye(people, dtype=bool)[:, None, :].repeat(requests, axis=1)]
    labels = person.repeat(requests)
    right = metrics.rank_one(similarity.reshape(-1, people), labels).reshape(people, requests)
    fraction = None
    if true is not None:
        ceiling = true[person, :, person]
        fraction = metrics.bootstrap_over_people(
            lambda drawn: float(own[drawn].mean() / ceiling[drawn].mean()), people
        )
    return IdentityFigures(
        similarity=metrics.bootstrap_over_people(lambda drawn: float(own[drawn].mean()), people),
        rank_one=metrics.bootstrap_over_people(lambda drawn: float(right[drawn].mean()), people),
        share_of_true=fraction,
        wrong_similarity=float(wrong.mean()) if people > 1 else None,
        right_wrong_auc=metrics.area_under_curve(own.ravel(), wrong) if people > 1 else None,
    )


def copy_paste(pictures: Array, references: Array, truths: Array, pose_distance: Array) -> Interval:
    """Measure how much more the portraits resemble the references than the truth, per 10 degrees of pose.

    The mean over pictures and references of ``similarity to the reference - similarity to the truth``, over
    the mean angle between the reference's head pose and the truth's. A portrait that repeats its references
    is above 0; one that is the truth is far below. NaN where no pair can be compared.

    Parameters
    ----------
    pictures:
        Embeddings (P, S * R, D): the requests, once for each seed; zero where no face was found.
    references, truths:
        (P, K, D) and (P, R, D).
    pose_distance:
        (P, R, K) in degrees; NaN where no face was read.
    """
    people, count, _ = pictures.shape
    seeds = count // truths.shape[1]
    truths, distance = np.tile(truths, (1, seeds, 1)), np.tile(pose_distance, (1, seeds, 1))
    to_reference = np.einsum("pwd,pkd->pwk", metrics.normalise(pictures), metrics.normalise(references))
    excess = to_reference - metrics.cosine_similarity(pictures, truths)[..., None]
    found, known, true = (np.asarray(faces.any(-1)) for faces in (pictures, references, truths))
    seen = found[:, :, None] & known[:, None] & true[:, :, None]
    seen &= np.isfinite(distance)
    excess, distance = np.where(seen, excess, 0.0), np.where(seen, distance, 0.0)

    def ratio(drawn: Array) -> float:
        apart = distance[drawn].sum()
        return float(10 * excess[drawn].sum() / apart) if apart > 0 else float("nan")

    return metrics.bootstrap_over_people(ratio, people)
