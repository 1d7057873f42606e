"""``hifi-portrait plot``: the figures of evaluations and the curves of training runs as plots."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit
from hifi_portrait.cli.outputs import check_files, check_folder, parse_path


def plot(
    out: Annotated[Path, typer.Option(parser=parse_path, metavar="PATH", help="Folder for the plots.")],
    figures: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=parse_path,
            metavar="PATH",
            help="synthetic.json or photos.json of one evaluation, or of several with more references each: "
            "identity and control.",
        ),
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option(
            "--run",
            parser=parse_path,
            metavar="DIR",
            help="A training run's folder, for its curves; may be repeated.",
        ),
    ] = None,
    suffix: Annotated[str, typer.Option("--format", help="png or svg.")] = "png",
    as_json: options.Json = False,
) -> None:
    """Plot identity by the number of references, the last evaluation's control errors, training curves."""
    from hifi_portrait.evaluation.report import plots
    from hifi_portrait.training.engine.curves import read_curves

    if suffix not in ("png", "svg"):
        raise typer.BadParameter(f"--format must be png or svg, not {suffix!r}")
    if not figures and not run:
        raise typer.BadParameter("give FIGURES.json of an evaluation, or --run DIR of a training run")
    check_folder(out, figures or [])
    names = [*(["identity", "control"] if figures else []), *(["training"] if run else [])]
    check_files([out / f"{name}.{suffix}" for name in names], figures or [])
    evaluations = [plots.read_figures(path) for path in figures or ()]
    runs = {name: read_curves(path) for name, path in distinguish_folders(run or []).items()}
    out.mkdir(parents=True, exist_ok=True)
    written = {}
    if evaluations:
        written = {name: out / f"{name}.{suffix}" for name in ("identity", "control")}
        plots.draw_identity(evaluations, written["identity"])
        plots.draw_control(evaluations[-1], written["control"])
    if runs:
        written["training"] = out / f"training.{suffix}"
        plots.draw_training(runs, written["training"])
    paths = {name: str(path) for name, path in written.items()}
    emit(paths, "\n".join(paths.values()), as_json)


def distinguish_folders(folders: list[Path]) -> dict[str, Path]:
    """Name folders, with as much of the path before the name as distinguishes them."""
    paths = list(dict.fromkeys(folder.absolute() for folder in folders))
    depths = range(1, max((len(path.parts) for path in paths), default=1) + 1)
    named = ({"/".join(path.parts[-depth:]): path for path in paths} for depth in depths)
    return next(names for names in named if len(names) == len(paths))
