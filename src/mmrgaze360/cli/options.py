"""Command-line options that several commands take, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def given_path(text: str) -> Path:
    """Read a path that an option or an argument names.

    Raises
    ------
    typer.BadParameter
        It is empty, which would stand for the working folder.
    """
    if not text.strip():
        raise typer.BadParameter("the name is empty: give a file or a folder")
    return Path(text)


Panorama = Annotated[
    Path,
    typer.Argument(parser=given_path, metavar="PANORAMA", help="Picture file, twice as wide as high."),
]
Data = Annotated[
    Path,
    typer.Option(parser=given_path, metavar="DIR", help="Data set of panoramas with known gazes."),
]
Model = Annotated[
    Path | None,
    typer.Option(
        parser=given_path,
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
