"""What a data set that was built keeps beside its shards: the files that were given, and its tables.

The header, ``dataset.json``, says what the set consists of: its shards and tables by name. A change writes
new files first, then the header, by one rename, and then deletes what the header does not name any more::

    dataset.json              "shards": [...], "tables": {...}, "build": {...}
    rejected-<digest>.parquet, sources-..., forgotten-...
    work/batches/<n>.json     what a call of `build` or `add` was given, and the files that it found
    work/faces/<n>-<m>.parquet  the first stage: a row for each face of some of these files
    work/fits/<shard>.parquet   faces that the second stage rejected
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa

from hifi_portrait.dataset.curate.reasons import REJECTED_SCHEMA
from hifi_portrait.dataset.curate.sources import SOURCE_SCHEMA, InputFile, Source, list_files
from hifi_portrait.dataset.tables import read_columns, read_header, write_header, write_table
from hifi_portrait.errors import DatasetError
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.io.names import printable

FORGOTTEN_SCHEMA = pa.schema({"sha256": pa.string(), "pdq": pa.binary()})
"""Columns of the table of pictures that must not come back: nothing of them but their hashes."""

_SCHEMAS = {"sources": SOURCE_SCHEMA, "rejected": REJECTED_SCHEMA, "forgotten": FORGOTTEN_SCHEMA}

FILES_PER_SHARD = 256
"""Photos that the first stage puts into one table."""


_REMOVED_VIDEO = "video.mp4"
"""Name in the place of every video that was forgotten."""


def without_trace(file: InputFile) -> InputFile:
    """Give what stands for a file that was forgotten, so that the files behind it keep their places."""
    return InputFile(_REMOVED_VIDEO if file.is_video else "", "", "", "")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one call of `build` or `add` was given."""

    number: int
    sources: list[dict[str, str]]
    """Name, licence and so on of each source, and its path."""
    files: list[InputFile]

    def shards(self) -> list[tuple[str, list[InputFile]]]:
        """Give name and files of each shard of the first stage: some hundred photos, or one video."""
        parts: list[list[InputFile]] = []
        was_video = False
        for file in self.files:
            if not parts or was_video or file.is_video or len(parts[-1]) == FILES_PER_SHARD:
                parts.append([])
            parts[-1].append(file)
            was_video = file.is_video
        return [(f"{self.number:03d}-{place:05d}", files) for place, files in enumerate(parts)]


@dataclass(frozen=True, kw_only=True)
class State:
    """What the header of a built set says."""

    shards: list[str] = field(default_factory=list)
    tables: dict[str, str] = field(default_factory=dict)
    batches: int = 0
    """How many calls of `build` and `add` are in it."""
    next_identity: int = 0
    buckets: int = 1
    """Among how many shards people are spread."""
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> State | None:
        """Read it; None where there is no data set yet.

        Raises
        ------
        DatasetError
            The folder holds something else.
        """
        if not (path / "dataset.json").exists():
            is_unfinished = (path / "work" / "batches").is_dir()
            if path.exists() and any(path.iterdir()) and not is_unfinished:
                raise DatasetError(f"{printable(path)} holds something else than a data set: name another")
            return None
        header = read_header(path)
        if "build" not in header:
            raise DatasetError(
                f"{printable(path)} is a data set that was not built by `hifi-portrait dataset build`"
            )
        return cls(shards=header["shards"], tables=header["tables"], **header["build"])

    def write(self, path: Path) -> None:
        """Write the header, which commits what it names."""
        build = {
            "batches": self.batches,
            "next_identity": self.next_identity,
            "buckets": self.buckets,
            "options": self.options,
        }
        write_header(path, shards=sorted(self.shards), tables=self.tables, build=build)

    def rows(self, path: Path, table: str) -> list[dict[str, Any]]:
        """Read all rows of one of its tables."""
        if table not in self.tables:
            return []
        names = _SCHEMAS[table].names
        rows: list[dict[str, Any]] = read_columns(path / self.tables[table], names).to_pylist()
        return rows


def put_table(path: Path, table: str, rows: list[dict[str, Any]]) -> str:
    """Write a table under a name that follows from its content, and give the name."""
    digest = blake2b(json.dumps(rows, default=_hex, sort_keys=True).encode(), digest_size=5).hexdigest()
    name = f"{table}-{digest}.parquet"
    if not (path / name).exists():
        write_table(path / name, rows, _SCHEMAS[table])
    return name


def _hex(value: Any) -> str:
    return str(value.hex())


def open_batch(path: Path, number: int, sources: Sequence[Source], *, named: bool) -> Batch:
    """List the files of sources; where that was begun before, what it listed then.

    Raises
    ------
    DatasetError
        It was begun with other sources.
    """
    file = path / "work" / "batches" / f"{number:03d}.json"
    described = [{**each.row(), "path": str(each.path.resolve())} for each in sources]
    if file.exists():
        batch = read_batch(path, number)
        if batch.sources != described:
            names = ", ".join(each["path"] for each in batch.sources)
            raise DatasetError(
                f"{printable(path)} was begun with {names} and is unfinished: give the same again, or delete"
                f" {printable(file)}"
            )
        return batch
    batch = Batch(number=number, sources=described, files=files_of(sources, named=named))
    write_batch(path, batch)
    return batch


def files_of(sources: Sequence[Source], *, named: bool) -> list[InputFile]:
    """List the files of all sources, each once.

    Raises
    ------
    DatasetError
        There is none.
    """
    files: dict[str, InputFile] = {}
    for source in sources:
        for each in list_files(source, named=named):
            files.setdefault(each.path, each)
    if not files:
        raise DatasetError(f"there is no file in {', '.join(printable(each.path) for each in sources)}")
    return list(files.values())


def write_batch(path: Path, batch: Batch) -> None:
    """Write the list of a call's files."""
    file = path / "work" / "batches" / f"{batch.number:03d}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as partial:
        content = {"sources": batch.sources, "files": [list(asdict(each).values()) for each in batch.files]}
        partial.write_text(json.dumps(content, indent=0))


def read_batch(path: Path, number: int) -> Batch:
    """Read the list of a call's files.

    Raises
    ------
    DatasetError
        It is missing or damaged.
    """
    file = path / "work" / "batches" / f"{number:03d}.json"
    try:
        content = json.loads(file.read_text())
        files = [InputFile(*each) for each in content["files"]]
        return Batch(number=number, sources=content["sources"], files=files)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{printable(file)} cannot be read: {error}") from error


def delete_unnamed(path: Path, state: State) -> None:
    """Delete shards and tables that the header does not name; after a kill, what was left to delete."""
    for folder, suffix in (("images", ".tar"), ("photos", ".parquet"), ("analysis", ".parquet")):
        for file in sorted((path / folder).glob("*")):
            if file.name.removesuffix(suffix) not in state.shards:
                file.unlink()
    for file in sorted((path / "work" / "fits").glob("*")):
        if file.stem not in state.shards:
            file.unlink()
    for table in _SCHEMAS:
        for file in sorted(path.glob(f"{table}-*.parquet*")):
            if file.name not in state.tables.values():
                file.unlink()
