"""Draw docs/rooms.svg: the rooms of the package, and which of them stands on which, read from the imports.

`python scripts/draw_rooms.py` writes the picture; `--check` only says whether it is up to date. An arrow
leads from a room to one that imports it. It is left out where a longer way along other arrows leads there.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "rooms.svg"

# Column (0: left, 1: the way of a photo, 2: right) and caption of each room.
ROOMS = {
    "errors": (1, "how the library says no"),
    "lazy": (0, "names that are imported when they are used"),
    "io": (2, "files that are complete or absent"),
    "head": (1, "what a head is: shape, pose, camera, mesh, rasteriser"),
    "fitting": (1, "one head fitted to several photos"),
    "scenery": (2, "places with their light, walls, styles"),
    "prompts": (0, "what words say of hair, clothes, glasses"),
    "faces": (1, "photo → Face: landmarks, crop, matte, embedding"),
    "person": (1, "Faces → Identity; and the Target of a portrait"),
    "landmarks": (1, "Identity + Target → control image"),
    "warp": (1, "photos carried into the target's pose"),
    "baked": (2, "the warp laid down in a textured mesh"),
    "motion": (2, "expression, pose, gaze over time"),
    "models": (1, "the networks"),
    "pipeline": (1, "check, encode, denoise, composite → portrait"),
    "animation": (2, "videos and sheets of one person"),
    "dataset": (2, "many photos of many people on disk"),
    "synthetic": (2, "people who do not exist"),
    "training": (1, "recipes, objectives, the training loop"),
    "evaluation": (1, "how good portraits are"),
    "cli": (1, "the command hifi-portrait"),
}

WIDTHS = (270, 380, 250)
HEIGHT, GAP, SIDE, MARGIN = 46, 24, 60, 24


def imports() -> dict[str, set[str]]:
    """The rooms that each room imports, without the late imports that the contract of imports lists."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    late = {tuple(line.split(" -> ")) for line in contract.get("ignore_imports", [])}
    graph = grimp.build_graph("hifi_portrait", cache_dir=None)
    result: dict[str, set[str]] = {}
    for module in graph.modules:
        if module.count(".") == 0 or module.endswith(".__main__"):
            continue
        room = module.split(".")[1]
        found = result.setdefault(room, set())
        for imported in graph.find_modules_directly_imported_by(module):
            if imported.count(".") and (module, imported) not in late and imported.split(".")[1] != room:
                found.add(imported.split(".")[1])
    return result


def reachable(graph: dict[str, set[str]], room: str) -> set[str]:
    """Every room that a room stands on, directly or not."""
    return set().union(*({other} | reachable(graph, other) for other in graph[room]))


def direct(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The graph without the arrows that a longer way makes superfluous."""
    return {
        room: {one for one in others if not any(one in reachable(graph, two) for two in others if two != one)}
        for room, others in graph.items()
    }


def rows(graph: dict[str, set[str]]) -> dict[str, int]:
    """How far down each room stands: below all that it imports."""
    return {room: depth(graph, room) for room in graph}


def depth(graph: dict[str, set[str]], room: str) -> int:
    """The number of arrows on the longest way down to a room."""
    return max((1 + depth(graph, other) for other in graph[room]), default=0)


def draw(graph: dict[str, set[str]]) -> str:
    """The picture, as the text of an SVG file."""
    if set(graph) != set(ROOMS):
        raise SystemExit(f"give these rooms a place in ROOMS, or take them out: {set(graph) ^ set(ROOMS)}")
    graph = direct(graph)
    row = rows(graph)
    left = [MARGIN + sum(WIDTHS[:n]) + SIDE * n for n in range(3)]
    width = left[2] + WIDTHS[2] + MARGIN
    height = 2 * MARGIN + (max(row.values()) + 1) * (HEIGHT + GAP) - GAP

    def box(room: str) -> tuple[int, int, int]:
        column = ROOMS[room][0]
        return left[column], MARGIN + row[room] * (HEIGHT + GAP), WIDTHS[column]

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="Helvetica, Arial, sans-serif">',
        "<title>The rooms of the package in the order in which a photo travels</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#607d8b"/></marker></defs>',
        f'<rect width="{width}" height="{height}" rx="10" fill="#ffffff"/>',
    ]
    for room in ROOMS:
        for other in sorted(graph[room]):
            (x0, y0, w0), (x1, y1, w1) = box(other), box(room)
            if x0 == x1:
                way = f"M{x0 + w0 // 2} {y0 + HEIGHT} L{x1 + w1 // 2} {y1}"
            else:
                start, end = (x0 + w0, x1) if x0 < x1 else (x0, x1 + w1)
                bend = SIDE * 3 // 4 if start < end else -SIDE * 3 // 4
                way = (
                    f"M{start} {y0 + HEIGHT // 2} C{start + bend} {y0 + HEIGHT // 2} "
                    f"{end - bend} {y1 + HEIGHT // 2} {end} {y1 + HEIGHT // 2}"
                )
            parts.append(
                f'<path d="{way}" fill="none" stroke="#607d8b" stroke-width="1.5" marker-end="url(#tip)"/>'
            )
    for room, (column, caption) in ROOMS.items():
        x, y, w = box(room)
        fill = "#e3f2fd" if column == 1 else "#f5f5f5"
        parts.append(
            f'<rect x="{x}" y="{y}" width="{w}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="#90a4ae"/>'
            f'<text x="{x + 12}" y="{y + 19}" font-size="14" font-weight="bold" fill="#263238">{room}</text>'
            f'<text x="{x + 12}" y="{y + 36}" font-size="12" fill="#455a64">{escape(caption)}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def main() -> int:
    """Write the picture, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 where it is outdated"
    )
    picture = draw(imports())
    if parser.parse_args().check:
        return int(not PICTURE.is_file() or PICTURE.read_text(encoding="utf-8") != picture)
    PICTURE.write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
