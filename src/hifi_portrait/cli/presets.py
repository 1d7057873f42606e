"""``hifi-portrait presets``: the expressions that have a name, their coefficients, and pictures of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit
from hifi_portrait.cli.outputs import check_files, parse_path, picture_path
from hifi_portrait.cli.references import References
from hifi_portrait.errors import NoFaceError, OutputError

if TYPE_CHECKING:
    import numpy as np

_SIZE = 256
"""Side of each picture, in pixels."""

_COLUMNS = 5
"""Pictures in a row."""


def presets(
    photos: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=parse_path,
            metavar="[PHOTO...]",
            help="With --out: whom the pictures show; without photos, they are of an average head.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Also draw a sheet of them, as .png, .jpg or .webp.", show_default=False
        ),
    ] = None,
    face: options.Face = None,
    as_json: options.Json = False,
) -> None:
    """List the presets of --expression with their coefficients, and all 52 coefficients."""
    path = None if out is None else picture_path(out, "presets.png")
    if photos and path is None:
        raise OutputError("photos are drawn on a sheet: give its name, --out presets.png")
    if face is not None and not photos:
        raise NoFaceError("--face is for photos: give some, and --out for the sheet")
    references = References.find(photos, face=face) if photos else None
    if path is not None:
        check_files([path], references.read if references else [])

    from hifi_portrait.head.geometry import EXPRESSION_NAMES
    from hifi_portrait.person.presets import PRESETS

    coefficients = {
        name: {each: value for each, value in zip(EXPRESSION_NAMES, values, strict=True) if value}
        for name, values in PRESETS.items()
    }
    lines = [
        f"{name}: {', '.join(f'{each}={value:g}' for each, value in parts.items()) or 'all 0'}"
        for name, parts in coefficients.items()
    ]
    lines += ["", "Coefficients, each from 0 to 1:", *EXPRESSION_NAMES]
    if path is not None:
        from hifi_portrait.cli.sheet import contact_sheet
        from hifi_portrait.io.provenance import save_picture

        pictures = _draw(list(PRESETS), references)
        names = list(PRESETS)
        rows = [
            (", ".join(names[at : at + _COLUMNS]), pictures[at : at + _COLUMNS])
            for at in range(0, len(names), _COLUMNS)
        ]
        save_picture(contact_sheet(rows, cell=_SIZE), path, {"picture": "presets of expressions"})
        lines += ["", str(path)]
    result = {"presets": coefficients, "coefficients": list(EXPRESSION_NAMES)}
    emit(result if path is None else result | {"path": str(path)}, "\n".join(lines), as_json)


def _draw(names: list[str], references: References | None) -> list[np.ndarray]:
    """Draw a person with each expression, or an average head's landmarks."""
    import numpy as np

    from hifi_portrait.head.geometry import IDENTITY_COMPONENTS
    from hifi_portrait.landmarks import LandmarkGenerator
    from hifi_portrait.person.target import Target

    if references is not None:
        from hifi_portrait.animation.drawing import choose_look

        person = references.load()
        targets = [Target(expression=name, framing=person.framing()) for name in names]
        return [person.warp(target, _SIZE) for target in choose_look(person, targets)]
    draw, average = LandmarkGenerator.load(), np.zeros(IDENTITY_COMPONENTS, np.float32)
    return [draw(average, Target(expression=name), _SIZE).image for name in names]
