"""Figures as Markdown, each section under the command that made it."""

from __future__ import annotations

import re
from math import isfinite
from pathlib import Path

from hifi_portrait.evaluation.autoencoder import AutoencoderFigures
from hifi_portrait.evaluation.benchmark import PORTRAIT_ROW, TRUE_ROW, WARP_ROW, Benchmark
from hifi_portrait.evaluation.report.tables import ABSENT, interval, markdown_table, number
from hifi_portrait.evaluation.scorers.control import EXPRESSION, GAZE, POSE, ControlFigures
from hifi_portrait.evaluation.timing import Timing
from hifi_portrait.io.atomic import atomic_write

QUANTITIES = {  # as tables name them
    "smile": "smile",
    "jaw": "jaw opening",
    "blink": "blink",
    "brow": "brow raise",
    "gaze_yaw": "gaze yaw",
}


def format_benchmark(title: str, command: str, result: Benchmark) -> str:
    """Make the section of one list of people: tables of identity, control and pictures."""
    parts = [
        *_identity_part(result),
        *_control_part(result),
        *_picture_part(result),
    ]
    if {row.name for row in result.rows} - {TRUE_ROW, WARP_ROW, PORTRAIT_ROW}:
        parts.append(
            f"A row other than `{TRUE_ROW}`, `{WARP_ROW}` and `{PORTRAIT_ROW}` is another model's, drawn by "
            "the same command with `--model DIR --name ROW`."
        )
    parts += [f"Left out: {reason}." for reason in result.skipped]
    return _section(title, command, *parts)


def _identity_part(result: Benchmark) -> list[str]:
    header = (
        "row",
        "recogniser",
        "fraction of true photo",
        "rank-1",
        "similarity",
        "wrong pairings",
        "right / wrong AUC",
        "copy-paste per 10°",
    )
    lines = [
        (
            row.name,
            recogniser,
            interval(figures.share_of_true),
            interval(figures.rank_one),
            interval(figures.similarity),
            number(figures.wrong_similarity),
            number(figures.right_wrong_auc, 4),
            interval(row.copy_paste.get(recogniser)),
        )
        for row in result.rows
        for recogniser, figures in row.identity.items()
    ]
    table = markdown_table(header, lines)
    if not table:
        return []
    low, high = result.references
    references = str(low) if low == high else f"{low} to {high}"
    if result.gallery_is_unseen:
        gallery = "one true photo of each person that the model did not get"
        ceiling = "the true photo of each target against that same gallery"
    else:
        gallery = "the references themselves, all the photos there are"
        ceiling = "each reference against the same person's other references"
    notes = [
        f"{result.people} people, {references} references each. Brackets: 95 % interval over people. The "
        "model is conditioned on neither recogniser; a picture without a face counts as similarity 0 "
        f"and as not recognised. Gallery: {gallery}. The row `{TRUE_ROW}`: {ceiling}."
    ]
    if any(row.copy_paste for row in result.rows):
        notes.append(
            "Copy-paste: similarity to the reference photos minus similarity to the true photo of the "
            "target, over the angle between their head poses. Below 0, a portrait is more like the truth "
            "than like what the model got; above 0, it repeats its references."
        )
    return ["### Identity", table, *notes]


def _control_part(result: Benchmark) -> list[str]:
    rows = [(row.name, row.control) for row in result.rows if row.control is not None]
    if not rows or result.calibration is None:
        return []
    errors = markdown_table(
        (
            "row",
            "pose error, yaw / pitch / roll",
            "expression error",
            "gaze error",
            f"control score against `{result.against}`",
        ),
        [
            (
                name,
                " / ".join(f"{control.errors[axis].value:.1f}°" for axis in POSE),
                interval(control.errors["expression"]),
                interval(control.errors["gaze"], 1),
                interval(control.score),
            )
            for name, control in rows
        ],
    )
    names = (*EXPRESSION, *GAZE)
    correlations = markdown_table(
        ("row", *(f"{QUANTITIES[name]} r" for name in names)),
        [(row, *(_correlation(control, name) for name in names)) for row, control in rows],
    )
    left = ", ".join(
        f"{QUANTITIES.get(name, name)} {linear.error:.2g}"
        for name, linear in result.calibration.quantities.items()
    )
    return [
        "### Control",
        errors,
        "Read by MediaPipe's face landmarker. Expression error: mean absolute error of the coefficients of "
        "smile, jaw opening, blink and brow raise; gaze error: of the gaze's yaw, in degrees. Control score: "
        f"the mean of pose, expression and gaze error, each as a fraction of that of `{result.against}`; "
        "lower is better.",
        correlations,
        "Correlation with what was asked for / with what the same reader reads of the true photo of the "
        "target.",
        "What is read is turned into degrees and coefficients by linear functions, which are calibrated on "
        f"{result.calibration.photos} true photos of other synthetic people. The errors left there: {left}. "
        f"What can hardly be read off a true photo, see the row `{TRUE_ROW}`, says little of a portrait; "
        "the pitch of the gaze cannot, and is left out.",
    ]


