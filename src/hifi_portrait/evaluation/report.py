"""Figures as Markdown, each section under the command that made it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from hifi_portrait.evaluation.autoencoder import AutoencoderFigures
from hifi_portrait.evaluation.benchmark import PORTRAIT_ROW, TRUE_ROW, WARP_ROW, Benchmark
from hifi_portrait.evaluation.metrics import Interval
from hifi_portrait.evaluation.summary import Row
from hifi_portrait.evaluation.timing import Timing

ABSENT = "–"

_COLUMNS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("row", lambda row: row.name),
    ("pictures", lambda row: str(row.pictures)),
    ("face found", lambda row: _number(row.face_found)),
    ("identity similarity", lambda row: _interval(row.similarity)),
    ("share of true photo", lambda row: _interval(row.share_of_true)),
    ("wrong pairings", lambda row: _number(row.wrong_similarity)),
    ("right / wrong AUC", lambda row: _number(row.right_wrong_auc)),
    ("rank-1", lambda row: _interval(row.rank_one)),
    ("pose error, yaw / pitch / roll", lambda row: _degrees(row.pose_error)),
    ("smile r", lambda row: _number(row.smile_correlation)),
    ("jaw r", lambda row: _number(row.jaw_correlation)),
    ("Frechet (MobileNetV2)", lambda row: _number(row.frechet, 1)),
)


def benchmark_section(title: str, command: str, result: Benchmark) -> str:
    """One list of people, one line for each row."""
    low, high = result.references
    references = str(low) if low == high else f"{low} to {high}"
    if result.gallery_is_unseen:
        gallery = "one true photo of each person that the model did not get"
        ceiling = "the true photo of each wish against that same gallery"
    else:
        gallery = "the references themselves, all the photos there are"
        ceiling = "each reference against the same person's other references"
    notes = [
        f"{result.people} people, {references} references each. Brackets: 95 % interval over people. "
        "Identity and face found: YuNet and SFace, which the model is not conditioned on; a picture without "
        f"a face counts as similarity 0 and as not recognised. Gallery: {gallery}. "
        f"The row `{TRUE_ROW}`: {ceiling}.",
        "Smile r: correlation of the wished mouthSmile with MediaPipe's score of it. Jaw r: of the wished "
        "jawOpen with the gap between the lips in MediaPipe's landmarks. Frechet distance: features of "
        "MobileNetV2 (ImageNet), which is not the FID; compare only rows of one table.",
    ]
    if result.ruler:
        notes.append(
            "Head pose: MediaPipe's head transform, its zero and scale set per axis on true photos of other "
            f"synthetic people, where {_degrees(result.ruler.error)} degrees of error remain."
        )
    if {row.name for row in result.rows} - {TRUE_ROW, WARP_ROW, PORTRAIT_ROW}:
        notes.append(
            f"A row other than `{TRUE_ROW}`, `{WARP_ROW}` and `{PORTRAIT_ROW}` is another model's, drawn by "
            "the same command with `--model DIR --name ROW`."
        )
    notes += [f"Left out: {reason}." for reason in result.skipped]
    return _section(title, command, _table(result.rows), notes)


def autoencoder_section(command: str, result: AutoencoderFigures, recogniser: str) -> str:
    """The autoencoder's figures."""
    table = _markdown_table(
        ("photos", "rank-1", "share kept", "similarity to the original", "PSNR"),
        [
            ("originals", _interval(result.rank_one_originals), "1", "1", ABSENT),
            (
                "through the autoencoder",
                _interval(result.rank_one_through),
                _number(result.share_kept),
                _number(result.similarity_to_original),
                f"{result.psnr:.1f} dB",
            ),
        ],
    )
    note = (
        f"{result.people} people, {result.pictures} photos; gallery: another original of each; {recogniser}."
    )
    return _section("The autoencoder", command, table, [note])


def timing_section(command: str, result: Timing) -> str:
    """Seconds and memory."""
    table = _markdown_table(
        ("what", "warm"),
        [
            (f"analysis of {result.references} photos", f"{result.identity_seconds:.2f} s"),
            ("one portrait", f"{result.portrait_seconds:.2f} s"),
            ("one plain warp", f"{result.warp_seconds:.3f} s"),
            ("peak memory of the process", f"{result.peak_memory:.0f} MiB"),
        ],
    )
    return _section("Time and memory", command, table, [f"{result.threads} threads."])


def write_section(path: Path, key: str, section: str) -> None:
    """Put a section into a Markdown file: in the place of the one with the same key, or at the end."""
    begin, end = f"<!-- begin {key} -->", f"<!-- end {key} -->"
    block = f"{begin}\n{section.strip()}\n{end}\n"
    text = path.read_text() if path.exists() else "# Results\n"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end) + r"\n?", re.DOTALL)
    text = pattern.sub(lambda _: block, text) if pattern.search(text) else f"{text.rstrip()}\n\n{block}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _section(title: str, command: str, table: str, notes: list[str]) -> str:
    return "\n\n".join([f"## {title}", f"```\n{command}\n```", table, *notes]) + "\n"


def _table(rows: tuple[Row, ...]) -> str:
    """Columns that no row has a value for are left out."""
    cells = [[show(row) for _, show in _COLUMNS] for row in rows]
    used = [i for i in range(len(_COLUMNS)) if any(line[i] != ABSENT for line in cells)]
    return _markdown_table(
        tuple(_COLUMNS[i][0] for i in used), [tuple(line[i] for i in used) for line in cells]
    )


def _markdown_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float | None, digits: int = 3) -> str:
    return ABSENT if value is None else f"{value:.{digits}f}"


def _interval(value: Interval | None) -> str:
    return ABSENT if value is None else f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"


def _degrees(value: tuple[float, float, float] | None) -> str:
    return ABSENT if value is None else " / ".join(f"{angle:.1f}" for angle in value)
