"""Measure baked heads and warp sessions: times, steadiness, and likeness to the warp, beside their bars.

    python benchmarks/living_head.py [--photos DIR] [--scoring DIR] [--people 20] [--rounds 15]

Times are CPU times of one core, of the example person. ``--photos`` is a folder with one sub-folder of photos
a person; with it, steps of yaw are measured on these people too. ``--scoring`` is a folder with SFace, YuNet
and ``face_landmarker.task``; with both, baked heads are compared with the warp inside the face's oval: how
often SFace takes each for the right one of all people in ``--photos``, by the person's first photo, and how
far MediaPipe's landmarks are apart, as a fraction of the distance between the eyes.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch

from hifi_portrait import BakedHead, Identity, Target, WarpSession
from hifi_portrait.evaluation.scorers.landmarker import FaceLandmarkerReader
from hifi_portrait.evaluation.scorers.recognisers import SFACE, SFaceRecogniser
from hifi_portrait.faces import IMAGE_SUFFIXES
from hifi_portrait.landmarks import LandmarkGenerator
from hifi_portrait.person.own_expressions import use_own_expressions

EXAMPLE = Path(__file__).parents[1] / "examples" / "person"
TARGETS = (
    Target(),
    Target(expression="smile"),
    Target(yaw=25),
    Target(yaw=-25, expression="smile"),
    Target(yaw=12, pitch=10, expression="talk"),
    Target(yaw=-40),
)
YAWS = tuple(range(-40, 41, 2))
EYES = (33, 263)
"""Landmarks of the outer corners of the eyes."""

COMPARED, STEPPED = 384, 128
"""Sides in pixels of pictures that are compared, and of those whose steps are measured."""


def main() -> None:
    """Measure what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--scoring", type=Path)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    example = Identity.from_photos([EXAMPLE])
    print("| what | measured | bar |\n| --- | --- | --- |")
    measure_times(example, args.rounds)
    print_steps("example person", [example])
    if args.photos is None:
        return
    folders = sorted(folder for folder in args.photos.iterdir() if folder.is_dir())
    chosen = folders[:: max(len(folders) // args.people, 1)][: args.people]
    people = {folder: Identity.from_photos(photos_of(folder)) for folder in chosen}
    print_steps(f"{len(people)} people", list(people.values()))
    if args.scoring is not None:
        compare_with_warp(folders, people, args.scoring)


def photos_of(folder: Path) -> list[Path]:
    """Find the photos of a folder, in the order of their names."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)


def row(what: str, measured: str, bar: str) -> None:
    """Print a row of the table."""
    print(f"| {what} | {measured} | {bar} |", flush=True)


def cpu_ms(run: Callable[[int], object], rounds: int) -> float:
    """Median milliseconds of CPU time of runs 0 to ``rounds``, after one that does not count."""
    run(0)
    taken = []
    for number in range(rounds):
        start = time.process_time()
        run(number)
        taken.append(time.process_time() - start)
    return 1e3 * float(np.median(taken))


def measure_times(person: Identity, rounds: int) -> None:
    """Print how long baking and drawing take, and whether a session draws what the warp draws."""
    head = BakedHead.bake(person)
    baked = cpu_ms(lambda _: BakedHead.bake(replace(person)), 3)  # a new person, of whom nothing is known yet
    row(f"bake {len(person)} photos, texture 1024", f"{baked:.0f} ms", "2000")
    for size, most in ((256, 10), (512, 25)):
        drawn = cpu_ms(lambda number, side=size: head.draw(TARGETS[number % len(TARGETS)], side), rounds)
        row(f"draw at {size}", f"{drawn:.1f} ms", str(most))
    for size, most in ((256, 170), (512, 600)):
        session = WarpSession(person, size, look=head.look)
        equal = all(
            np.array_equal(session.draw(target), person.warp(target.replace(look=head.look), size))
            for target in TARGETS[:3]
        )
        drawn = cpu_ms(lambda number, own=session: own.draw(TARGETS[number % len(TARGETS)]), min(rounds, 6))
        row(f"session at {size}, equal to the warp: {equal}", f"{drawn:.0f} ms", str(most))


def print_steps(whose: str, people: Sequence[Identity]) -> None:
    """Print the largest change between frames of a turning head over the median one."""
    of_baked, of_warp = [], []
    for person in people:
        head = BakedHead.bake(person, texture=512)
        session = WarpSession(person, STEPPED, look=head.look)
        targets = [Target(yaw=yaw) for yaw in YAWS]
        frames = [head.draw(target, STEPPED, background=True)[..., :3] for target in targets]
        of_baked.append(largest_step(frames))
        of_warp.append(largest_step([session.draw(target) for target in targets]))
    for what, ratios in (("baked", of_baked), ("session", of_warp)):
        over = sum(ratio > 2 for ratio in ratios)
        row(
            f"largest step / median step of yaw, {what}, {whose}",
            f"{max(ratios):.2f} at most, {over} of {len(ratios)} over",
            "2",
        )


def largest_step(frames: Sequence[np.ndarray]) -> float:
    """Largest over median mean change between frames."""
    steps = [np.abs(after.astype(float) - before).mean() for before, after in pairwise(frames)]
    return max(steps) / float(np.median(steps))


def compare_with_warp(folders: Sequence[Path], people: dict[Path, Identity], scoring: Path) -> None:
    """Print how likenesses and landmarks of baked heads differ from the warp's, inside the face's oval."""
    recogniser, landmarker = SFaceRecogniser(scoring), FaceLandmarkerReader(scoring)
    gallery = np.stack([embed(recogniser, read_photo(photos_of(folder)[0])) for folder in folders])
    right, apart, missed = {"baked": 0, "warp": 0}, [], 0
    for folder, person in people.items():
        head = BakedHead.bake(person)
        for target in TARGETS:
            pictures = {
                "baked": head.draw(target, COMPARED, background=True)[..., :3],
                "warp": person.warp(target.replace(look=head.look), COMPARED),
            }
            oval = face_oval(person, target)
            grey = {name: np.where(oval, picture, 127).astype(np.uint8) for name, picture in pictures.items()}
            for name, picture in grey.items():
                found = embed(recogniser, picture)
                right[name] += int((gallery @ found).argmax() == folders.index(folder)) if found.any() else 0
            own, theirs = (landmarker.read_landmarks(pictures[name]) for name in ("baked", "warp"))
            if own is None or theirs is None:
                missed += 1
                continue
            between = np.linalg.norm(theirs[EYES[0]] - theirs[EYES[1]])
            apart.append(np.linalg.norm(own - theirs, axis=1).mean() / between)
    count = len(people) * len(TARGETS)
    baked, warp = right["baked"] / count, right["warp"] / count
    row(
        f"rank-1 of {len(folders)} in the oval, baked (warp {warp:.3f})", f"{baked:.3f}", f"{warp - 0.03:.3f}"
    )
    row(
        f"landmarks apart / between the eyes, median of {len(apart)} ({missed} without a face)",
        f"{100 * np.median(apart):.2f} %, 90 % below {100 * np.percentile(apart, 90):.2f} %",
        "1 %",
    )


def embed(recogniser: SFaceRecogniser, picture: np.ndarray) -> np.ndarray:
    """Embedding (128,) of unit length; zeros where no face is found."""
    found = recogniser.read(picture).get("embeddings", {}).get(SFACE)
    return np.zeros(128) if found is None else found / np.linalg.norm(found)


def read_photo(path: Path) -> np.ndarray:
    """Read a photo as RGB."""
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def face_oval(person: Identity, target: Target) -> np.ndarray:
    """Where the outline of the face is in a picture of a target, (S, S, 1) bool."""
    generator = LandmarkGenerator.load()
    own = use_own_expressions(target, person.geometries)
    geometry = generator.geometry(person.identity, own, COMPARED)
    outline = generator.chains(generator.model.posed(geometry), geometry)[0]
    mask = np.zeros((COMPARED, COMPARED), np.uint8)
    cv2.fillPoly(mask, [np.round(geometry.camera.project(outline)).astype(np.int32)], 1)
    return mask[..., None] > 0


if __name__ == "__main__":
    main()