def _correlation(control: ControlFigures, name: str) -> str:
    found = (control.requested_correlation.get(name), control.photo_correlation.get(name))
    return " / ".join(f"{r.value:.2f}" for r in found if r is not None and isfinite(r.value)) or ABSENT


def _picture_part(result: Benchmark) -> list[str]:
    lines = [
        (
            row.name,
            str(row.pictures),
            str(row.seeds),
            number(row.face_found),
            number(row.frechet, 1),
            number(row.frechet_ratio, 2),
        )
        for row in result.rows
    ]
    header = (
        "row",
        "pictures",
        "seeds",
        "face found",
        "Frechet (MobileNetV2)",
        "as a fraction of true photos'",
    )
    parts = ["### Pictures", markdown_table(header, lines)]
    if any(row.frechet is not None for row in result.rows):
        distance = "Frechet distance: features of MobileNetV2 (ImageNet), which is not the FID; "
        if any(row.frechet_ratio is not None for row in result.rows):
            distance += (
                "to photographs of other synthetic people, as many as the row has pictures of one seed; "
                f"the mean over seeds. The row `{TRUE_ROW}` is the distance between two sets of photographs."
            )
        else:
            distance += "to the true photos; compare only rows of one table."
        parts.append(distance)
    return parts


def format_autoencoder(command: str, result: AutoencoderFigures, recogniser: str) -> str:
    """Make the section of the autoencoder's figures."""
    table = markdown_table(
        ("photos", "rank-1", "fraction kept", "similarity to the original", "PSNR"),
        [
            ("originals", interval(result.rank_one_originals), "1", "1", ABSENT),
            (
                "through the autoencoder",
                interval(result.rank_one_through),
                number(result.share_kept),
                number(result.similarity_to_original),
                f"{result.psnr:.1f} dB",
            ),
        ],
    )
    note = (
        f"{result.people} people, {result.pictures} photos; gallery: another original of each; {recogniser}."
    )
    return _section("The autoencoder", command, table, note)


def format_timing(command: str, result: Timing) -> str:
    """Make the section of seconds and memory."""
    table = markdown_table(
        ("what", "warm"),
        [
            (f"analysis of {result.references} photos", f"{result.identity_seconds:.2f} s"),
            (f"one portrait, {result.size} pixels high", f"{result.portrait_seconds:.2f} s"),
            ("one plain warp of that size", f"{result.warp_seconds:.3f} s"),
            ("peak memory of the process", f"{result.peak_memory:.0f} MiB"),
        ],
    )
    return _section("Time and memory", command, table, f"{result.threads} threads.")


def write_section(path: Path, key: str, section: str) -> None:
    """Put a section into a Markdown file: in the place of the one with the same key, or at the end."""
    begin, end = f"<!-- begin {key} -->", f"<!-- end {key} -->"
    block = f"{begin}\n{section.strip()}\n{end}\n"
    text = path.read_text("utf-8") if path.exists() else "# Results\n"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end) + r"\n?", re.DOTALL)
    text = pattern.sub(lambda _: block, text) if pattern.search(text) else f"{text.rstrip()}\n\n{block}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, many_writers=True) as partial:
        partial.write_text(text, "utf-8")


def _section(title: str, command: str, *parts: str) -> str:
    return "\n\n".join([f"## {title}", f"```\n{command}\n```", *parts]) + "\n"
