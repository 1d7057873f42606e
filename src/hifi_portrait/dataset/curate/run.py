"""Build an ID data set, or add to one: the stages in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hifi_portrait.dataset.curate.account import BuildResult, account
from hifi_portrait.dataset.curate.assemble import (
    Member,
    PersonSpec,
    ShardSpec,
    choose_buckets,
    spread,
    write_people,
)
from hifi_portrait.dataset.curate.captioner import captioner_of
from hifi_portrait.dataset.curate.card import write_card
from hifi_portrait.dataset.curate.decisions import decide, face_key
from hifi_portrait.dataset.curate.faces import FacelessFile, Faces
from hifi_portrait.dataset.curate.first_stage import read_files, read_files_again
from hifi_portrait.dataset.curate.forgetting import purge
from hifi_portrait.dataset.curate.identities import Assignment, FaceKey, assign_ids
from hifi_portrait.dataset.curate.options import BuildOptions, kept_options, options_to_keep
from hifi_portrait.dataset.curate.reasons import REJECTED_SCHEMA, RejectedFace, Rejection
from hifi_portrait.dataset.curate.sources import find_sources
from hifi_portrait.dataset.curate.state import (
    State,
    delete_unnamed,
    open_batch,
    put_table,
    read_batch,
)
from hifi_portrait.dataset.executor import run_shards
from hifi_portrait.dataset.tables import read_columns
from hifi_portrait.dataset.workers import Engine
from hifi_portrait.errors import DatasetError
from hifi_portrait.io.names import printable


def build_dataset(
    sources: Sequence[str | Path],
    out: str | Path,
    *,
    sources_file: str | Path | None = None,
    options: BuildOptions | None = None,
    workers: int | Engine = 1,
    progress: bool = False,
) -> BuildResult:
    """Build a data set from photos; after a kill, the same call goes on where it was.

    Parameters
    ----------
    sources
        Folders of photos and videos, such files, or text files that list them, one a line.
    out
        The data set's folder.
    sources_file
        TOML file that says by what right each source is used; see `hifi_portrait.dataset.curate.sources`.
        Where None, the ``sources.toml`` in each source.
    options
        How it is built.
    workers
        Processes; with 0 this one, in which a file that kills its reader kills the run. Or what starts them:
        `hifi_portrait.dataset.ray_workers.RayActors` on a cluster.
    progress
        Whether to show progress bars.

    Raises
    ------
    DatasetError
        A source does not exist or does not say what it must, or ``out`` holds something else, or a
        finished set.
    """
    out = Path(out)
    state = State.read(out)
    if state is not None and state.batches:
        raise DatasetError(
            f"{printable(out)} is built already: add photos by `hifi-portrait dataset add`,"
            " or build it elsewhere"
        )
    return _grow(out, State(), sources, sources_file, options or BuildOptions(), workers, progress)


def add_to_dataset(
    out: str | Path,
    sources: Sequence[str | Path],
    *,
    sources_file: str | Path | None = None,
    options: BuildOptions | None = None,
    retry_rejected: Sequence[str] = (),
    workers: int | Engine = 1,
    progress: bool = False,
) -> BuildResult:
    """Add photos to a data set that was built. People keep their ids and splits.

    Parameters
    ----------
    retry_rejected
        Reasons of the steps "read" and "detect": files that were rejected for one of them are read again, and
        there may be no ``sources``.
    out, sources, sources_file, options, workers, progress
        As in `build_dataset`; without ``options``, those that the set was built by are taken.

    Raises
    ------
    DatasetError
        As `build_dataset`; or ``out`` is no such set, or a reason is of another step.
    """
    out = Path(out)
    options = options or kept_options(out)
    state = State.read(out)
    if state is None:
        raise DatasetError(f"{printable(out)} is no data set: build one by `hifi-portrait dataset build`")
    purge(out, state)
    if retry_rejected:
        read_files_again(out, state, retry_rejected, options, workers, progress)
        if not sources:
            return finish(out, state, options, workers, progress)
    return _grow(out, state, sources, sources_file, options, workers, progress)


def _grow(
    out: Path,
    state: State,
    sources: Sequence[str | Path],
    sources_file: str | Path | None,
    options: BuildOptions,
    workers: int | Engine,
    progress: bool,
) -> BuildResult:
    if options.captioner is not None:
        captioner_of(options.captioner)  # before hours of other work, not after them
    if not sources:
        raise DatasetError("no source was given: name folders or files with photos")
    given = find_sources(
        [Path(each) for each in sources], None if sources_file is None else Path(sources_file)
    )
    for path in (out.resolve(), *out.resolve().parents):
        if any(path == each.path.resolve() for each in given):
            raise DatasetError(
                f"{printable(out)} lies in {printable(path)}, which was given: build it elsewhere"
            )
    for folder in ("images", "photos", "analysis", "work/faces", "work/fits"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    batch = open_batch(out, state.batches, given, named=options.names == "folders")
    read_files(out, state, batch, options, workers, progress)
    return finish(out, replace(state, batches=state.batches + 1), options, workers, progress)


def finish(
    out: Path, state: State, options: BuildOptions, workers: int | Engine, progress: bool
) -> BuildResult:
    """Decide about all faces, write the shards of people that have changed, and commit."""
    batches = [read_batch(out, number) for number in range(state.batches)]
    tables = [name for batch in batches for name, _ in batch.shards()]
    known = _known(out, state)
    ids = {key: identity for key, (identity, _) in known.items()}
    decision = decide(out, tables, options, ids)
    faces, members, rejected = decision.faces, decision.members, dict(decision.rejected)
    assigned = assign_ids(
        [[face_key(faces, index) for index in rows] for rows in members.values()], ids, state.next_identity
    )
    specs = _specs(faces, tables, members, decision.folders, assigned, known, options, rejected)
    buckets = choose_buckets(state.buckets, sum(len(each.members) for each in specs))
    shards = spread(specs, buckets, options.assembly)
    _write(out, shards, options, workers, progress)
    rows = [row for file in decision.faceless for row in _faceless_row(file)]
    rows += [_rejected(faces, index, rejection).row() for index, rejection in sorted(rejected.items())]
    for shard in shards:
        rows += read_columns(
            out / "work" / "fits" / f"{shard.name}.parquet", REJECTED_SCHEMA.names
        ).to_pylist()
    listed = {each["name"]: each for batch in batches for each in batch.sources}
    state = replace(
        state,
        shards=[shard.name for shard in shards],
        buckets=buckets,
        next_identity=assigned.next_number,
        options=options_to_keep(options, decision.calibration),
        tables=state.tables
        | {
            "rejected": put_table(out, "rejected", sorted(rows, key=_order)),
            "sources": put_table(out, "sources", [_public(each, rows) for each in listed.values()]),
        },
    )
    result = account(out, state)
    state.write(out)
    delete_unnamed(out, state)
    write_card(out, state, result)
    return result


def _known(out: Path, state: State) -> dict[FaceKey, tuple[str, tuple[str, int, int]]]:
    """Tell who each face in the data set is so far, and where its picture lies."""
    known: dict[FaceKey, tuple[str, tuple[str, int, int]]] = {}
    for shard in state.shards:
        columns = ("sha256", "face", "identity_id", "offset", "size")
        for row in read_columns(out / "photos" / f"{shard}.parquet", columns).to_pylist():
            place = (shard, row["offset"], row["size"])
            known[row["sha256"], row["face"]] = (row["identity_id"], place)
    return known


def _specs(
    faces: Faces,
    tables: Sequence[str],
    members: Mapping[int, list[int]],
    folders: Mapping[int, tuple[str, ...]],
    assigned: Assignment,
    known: Mapping[FaceKey, tuple[str, tuple[str, int, int]]],
    options: BuildOptions,
    rejected: dict[int, Rejection],
) -> list[PersonSpec]:
    specs = []
    for (person, rows), identity in zip(members.items(), assigned.ids, strict=True):
        staying = [row for row in rows if face_key(faces, row) not in assigned.moved]
        for row in set(rows) - set(staying):
            rejected[row] = Rejection(reason="other_split", detail=known[face_key(faces, row)][0])
        if len(staying) < options.min_photos:
            for row in staying:
                rejected[row] = Rejection(
                    reason="alone", value=float(len(staying)), threshold=float(options.min_photos)
                )
            continue
        found = [
            Member(
                tables[faces.table[row]],
                faces.row[row],
                *face_key(faces, row),
                known[face_key(faces, row)][1] if face_key(faces, row) in known else None,
            )
            for row in staying
        ]
        found.sort(key=lambda each: (each.sha256, each.face))
        specs.append(PersonSpec(identity, tuple(found), folders.get(person, ())))
    return sorted(specs, key=lambda each: each.identity_id)


def _write(
    out: Path, shards: Sequence[ShardSpec], options: BuildOptions, workers: int | Engine, progress: bool
) -> None:
    todo = [shard for shard in shards if not (out / "photos" / f"{shard.name}.parquet").exists()]
    total = sum(len(person.members) for shard in todo for person in shard.people)
    with tqdm(total=total, desc="people", unit="photo", disable=not progress) as bar:
        work = partial(write_people, out, options.assembly)
        written = run_shards(work, [(shard.name, [shard]) for shard in todo], workers=workers)
        with closing(written):
            for _, [count] in written:
                bar.update(count)


def _faceless_row(file: FacelessFile) -> list[dict[str, object]]:
    given = Rejection(reason=file.reason, detail=file.detail)
    return [
        RejectedFace(**asdict(given), original=file.original, source=file.source, sha256=file.sha256).row()
    ]


def _rejected(faces: Faces, index: int, rejection: Rejection) -> RejectedFace:
    return RejectedFace(
        **asdict(rejection),
        original=faces.original[index],
        source=faces.source[index],
        sha256=faces.sha256[index],
        face=int(faces.face[index]),
        frame=faces.frame[index],
    )


def _order(row: Mapping[str, Any]) -> tuple[str, str, float, int]:
    face, frame = row["face"], row["frame"]
    return row["source"], row["original"], -1.0 if frame is None else frame, -1 if face is None else face


def _public(source: Mapping[str, str], rejected: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Give the row of the table of sources; where a source lies is nobody else's business."""
    count = sum(row["source"] == source["name"] and row["reason"] == "opted_out" for row in rejected)
    found = f"files that forbid training were left out: {count}" if count else ""
    return {name: value for name, value in source.items() if name != "path"} | {"opt_out": found}
