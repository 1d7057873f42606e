"""Who is who: in heaps, in folders with mistakes, among real people, and in pictures of two."""

from __future__ import annotations

import argparse
import io
import json
import random
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
from common import Groups, Truth, build, new_source, scores, write_folders
from PIL import Image, ImageEnhance, ImageFilter

from hifi_portrait.dataset import calibrate
from hifi_portrait.dataset.curate.grouping import GroupingOptions
from hifi_portrait.dataset.format import IDDataset


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
    new_source(folder)
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


def heap(arguments: argparse.Namespace) -> dict[str, object]:
    """Group a heap without names, strictly and not."""
    folder = arguments.work / "heap"
    truth, damaged = write_heap(arguments.data, folder)
    found: dict[str, object] = {"files": len(list(folder.glob("*.jpg")))}
    for purity in ("balanced", "strict"):
        out = arguments.work / f"heap-{purity}"
        options = GroupingOptions(purity=purity, learn=not arguments.plain)
        built = build(folder, out, arguments, names="none", grouping=options)
        found[purity] = scores(built.groups, truth)
    named = damaged & built.files_rejected("unreadable", "crashed_reader")
    return found | {"damaged": len(damaged), "damaged_rejected": len(named)}


def folders(arguments: argparse.Namespace) -> dict[str, object]:
    """Verify folders of which a fifth of the photos is of others, or of one other person."""
    found: dict[str, object] = {}
    photos = IDDataset(arguments.data)
    names = list(photos.identities)
    for kind in ("others", "one other"):
        rng = random.Random(1)
        folder = arguments.work / kind.replace(" ", "_")
        new_source(folder)
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
        out = arguments.work / f"{kind.replace(' ', '_')}-set"
        built = build(folder, out, arguments, names="folders")
        found[kind] = _folder_scores(built.groups, truth, home)
    return found


def _folder_scores(groups: Groups, truth: Truth, home: Truth) -> dict[str, float]:
    wrong = kept = 0
    good = {name for name, who in truth.items() if home[name] == who}
    lost = set(good)
    for files in groups:
        owner = Counter(truth[file] for file in files).most_common(1)[0][0]
        wrong += sum(truth[file] != owner for file in files)
        kept += len(files)
        lost -= set(files)
    return {
        "people": len(groups),
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
        truth: dict[str, str] = {}
        if kind == "mixed":
            write_heap(arguments.data, folder)
        else:
            new_source(folder)
        for file in sorted(arguments.photos.glob("*/*.jpg")):
            name = f"real-{file.parent.name}-{file.name}"
            shutil.copy(file, folder / name)
            truth[name] = file.parent.name
        out = arguments.work / f"real-{kind}-set"
        options = GroupingOptions(purity="balanced")
        groups = build(folder, out, arguments, names="none", grouping=options).groups
        reals = [group for group in groups if any(name in truth for name in group)]
        result = scores(groups, truth)
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
    new_source(folder)
    both: dict[str, tuple[str, str]] = {}
    for number in range(min(100, len(names))):
        one, other = rng.sample(names, 2)
        pictures = [Image.fromarray(photos.pixels(photos.identities[name].pop())) for name in (one, other)]
        whole = Image.new("RGB", (sum(each.width for each in pictures), pictures[0].height))
        whole.paste(pictures[0], (0, 0))
        whole.paste(pictures[1], (pictures[0].width, 0))
        whole.save(folder / f"both-{number:03d}.jpg", quality=95)
        both[f"both-{number:03d}.jpg"] = (one, other)
    for name, rows in photos.identities.items():
        for row in rows:
            file = folder / name / f"{row}.jpg"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(photos.image(row))
    groups = build(folder, arguments.work / "pasted-set", arguments).groups
    right = wrong = together = 0
    for files in groups:
        owner = Counter(name.split("/")[0] for name in files if "/" in name)
        if not owner:
            continue
        who = owner.most_common(1)[0][0]
        seen = Counter(name for name in files if name in both)
        together += sum(count > 1 for count in seen.values())
        right += sum(who in both[name] for name in seen)
        wrong += sum(who not in both[name] for name in seen)
    return {
        "pictures": len(both),
        "groups_with_both": together,
        "with_their_person": round(right / (2 * len(both)), 4),
        "with_another": wrong,
    }


def calibration(arguments: argparse.Namespace) -> dict[str, object]:
    """Calibrate the default recogniser on people who are not measured."""
    out = arguments.work / "calibration-set"
    build(write_folders(arguments.data, arguments.work / "calibration"), out, arguments)
    file = arguments.work / "calibration.json"
    calibrate.main([str(out), "--out", str(file), "--made-of", arguments.made_of])
    loaded: dict[str, object] = json.loads(file.read_text())
    return loaded
