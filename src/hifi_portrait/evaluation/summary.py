"""From readings of pictures to the figures of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.metrics import Interval
from hifi_portrait.evaluation.protocol import Case
from hifi_portrait.evaluation.ruler import PoseRuler, poses
from hifi_portrait.evaluation.scorers import Reading
from hifi_portrait.head import EXPRESSION_NAMES

EMBEDDING_SIZE = 128
_SMILE = [EXPRESSION_NAMES.index(name) for name in ("mouthSmileLeft", "mouthSmileRight")]
_JAW_OPEN = EXPRESSION_NAMES.index("jawOpen")


@dataclass(frozen=True)
class Row:
    """The figures of one way of making the picture; None where no scorer could give it."""

    name: str
    pictures: int
    face_found: float | None = None
    similarity: Interval | None = None
    share_of_true: Interval | None = None
    rank_one: Interval | None = None
    wrong_similarity: float | None = None
    right_wrong_auc: float | None = None
    pose_error: tuple[float, float, float] | None = None
    smile_correlation: float | None = None
    jaw_correlation: float | None = None
    frechet: float | None = None


@dataclass(frozen=True)
class Wished:
    """What was asked for, over cases and wishes: pose (P, W, 3) in degrees, smile and jaw opening (P, W)."""

    pose: np.ndarray
    smile: np.ndarray
    jaw_open: np.ndarray

    @classmethod
    def of(cls, cases: Sequence[Case]) -> Wished:
        """Read off the cases' targets."""
        targets = [[wish.target for wish in case.wishes] for case in cases]
        expressions = np.array([[t.expression_vector() for t in row] for row in targets])
        pose = np.array([[(t.pose.yaw, t.pose.pitch, t.pose.roll) for t in row] for row in targets])
        return cls(pose, expressions[..., _SMILE].mean(-1), expressions[..., _JAW_OPEN])


def embeddings(readings: Sequence[Sequence[Reading]]) -> np.ndarray:
    """(P, W, 128), zero where no face was found: it then resembles nobody."""
    zero = np.zeros(EMBEDDING_SIZE)
    return np.array([[zero if r.embedding is None else r.embedding for r in row] for row in readings])


def gallery_of(readings: Sequence[Sequence[Reading]]) -> np.ndarray:
    """One embedding a person, (P, 128): the mean of their photos' unit embeddings."""
    people = []
    for row in readings:
        found = [r.embedding for r in row if r.embedding is not None]
        people.append(metrics.normalised(np.array(found)).mean(0) if found else np.zeros(EMBEDDING_SIZE))
    return np.array(people)


def own_and_all(queries: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """Similarity of every picture with every person, (P, W, D) and (P, D) -> (P, W, P)."""
    people, wishes, size = queries.shape
    return metrics.similarity_matrix(queries.reshape(-1, size), gallery).reshape(people, wishes, people)


def leave_one_out(readings: Sequence[Sequence[Reading]], gallery: np.ndarray) -> np.ndarray:
    """`own_and_all` for the gallery's own photos, each compared with its person's other photos only.

    Takes people with at least two photos each, cut to the smallest number anyone has.
    """
    photos = min(len(row) for row in readings)
    queries = embeddings([row[:photos] for row in readings])
    similarity = own_and_all(queries, gallery)
    for person, row in enumerate(readings):
        for photo in range(photos):
            rest = gallery_of([[*row[:photo], *row[photo + 1 :]]])[0]
            similarity[person, photo, person] = metrics.cosine_similarity(queries[person, photo], rest)
    return similarity


def summarise(
    name: str,
    readings: Sequence[Sequence[Reading]],
    similarity: np.ndarray | None,
    *,
    wished: Wished | None = None,
    ruler: PoseRuler | None = None,
    true_similarity: np.ndarray | None = None,
    true_features: np.ndarray | None = None,
) -> Row:
    """All figures of a row.

    Parameters
    ----------
    readings:
        Of the row's pictures, people by wishes.
    similarity, true_similarity:
        (P, W, P) with the gallery, of this row and of the true photos; None without a recogniser.
    wished:
        Left out for photos of which nothing was asked.
    true_features:
        (N, D) features of true photos, for the Frechet distance.
    """
    flat = [reading for row in readings for reading in row]
    figures: dict[str, object] = {}
    if similarity is not None:
        figures |= _identity_figures(similarity, true_similarity)
        figures["face_found"] = float(np.mean([r.embedding is not None for r in flat]))
    if wished is not None and any(r.smile is not None for r in flat):
        figures["smile_correlation"] = metrics.correlation(wished.smile.ravel(), _values(flat, "smile"))
        figures["jaw_correlation"] = metrics.correlation(
            wished.jaw_open.ravel(), _values(flat, "mouth_opening")
        )
        if ruler is not None:
            yaw, pitch, roll = metrics.pose_error(wished.pose.reshape(-1, 3), ruler(poses(flat)))
            figures["pose_error"] = (float(yaw), float(pitch), float(roll))
    features = features_of(readings)
    if true_features is not None and len(features) > 1:
        figures["frechet"] = metrics.frechet_distance(features, true_features)
    return Row(name, len(flat), **figures)  # type: ignore[arg-type]


def features_of(readings: Sequence[Sequence[Reading]]) -> np.ndarray:
    """(N, D) features of the pictures that have any."""
    return np.array([r.features for row in readings for r in row if r.features is not None])


def _identity_figures(similarity: np.ndarray, true: np.ndarray | None) -> dict[str, object]:
    people, wishes, _ = similarity.shape
    person = np.arange(people)
    own = similarity[person, :, person]
    wrong = similarity[~np.eye(people, dtype=bool)[:, None, :].repeat(wishes, axis=1)]
    labels = person.repeat(wishes)
    right = metrics.rank_one(similarity.reshape(-1, people), labels).reshape(people, wishes)
    figures: dict[str, object] = {
        "similarity": metrics.bootstrap_over_people(lambda drawn: float(own[drawn].mean()), people),
        "rank_one": metrics.bootstrap_over_people(lambda drawn: float(right[drawn].mean()), people),
    }
    if people > 1:
        figures["wrong_similarity"] = float(wrong.mean())
        figures["right_wrong_auc"] = metrics.area_under_curve(own.ravel(), wrong)
    if true is not None:
        ceiling = true[person, :, person]
        figures["share_of_true"] = metrics.bootstrap_over_people(
            lambda drawn: float(own[drawn].mean() / ceiling[drawn].mean()), people
        )
    return figures


def _values(readings: Sequence[Reading], name: str) -> np.ndarray:
    values = [getattr(reading, name) for reading in readings]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
