"""Commands that make data sets: ``scenes`` and ``rotate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.cli.console import emit
from hifi_portrait.cli.outputs import check_folder, parse_path
from mmrgaze360.cli import options
from mmrgaze360.cli.outputs import given
from mmrgaze360.limits import LARGEST_SEED, LARGEST_SIZE, MOST_SCENES, SMALLEST_SIZE


def scenes(
    out: Annotated[
        Path,
        typer.Option(
            parser=parse_path,
            metavar="DIR",
            help="Folder of the data set; one that is there is gone on with, with the same options.",
        ),
    ],
    count: Annotated[int, typer.Option(min=1, max=MOST_SCENES, help="Number of scenes.")] = 1000,
    size: Annotated[
        int, typer.Option(min=SMALLEST_SIZE, max=LARGEST_SIZE, help="Columns of a panorama, an even number.")
    ] = 1024,
    distortion: Annotated[
        str, typer.Option(help="Tilt of the camera: none, tilted (30 degrees), strong (any rotation).")
    ] = "none",
    seed: Annotated[
        int,
        typer.Option(min=0, max=LARGEST_SEED, help="Number of the first scene, a multiple of 40."),
    ] = 0,
    environments: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="DIR",
            help="Folder of .exr or .hdr panoramas for scenes without a room, in place of the package's.",
        ),
    ] = None,
    furniture: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="FILE",
            help="Library of furniture models, .sh3f of Sweet Home 3D; boxes without one.",
        ),
    ] = None,
    rooms_only: Annotated[bool, typer.Option("--rooms-only", help="Draw all scenes in rooms.")] = False,
    workers: Annotated[int, typer.Option(help="Processes.", min=1, max=512)] = 1,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Draw panoramas of people who look at things, with exact truth."""
    check_folder(out, given(environments, furniture))
    from mmrgaze360.dataset.format import SceneDataset
    from mmrgaze360.scenes.write import SceneSettings, write_scenes

    settings = SceneSettings(
        count=count,
        size=size,
        distortion=distortion,
        seed=seed,
        environments=environments,
        furniture=furniture,
        rooms_only=rooms_only,
    )
    folder = write_scenes(out, settings, workers, quiet)
    total = len(SceneDataset(folder))
    emit({"out": str(folder), "scenes": total}, f"{folder}: {total} scenes", as_json)


def rotate(
    data: Annotated[Path, typer.Argument(parser=parse_path, metavar="DATA", help="Data set of panoramas.")],
    out: Annotated[
        Path,
        typer.Option(
            parser=parse_path,
            metavar="DIR",
            help="Folder of the turned data set; one that is there is gone on with, with the same options.",
        ),
    ],
    tilt: Annotated[float, typer.Option(help="Largest tilt in degrees; 180 for any rotation.")] = 180.0,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the rotations.")] = 0,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Turn each panorama of a data set, and all that is known of it, by a random rotation of the sphere."""
    check_folder(out, [data])
    from mmrgaze360.dataset.rotate import rotate_dataset

    count = rotate_dataset(data, out, most_tilt=tilt, seed=seed, quiet=quiet)
    emit({"out": str(out), "scenes": count}, f"{out}: {count} scenes", as_json)
