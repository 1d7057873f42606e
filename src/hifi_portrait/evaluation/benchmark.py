"""The whole evaluation: from a list of cases and the rows drawn for them to a table of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from hifi_portrait.errors import DatasetError
from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.protocol import (
    CALIBRATION_PEOPLE,
    Case,
    OnDone,
    Request,
    photograph_calibration_people,
)
from hifi_portrait.evaluation.report.summary import (
    Readings,
    ReferenceSet,
    Row,
    compare_with_people,
    face_found,
    gather_features,
    measure_copy_pastes,
    summarise,
)
from hifi_portrait.evaluation.runner import count_seeds, read_photos, read_row
from hifi_portrait.evaluation.scorers.calibration import Calibration
from hifi_portrait.evaluation.scorers.control import POSE, Quantities, read_requested_quantities
from hifi_portrait.evaluation.scorers.recognition import (
    average_gallery,
    compute_identity_figures,
    leave_one_out,
)
from hifi_portrait.evaluation.scorers.scorers import ScorerSet
from hifi_portrait.head import HeadPose
from hifi_portrait.head.arrays import Array

CALIBRATION_FILE = "rulers.json"
"""In the folder of an evaluation, so that calibrating is done once."""
CALIBRATION_FOLDER = "ruler"
"""There too: the photos that it is calibrated on."""
TRUE_ROW = "true photo"
WARP_ROW = "plain warp"
PORTRAIT_ROW = "portrait"


@dataclass(frozen=True)
class Benchmark:
    """Everything that an evaluation found."""

    rows: tuple[Row, ...]
    """The figures of every row, the true photos' first."""
    skipped: tuple[str, ...]
    """Why scorers were left out, one sentence each."""
    calibration: Calibration | None
    """How head pose, expression and gaze were read; None where they were not."""
    people: int
    """How many people were drawn."""
    references: tuple[int, int]
    """The fewest and the most references that a person has."""
    gallery_is_unseen: bool
    """Whether portraits are recognised by photos that the model did not get."""
    against: str
    """Name of the row that control is compared with."""

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, as they are saved; keys keep the names that earlier files have."""
        figures = asdict(self)
        figures["rulers"] = None if self.calibration is None else self.calibration.to_dict()
        del figures["calibration"]
        for row in figures["rows"]:
            if row["control"] is not None:
                row["control"]["wish_correlation"] = row["control"].pop("requested_correlation")
        return figures


def score(
    cases: Sequence[Case],
    rows: Sequence[str],
    out: Path,
    scoring: Path | None,
    *,
    seeds: int = 1,
    against: str = WARP_ROW,
    on_calibration_person: OnDone | None = None,
) -> Benchmark:
    """Score the pictures of `rows` in `out`, and the true photos.

    The true photos' row is the ceiling: the true photo of each request where the list has it, else each
    reference against the same person's other references.

    Parameters
    ----------
    out
        Folder of the evaluation's pictures.
    scoring
        Folder of the scorers' weights; None for none.
    seeds
        How many pictures of each request are read, if there are so many.
    against
        The row whose control errors those of the others are compared with.
    on_calibration_person
        Called after each person photographed to calibrate the scorers.

    Raises
    ------
    DatasetError
        If `against` is none of the rows.
    """
    if against not in rows:
        raise DatasetError(f"there is no row {against!r} in {out} to compare with: it has {', '.join(rows)}")
    scorers = ScorerSet.load(scoring)
    reference_set = _make_reference_set(cases, out, scorers, on_calibration_person)
    counts = {name: count_seeds(cases, name, out, seeds) for name in rows}
    readings = {name: read_row(cases, name, out, scorers, counts[name]) for name in rows}
    base = None if reference_set.calibration is None else reference_set.calibration(readings[against])
    true_row = _true_row(reference_set, base)
    table = [
        summarise(name, readings[name], reference_set, seeds=counts[name], against=base) for name in rows
    ]
    given = [len(case.references) for case in cases]
    return Benchmark(
        rows=tuple(table if true_row is None else [true_row, *table]),
        skipped=tuple(scorers.skipped),
        calibration=reference_set.calibration,
        people=len(cases),
        references=(min(given), max(given)),
        gallery_is_unseen=all(case.gallery_is_unseen for case in cases),
        against=against,
    )


def _make_reference_set(
    cases: Sequence[Case], out: Path, scorers: ScorerSet, on_calibration_person: OnDone | None
) -> ReferenceSet:
    """Read everything that the rows are measured against."""
    gallery = read_photos([case.gallery for case in cases], scorers)
    reference_set = ReferenceSet(
        gallery,
        read_requested_quantities([[request.target for request in case.requests] for case in cases]),
        recognisers=tuple(dict.fromkeys(name for row in gallery for r in row for name in r.embeddings)),
        calibration=_load_or_fit_calibration(out, scorers, on_calibration_person)
        if any(r.signs for row in gallery for r in row)
        else None,
    )
    if all(request.truth is not None for case in cases for request in case.requests):
        reference_set = _with_true_photos(reference_set, cases, scorers)
        return _with_photographs(
            reference_set, _calibration_readings(out, scorers, on_calibration_person, len(cases))
        )
    similarity = {}
    if min(len(row) for row in gallery) > 1:
        for name in reference_set.recognisers:
            similarity[name] = leave_one_out(gallery, average_gallery(gallery, name), name)
    features = gather_features(gallery)
    return replace(
        reference_set, true_similarity=similarity, photographs=features if len(features) > 1 else None
    )


def _with_true_photos(reference_set: ReferenceSet, cases: Sequence[Case], scorers: ScorerSet) -> ReferenceSet:
    truths = read_photos(
        [[request.truth for request in case.requests if request.truth] for case in cases], scorers
    )
    references = read_photos([case.references for case in cases], scorers)
    similarity = {
        name: compare_with_people(reference_set.gallery, truths, name) for name in reference_set.recognisers
    }
    distance = None
    if reference_set.calibration is not None:
        requested, given = (
            _rotations(q) for q in (reference_set.requested, reference_set.calibration(references))
        )
        distance = metrics.angle_between(requested[:, :, None], given[:, None])
    return replace(
        reference_set,
        truths=truths,
        references=references,
        true_similarity=similarity,
        pose_distance=distance,
    )


def _with_photographs(reference_set: ReferenceSet, photographs: Readings) -> ReferenceSet:
    features, true = gather_features(photographs), gather_features(reference_set.truths)
    if min(len(features), len(true)) < 2:
        return reference_set
    return replace(reference_set, photographs=features, true_frechet=metrics.frechet_distance(true, features))


def _true_row(reference_set: ReferenceSet, against: Quantities | None) -> Row | None:
    if reference_set.truths:
        ceiling = replace(reference_set, truths=(), true_similarity={})
        row = summarise(TRUE_ROW, reference_set.truths, ceiling, against=against)
        return replace(row, copy_paste=measure_copy_pastes(reference_set.truths, reference_set))
    if not reference_set.true_similarity:
        return None
    photos = min(len(row) for row in reference_set.gallery)
    return Row(
        TRUE_ROW,
        pictures=photos * len(reference_set.gallery),
        face_found=face_found([row[:photos] for row in reference_set.gallery]),
        identity={
            name: compute_identity_figures(values) for name, values in reference_set.true_similarity.items()
        },
    )


def _rotations(quantities: Quantities) -> Array:
    """Turn head poses (P, R) in degrees into rotations (P, R, 3, 3)."""
    angles = np.stack([quantities[axis] for axis in POSE], axis=-1)
    turned = [HeadPose(*pose).matrix() for pose in angles.reshape(-1, 3)]
    return np.array(turned).reshape(*angles.shape[:2], 3, 3)


def _load_or_fit_calibration(out: Path, scorers: ScorerSet, on_person: OnDone | None) -> Calibration:
    """Load the calibration kept in `out`, or make it now."""
    path = out / CALIBRATION_FILE
    if path.exists():
        return Calibration.load(path)
    requests = photograph_calibration_people(out / CALIBRATION_FOLDER, on_done=on_person)
    true = read_requested_quantities([[request.target for request in row] for row in requests])
    readings = read_photos(_truth_paths(requests), scorers.without_recognisers())
    calibration = Calibration.fit(
        {name: values.ravel() for name, values in true.items()}, list(chain(*readings))
    )
    calibration.save(path)
    return calibration


def _calibration_readings(out: Path, scorers: ScorerSet, on_person: OnDone | None, people: int) -> Readings:
    """Read photos of as many other people as were drawn, with as many photos of each, 60 people at most."""
    if not scorers.readers:
        return []
    requests = photograph_calibration_people(
        out / CALIBRATION_FOLDER, min(people, CALIBRATION_PEOPLE), on_done=on_person
    )
    return read_photos(_truth_paths(requests), scorers.without_recognisers())


def _truth_paths(requests: Sequence[Sequence[Request]]) -> list[list[Path]]:
    return [[request.truth for request in row if request.truth] for row in requests]
