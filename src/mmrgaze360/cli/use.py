"""Commands on panoramas: ``follow`` and ``view``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from hifi_portrait.cli.console import emit

_Panorama = Annotated[Path, typer.Argument(help="Picture file, twice as wide as high.")]
_Fov = Annotated[
    float | None,
    typer.Option(help="Of a flat photo in place of a panorama: its horizontal angle of view."),
]


def follow(
    panorama: _Panorama,
    out: Annotated[Path | None, typer.Option(help="Picture to write: heads, sight lines, targets.")] = None,
    heads: Annotated[
        Path | None, typer.Option(help="JSON file with boxes of heads; without it they are looked for.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Folder with the trained networks.")] = None,
    heatmaps: Annotated[Path | None, typer.Option(help="Folder for a heat map of each person.")] = None,
    fov: _Fov = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Find where each person of a panorama looks."""
    from mmrgaze360.find_people import read_heads
    from mmrgaze360.follower import GazeFollower, mark
    from mmrgaze360.panorama import Panorama, save_picture

    opened = Panorama.open(panorama, fov)
    boxes = None if heads is None else read_heads(heads, opened)
    people = GazeFollower.from_pretrained(model)(opened, boxes)
    if out is not None:
        save_picture(mark(opened, people), out)
    if heatmaps is not None:
        heatmaps.mkdir(parents=True, exist_ok=True)
        for number, person in enumerate(people):
            shown = np.asarray(255 * np.sqrt(person.heatmap / person.heatmap.max()), np.uint8)
            coloured = np.asarray(cv2.applyColorMap(shown, cv2.COLORMAP_MAGMA)[..., ::-1], np.uint8)
            save_picture(np.ascontiguousarray(coloured), heatmaps / f"person-{number:02d}.png")
            np.save(heatmaps / f"person-{number:02d}.npy", person.heatmap)
    lines = []
    for number, person in enumerate(people):
        seen = "in view" if person.in_view >= 0.5 else "not in view"
        lon, lat = person.target
        lines.append(
            f"person {number} at {person.head[0]:.0f} {person.head[1]:.0f} looks at {lon:.0f} {lat:.0f} "
            f"(within {person.target_spread:.0f} degrees), {seen} ({person.in_view:.2f})"
        )
    emit({"panorama": str(panorama), "people": [p.to_dict() for p in people]}, "\n".join(lines), as_json)


def view(
    panorama: _Panorama,
    out: Annotated[Path, typer.Option(help="Picture to write.")],
    at: Annotated[
        tuple[float, float], typer.Option(help="Longitude and latitude of the middle, degrees.")
    ] = (0.0, 0.0),
    angle: Annotated[float, typer.Option("--fov", help="Angle of view, degrees.")] = 60.0,
    size: Annotated[int, typer.Option(help="Pixels across.", min=16, max=8192)] = 512,
) -> None:
    """Write what an ordinary camera in a panorama's middle would see."""
    from mmrgaze360.panorama import Panorama, save_picture

    save_picture(Panorama.open(panorama).view(*at, angle, size), out)
    typer.echo(str(out))


def evaluate(
    data: Annotated[Path | None, typer.Option(help="Data set of panoramas.")] = None,
    gazefollow360: Annotated[
        Path | None, typer.Option(help="Folder of GazeFollow360, in its authors' layout.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    model: Annotated[Path | None, typer.Option(help="Folder with the trained networks.")] = None,
    rows: Annotated[
        list[str] | None, typer.Option("--row", help="A row of the table; all that can be made by default.")
    ] = None,
    most: Annotated[int | None, typer.Option(help="Scenes to take, at most.", min=1)] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file to write.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure the system, and what it is compared with, on a data set."""
    from mmrgaze360.dataset.format import SceneDataset
    from mmrgaze360.dataset.gazefollow360 import PUBLISHED, GazeFollow360
    from mmrgaze360.evaluation import FACES, ROWS, format_table, possible_rows
    from mmrgaze360.evaluation import evaluate as measure
    from mmrgaze360.follower import GazeFollower

    if (data is None) == (gazefollow360 is None):
        raise ValueError("give one of --data and --gazefollow360")
    scenes = SceneDataset(data, split) if data is not None else GazeFollow360(str(gazefollow360), split)
    free = {name for name, row in ROWS.items() if not row.trained} | {FACES}
    needed = rows is None or not set(rows) <= free
    follower = GazeFollower.from_pretrained(model) if needed else None
    chosen = possible_rows(model, follower) if rows is None and follower is not None else (rows or [])
    found = measure(scenes, chosen, follower, folder=model, most=most, quiet=quiet)
    if out is not None:
        out.write_text(json.dumps(found, indent=2) + "\n")
    published = PUBLISHED if gazefollow360 is not None and split == "test" else ()
    emit(found, format_table(found, published), as_json)
