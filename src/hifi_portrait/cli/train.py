"""``hifi-portrait train``: train a network as a recipe says."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit, stderr


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe of the package by name, or a .toml file.")],
    data: Annotated[Path, typer.Option(help="The ID data set (autoencoder), or the prepared folder.")],
    out: Annotated[Path, typer.Option(help="The run's folder; an unfinished run there goes on.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, such as trainer.max_steps=100."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Train as a recipe says, taking up an unfinished run where it stopped."""
    from rich.logging import RichHandler

    from hifi_portrait.training.engine.run import train as run_recipe

    handler = RichHandler(console=stderr(), show_path=False)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[handler])
    run_recipe(recipe, data, out, overrides=overrides or [])
    emit({"recipe": recipe, "out": str(out)}, f"trained {recipe} into {out}", as_json)
