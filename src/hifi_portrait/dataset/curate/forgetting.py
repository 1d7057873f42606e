"""Take people, photos or sources out of a built data set, with all that was made of them.

First the shards without them are written, and the table of what must not come back; then the header, by one
rename, and with that it is done; then what the header does not name is deleted. Killed before the rename
nothing has changed; killed after it, the next call deletes what is left.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hifi_portrait.dataset.curate.account import account
from hifi_portrait.dataset.curate.assemble import (
    AssembleOptions,
    FitOptions,
    Member,
    PersonSpec,
    crop_landmarks,
    shard_name,
)
from hifi_portrait.dataset.curate.card import write_card
from hifi_portrait.dataset.curate.identities import FaceKey
from hifi_portrait.dataset.curate.reasons import REJECTED_SCHEMA, picture_name
from hifi_portrait.dataset.curate.report import REPORT
from hifi_portrait.dataset.curate.state import (
    State,
    delete_unnamed,
    put_table,
    read_batch,
    without_trace,
    write_batch,
)
from hifi_portrait.dataset.format import IDDataset, PhotoRecord
from hifi_portrait.dataset.tables import ROW_GROUP, opened_table, read_columns, write_table
from hifi_portrait.dataset.writer import ShardWriter
from hifi_portrait.errors import DatasetError
from hifi_portrait.fitting import fit
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.io.names import printable


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What was taken out."""

    photos: int
    """Rows of the data set."""
    files: int
    """Files that were given, and must not come back."""


def forget(
    out: str | Path,
    *,
    photos: Sequence[str] = (),
    people: Sequence[str] = (),
    sources: Sequence[str] = (),
) -> Removed:
    """Take out all pictures that are named, of a person, or from a source, with all that was made of them.

    Of the pictures nothing stays but the SHA-256 and the perceptual hash of each, by which a later `add`
    refuses them and their copies. Models that were trained on them are not changed.

    Parameters
    ----------
    out
        The data set's folder.
    photos
        Names of files as they were given, or their SHA-256.
    people
        Identity ids. A picture of two people is taken out for both.
    sources
        Names of sources.

    Raises
    ------
    DatasetError
        ``out`` is no data set that was built, or it has nothing of a name.
    """
    out = Path(out)
    state = State.read(out)
    if state is None:
        raise DatasetError(f"{printable(out)} is no data set")
    purge(out, state)
    found = _find(out, state, photos, people, sources)
    gone = {row["sha256"]: row["pdq"] for row in state.rows(out, "forgotten")} | found
    rows = 0
    kept = []
    for name in state.shards:
        new, removed = _without(out, state, name, found)
        rows += removed
        kept += [new] if new is not None else []
    rejected = [row for row in state.rows(out, "rejected") if row["sha256"] not in found]
    listed = [{"sha256": name, "pdq": pdq} for name, pdq in sorted(gone.items())]
    used = {row["name"] for row in state.rows(out, "sources")} - set(sources)
    names = [row for row in state.rows(out, "sources") if row["name"] in used]
    state = replace(
        state,
        shards=kept,
        tables=state.tables
        | {
            "rejected": put_table(out, "rejected", rejected),
            "forgotten": put_table(out, "forgotten", listed),
            "sources": put_table(out, "sources", names),
        },
    )
    state.write(out)
    purge(out, state)
    write_card(out, state, account(out, state))
    return Removed(photos=rows, files=len(found))


def delete_prepared(folder: str | Path) -> None:
    """Delete a folder that was prepared for training, with the copies of photos in it.

    Raises
    ------
    DatasetError
        It is no such folder.
    """
    folder = Path(folder)
    if not (folder / "prepared.json").is_file():
        raise DatasetError(
            f"{printable(folder)} was not made by `hifi-portrait prepare`: it is left as it is"
        )
    shutil.rmtree(folder)


def purge(out: Path, state: State) -> None:
    """Delete what the header does not name, and of forgotten pictures what stages keep beside the set."""
    delete_unnamed(out, state)
    report = out / REPORT
    if report.exists() and f'content="{state.tables.get("forgotten", "")}"' not in report.read_text():
        report.unlink()  # it may show who is gone
    gone = {row["sha256"] for row in state.rows(out, "forgotten")}
    if not gone:
        return
    sources = {row["name"] for row in state.rows(out, "sources")}
    originals: set[tuple[str, str]] = set()
    for file in sorted((out / "work" / "faces").glob("*.parquet")):
        originals |= _purge_faces(file, gone)
    for number in range(state.batches):
        batch = read_batch(out, number)
        gone_from = [each for each in batch.sources if each["name"] not in sources]
        files = [
            without_trace(file)
            if (file.source, file.original) in originals
            or file.source in {each["name"] for each in gone_from}
            else file
            for file in batch.files
        ]
        if files != batch.files or gone_from:
            left = [each for each in batch.sources if each["name"] in sources]
            write_batch(out, replace(batch, files=files, sources=left))


def _purge_faces(file: Path, gone: set[str]) -> set[tuple[str, str]]:
    """Take forgotten pictures out of a table of the first stage; give the files of which nothing is left."""
    names = read_columns(file, ("sha256", "source", "original")).to_pylist()
    stays = [row["sha256"] not in gone for row in names]
    if not all(stays):
        with opened_table(file) as table:
            rows = table.read().filter(pa.array(stays, pa.bool_()))
        with atomic_write(file) as partial:
            pq.write_table(rows, partial, compression="zstd", row_group_size=ROW_GROUP)
    files = [(row["source"], row["original"]) for row in names]
    return set(files) - {file for file, stay in zip(files, stays, strict=True) if stay}


