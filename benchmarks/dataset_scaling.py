"""Measure what docs/scaling.md reckons with. Each command prints its figures as one line of JSON.

    python benchmarks/dataset_scaling.py cells --count 200000        neighbours by coarse cells of faiss
    python benchmarks/dataset_scaling.py storage --data DIR          bytes a photo of a set that was built
    python benchmarks/dataset_scaling.py shuffle --data DIR --work DIR   rows of faces, put together by person
    python benchmarks/dataset_scaling.py driver --data DIR --work DIR    what one process does for each face

All of it runs on one thread; times are of the processor.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import fields
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hifi_portrait.dataset.curate.assemble import bucket_of
from hifi_portrait.dataset.curate.detect import FACE_SCHEMA
from hifi_portrait.dataset.curate.faces import load_faces
from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.dataset.tables import write_table

_FACES = 10
"""Of a person."""


def simulate(count: int) -> np.ndarray:
    """Make unit vectors of people with ten faces each, as `dataset_pipeline scale` does."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(count // _FACES, 128)).astype(np.float32)
    vectors = np.repeat(centres, _FACES, axis=0)
    vectors += 0.35 * rng.normal(size=vectors.shape).astype(np.float32)
    vectors = vectors * np.linspace(1, 0.2, 128, dtype=np.float32) + np.float32(3.5)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def cells(arguments: argparse.Namespace) -> dict[str, object]:
    """Search in the nearest cells only: how many neighbours are found, and at what cost."""
    faiss.omp_set_num_threads(1)
    vectors = simulate(arguments.count)
    vectors -= vectors.mean(axis=0)  # cells of what all faces share would say nothing
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    number = int(4 * arguments.count**0.5)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(128), 128, number, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.max_points_per_centroid = 5, 64
    began = time.process_time()
    index.train(vectors)
    trained = time.process_time()
    index.add(vectors)
    added = time.process_time()
    asked = np.random.default_rng(1).choice(arguments.count, 2000, replace=False)
    exact = faiss.IndexFlatIP(128)
    exact.add(vectors)
    true = exact.search(vectors[asked], 17)[1]
    person = asked[:, None] // _FACES
    found: dict[str, object] = {
        "faces": arguments.count,
        "cells": number,
        "training_seconds": round(trained - began, 1),
        "ms_a_face_to_put_in": round(1000 * (added - trained) / arguments.count, 3),
        "own_person_among_exact_neighbours": _share(true // _FACES == person),
    }
    for probes in (1, 4, 16, 64):
        index.nprobe = probes
        began = time.process_time()
        near = index.search(vectors[asked], 17)[1]
        found[f"{probes}_cells"] = {
            "ms_a_face": round(1000 * (time.process_time() - began) / len(asked), 3),
            "neighbours_found": round(
                float(np.mean([np.isin(one, other).mean() for one, other in zip(true, near, strict=True)])), 4
            ),
            "own_person": _share((near // _FACES == person) & (near >= 0)),
        }
    return found


def _share(same: np.ndarray) -> float:
    """Give the fraction of a person's ten faces, itself included, that is among the neighbours."""
    return round(float(same.sum(axis=1).mean()) / _FACES, 4)


def storage(arguments: argparse.Namespace) -> dict[str, object]:
    """Count bytes a photo, by folder."""
    photos = len(IDDataset(arguments.data))
    found: dict[str, object] = {"rows": photos}
    for name in ("images", "photos", "analysis", "work/faces"):
        size = sum(file.stat().st_size for file in (arguments.data / name).glob("*"))
        found[name] = round(size / photos)
    return found


def shuffle(arguments: argparse.Namespace) -> dict[str, object]:
    """Put rows of the first stage together by person: read, spread over buckets, write."""
    rows = pa.concat_tables(
        pq.read_table(file) for file in sorted((arguments.data / "work" / "faces").glob("*.parquet"))
    ).drop_columns(["chip"])
    many = pa.concat_tables([rows] * max(arguments.count // rows.num_rows, 1)).combine_chunks()
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    pq.write_table(many, arguments.work / "all.parquet", compression="zstd", use_dictionary=False)
    people = [f"id-{n // _FACES:07d}" for n in np.random.default_rng(0).permutation(many.num_rows)]
    buckets = np.array([bucket_of(name, 64) for name in people])
    began = time.process_time()
    writers: dict[int, pq.ParquetWriter] = {}
    start = 0
    with pq.ParquetFile(arguments.work / "all.parquet") as file:
        for batch in file.iter_batches(2048):
            here = buckets[start : start + batch.num_rows]
            start += batch.num_rows
            for bucket in np.unique(here):
                part = pa.Table.from_batches([batch]).filter(pa.array(here == bucket))
                if bucket not in writers:
                    writers[bucket] = pq.ParquetWriter(
                        arguments.work / f"{bucket}.parquet", part.schema, compression="zstd"
                    )
                writers[bucket].write_table(part)
        for writer in writers.values():
            writer.close()
    seconds = time.process_time() - began
    size = (arguments.work / "all.parquet").stat().st_size
    return {
        "rows": many.num_rows,
        "bytes_a_row": round(size / many.num_rows),
        "ms_a_row": round(1000 * seconds / many.num_rows, 3),
    }


def driver(arguments: argparse.Namespace) -> dict[str, object]:
    """Write and load tables of faces, which the process that hands out the work does for all of them."""
    rows = [
        row
        for file in sorted((arguments.data / "work" / "faces").glob("*.parquet"))
        for row in pq.read_table(file).to_pylist()
    ]
    for row in rows:
        for name in ("landmarks", "embedding", "mirrored"):
            row[name] = None if row[name] is None else np.array(row[name], np.float32)
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    tables, seconds = [], 0.0
    for number in range(max(arguments.count // len(rows), 1)):
        renamed = [row | {"original": f"{number}-{row['original']}"} for row in rows]
        began = time.process_time()
        tables.append(arguments.work / f"{number}.parquet")
        write_table(tables[-1], renamed, FACE_SCHEMA)
        seconds += time.process_time() - began
    began = time.process_time()
    faces, _ = load_faces(tables)
    loading = time.process_time() - began
    held = sum(_held(getattr(faces, each.name)) for each in fields(faces))
    return {
        "faces": len(faces),
        "ms_a_face_to_write": round(1000 * seconds / (len(rows) * len(tables)), 3),
        "ms_a_face_to_load": round(1000 * loading / len(faces), 3),
        "bytes_a_face_held": round(held / len(faces)),
    }


def _held(column: np.ndarray | list[object]) -> int:
    """Bytes of an array, or of a list and what is in it."""
    if isinstance(column, np.ndarray):
        return column.nbytes
    return sum(8 + sys.getsizeof(value) for value in column)


COMMANDS = {each.__name__: each for each in (cells, storage, shuffle, driver)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--data", type=Path, help="a set that was built")
    parser.add_argument("--work", type=Path, help="folder for what is made")
    parser.add_argument("--count", type=int, default=20_000, help="faces or rows")
    arguments = parser.parse_args()
    print(json.dumps(COMMANDS[arguments.command](arguments)))


if __name__ == "__main__":
    main()
