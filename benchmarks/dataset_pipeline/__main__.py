"""Measure the data pipeline (docs/dataset_build.md). Each command prints its figures as one line of JSON.

    hifi-portrait people --out T --count 300 --photos 10 --size 256 --seed 71000
    python benchmarks/dataset_pipeline heap --data T --work DIR          who is who, without names
    python benchmarks/dataset_pipeline folders --data T --work DIR       in folders with wrong photos
    python benchmarks/dataset_pipeline real --photos DIR --work DIR      real people, one sub-folder each
    python benchmarks/dataset_pipeline pasted --data T --work DIR        pictures of two people
    python benchmarks/dataset_pipeline duplicates --data T --work DIR    copies of eight kinds
    python benchmarks/dataset_pipeline growth --data T --work DIR        a fifth of the photos comes later
    python benchmarks/dataset_pipeline kill --data T --work DIR          kill -9 of the driver, resumed
    python benchmarks/dataset_pipeline forget --data T --work DIR        five people, killed at random
    python benchmarks/dataset_pipeline scale --count 100000              simulated faces
    python benchmarks/dataset_pipeline throughput --photos DIR --work DIR
    python benchmarks/dataset_pipeline memory --data MANY --count 10000 --work DIR   e.g. --count 1000 people
    python benchmarks/dataset_pipeline sheet --data BUILT --work DIR     groups, to be looked at
    python benchmarks/dataset_pipeline calibration --data OTHERS --work DIR

The people must be others than those that calibrations were made on.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import accidents
import copies
import heaps
import sheets
import speed

COMMANDS = {
    each.__name__: each
    for each in (
        heaps.heap,
        heaps.folders,
        heaps.real,
        heaps.pasted,
        heaps.calibration,
        copies.duplicates,
        accidents.growth,
        accidents.kill,
        accidents.forget,
        speed.scale,
        speed.throughput,
        speed.memory,
        sheets.sheet,
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--data", type=Path, help="data set of synthetic people")
    parser.add_argument("--photos", type=Path, help="real photos, one sub-folder a person")
    parser.add_argument("--work", type=Path, help="folder for what is made")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0: this one")
    parser.add_argument("--count", type=int, default=200, help="photos or faces, where their number is free")
    parser.add_argument("--kills", type=int, default=10, help="of kill and forget")
    parser.add_argument("--turns", type=int, default=3, help="of throughput: one worker and two, in turns")
    parser.add_argument("--plain", action="store_true", help="heap: by the recogniser's cosine alone")
    parser.add_argument(
        "--before-fitting",
        action="store_true",
        help="who is who and copies: as decided, without fitting heads, which rejects a few more",
    )
    parser.add_argument("--made-of", default="", help="of calibration: who the people are")
    arguments = parser.parse_args()
    print(json.dumps(COMMANDS[arguments.command](arguments)))


if __name__ == "__main__":
    main()
