"""Is it the person? Similarity, rank-1 and copy-paste by one recogniser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.metrics import Interval
from hifi_portrait.evaluation.scorers.scorers import Reading


@dataclass(frozen=True)
class IdentityFigures:
    """What one recogniser says of a row; `share_of_true` is None without a true photos' row."""

    similarity: Interval
    rank_one: Interval
    share_of_true: Interval | None = None
    wrong_similarity: float | None = None
    right_wrong_auc: float | None = None


def embeddings(readings: Sequence[Sequence[Reading]], recogniser: str) -> np.ndarray:
    """(P, W, D), zero where no face was found: it then resembles nobody. D is 1 if there is none at all."""
    found = (r.embeddings[recogniser] for row in readings for r in row if recogniser in r.embeddings)
    zero = np.zeros_like(next(found, np.zeros(1)))
    return np.array([[r.embeddings.get(recogniser, zero) for r in row] for row in readings])


def gallery_of(readings: Sequence[Sequence[Reading]], recogniser: str) -> np.ndarray:
    """One embedding a person, (P, D): the mean of their photos' unit embeddings."""
    size = next(
        (len(r.embeddings[recogniser]) for row in readings for r in row if recogniser in r.embeddings), 1
    )
    people = []
    for row in readings:
        found = [r.embeddings[recogniser] for r in row if recogniser in r.embeddings]
        people.append(metrics.normalised(np.array(found)).mean(0) if found else np.zeros(size))
    return np.array(people)


def own_and_all(queries: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """Similarity of every picture with every person, (P, W, D) and (P, D) -> (P, W, P)."""
    people, requests, size = queries.shape
    if size != gallery.shape[1]:  # not one face among the pictures
        return np.zeros((people, requests, len(gallery)))
    return metrics.similarity_matrix(queries.reshape(-1, size), gallery).reshape(people, requests, people)


def leave_one_out(readings: Sequence[Sequence[Reading]], gallery: np.ndarray, recogniser: str) -> np.ndarray:
    """Like `own_and_all`, for photos that the gallery itself is made of: each against its person's others.

    Takes people with at least two photos each, cut to the smallest number anyone has.
    """
    photos = min(len(row) for row in readings)
    queries = embeddings([row[:photos] for row in readings], recogniser)
    similarity = own_and_all(queries, gallery)
    for person, row in enumerate(readings):
        for photo in range(photos):
            rest = gallery_of([[*row[:photo], *row[photo + 1 :]]], recogniser)[0]
            if len(rest) == queries.shape[-1]:
                similarity[person, photo, person] = metrics.cosine_similarity(queries[person, photo], rest)
    return similarity


def identity_figures(similarity: np.ndarray, true: np.ndarray | None = None) -> IdentityFigures:
    """Of the similarities (P, W, P) of a row's pictures with the gallery, and of the true photos' ones."""
    people, requests, _ = similarity.shape
    person = np.arange(people)
    own = similarity[person, :, person]
    wrong = similarity[~np.eye(people, dtype=bool)[:, None, :].repeat(requests, axis=1)]
    labels = person.repeat(requests)
    right = metrics.rank_one(similarity.reshape(-1, people), labels).reshape(people, requests)
    share = None
    if true is not None:
        ceiling = true[person, :, person]
        share = metrics.bootstrap_over_people(
            lambda drawn: float(own[drawn].mean() / ceiling[drawn].mean()), people
        )
    return IdentityFigures(
        similarity=metrics.bootstrap_over_people(lambda drawn: float(own[drawn].mean()), people),
        rank_one=metrics.bootstrap_over_people(lambda drawn: float(right[drawn].mean()), people),
        share_of_true=share,
        wrong_similarity=float(wrong.mean()) if people > 1 else None,
        right_wrong_auc=metrics.area_under_curve(own.ravel(), wrong) if people > 1 else None,
    )


def copy_paste(
    pictures: np.ndarray, references: np.ndarray, truths: np.ndarray, pose_distance: np.ndarray
) -> Interval:
    """How much more the portraits resemble the references than the truth, for 10 degrees between the two.

    The mean over pictures and references of ``similarity to the reference - similarity to the truth``, over
    the mean angle between the reference's head pose and the truth's. A portrait that repeats its references
    is above 0; one that is the truth is far below. NaN where no pair can be compared.

    Parameters
    ----------
    pictures:
        Embeddings (P, S * W, D): the requests, once for each seed; zero where no face was found.
    references, truths:
        (P, K, D) and (P, W, D).
    pose_distance:
        (P, W, K) in degrees; NaN where no face was read.
    """
    people, count, _ = pictures.shape
    seeds = count // truths.shape[1]
    truths, distance = np.tile(truths, (1, seeds, 1)), np.tile(pose_distance, (1, seeds, 1))
    to_reference = np.einsum("pwd,pkd->pwk", metrics.normalised(pictures), metrics.normalised(references))
    excess = to_reference - metrics.cosine_similarity(pictures, truths)[..., None]
    found, known, true = (np.asarray(faces.any(-1)) for faces in (pictures, references, truths))
    seen = found[:, :, None] & known[:, None] & true[:, :, None]
    seen &= np.isfinite(distance)
    excess, distance = np.where(seen, excess, 0.0), np.where(seen, distance, 0.0)

    def ratio(drawn: np.ndarray) -> float:
        apart = distance[drawn].sum()
        return float(10 * excess[drawn].sum() / apart) if apart > 0 else float("nan")

    return metrics.bootstrap_over_people(ratio, people)
