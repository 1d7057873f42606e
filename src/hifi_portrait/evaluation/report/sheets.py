"""Pictures of an evaluation side by side, for the eye."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hifi_portrait.evaluation.benchmark import TRUE_ROW
from hifi_portrait.evaluation.protocol import Case
from hifi_portrait.evaluation.runner import picture_path
from hifi_portrait.faces import load_image
from hifi_portrait.head.arrays import Array

PEOPLE = 12
"""The most people on a sheet."""

LabelledPictures = tuple[str, list[Array]]


def line_up_rows(cases: Sequence[Case], rows: Sequence[str], out: Path) -> list[LabelledPictures]:
    """Line up every row, with one picture of each of the first people: the first's first target, and so on.

    Above them stand each person's first reference, and the true photo of the target, if there is one.
    """
    chosen = [(case, place % len(case.requests)) for place, case in enumerate(cases[:PEOPLE])]
    lines = [("reference", [load_image(case.references[0]) for case, _ in chosen])]
    truths = [truth for case, request in chosen if (truth := case.requests[request].truth) is not None]
    if len(truths) == len(chosen):
        lines.append((TRUE_ROW, [load_image(truth) for truth in truths]))
    for row in rows:
        lines.append((row, [_picture(picture_path(out, row, case, request)) for case, request in chosen]))
    return lines


def line_up_targets(cases: Sequence[Case], row: str, out: Path) -> list[LabelledPictures]:
    """Line up, for each of the first people, the first reference and the row's pictures of all targets."""
    return [
        (
            case.name,
            [
                load_image(case.references[0]),
                *(_picture(picture_path(out, row, case, request)) for request in range(len(case.requests))),
            ],
        )
        for case in cases[:PEOPLE]
    ]


def _picture(path: Path) -> Array:
    """Load the picture, or a white one where there is none."""
    return load_image(path) if path.exists() else np.full((1, 1, 3), 255, np.uint8)
