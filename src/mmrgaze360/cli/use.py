"""Commands on panoramas: ``follow``, ``view`` and ``evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.cli.console import emit
from hifi_portrait.cli.outputs import check_files, parse_path, picture_path, saved_path
from mmrgaze360.cli import options
from mmrgaze360.cli.outputs import check_heat_maps, files_of, given, write_heat_maps
from mmrgaze360.limits import LEAST_FOV, MOST_FOV, MOST_SCENES


def follow(
    panorama: options.Panorama,
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Picture to write, or a folder: heads, sight lines, targets."),
    ] = None,
    heads: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="FILE",
            help="JSON file with boxes of heads; without it they are looked for.",
        ),
    ] = None,
    model: options.Model = None,
    heatmaps: Annotated[
        Path | None,
        typer.Option(parser=parse_path, metavar="DIR", help="Folder for a heat map of each person."),
    ] = None,
    fov: Annotated[
        float | None,
        typer.Option(
            min=LEAST_FOV,
            max=MOST_FOV,
            help="Of a flat photo in place of a panorama: its horizontal angle of view, degrees.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Find where each person of a panorama looks."""
    picture = None if out is None else picture_path(out, "followed.png")
    inputs = given(panorama, heads, model)
    check_files(given(picture), inputs)
    if heatmaps is not None:
        check_heat_maps(heatmaps, inputs, picture)
    from mmrgaze360.find_people import read_heads
    from mmrgaze360.follower import GazeFollower, mark
    from mmrgaze360.panorama import Panorama, save_picture

    opened = Panorama.open(panorama, fov)
    boxes = None if heads is None else read_heads(heads, opened)
    people = GazeFollower.from_pretrained(model)(opened, boxes)
    if picture is not None:
        save_picture(mark(opened, people), picture)
    if heatmaps is not None:
        write_heat_maps(heatmaps, [person.heatmap for person in people])
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
    panorama: options.Panorama,
    out: options.PictureOut,
    at: Annotated[
        tuple[float, float],
        typer.Option(
            metavar="LONGITUDE LATITUDE",
            help="The middle, degrees: from -360 to 360, positive to the right, and from -90 to 90.",
        ),
    ] = (0.0, 0.0),
    angle: Annotated[
        float, typer.Option("--fov", min=LEAST_FOV, max=MOST_FOV, help="Angle of view, degrees.")
    ] = 60.0,
    size: Annotated[int, typer.Option(help="Pixels across.", min=16, max=8192)] = 512,
) -> None:
    """Write what an ordinary camera in a panorama's middle would see."""
    picture = picture_path(out, "view.png")
    check_files([picture], [panorama])
    from mmrgaze360.panorama import Panorama, save_picture

    save_picture(Panorama.open(panorama).view(*at, angle, size), picture)
    typer.echo(str(picture))


def evaluate(
    data: Annotated[
        Path | None, typer.Option(parser=parse_path, metavar="DIR", help="Data set of panoramas.")
    ] = None,
    gazefollow360: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path, metavar="DIR", help="Folder of GazeFollow360, in its authors' layout."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    model: options.Model = None,
    rows: Annotated[
        list[str] | None, typer.Option("--row", help="A row of the table; all that can be made by default.")
    ] = None,
    most: Annotated[int | None, typer.Option(help="Scenes to take, at most.", min=1, max=MOST_SCENES)] = None,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="JSON file to write, or a folder.")] = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Measure the system, and what it is compared with, on a data set."""
    if (data is None) == (gazefollow360 is None):
        raise typer.BadParameter("give one of --data and --gazefollow360")
    table = None if out is None else saved_path(out, "a table", "measured.json")
    inputs = given(data, gazefollow360, model)
    check_files(given(table), [*inputs, *files_of(data), *files_of(model)])
    from hifi_portrait.io.atomic import write_output
    from mmrgaze360.dataset.format import SceneDataset
    from mmrgaze360.dataset.gazefollow360 import PUBLISHED, GazeFollow360
    from mmrgaze360.evaluation import FACES, ROWS, format_table, possible_rows
    from mmrgaze360.evaluation import evaluate as measure
    from mmrgaze360.follower import GazeFollower

    scenes = SceneDataset(data, split) if data is not None else GazeFollow360(str(gazefollow360), split)
    free = {name for name, row in ROWS.items() if not row.trained} | {FACES}
    needed = rows is None or not set(rows) <= free
    follower = GazeFollower.from_pretrained(model) if needed else None
    chosen = possible_rows(model, follower) if rows is None and follower is not None else (rows or [])
    found = measure(scenes, chosen, follower, folder=model, most=most, quiet=quiet)
    if table is not None:
        with write_output(table) as partial:
            partial.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    published = PUBLISHED if gazefollow360 is not None and split == "test" else ()
    emit(found, format_table(found, published), as_json)
