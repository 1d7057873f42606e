"""The first stage over all files of a call: tables of their faces, of which those that are there stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hifi_portrait.dataset.curate.detect import FACE_SCHEMA, Forgotten, crashed_row
from hifi_portrait.dataset.curate.options import BuildOptions
from hifi_portrait.dataset.curate.reasons import REASONS
from hifi_portrait.dataset.curate.sources import InputFile
from hifi_portrait.dataset.curate.state import Batch, State, read_batch
from hifi_portrait.dataset.curate.videos import detect_all
from hifi_portrait.dataset.executor import run_shards
from hifi_portrait.dataset.tables import read_columns, write_table
from hifi_portrait.dataset.workers import Engine
from hifi_portrait.errors import DatasetError, find_installed, needs_extra

_CHUNK = 8
"""Files that a worker reads at a time: the recogniser is quicker on several faces at once."""

READ_AGAIN = tuple(name for name, (step, _) in REASONS.items() if step in ("read", "detect"))
"""Reasons for which a file can be read again: those of the first stage."""


def read_files(
    out: Path, state: State, batch: Batch, options: BuildOptions, workers: int | Engine, progress: bool
) -> None:
    """Read the files of a batch that have not been read."""
    folder = out / "work" / "faces"
    todo = [(name, files) for name, files in batch.shards() if not (folder / f"{name}.parquet").exists()]
    with _reading(out, state, todo, options, workers, progress) as found:
        for name, rows in found:
            write_table(folder / f"{name}.parquet", [row for file in rows for row in file], FACE_SCHEMA)


def read_files_again(
    out: Path,
    state: State,
    reasons: Sequence[str],
    options: BuildOptions,
    workers: int | Engine,
    progress: bool,
) -> int:
    """Read the files again that were rejected for some reasons; give their number.

    Raises
    ------
    DatasetError
        A reason is none of `READ_AGAIN`.
    """
    for reason in reasons:
        if reason not in READ_AGAIN:
            raise DatasetError(
                f"files that were rejected as {reason!r} cannot be read again: give one of"
                f" {', '.join(READ_AGAIN)}"
            )
    folder = out / "work" / "faces"
    todo: list[tuple[str, list[InputFile]]] = []
    places: dict[str, dict[tuple[str, str], int]] = {}
    for number in range(state.batches):
        for name, files in read_batch(out, number).shards():
            table = read_columns(folder / f"{name}.parquet", ("source", "original", "reason"))
            failed = {_key(row) for row in table.to_pylist() if row["reason"] in reasons}
            if again := [file for file in files if (file.source, file.original) in failed]:
                todo.append((name, again))
                places[name] = {(file.source, file.original): place for place, file in enumerate(files)}
    with _reading(out, state, todo, options, workers, progress) as found:
        for name, rows in found:
            file = folder / f"{name}.parquet"
            new = [row for each in rows for row in each]
            gone = {_key(row) for row in new}
            old = [row for row in read_columns(file, FACE_SCHEMA.names).to_pylist() if _key(row) not in gone]
            place = places[name]
            write_table(file, sorted(old + new, key=lambda row: place[_key(row)]), FACE_SCHEMA)
    return sum(len(files) for _, files in todo)


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return row["source"], row["original"]


@contextmanager
def _reading(
    out: Path,
    state: State,
    todo: Sequence[tuple[str, Sequence[InputFile]]],
    options: BuildOptions,
    workers: int | Engine,
    progress: bool,
) -> Iterator[Iterator[tuple[str, list[list[dict[str, Any]]]]]]:
    """Read files, shard by shard: the rows of each."""
    if any(file.is_video for _, files in todo for file in files):
        with needs_extra("video"):
            find_installed("av")
    gone = state.rows(out, "forgotten")
    forgotten = Forgotten(
        frozenset(row["sha256"] for row in gone), tuple(row["pdq"] for row in gone if row["pdq"])
    )
    total = sum(len(files) for _, files in todo)
    with tqdm(total=total, desc="faces", unit="file", disable=not progress) as bar:
        found = run_shards(
            partial(detect_all, options.recogniser, options.calibration, options.video, forgotten),
            todo,
            workers=workers,
            chunk=_CHUNK,
            on_crash=crashed_row,
            on_items=bar.update,
        )
        with closing(found):
            yield found
