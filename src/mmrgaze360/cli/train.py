"""The commands ``train`` and ``collect``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.cli.console import emit
from hifi_portrait.cli.outputs import check_folder, parse_path
from mmrgaze360.cli import options


def train(
    recipe: Annotated[str, typer.Argument(help="head, scene, detector or another recipe, or a .toml file.")],
    data: options.Data,
    out: Annotated[
        Path,
        typer.Option(
            parser=parse_path,
            metavar="DIR",
            help="Folder of the run; a run that is there is continued.",
        ),
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting in place of the recipe's, such as trainer.max_steps=100; may be repeated.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Train one of the networks. A run that is stopped goes on from its last checkpoint."""
    check_folder(out, [data])
    from hifi_portrait.training.engine.trainer import Trainer
    from mmrgaze360.training.recipes import load_recipe, make_objective

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    loaded = load_recipe(recipe, set_ or [])
    trainer = Trainer(make_objective(loaded, data), loaded.trainer, out, description=loaded.to_dict())
    result = trainer.train()
    found = {"out": str(out), "step": result.step, "minutes": result.minutes, **result.metrics}
    figures = ", ".join(f"{name} {value:.4g}" for name, value in result.metrics.items())
    state = "interrupted" if result.interrupted else "done"
    emit(found, f"{out}: {state} after {result.step} steps. {figures}", as_json)


def collect(
    runs: Annotated[list[Path], typer.Argument(parser=parse_path, metavar="RUN...", help="Folders of runs.")],
    out: Annotated[
        Path,
        typer.Option(parser=parse_path, metavar="DIR", help="Folder of the model, for --model."),
    ],
    as_json: options.Json = False,
) -> None:
    """Put the newest averaged weights of runs into one folder."""
    check_folder(out, runs)
    from mmrgaze360.training.collect import collect_weights

    found = collect_weights(runs, out)
    lines = [f"{out / name}: from {source}" for name, source in found.items()]
    emit({"out": str(out), "parts": {k: str(v) for k, v in found.items()}}, "\n".join(lines), as_json)
