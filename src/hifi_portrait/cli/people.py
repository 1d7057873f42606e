"""``hifi-portrait people``: photographs of people who do not exist, as an ID data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit, progress
from hifi_portrait.cli.outputs import check_folder, parse_path


def people(
    out: Annotated[
        Path,
        typer.Option(
            parser=parse_path,
            metavar="PATH",
            help="The data set's folder; one that is there is gone on with, with the same options.",
        ),
    ],
    count: Annotated[int, typer.Option(min=1, max=options.MOST_PEOPLE, help="How many people.")] = 100,
    photos: Annotated[int, typer.Option(min=1, max=64, help="How many photos of each.")] = 6,
    size: Annotated[int, typer.Option(min=64, max=1024, help="Width and height of a photo.")] = 256,
    seed: Annotated[
        int,
        typer.Option(
            min=0, max=options.LARGEST_SEED, help="The first person's seed; the next ones count up."
        ),
    ] = 0,
    per_sitting: Annotated[
        int,
        typer.Option(min=1, max=64, help="Photos in a row that share light, clothes, background and style."),
    ] = 1,
    restyled: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Fraction of sittings in which colours of clothes, hair or backdrop, or the glasses, change "
            "from photo to photo, and captions say so.",
        ),
    ] = 0.0,
    variety: Annotated[
        Literal["studio", "world"],
        typer.Option(
            help='"studio": lamps and painted backdrops. "world": also real places and their light, '
            "headwear, more garments, beards, walls and picture styles."
        ),
    ] = "studio",
    environments: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="PATH",
            help="For --variety world: a folder of panoramas (.exr, .hdr), as scripts/fetch_environments.py "
            "makes it.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that render.", show_default="one a core")
    ] = os.cpu_count() or 1,
    as_json: options.Json = False,
) -> None:
    """Render synthetic people, with the exact truth of each photo, into a data set."""
    if environments is not None and variety != "world":
        raise typer.BadParameter("--environments is for --variety world")
    check_folder(out, [environments] if environments else [])
    from hifi_portrait.synthetic import write_people

    with progress(quiet=as_json) as bar:
        task = bar.add_task("people", total=count)
        write_people(
            out,
            count=count,
            photos=photos,
            size=size,
            seed=seed,
            per_sitting=per_sitting,
            restyled=restyled,
            workers=workers,
            variety=variety,
            environments=environments,
            progress=lambda done: bar.update(task, completed=done),
        )
    emit({"path": str(out), "people": count, "photos": count * photos}, str(out), as_json)
