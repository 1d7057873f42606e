"""Measure how strongly each expression preset shows in the plain warp of real people.

    python benchmarks/presets.py --photos DIR --scoring DIR [--people 8] [--references first] [--sheets DIR]

``--photos`` is a folder with one sub-folder of photos a person, ``--scoring`` one with MediaPipe's
``face_landmarker.task``. For each coefficient of a preset the table says what is asked, what the landmarker
reads of the person's neutral warp and of the preset's, and how far apart these are. What it hardly reads
off any face is left out (`UNREAD`). A preset is told from the others where what is read of one person is
nearest to the mean of the other people's same preset; the last table says how often.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from hifi_portrait import Identity, Target
from hifi_portrait.evaluation.scorers.landmarker import FaceLandmarkerReader
from hifi_portrait.faces import IMAGE_SUFFIXES
from hifi_portrait.head import EXPRESSION_NAMES
from hifi_portrait.person.presets import PRESETS

SIZE = 512
"""Side of the warps, in pixels."""

UNREAD = ("cheekSquint", "cheekPuff", "noseSneer", "jawForward", "tongueOut", "mouthDimple")
"""Beginnings of the names of blendshapes whose score stays near 0 on any face."""


def read_people(
    people: Sequence[Path], references: str, reader: FaceLandmarkerReader, sheets: Path | None
) -> tuple[np.ndarray, list[str]]:
    """Scores (P, presets, 52) of each preset's warp, and the people's names; nan where no face is found."""
    rows = []
    for folder in people:
        photos = sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        person = Identity.from_photos(photos if references == "all" else photos[:1])
        read, tiles = [], []
        for preset in PRESETS:
            picture = person.warp(Target(preset), SIZE)
            scores = reader.read_scores(picture)
            read.append([scores.get(name, np.nan) for name in EXPRESSION_NAMES])
            tiles.append(picture)
        rows.append(read)
        if sheets is not None:
            sheets.mkdir(parents=True, exist_ok=True)
            columns = 5
            lines = [np.concatenate(tiles[i : i + columns], axis=1) for i in range(0, len(tiles), columns)]
            width = columns * SIZE
            padded = [np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0))) for line in lines]
            Image.fromarray(np.concatenate(padded)).save(sheets / f"{folder.name}-{references}.png")
    return np.array(rows), [folder.name for folder in people]


def print_strengths(scores: np.ndarray) -> None:
    """Print what is read of each preset's own coefficients."""
    names = list(PRESETS)
    neutral = scores[:, names.index("neutral")]
    print("| preset | coefficient | asked | neutral | read | least | change / asked |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for number, (preset, asked) in enumerate(PRESETS.items()):
        for column in np.flatnonzero(asked):
            name = EXPRESSION_NAMES[column]
            if name.startswith(UNREAD):
                continue
            read = scores[:, number, column]
            before, after = np.nanmean(neutral[:, column]), np.nanmean(read)
            change = (after - before) / asked[column]
            print(
                f"| {preset} | {name} | {asked[column]:.2f} | {before:.2f} | {after:.2f} | "
                f"{np.nanmin(read):.2f} | {change:.2f} |"
            )


def print_told_apart(scores: np.ndarray) -> None:
    """Print of how many people each preset is nearest to its own mean over the other people."""
    names = list(PRESETS)
    changes = np.nan_to_num(scores - scores[:, names.index("neutral")][:, None])
    print("\n| preset | told from all others | mistaken for |\n| --- | --- | --- |")
    for number, preset in enumerate(names):
        mistaken = []
        for person in range(len(scores)):
            others = np.delete(changes, person, axis=0).mean(axis=0)
            nearest = int(np.linalg.norm(others - changes[person, number], axis=1).argmin())
            if nearest != number:
                mistaken.append(names[nearest])
        right = len(scores) - len(mistaken)
        print(f"| {preset} | {right} of {len(scores)} | {', '.join(sorted(mistaken))} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder with one sub-folder a person")
    parser.add_argument("--scoring", type=Path, required=True, help="folder with face_landmarker.task")
    parser.add_argument("--people", type=int, default=8, help="how many people, evenly spread")
    parser.add_argument(
        "--references", choices=("all", "first"), default="all", help="which photos are given"
    )
    parser.add_argument("--sheets", type=Path, help="folder for a contact sheet of each person")
    arguments = parser.parse_args()
    folders = sorted(path for path in arguments.photos.iterdir() if path.is_dir())
    chosen = [folders[i] for i in np.linspace(0, len(folders) - 1, arguments.people).round().astype(int)]
    reader = FaceLandmarkerReader(arguments.scoring)
    scores, names = read_people(chosen, arguments.references, reader, arguments.sheets)
    print(f"{arguments.people} people ({', '.join(names)}), references: {arguments.references}\n")
    print_strengths(scores)
    print_told_apart(scores)


if __name__ == "__main__":
    main()
