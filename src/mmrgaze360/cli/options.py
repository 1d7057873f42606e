"""Command-line options that several commands take, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.cli.outputs import parse_path

Panorama = Annotated[
    Path,
    typer.Argument(parser=parse_path, metavar="PANORAMA", help="Picture file, twice as wide as high."),
]
Data = Annotated[
    Path,
    typer.Option(parser=parse_path, metavar="DIR", help="Data set of panoramas with known gazes."),
]
Model = Annotated[
    Path | None,
    typer.Option(
        parser=parse_path,
        metavar="DIR",
        help="Folder with the trained networks.",
        show_default="the package's own",
    ),
]
PictureOut = Annotated[
    str,
    typer.Option(
        metavar="FILE", help="The picture to write, as .png, .jpg or .webp; or a folder to write it into."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
