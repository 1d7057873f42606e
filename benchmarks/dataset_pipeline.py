"""Measure the data pipeline (docs/dataset_build.md). Each command prints its figures as one line of JSON.

    hifi-portrait people --out T --count 300 --photos 10 --seed 70000
    python benchmarks/dataset_pipeline.py heap --data T --work DIR          who is who, without names
    python benchmarks/dataset_pipeline.py folders --data T --work DIR       in folders with wrong photos
    python benchmarks/dataset_pipeline.py real --photos DIR --work DIR      real people, one sub-folder each
    python benchmarks/dataset_pipeline.py pasted --data T --work DIR        pictures of two people
    python benchmarks/dataset_pipeline.py duplicates --data T --work DIR    copies of eight kinds
    python benchmarks/dataset_pipeline.py kill --data T --work DIR          kill -9 of the driver, resumed
    python benchmarks/dataset_pipeline.py scale                             100,000 simulated faces
    python benchmarks/dataset_pipeline.py throughput --photos DIR --work DIR

The people must be others than those that calibrations were made on.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from hifi_portrait.dataset.curate import BuildOptions, build_dataset
from hifi_portrait.dataset.curate.calibration import Calibration
from hifi_portrait.dataset.curate.grouping import GroupingOptions, group_faces
from hifi_portrait.dataset.format import IDDataset

Truth = Mapping[str, str]
"""Name of a file as it was given -> who is in it."""

SOURCE = '[[source]]\nname = "t"\npath = "."\nlicence = "CC0-1.0"\nconsent = "synthetic"\n'


def scores(dataset: Path, truth: Truth) -> dict[str, float]:
    """Compare groups with the truth: pairwise F1, impostors (not who their group is of), and faces kept."""
    photos = IDDataset(dataset)
    groups = [
        Counter(truth[photos.entry(row).original] for row in rows if photos.entry(row).original in truth)
        for rows in photos.identities.values()
    ]
    together = sum(count * (count - 1) // 2 for group in groups for count in group.values())
    said = sum(n * (n - 1) // 2 for n in (sum(group.values()) for group in groups))
    true = sum(n * (n - 1) // 2 for n in Counter(truth.values()).values())
    kept = sum(sum(group.values()) for group in groups)
    impostors = kept - sum(max(group.values(), default=0) for group in groups)
    return {
        "people": len(groups),
        "f1": round(2 * together / max(said + true, 1), 4),
        "impostors": round(impostors / max(kept, 1), 4),
        "kept": round(kept / len(truth), 4),
    }


def write_heap(data: Path, folder: Path, *, seed: int = 0) -> tuple[Truth, set[str]]:
    """Write a shuffled heap of a data set's photos: 10 % degraded, 5 % of people seen once, 3 % of files
    without a face and 2 % damaged beside them. Gives who is in each usable photo, and the damaged files."""
    rng = random.Random(seed)
    photos = IDDataset(data)
    picked = [
        (name, row)
        for name, rows in photos.identities.items()
        for row in (rows[:1] if rng.random() < 0.05 else rows)
    ]
    rng.shuffle(picked)
    folder.mkdir(parents=True)
    (folder / "sources.toml").write_text(SOURCE)
    truth, damaged = {}, set()
    for number, (name, row) in enumerate(picked):
        file = folder / f"{number:06d}.jpg"
        image = photos.image(row)
        kind = rng.random()
        if kind < 0.10:
            _degrade(image, rng).save(file, quality=85)
        elif kind < 0.13:
            _faceless(photos.pixels(row)).save(file)
        elif kind < 0.15:
            file.write_bytes(image[: rng.randrange(10, len(image) // 3)])
            damaged.add(file.name)
        else:
            file.write_bytes(image)
            truth[file.name] = name
    return truth, damaged


def _degrade(image: bytes, rng: random.Random) -> Image.Image:
    picture = Image.open(io.BytesIO(image)).convert("RGB")
    kind = rng.randrange(4)
    if kind == 0:
        return picture.filter(ImageFilter.GaussianBlur(picture.width / 80))
    if kind == 1:
        return ImageEnhance.Brightness(picture).enhance(0.15)
    if kind == 2:
        noise = np.random.default_rng(rng.randrange(2**32)).normal(0, 40, (picture.height, picture.width, 3))
        return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))
    small = picture.resize((picture.width // 4, picture.height // 4))
    return small.resize(picture.size)


def _faceless(pixels: np.ndarray) -> Image.Image:
    """Give the upper left corner, background, in the whole's size."""
    height, width = pixels.shape[:2]
    return Image.fromarray(pixels[: height // 6, : width // 6]).resize((width, height))


def build(source: Path, out: Path, arguments: argparse.Namespace, **options: object) -> float:
    """Build a set, and give the seconds of CPU that it took."""
    shutil.rmtree(out, ignore_errors=True)
    if (stage := getattr(arguments, "stage", None)) is not None and stage.exists():
        shutil.copytree(stage, out / "work" / "faces")
    before = _cpu()
    build_dataset([source], out, options=BuildOptions(**options), workers=arguments.workers)
    arguments.stage = out / "work" / "faces"
    return _cpu() - before


def _cpu() -> float:
    return sum(
        getattr(resource.getrusage(who), name)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        for name in ("ru_utime", "ru_stime")
    )


def heap(arguments: argparse.Namespace) -> dict[str, object]:
    """Group a heap without names, strictly and not."""
    folder = arguments.work / "heap"
    shutil.rmtree(folder, ignore_errors=True)
    truth, damaged = write_heap(arguments.data, folder)
    found: dict[str, object] = {"files": len(list(folder.glob("*.jpg")))}
    for purity in ("balanced", "strict"):
        out = arguments.work / purity
        options = GroupingOptions(purity=purity, learn=not arguments.plain)
        build(folder, out, arguments, names="none", grouping=options)
        found[purity] = scores(out, truth)
    found["damaged"], found["damaged_rejected"] = (
        len(damaged),
        len(damaged & _rejected(arguments.work / "strict")),
    )
    return found


def _rejected(out: Path, *reasons: str) -> set[str]:
    from hifi_portrait.dataset.curate.state import State

    state = State.read(out)
    assert state is not None
    return {
        row["original"]
        for row in state.rows(out, "rejected")
        if row["reason"] in (reasons or ("unreadable", "crashed_reader"))
    }


def folders(arguments: argparse.Namespace) -> dict[str, object]:
    """Verify folders of which a fifth of the photos is of others, or of one other person."""
    found: dict[str, object] = {}
    photos = IDDataset(arguments.data)
    names = list(photos.identities)
    for kind in ("others", "one other"):
        rng = random.Random(1)
        folder = arguments.work / kind.replace(" ", "_")
        shutil.rmtree(folder, ignore_errors=True)
        truth: dict[str, str] = {}
        home: dict[str, str] = {}
        for place, name in enumerate(names):
            rows = photos.identities[name]
            wrong = set(rng.sample(rows, len(rows) // 5))
            for row in rows:
                other = names[(place + 1) % len(names)] if kind == "one other" else rng.choice(names)
                where = other if row in wrong else name
                file = folder / where / f"{name}-{row}.jpg"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(photos.image(row))
                truth[f"{where}/{file.name}"], home[f"{where}/{file.name}"] = name, where
        (folder / "sources.toml").write_text(SOURCE)
        out = arguments.work / f"{kind.replace(' ', '_')}-set"
        arguments.stage = None
        build(folder, out, arguments, names="folders")
        found[kind] = _folder_scores(out, truth, home)
    return found


def _folder_scores(out: Path, truth: Truth, home: Truth) -> dict[str, float]:
    photos = IDDataset(out)
    wrong = kept = 0
    good = {name for name, who in truth.items() if home[name] == who}
    lost = set(good)
    for rows in photos.identities.values():
        files = [photos.entry(row).original for row in rows]
        owner = Counter(truth[file] for file in files).most_common(1)[0][0]
        wrong += sum(truth[file] != owner for file in files)
        kept += len(files)
        lost -= set(files)
    return {
        "people": len(photos.identities),
        "wrong_left": round(wrong / max(kept, 1), 4),
        "good_lost": round(len(lost) / len(good), 4),
    }


def real(arguments: argparse.Namespace) -> dict[str, object]:
    """Group real people without names, alone and among synthetic ones."""
    found: dict[str, object] = {}
    for kind in ("alone", "mixed"):
        if kind == "mixed" and arguments.data is None:
            continue
        folder = arguments.work / f"real-{kind}"
        shutil.rmtree(folder, ignore_errors=True)
        truth: dict[str, str] = {}
        if kind == "mixed":
            write_heap(arguments.data, folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sources.toml").write_text(SOURCE)
        for file in sorted(arguments.photos.glob("*/*.jpg")):
            name = f"real-{file.parent.name}-{file.name}"
            shutil.copy(file, folder / name)
            truth[name] = file.parent.name
        arguments.stage = None
        out = arguments.work / f"real-{kind}-set"
        build(folder, out, arguments, names="none", grouping=GroupingOptions(purity="balanced"))
        photos = IDDataset(out)
        groups = [[photos.entry(row).original for row in rows] for rows in photos.identities.values()]
        reals = [group for group in groups if any(name in truth for name in group)]
        result = scores(out, truth)
        result["people"] = len(reals)
        result["synthetic_faces_in_them"] = sum(name not in truth for group in reals for name in group)
        found[kind] = result
    return found


def pasted(arguments: argparse.Namespace) -> dict[str, object]:
    """Paste a hundred pictures of two people, and see with whom their faces are."""
    rng = random.Random(2)
    photos = IDDataset(arguments.data)
    names = list(photos.identities)
    folder = arguments.work / "pasted"
    shutil.rmtree(folder, ignore_errors=True)
    both: dict[str, tuple[str, str]] = {}
    for number in range(min(100, len(names))):
        one, other = rng.sample(names, 2)
        pictures = [Image.fromarray(photos.pixels(photos.identities[name].pop())) for name in (one, other)]
        whole = Image.new("RGB", (sum(each.width for each in pictures), pictures[0].height))
        whole.paste(pictures[0], (0, 0))
        whole.paste(pictures[1], (pictures[0].width, 0))
        folder.mkdir(parents=True, exist_ok=True)
        whole.save(folder / f"both-{number:03d}.jpg", quality=95)
        both[f"both-{number:03d}.jpg"] = (one, other)
    (folder / "sources.toml").write_text(SOURCE)
    for name, rows in photos.identities.items():
        for row in rows:
            file = folder / name / f"{row}.jpg"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(photos.image(row))
    arguments.stage = None
    build(folder, arguments.work / "pasted-set", arguments)
    read = IDDataset(arguments.work / "pasted-set")
    right = wrong = together = 0
    for rows in read.identities.values():
        entries = [read.entry(row) for row in rows]
        owner = Counter(each.original.split("/")[0] for each in entries if "/" in each.original)
        if not owner:
            continue
        who = owner.most_common(1)[0][0]
        seen = Counter(each.original for each in entries if each.original in both)
        together += sum(count > 1 for count in seen.values())
        right += sum(who in both[name] for name in seen)
        wrong += sum(who not in both[name] for name in seen)
    return {
        "pictures": len(both),
        "groups_with_both": together,
        "with_their_person": round(right / (2 * len(both)), 4),
        "with_another": wrong,
    }


def _cut(picture: Image.Image, fraction: float) -> Image.Image:
    x, y = int(picture.width * fraction), int(picture.height * fraction)
    return picture.crop((x, y, picture.width - x, picture.height - y))


def _write_over(picture: Image.Image) -> Image.Image:
    picture = picture.copy()
    place = (picture.width * 0.1, picture.height * 0.85)
    ImageDraw.Draw(picture).text(place, "copyright somebody", fill="white", font_size=picture.height // 14)
    return picture


COPIES: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "jpeg 40": lambda picture: picture,
    "half size": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "light": lambda picture: ImageEnhance.Brightness(picture).enhance(1.25),
    "crop 3 %": lambda picture: _cut(picture, 0.03),
    "crop 8 %": lambda picture: _cut(picture, 0.08),
    "mirrored": ImageOps.mirror,
    "text": _write_over,
    "grey": lambda picture: picture.convert("L").convert("RGB"),
}


def duplicates(arguments: argparse.Namespace) -> dict[str, object]:
    """Find copies of photos among all the other photos of their people."""
    folder = arguments.work / "copies"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "sources.toml").write_text(SOURCE)
    files: list[tuple[str, bytes]] = []
    if arguments.photos is not None:
        found = sorted(arguments.photos.glob("*/*.jpg"))
        files += [(f"real-{file.parent.name}-{file.stem}", file.read_bytes()) for file in found]
    if arguments.data is not None:
        photos = IDDataset(arguments.data)
        files += [(f"{n:05d}", photos.image(n)) for n in range(min(len(photos), 10 * arguments.count))]
    for name, image in files:
        (folder / f"{name}.jpg").write_bytes(image)
    for name, image in random.Random(3).sample(files, min(arguments.count, len(files))):
        picture = Image.open(io.BytesIO(image)).convert("RGB")
        for kind, copy in COPIES.items():
            copy(picture).save(folder / f"{name}+{kind}.jpg", quality=40 if kind == "jpeg 40" else 92)
    arguments.stage = None
    build(folder, arguments.work / "copies-set", arguments, names="none", min_photos=1)
    gone = _rejected(arguments.work / "copies-set", "near_duplicate", "exact_duplicate")
    originals = {f"{name}.jpg" for name, _ in files}
    per_kind = {}
    for kind in COPIES:
        copies = {file.name for file in folder.glob(f"*+{kind}.jpg")}
        replaced = {name for name in copies if name.split("+")[0] + ".jpg" in gone}
        per_kind[kind] = round(len(copies & (gone | replaced)) / len(copies), 4)
    with_copies = {file.name.split("+")[0] + ".jpg" for file in folder.glob("*+*.jpg")}
    others = originals - with_copies
    return {"found": per_kind, "others_removed": round(len(others & gone) / max(len(others), 1), 4)}


def kill(arguments: argparse.Namespace) -> dict[str, object]:
    """Kill the run at random moments, resume it each time, and compare it with one that was let be."""
    folder, rng = arguments.work / "kill", random.Random(4)
    shutil.rmtree(folder, ignore_errors=True)
    write_heap(arguments.data, folder)
    for file in sorted(folder.glob("*.jpg"))[arguments.count :]:
        file.unlink()
    outs = [arguments.work / "kill-undisturbed", arguments.work / "kill-killed"]
    for out in outs:
        shutil.rmtree(out, ignore_errors=True)
    call = [sys.executable, "-m", "hifi_portrait", "dataset", "build", str(folder), "--names", "none"]
    call += ["--workers", str(max(arguments.workers, 1)), "--json", "--out"]
    started = time.monotonic()
    subprocess.run([*call, str(outs[0])], check=True, stdout=subprocess.DEVNULL)
    whole = time.monotonic() - started
    again, kills = 0, 0
    while kills < arguments.kills:
        before = _stamps(outs[1])
        run = subprocess.Popen([*call, str(outs[1])], stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            run.wait(timeout=rng.uniform(0.1, 1.0) * whole)
        except subprocess.TimeoutExpired:
            os.kill(run.pid, signal.SIGKILL)
            run.wait()
        kills += 1
        after = _stamps(outs[1])
        again += sum(after.get(name) != stamp for name, stamp in before.items())
        if (outs[1] / "dataset.json").exists():
            break
    if not (outs[1] / "dataset.json").exists():
        subprocess.run([*call, str(outs[1])], check=True, stdout=subprocess.DEVNULL)
    differ = [name for name, data in _hashes(outs[0]).items() if _hashes(outs[1]).get(name) != data]
    return {"kills": kills, "files_that_differ": differ, "committed_shards_written_again": again}


def _stamps(out: Path) -> dict[str, int]:
    return {
        str(file.relative_to(out)): file.stat().st_mtime_ns
        for pattern in ("work/faces/*.parquet", "photos/*.parquet")
        for file in out.glob(pattern)
    }


def _hashes(out: Path) -> dict[str, str]:
    files = [
        file for file in out.rglob("*") if file.is_file() and file.name not in ("croissant.json", "README.md")
    ]
    return {str(file.relative_to(out)): sha256(file.read_bytes()).hexdigest() for file in files}


def scale(arguments: argparse.Namespace) -> dict[str, object]:
    """Group simulated faces: times and memory count, not who is with whom."""
    rng = np.random.default_rng(0)
    count = arguments.count
    centres = rng.normal(size=(count // 10, 128))
    vectors = centres[np.repeat(np.arange(count // 10), 10)] + 0.35 * rng.normal(size=(count, 128))
    vectors = vectors @ np.diag(np.linspace(1, 0.2, 128)) + 3.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, cpu = time.monotonic(), _cpu()
    found = group_faces(
        vectors.astype(np.float32),
        np.arange(count),
        [""] * count,
        Calibration.of("dlib"),
        GroupingOptions(),
    )
    return {
        "faces": count,
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(_cpu() - cpu, 1),
        "peak_growth_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024,
        "groups": int(found.person.max()) + 1,
    }


def throughput(arguments: argparse.Namespace) -> dict[str, object]:
    """Measure seconds of CPU a photo, all steps, with and without loading the models."""
    found: dict[str, object] = {}
    files = sorted(arguments.photos.glob("*/*.jpg"))[: arguments.count]
    seconds = {}
    for number in (10, len(files)):
        folder = arguments.work / f"speed-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "sources.toml").write_text(SOURCE)
        for file in files[:number]:
            shutil.copy(file, folder / f"{file.parent.name}-{file.name}")
        arguments.stage = None
        seconds[number] = build(folder, arguments.work / f"speed-{number}-set", arguments, names="none")
    more = len(files) - 10
    found["cpu_ms_a_photo"] = round(1000 * (seconds[len(files)] - seconds[10]) / more, 1)
    found["photos_a_second_a_core"] = round(more / (seconds[len(files)] - seconds[10]), 1)
    return found


COMMANDS = {
    each.__name__: each for each in (heap, folders, real, pasted, duplicates, kill, scale, throughput)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--data", type=Path, help="data set of synthetic people")
    parser.add_argument("--photos", type=Path, help="real photos, one sub-folder a person")
    parser.add_argument("--work", type=Path, help="folder for what is made")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0: this one")
    parser.add_argument("--count", type=int, default=200, help="photos or faces, where their number is free")
    parser.add_argument("--kills", type=int, default=10, help="of kill")
    parser.add_argument("--plain", action="store_true", help="heap: by the recogniser's cosine alone")
    arguments = parser.parse_args()
    print(json.dumps(COMMANDS[arguments.command](arguments)))


if __name__ == "__main__":
    main()
