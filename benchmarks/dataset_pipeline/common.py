"""What all measurements of the data pipeline need: building a set, and comparing it with the truth."""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from hifi_portrait.dataset.curate import BuildOptions, build_dataset
from hifi_portrait.dataset.curate.decisions import Decision, decide
from hifi_portrait.dataset.curate.detect import FACE_SCHEMA, Forgotten, detect_files
from hifi_portrait.dataset.curate.identities import FaceKey
from hifi_portrait.dataset.curate.sources import find_sources
from hifi_portrait.dataset.curate.state import State, open_batch
from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.dataset.tables import read_columns, write_table

Truth = Mapping[str, str]
"""Name of a file as it was given -> who is in it."""

Groups = Sequence[Sequence[str]]
"""The files of each person, as they were given."""

SOURCE = '[[source]]\nname = "{name}"\npath = "."\nlicence = "CC0-1.0"\nconsent = "synthetic"\n'


@dataclass(frozen=True)
class Built:
    """What came out."""

    groups: Groups
    rejected: Sequence[tuple[str, str]]
    """Files and reasons."""

    def files_rejected(self, *reasons: str) -> set[str]:
        """Give the files that were rejected for some reasons."""
        return {name for name, reason in self.rejected if reason in reasons}


def new_source(folder: Path, name: str = "t") -> Path:
    """Make an empty folder that says by what right its photos are used."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "sources.toml").write_text(SOURCE.format(name=name))
    return folder


def write_folders(data: Path, folder: Path, most: int | None = None) -> Path:
    """Write the photos of a data set, or some of them, into a folder a person."""
    photos = IDDataset(data)
    new_source(folder)
    left = len(photos) if most is None else most
    for name, rows in photos.identities.items():
        if left <= 0:
            break
        (folder / name).mkdir()
        rows, left = rows[:left], left - len(rows)
        for row in rows:
            (folder / name / f"{row}.jpg").write_bytes(photos.image(row))
    return folder


def build(source: Path, out: Path, arguments: argparse.Namespace, **options: object) -> Built:
    """Build a set; files that another set in the working folder has read before are not read again."""
    choices = BuildOptions(**options)
    if arguments.before_fitting:
        return _decided(decided(source, out, arguments, choices))
    _read(source, out, arguments, choices)
    build_dataset([source], out, options=choices, workers=arguments.workers)
    return _built(out)


def decided(
    source: Path,
    out: Path,
    arguments: argparse.Namespace,
    choices: BuildOptions,
    known: Mapping[FaceKey, str] | None = None,
) -> Decision:
    """Decide who is who, without fitting heads; ``known`` says who was who before."""
    return decide(out, _read(source, out, arguments, choices), choices, known or {})


def _read(source: Path, out: Path, arguments: argparse.Namespace, choices: BuildOptions) -> list[str]:
    """Read all faces of a source; give the names of the tables."""
    shutil.rmtree(out, ignore_errors=True)
    known = _known_rows(arguments.work)
    batch = open_batch(out, 0, find_sources([source], None), named=choices.names == "folders")
    for name, files in batch.shards():
        digests = [_digest(Path(file.path)) for file in files]
        unread = [file for file, digest in zip(files, digests, strict=True) if digest not in known]
        for at in range(0, len(unread), 8):
            for rows in detect_files(choices.recogniser, Forgotten(), unread[at : at + 8]):
                known[rows[0]["sha256"]] = rows
        found = [
            row | {"path": os.fsencode(file.path), **{each: getattr(file, each) for each in _GIVEN}}
            for file, digest in zip(files, digests, strict=True)
            for row in known[digest]
        ]
        (out / "work" / "faces").mkdir(parents=True, exist_ok=True)
        write_table(out / "work" / "faces" / f"{name}.parquet", found, FACE_SCHEMA)
    return [name for name, _ in batch.shards()]


def _built(out: Path) -> Built:
    photos, state = IDDataset(out), State.read(out)
    assert state is not None
    groups = [[photos.entry(row).original for row in rows] for rows in photos.identities.values()]
    return Built(groups, [(row["original"], row["reason"]) for row in state.rows(out, "rejected")])


def _decided(decision: Decision) -> Built:
    names = decision.faces.original
    rejected = [(names[index], each.reason) for index, each in decision.rejected.items()]
    rejected += [(each.original, each.reason) for each in decision.faceless]
    return Built([[names[row] for row in rows] for rows in decision.members.values()], rejected)


_GIVEN = ("original", "source", "group")


def _known_rows(work: Path) -> dict[str, list[dict[str, Any]]]:
    known: dict[str, list[dict[str, Any]]] = {}
    for folder in sorted(work.glob("*/work/faces")):
        found: dict[str, list[dict[str, Any]]] = {}
        for table in sorted(folder.glob("*.parquet")):
            for row in read_columns(table, FACE_SCHEMA.names).to_pylist():
                found.setdefault(f"{row['sha256']}", []).append(row)
        known |= {digest: _of_one_file(rows) for digest, rows in found.items()}
    return known


def _of_one_file(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of rows of equal files take those of the first."""
    return [row for row in rows if row["path"] == rows[0]["path"]]


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def call(*words: object) -> list[str]:
    """Give the command line of a `hifi-portrait dataset` command."""
    return [sys.executable, "-m", "hifi_portrait", "dataset", *map(str, words)]


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """Run such a command."""
    return subprocess.run(call(*words), capture_output=True, text=True, check=False)


def cpu() -> float:
    """Seconds of CPU of this process and of its children that have ended."""
    return sum(
        getattr(resource.getrusage(who), name)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        for name in ("ru_utime", "ru_stime")
    )


def scores(groups: Groups, truth: Truth) -> dict[str, float]:
    """Compare groups with the truth: pairwise F1, impostors (not who their group is of), and faces kept."""
    counted = [Counter(truth[name] for name in group if name in truth) for group in groups]
    together = sum(count * (count - 1) // 2 for group in counted for count in group.values())
    said = sum(n * (n - 1) // 2 for n in (sum(group.values()) for group in counted))
    true = sum(n * (n - 1) // 2 for n in Counter(truth.values()).values())
    kept = sum(sum(group.values()) for group in counted)
    impostors = kept - sum(max(group.values(), default=0) for group in counted)
    return {
        "people": len(groups),
        "f1": round(2 * together / max(said + true, 1), 4),
        "impostors": round(impostors / max(kept, 1), 4),
        "kept": round(kept / len(truth), 4),
    }
