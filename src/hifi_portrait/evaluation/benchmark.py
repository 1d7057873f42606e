"""The whole evaluation: a list of cases and the rows drawn for them -> a table of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from hifi_portrait.errors import DatasetError
from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.protocol import RULER_PEOPLE, Case, OnDone, Wish, ruler_photographs
from hifi_portrait.evaluation.report.summary import (
    Readings,
    Row,
    Standard,
    copy_pastes,
    face_found,
    features_of,
    similarity_with,
    summarise,
)
from hifi_portrait.evaluation.runner import read_photos, read_row, seeds_in
from hifi_portrait.evaluation.scorers.calibration import Rulers
from hifi_portrait.evaluation.scorers.control import POSE, Quantities, wished_quantities
from hifi_portrait.evaluation.scorers.recognition import gallery_of, identity_figures, leave_one_out
from hifi_portrait.evaluation.scorers.scorers import ScorerSet
from hifi_portrait.head import HeadPose

RULERS_FILE = "rulers.json"
TRUE_ROW = "true photo"
WARP_ROW = "plain warp"
PORTRAIT_ROW = "portrait"


@dataclass(frozen=True)
class Benchmark:
    """Figures of every row, what was left out and why, and how good the rulers are."""

    rows: tuple[Row, ...]
    skipped: tuple[str, ...]
    rulers: Rulers | None
    people: int
    references: tuple[int, int]
    gallery_is_unseen: bool
    against: str


def score(
    cases: Sequence[Case],
    rows: Sequence[str],
    out: Path,
    scoring: Path | None,
    *,
    seeds: int = 1,
    against: str = WARP_ROW,
    on_ruler_person: OnDone | None = None,
) -> Benchmark:
    """Read the pictures of `rows` in `out`, and the true photos, and work the figures out.

    The true photos' row is the ceiling: the true picture of each wish where the list has it, else each
    reference against the same person's other references. Control errors are compared with those of the row
    `against`.

    Raises
    ------
    DatasetError
        If `against` is none of the rows.
    """
    if against not in rows:
        raise DatasetError(f"there is no row {against!r} in {out} to compare with: it has {', '.join(rows)}")
    scorers = ScorerSet.load(scoring)
    standard = _standard(cases, out, scorers, on_ruler_person)
    counts = {name: seeds_in(cases, name, out, seeds) for name in rows}
    readings = {name: read_row(cases, name, out, scorers, counts[name]) for name in rows}
    base = None if standard.rulers is None else standard.rulers(readings[against])
    true_row = _true_row(standard, base)
    table = [summarise(name, readings[name], standard, seeds=counts[name], against=base) for name in rows]
    given = [len(case.references) for case in cases]
    return Benchmark(
        rows=tuple(table if true_row is None else [true_row, *table]),
        skipped=tuple(scorers.skipped),
        rulers=standard.rulers,
        people=len(cases),
        references=(min(given), max(given)),
        gallery_is_unseen=all(case.gallery_is_unseen for case in cases),
        against=against,
    )


def _standard(
    cases: Sequence[Case], out: Path, scorers: ScorerSet, on_ruler_person: OnDone | None
) -> Standard:
    """What the rows are measured against."""
    gallery = read_photos([case.gallery for case in cases], scorers)
    standard = Standard(
        gallery,
        wished_quantities([[wish.target for wish in case.wishes] for case in cases]),
        recognisers=tuple(dict.fromkeys(name for row in gallery for r in row for name in r.embeddings)),
        rulers=_rulers(out, scorers, on_ruler_person)
        if any(r.signs for row in gallery for r in row)
        else None,
    )
    if all(wish.truth is not None for case in cases for wish in case.wishes):
        standard = _with_true_photos(standard, cases, scorers)
        return _with_photographs(standard, _ruler_readings(out, scorers, on_ruler_person, len(cases)))
    similarity = {}
    if min(len(row) for row in gallery) > 1:
        for name in standard.recognisers:
            similarity[name] = leave_one_out(gallery, gallery_of(gallery, name), name)
    features = features_of(gallery)
    return replace(standard, true_similarity=similarity, photographs=features if len(features) > 1 else None)


def _with_true_photos(standard: Standard, cases: Sequence[Case], scorers: ScorerSet) -> Standard:
    truths = read_photos([[wish.truth for wish in case.wishes if wish.truth] for case in cases], scorers)
    references = read_photos([case.references for case in cases], scorers)
    similarity = {name: similarity_with(standard.gallery, truths, name) for name in standard.recognisers}
    distance = None
    if standard.rulers is not None:
        wished, given = (_rotations(q) for q in (standard.wished, standard.rulers(references)))
        distance = metrics.angle_between(wished[:, :, None], given[:, None])
    return replace(
        standard, truths=truths, references=references, true_similarity=similarity, pose_distance=distance
    )


def _with_photographs(standard: Standard, photographs: Readings) -> Standard:
    features, true = features_of(photographs), features_of(standard.truths)
    if min(len(features), len(true)) < 2:
        return standard
    return replace(standard, photographs=features, true_frechet=metrics.frechet_distance(true, features))


def _true_row(standard: Standard, against: Quantities | None) -> Row | None:
    if standard.truths:
        ceiling = replace(standard, truths=(), true_similarity={})
        row = summarise(TRUE_ROW, standard.truths, ceiling, against=against)
        return replace(row, copy_paste=copy_pastes(standard.truths, standard))
    if not standard.true_similarity:
        return None
    photos = min(len(row) for row in standard.gallery)
    return Row(
        TRUE_ROW,
        pictures=photos * len(standard.gallery),
        face_found=face_found([row[:photos] for row in standard.gallery]),
        identity={name: identity_figures(values) for name, values in standard.true_similarity.items()},
    )


def _rotations(quantities: Quantities) -> np.ndarray:
    """Head poses (P, W) in degrees -> rotations (P, W, 3, 3)."""
    angles = np.stack([quantities[axis] for axis in POSE], axis=-1)
    turned = [HeadPose(*pose).matrix() for pose in angles.reshape(-1, 3)]
    return np.array(turned).reshape(*angles.shape[:2], 3, 3)


def _rulers(out: Path, scorers: ScorerSet, on_person: OnDone | None) -> Rulers:
    """Those kept in `out`, or else set now."""
    path = out / RULERS_FILE
    if path.exists():
        return Rulers.load(path)
    wishes = ruler_photographs(out / "ruler", on_done=on_person)
    true = wished_quantities([[wish.target for wish in row] for row in wishes])
    readings = read_photos(_truth_paths(wishes), scorers.without_recognisers())
    rulers = Rulers.fit({name: values.ravel() for name, values in true.items()}, list(chain(*readings)))
    rulers.save(path)
    return rulers


def _ruler_readings(out: Path, scorers: ScorerSet, on_person: OnDone | None, people: int) -> Readings:
    """Photographs of as many other people as there are ruler people for, with as many photos of each."""
    if not scorers.readers:
        return []
    wishes = ruler_photographs(out / "ruler", min(people, RULER_PEOPLE), on_done=on_person)
    return read_photos(_truth_paths(wishes), scorers.without_recognisers())


def _truth_paths(wishes: Sequence[Sequence[Wish]]) -> list[list[Path]]:
    return [[wish.truth for wish in row if wish.truth] for row in wishes]
