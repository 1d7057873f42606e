"""The whole evaluation: a list of cases and the rows drawn for them -> a table of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hifi_portrait.evaluation.protocol import Case, ruler_photographs
from hifi_portrait.evaluation.ruler import PoseRuler, poses
from hifi_portrait.evaluation.runner import read_photos, read_row
from hifi_portrait.evaluation.scorers import Reading, ScorerSet
from hifi_portrait.evaluation.summary import (
    Row,
    Wished,
    embeddings,
    features_of,
    gallery_of,
    leave_one_out,
    own_and_all,
    summarise,
)

TRUE_ROW = "true photo"
WARP_ROW = "plain warp"
PORTRAIT_ROW = "portrait"


@dataclass(frozen=True)
class Benchmark:
    """Figures of every row, what was left out and why, and how good the head-pose ruler is."""

    rows: tuple[Row, ...]
    skipped: tuple[str, ...]
    ruler: PoseRuler | None
    people: int
    references: tuple[int, int]
    gallery_is_unseen: bool


def score(cases: Sequence[Case], rows: Sequence[str], out: Path, scoring: Path | None) -> Benchmark:
    """Read the pictures of `rows` in `out`, and the true photos, and work the figures out.

    The true photos' row is the ceiling: the true picture of each wish where the list has it, else each
    reference against the same person's other references.
    """
    scorers = ScorerSet.load(scoring)
    gallery_readings = read_photos([case.gallery for case in cases], scorers)
    has_recogniser = any(r.embedding is not None for row in gallery_readings for r in row)
    has_pose = any(r.pose is not None for row in gallery_readings for r in row)
    gallery = gallery_of(gallery_readings) if has_recogniser else None
    ruler = _ruler(out / "ruler.json", scorers) if has_pose else None
    wished = Wished.of(cases)

    true_readings, true_similarity = _true_photos(cases, gallery_readings, gallery, scorers)
    true_features = features_of(true_readings or gallery_readings)
    table = []
    if true_readings:
        asked = wished if _have_truths(cases) else None
        table.append(summarise(TRUE_ROW, true_readings, true_similarity, wished=asked, ruler=ruler))
    for name in rows:
        readings = read_row(cases, name, out, scorers)
        similarity = None if gallery is None else own_and_all(embeddings(readings), gallery)
        table.append(
            summarise(
                name,
                readings,
                similarity,
                wished=wished,
                ruler=ruler,
                true_similarity=true_similarity,
                true_features=true_features if len(true_features) > 1 else None,
            )
        )
    counts = [len(case.references) for case in cases]
    unseen = all(case.gallery_is_unseen for case in cases)
    return Benchmark(
        tuple(table), tuple(scorers.skipped), ruler, len(cases), (min(counts), max(counts)), unseen
    )


def _have_truths(cases: Sequence[Case]) -> bool:
    return all(wish.truth is not None for case in cases for wish in case.wishes)


def _true_photos(
    cases: Sequence[Case],
    gallery_readings: list[list[Reading]],
    gallery: np.ndarray | None,
    scorers: ScorerSet,
) -> tuple[list[list[Reading]], np.ndarray | None]:
    if _have_truths(cases):
        readings = read_photos([[w.truth for w in case.wishes if w.truth] for case in cases], scorers)
        return readings, None if gallery is None else own_and_all(embeddings(readings), gallery)
    photos = min(len(row) for row in gallery_readings)
    if photos < 2 or gallery is None:
        return [], None
    return [row[:photos] for row in gallery_readings], leave_one_out(gallery_readings, gallery)


def _ruler(path: Path, scorers: ScorerSet) -> PoseRuler:
    if path.exists():
        return PoseRuler.load(path)
    photographs = ruler_photographs()
    geometry = [photograph.truth.geometry.pose for photograph in photographs]
    true = np.array([(pose.yaw, pose.pitch, pose.roll) for pose in geometry])
    ruler = PoseRuler.fit(true, poses([scorers.read(photograph.image) for photograph in photographs]))
    ruler.save(path)
    return ruler
