"""Runs that are killed, people who are forgotten, and sets that grow."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from common import build, call, decided, new_source, run, write_folders
from heaps import write_heap

from hifi_portrait.dataset.curate import BuildOptions, add_to_dataset, check_dataset
from hifi_portrait.dataset.curate.decisions import face_key
from hifi_portrait.dataset.curate.identities import FaceKey, assign_ids
from hifi_portrait.dataset.curate.state import State
from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.dataset.records import split_of


def kill(arguments: argparse.Namespace) -> dict[str, object]:
    """Kill builds at random moments, resume them, and compare them with one that was let be."""
    folder, rng = arguments.work / "kill", random.Random(4)
    write_heap(arguments.data, folder)
    for file in sorted(folder.glob("*.jpg"))[arguments.count :]:
        file.unlink()
    workers = max(arguments.workers, 1)
    undisturbed, out = arguments.work / "undisturbed" / "set", arguments.work / "killed" / "set"
    words = ["build", folder, "--names", "none", "--workers", workers, "--json", "--out"]
    shutil.rmtree(undisturbed, ignore_errors=True)
    started = time.monotonic()
    subprocess.run(call(*words, undisturbed), check=True, stdout=subprocess.DEVNULL)
    whole = time.monotonic() - started
    expected = _hashes(undisturbed)
    again = kills = sets = 0
    differ: set[str] = set()
    while kills < arguments.kills:
        shutil.rmtree(out, ignore_errors=True)
        is_killed = True
        while is_killed:
            before = _stamps(out)
            seconds = rng.uniform(0.05, 1.0) * whole if kills < arguments.kills else None
            is_killed = _run_for(call(*words, out), seconds)
            kills += is_killed
            after = _stamps(out)
            again += sum(after.get(name) != stamp for name, stamp in before.items())
        sets += 1
        found = _hashes(out)
        differ |= {name for name in expected.keys() | found if expected.get(name) != found.get(name)}
    return {
        "kills": kills,
        "sets": sets,
        "files": len(expected),
        "files_that_differ": sorted(differ),
        "committed_shards_written_again": again,
    }


def _run_for(words: list[str], seconds: float | None) -> bool:
    """Run a command; tell whether it was still running after some seconds, and was killed."""
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def _stamps(out: Path) -> dict[str, int]:
    return {
        str(file.relative_to(out)): file.stat().st_mtime_ns
        for pattern in ("work/faces/*.parquet", "photos/*.parquet")
        for file in out.glob(pattern)
    }


def _hashes(out: Path) -> dict[str, str]:
    files = [file for file in out.rglob("*") if file.is_file()]
    return {str(file.relative_to(out)): sha256(file.read_bytes()).hexdigest() for file in files}


def forget(arguments: argparse.Namespace) -> dict[str, object]:
    """Forget five people, killed at random moments and begun again, and look for traces of them."""
    rng = random.Random(5)
    folder, built = write_folders(arguments.data, arguments.work / "forget"), arguments.work / "forget-built"
    for person in sorted(each for each in folder.iterdir() if each.is_dir())[arguments.count // 10 :]:
        shutil.rmtree(person)
    build(folder, built, arguments)
    photos = IDDataset(built)
    names = rng.sample(sorted(photos.identities), 5)
    gone = [photos[row] for name in names for row in photos.identities[name]]
    words = ["forget", *(word for name in names for word in ("--person", name))]
    out, whole, kills = arguments.work / "forget-set", 0.0, 0
    traces: list[str] = []
    wrong: list[str] = []
    for number in range(arguments.kills + 1):
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(built, out)
        started = time.monotonic()
        if _run_for([*call(words[0], out), *words[1:]], rng.uniform(0.1, 1.0) * whole if number else None):
            kills += 1
            second = run(words[0], out, *words[1:])  # what is done already, it does not find any more
            assert second.returncode == 0 or "has no person" in second.stderr, second.stderr
        whole = whole or time.monotonic() - started
        traces += _traces(out, [each.image for each in gone], [each.analysis.embedding for each in gone])
        wrong += check_dataset(out)
    again = new_source(arguments.work / "forgotten", "again")
    for number, record in enumerate(gone):
        (again / f"{number}.jpg").write_bytes(record.image)
    result = add_to_dataset(out, [again])
    return {
        "kills": kills,
        "photos": len(gone),
        "traces": sorted(set(traces)),
        "found_by_check": wrong,
        "refused_when_added_again": result.reasons.get("forgotten", 0),
    }


def _traces(out: Path, images: list[bytes], embeddings: list[np.ndarray]) -> list[str]:
    """Find files that hold bytes of pictures, or embeddings like theirs."""
    found = []
    near = np.stack(embeddings)
    for file in (each for each in out.rglob("*") if each.is_file()):
        data = file.read_bytes()
        if any(image[len(image) // 2 :][:64] in data for image in images):
            found.append(str(file.relative_to(out)))
        if file.suffix == ".parquet" and "embedding" in pq.read_schema(file).names:
            for row in pq.read_table(file, columns=["embedding"])["embedding"].to_pylist():
                if row is not None and np.abs(near - np.asarray(row)).max(axis=1).min() < 1e-6:
                    found.append(str(file.relative_to(out)))
    return found


def growth(arguments: argparse.Namespace) -> dict[str, object]:
    """Build a set of four fifths of a heap and add the rest: who keeps the id, and who the split."""
    rng = random.Random(6)
    first, out = arguments.work / "growth", arguments.work / "growth-set"
    write_heap(arguments.data, first)
    later = new_source(arguments.work / "growth-later", "later")
    for file in sorted(first.glob("*.jpg")):
        if rng.random() < 0.2:
            file.rename(later / file.name)
    if arguments.before_fitting:
        return _growth_as_decided(first, later, out, arguments)
    build(first, out, arguments, names="none")
    before = _ids(out)
    result = add_to_dataset(out, [later], workers=arguments.workers)
    after = _ids(out)
    stay = before.keys() & after.keys()
    state = State.read(out)
    assert state is not None
    return {
        "photos": [len(before), result.photos],
        "people": [len(set(before.values())), result.identities],
        "ids_kept": round(sum(before[key] == after[key] for key in stay) / len(before), 4),
        "not_in_it_any_more": len(before) - len(stay),
        "changed_split": sum(split_of(before[key]) != split_of(after[key]) for key in stay),
        "options_kept": state.options["names"] == "none",
    }


def _growth_as_decided(
    first: Path, later: Path, out: Path, arguments: argparse.Namespace
) -> dict[str, object]:
    """Decide about four fifths, and about all."""
    before: dict[FaceKey, str] = {}
    found: list[dict[FaceKey, str]] = []
    next_number = 0
    for _ in range(2):
        decision = decided(first, out, arguments, BuildOptions(names="none"), before)
        groups = [[face_key(decision.faces, row) for row in rows] for rows in decision.members.values()]
        assigned = assign_ids(groups, before, next_number)
        next_number = assigned.next_number
        before = {key: name for group, name in zip(groups, assigned.ids, strict=True) for key in group}
        found.append({key: name for key, name in before.items() if key not in assigned.moved})
        for file in later.glob("*.jpg"):
            file.rename(first / file.name)
    before, after = found
    stay = before.keys() & after.keys()
    return {
        "photos": [len(before), len(after)],
        "people": [len(set(before.values())), len(set(after.values()))],
        "ids_kept": round(sum(before[key] == after[key] for key in stay) / len(before), 4),
        "not_in_it_any_more": len(before) - len(stay),
        "changed_split": sum(split_of(before[key]) != split_of(after[key]) for key in stay),
    }


def _ids(out: Path) -> dict[tuple[str, int], str]:
    photos = IDDataset(out)
    entries = (photos.entry(row) for row in range(len(photos)))
    return {(entry.sha256, entry.face): entry.identity_id for entry in entries}
