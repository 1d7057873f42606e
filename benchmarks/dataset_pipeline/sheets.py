"""Pictures of groups, to be looked at."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.dataset.tables import read_columns

_GROUPS, _FACES, _SIDE, _LINE = 40, 12, 72, 14


def sheet(arguments: argparse.Namespace) -> dict[str, object]:
    """Draw the largest and the least certain groups of a built set, a row each: at most twelve faces."""
    data: Path = arguments.data
    photos = IDDataset(data)
    groups = {}
    for name, rows in photos.identities.items():
        entries = [photos.entry(row) for row in rows]
        vectors = np.stack([each.analysis.embedding for each in entries])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        count = len(rows)
        mean = float((vectors @ vectors.T).sum() - count) / max(count * (count - 1), 1)
        groups[name] = ([(each.sha256, each.face) for each in entries], mean)
    largest = sorted(groups, key=lambda name: (-len(groups[name][0]), name))[:_GROUPS]
    doubtful = sorted(groups, key=lambda name: (groups[name][1], name))[:_GROUPS]
    shown = {key for name in (*largest, *doubtful) for key in groups[name][0][:_FACES]}
    faces = _faces(data, shown)
    arguments.work.mkdir(parents=True, exist_ok=True)
    files = []
    for title, names in (("largest", largest), ("least-certain", doubtful)):
        for part, at in enumerate(range(0, len(names), _GROUPS // 2)):
            file = arguments.work / f"{title}-{part}.png"
            _draw([(name, *groups[name]) for name in names[at : at + _GROUPS // 2]], faces).save(file)
            files.append(str(file))
    return {"files": files}


def _faces(data: Path, shown: set[tuple[str, int]]) -> dict[tuple[str, int], Image.Image]:
    found = {}
    for file in sorted((data / "work" / "faces").glob("*.parquet")):
        table = read_columns(file, ("sha256", "face", "chip"))
        for row in table.to_pylist():
            if (row["sha256"], row["face"]) in shown:
                found[row["sha256"], row["face"]] = Image.open(io.BytesIO(row["chip"]))
    return found


def _draw(
    groups: list[tuple[str, list[tuple[str, int]], float]], faces: dict[tuple[str, int], Image.Image]
) -> Image.Image:
    """Draw two columns of groups."""
    rows = -(-len(groups) // 2)
    picture = Image.new("RGB", (2 * _FACES * _SIDE + 16, rows * (_SIDE + _LINE)), "white")
    draw = ImageDraw.Draw(picture)
    for place, (name, keys, mean) in enumerate(groups):
        left, top = place // rows * (_FACES * _SIDE + 16), place % rows * (_SIDE + _LINE)
        draw.text((left, top), f"{name}: {len(keys)} photos, mean cosine {mean:.3f}", fill="black")
        for number, key in enumerate(keys[:_FACES]):
            picture.paste(faces[key].resize((_SIDE, _SIDE)), (left + number * _SIDE, top + _LINE))
    return picture
