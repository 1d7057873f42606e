"""``hifi-portrait plot``: the figures of one or several evaluations as plots."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.apps import options
from hifi_portrait.apps.console import emit


def plot(
    figures: Annotated[
        list[Path],
        typer.Argument(
            help="synthetic.json or photos.json of one evaluation, or of several with more references each."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for identity and control, one plot each.")],
    suffix: Annotated[str, typer.Option("--format", help="png or svg.")] = "png",
    as_json: options.Json = False,
) -> None:
    """Plot identity against the number of references, and the last evaluation's control errors by row."""
    from hifi_portrait.evaluation import plots

    if suffix not in ("png", "svg"):
        raise typer.BadParameter(f"--format must be png or svg, not {suffix!r}")
    evaluations = [plots.read_figures(path) for path in figures]
    out.mkdir(parents=True, exist_ok=True)
    identity, control = out / f"identity.{suffix}", out / f"control.{suffix}"
    plots.draw_identity(evaluations, identity)
    plots.draw_control(evaluations[-1], control)
    emit({"identity": str(identity), "control": str(control)}, f"{identity}\n{control}", as_json)
