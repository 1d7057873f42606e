"""Measure videos in the data pipeline (docs/dataset_build.md). Each command prints its figures as JSON.

    python benchmarks/dataset_videos.py cuts --photos DIR --work DIR     cuts, tracks and people of one video
    python benchmarks/dataset_videos.py speed --photos DIR --work DIR    milliseconds a frame, and memory

``cuts`` makes a video of real people, one sub-folder of photos each, who sway and come nearer, cut hard;
the two of them whose pictures are most alike follow each other. Nothing is told of who is in it.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from hifi_portrait.dataset.curate import BuildOptions, build_dataset
from hifi_portrait.dataset.curate.state import State
from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.dataset.tables import read_columns
from hifi_portrait.io.video import read_frames
from hifi_portrait.io.video_writer import VideoWriter

SOURCE = '[[source]]\nname = "v"\npath = "."\nlicence = "CC-BY-4.0"\nconsent = "signed"\n'
RATE = 25


def play(photo: np.ndarray, count: int, rng: random.Random) -> Iterator[np.ndarray]:
    """Yield frames in which a photo moves a little, as somebody before a camera does: sways, comes nearer,
    and its middle leans against the rest."""
    height, width = photo.shape[:2]
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    middle = np.exp(-(((xs - width / 2) / (0.22 * width)) ** 2) - (((ys - height / 2) / (0.3 * height)) ** 2))
    phases = [rng.uniform(0, 2 * np.pi) for _ in range(4)]
    speeds = [rng.uniform(0.5, 1.5) for _ in range(4)]
    for n in range(count):
        sway, nod, lean, near = (
            np.sin(phase + speed * n / RATE * 2) for phase, speed in zip(phases, speeds, strict=True)
        )
        zoom = 1 + 0.04 * near
        map_x = (xs - width / 2) / zoom + width / 2 + 0.012 * width * sway + 0.02 * width * lean * middle
        map_y = (ys - height / 2) / zoom + height / 2 + 0.012 * height * nod
        frame = cv2.remap(
            photo, np.float32(map_x), np.float32(map_y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        noise = np.random.default_rng(rng.randrange(2**32)).normal(0, 2, frame.shape)
        yield np.clip(frame + noise, 0, 255).astype(np.uint8)


def choose(photos: Path, people: int, seed: int) -> list[Path]:
    """Choose folders of people: the two whose pictures are most alike, and others by chance."""
    folders = sorted(folder for folder in photos.iterdir() if folder.is_dir())
    small = [
        cv2.resize(cv2.imread(str(sorted(each.glob("*.jpg"))[0]), cv2.IMREAD_GRAYSCALE), (64, 64)).astype(
            float
        )
        for each in folders
    ]
    apart = np.array([[np.abs(one - other).mean() for other in small] for one in small])
    np.fill_diagonal(apart, np.inf)
    first, second = np.unravel_index(apart.argmin(), apart.shape)
    others = [each for n, each in enumerate(folders) if n not in (first, second)]
    return [folders[first], folders[second], *random.Random(seed).sample(others, people - 2)]


def parts(people: int, cuts: int, rng: random.Random) -> list[int]:
    """Draw who is seen in each part; the first two, who are alike, follow each other often."""
    order = [0, 1]
    while len(order) <= cuts:
        now = order[-1]
        alike = {0: 1, 1: 0}.get(now)
        order.append(
            alike
            if alike is not None and rng.random() < 0.4
            else rng.choice([n for n in range(people) if n != now])
        )
    return order


def film(folders: Sequence[Path], order: Sequence[int], file: Path, rng: random.Random) -> list[float]:
    """Write the video; give the time at which each part begins."""
    starts, count = [], 0
    with VideoWriter(file, frame_rate=RATE) as video:
        for who in order:
            photo = cv2.imread(str(rng.choice(sorted(folders[who].glob("*.jpg")))))[..., ::-1]
            starts.append(count / RATE)
            length = rng.randint(RATE, 3 * RATE)
            for frame in play(np.ascontiguousarray(photo), length, rng):
                video.write(frame)
            count += length
    return starts


def cuts(arguments: argparse.Namespace) -> dict[str, object]:
    """Cut a video of some people, build a set of it without names, and compare with what is known."""
    rng = random.Random(arguments.seed)
    folder = arguments.work / "cuts"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "sources.toml").write_text(SOURCE)
    order = parts(arguments.people, arguments.cuts, rng)
    starts = film(choose(arguments.photos, arguments.people, arguments.seed), order, folder / "a.mp4", rng)
    scores = [
        (frame.time, frame.change or 0.0) for frame in read_frames(folder / "a.mp4", measure_change=True)
    ]
    at_cuts = [score for when, score in scores if any(abs(when - start) < 1e-3 for start in starts[1:])]
    inside = [score for when, score in scores if not any(abs(when - start) < 1e-3 for start in starts)]
    out = arguments.work / "cuts-set"
    shutil.rmtree(out, ignore_errors=True)
    began = time.process_time()
    result = build_dataset([folder], out, options=BuildOptions(names="none"), workers=0)
    seconds = time.process_time() - began

    def who(when: float) -> int:
        return order[int(np.searchsorted(starts, when + 1e-3, side="right")) - 1]

    tables = sorted((out / "work" / "faces").glob("*.parquet"))
    rows = [row for table in tables for row in read_columns(table, ("frame", "track", "face")).to_pylist()]
    tracks: dict[int, list[float]] = {}
    for row in rows:
        tracks.setdefault(row["track"], []).append(row["frame"])
    ends = [
        start
        for before, start in pairwise(starts)
        if any(before <= when < start for when in (row["frame"] for row in rows))
        and not any(min(times) < start <= max(times) for times in tracks.values())
    ]
    photos = IDDataset(out)
    groups = [Counter(who(photos.entry(row).frame) for row in rows) for rows in photos.identities.values()]
    state = State.read(out)
    assert state is not None
    return {
        "cuts": len(starts) - 1,
        "score_at_cuts": [round(min(at_cuts), 1), round(float(np.median(at_cuts)), 1)],
        "highest_score_inside": round(max(inside), 1),
        "cuts_found_by_scdet": sum(score >= BuildOptions().video.cut for score in at_cuts),
        "cuts_or_track_ends_found": len(ends),
        "tracks": len(tracks),
        "tracks_with_two_people": sum(len({who(when) for when in times}) > 1 for times in tracks.values()),
        "frames_looked_at": len({row["frame"] for row in rows}),
        "photos": result.photos,
        "people": len(groups),
        "groups_with_two_people": sum(len(group) > 1 for group in groups),
        "people_found": len({max(group, key=lambda n: group[n]) for group in groups}),
        "rejected": dict(result.reasons),
        "cpu_seconds": round(seconds, 1),
    }


def speed(arguments: argparse.Namespace) -> dict[str, object]:
    """Read a short and a long video: milliseconds of CPU a frame, its change measured, and peak memory."""
    photo = cv2.imread(str(sorted(arguments.photos.glob("*/*.jpg"))[0]))[..., ::-1]
    arguments.work.mkdir(parents=True, exist_ok=True)
    found: dict[str, object] = {"pixels": photo.shape[0]}
    for number in (100, 2000):
        file = arguments.work / f"speed-{number}.mp4"
        with VideoWriter(file, frame_rate=RATE) as video:
            for n in range(number):
                video.write(np.roll(photo, n % 20, axis=1))
    for number in (100, 2000):
        began = time.process_time()
        count = sum(1 for _ in read_frames(arguments.work / f"speed-{number}.mp4", measure_change=True))
        found[f"ms_a_frame_of_{count}"] = round(1000 * (time.process_time() - began) / count, 2)
        found[f"peak_mib_after_{count}"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found


COMMANDS = {each.__name__: each for each in (cuts, speed)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--photos", type=Path, required=True, help="real photos, one sub-folder a person")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is made")
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    print(json.dumps(COMMANDS[parser.parse_args().command](parser.parse_args())), file=sys.stdout)


if __name__ == "__main__":
    main()