def _find(
    out: Path, state: State, photos: Sequence[str], people: Sequence[str], sources: Sequence[str]
) -> dict[str, bytes | None]:
    """Find the pictures that are meant: SHA-256 -> perceptual hash.

    A picture may be among the photos, or among the rejected files only. Who is in a frame of a video is in
    all frames of that track; and a video of which all frames go must not come back itself.
    """
    wanted: set[str] = set()
    of_people: set[FaceKey] = set()
    known: dict[str, set[str]] = {"photo": set(), "person": set(), "source": set()}
    columns = ("sha256", "face", "identity_id")
    for shard in state.shards:
        for row in read_columns(out / "photos" / f"{shard}.parquet", columns).to_pylist():
            if row["identity_id"] in people:
                wanted.add(row["sha256"])
                of_people.add((row["sha256"], row["face"]))
            known["person"].add(row["identity_id"])
    hashes: dict[str, bytes | None] = {}
    tracks: dict[tuple[str, int], set[FaceKey]] = {}
    videos: dict[str, set[str]] = {}
    for file in sorted((out / "work" / "faces").glob("*.parquet")):
        names = ("sha256", "source", "original", "pdq", "face", "video", "track")
        for row in read_columns(file, names).to_pylist():
            hashes[row["sha256"]] = row["pdq"]
            if row["track"] is not None:
                tracks.setdefault((row["video"], row["track"]), set()).add((row["sha256"], row["face"]))
                videos.setdefault(row["video"], set()).add(row["sha256"])
            if row["source"] in sources or {row["original"], row["sha256"]} & set(photos):
                wanted.add(row["sha256"])
            known["photo"] |= {row["original"], row["sha256"]}
            known["source"].add(row["source"])
    for kind, given in (("photo", photos), ("person", people), ("source", sources)):
        if missing := set(given) - known[kind]:
            raise DatasetError(f"{printable(out)} has no {kind} {sorted(missing)[0]!r}")
    if not wanted:
        raise DatasetError("nothing was named: give photos, people or sources to forget")
    wanted |= {name for keys in tracks.values() if keys & of_people for name, _ in keys}
    wanted |= _copies(out, state, wanted)
    wanted |= {video for video, frames in videos.items() if frames <= wanted}
    return {name: hashes.get(name) for name in wanted if name}


def _copies(out: Path, state: State, wanted: set[str]) -> set[str]:
    """Find the rejected copies of pictures: their row names the copy that stayed."""
    columns = ("sha256", "original", "frame")
    names = {
        picture_name(row["original"], row["frame"])
        for shard in state.shards
        for row in read_columns(out / "photos" / f"{shard}.parquet", columns).to_pylist()
        if row["sha256"] in wanted
    }
    return {
        row["sha256"]
        for row in state.rows(out, "rejected")
        if row["reason"] in ("exact_duplicate", "near_duplicate") and row["detail"] in names
    }


def _without(out: Path, state: State, shard: str, gone: Mapping[str, bytes | None]) -> tuple[str | None, int]:
    """Write a shard without some pictures; give its name, None if nobody is left, and how many rows went."""
    photos = IDDataset(out, shard=shard)
    people = []
    removed = 0
    for name, rows in photos.identities.items():
        records = [photos.entry(row) for row in rows]
        left = [index for index, record in zip(rows, records, strict=True) if record.sha256 not in gone]
        removed += len(rows) - len(left)
        people.append((name, left, len(left) < len(rows)))
    if not removed:
        return shard, 0
    new = _name(photos, shard, people, state)
    if not any(left for _, left, _ in people):
        return None, removed
    if not (out / "photos" / f"{new}.parquet").exists():
        writer = ShardWriter(out, new)
        for _, left, is_changed in people:
            records = [photos[index] for index in left]
            for record in _fit_again(records) if is_changed else records:
                writer.append(record)
        write_table(out / "work" / "fits" / f"{new}.parquet", [], REJECTED_SCHEMA)
        writer.commit()
    return new, removed


def _name(photos: IDDataset, shard: str, people: Sequence[tuple[str, list[int], bool]], state: State) -> str:
    """Name a shard as building it of these photos would."""
    specs = []
    for name, left, _ in people:
        records = [photos.entry(index) for index in left]
        if records:
            members = sorted((record.sha256, record.face) for record in records)
            folders = records[0].attributes.get("folders", "")
            specs.append(
                PersonSpec(
                    name,
                    tuple(Member("", 0, *key) for key in members),
                    tuple(folders.split(", ")) if folders else (),
                )
            )
    options = AssembleOptions(
        fit=FitOptions(**state.options["fit"]), captioner=state.options.get("captioner")
    )
    return shard_name(int(shard[1:].partition("-")[0]), specs, options)


def _fit_again(records: Sequence[PhotoRecord]) -> list[PhotoRecord]:
    """Fit the head of a person without the photos that are gone."""
    analyses = [record.analysis for record in records]
    found = [each for each in analyses if each is not None]
    if not found:
        return []
    head = fit(
        [crop_landmarks(each) for each in found],
        [(each.crop_size, each.crop_size) for each in found],
        weights=[max(each.quality, 0.01) for each in found],
    )
    return [
        replace(record, analysis=replace(each, fit=geometry, residual=float(residual)))
        for record, each, geometry, residual in zip(
            records, found, head.geometries, head.residuals, strict=True
        )
    ]
