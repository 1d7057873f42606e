"""Copies of photos, and what is one by mistake."""

from __future__ import annotations

import argparse
import io
import random
from collections.abc import Callable, Mapping

from common import build, new_source
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from hifi_portrait.dataset.format import IDDataset


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
    new_source(folder)
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
    built = build(folder, arguments.work / "copies-set", arguments, names="none", min_photos=1)
    gone = built.files_rejected("near_duplicate", "exact_duplicate")
    originals = {f"{name}.jpg" for name, _ in files}
    per_kind = {}
    for kind in COPIES:
        copies = {file.name for file in folder.glob(f"*+{kind}.jpg")}
        replaced = {name for name in copies if name.split("+")[0] + ".jpg" in gone}
        per_kind[kind] = round(len(copies & (gone | replaced)) / len(copies), 4)
    with_copies = {file.name.split("+")[0] + ".jpg" for file in folder.glob("*+*.jpg")}
    others = originals - with_copies
    return {"found": per_kind, "others_removed": round(len(others & gone) / max(len(others), 1), 4)}
