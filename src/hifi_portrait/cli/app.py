"""The ``hifi-portrait`` command: one entry, one module for each family of commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from hifi_portrait import __version__
from hifi_portrait.cli import attributes, dataset, recipes
from hifi_portrait.cli.animate import animate
from hifi_portrait.cli.bake import bake
from hifi_portrait.cli.baselines import baselines
from hifi_portrait.cli.console import (
    check_working_folder,
    hush_libraries,
    open_missing_streams,
    reports_errors,
)
from hifi_portrait.cli.convert import instantid
from hifi_portrait.cli.evaluate.autoencoder import autoencoder
from hifi_portrait.cli.evaluate.benchmark import people as evaluate_people
from hifi_portrait.cli.evaluate.benchmark import real
from hifi_portrait.cli.evaluate.prompts import prompts
from hifi_portrait.cli.evaluate.timing import timing
from hifi_portrait.cli.generate import generate
from hifi_portrait.cli.people import people
from hifi_portrait.cli.plain_help import PlainCommand
from hifi_portrait.cli.plot import plot
from hifi_portrait.cli.presets import presets
from hifi_portrait.cli.previews import identity, landmarks, warp
from hifi_portrait.cli.quick_imports import make_imports_quick
from hifi_portrait.cli.redraw import redraw
from hifi_portrait.cli.sheets import sheet
from hifi_portrait.cli.train import export, prepare, train

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Portraits of one person from several photos, with no per-person training."""


def _add_group(name: str, commands: dict[str, Callable[..., None]], text: str) -> None:
    """Add commands below one word: ``hifi-portrait NAME COMMAND``."""
    group = typer.Typer(no_args_is_help=True, help=text, rich_markup_mode=None)
    group.callback()(lambda: None)
    for command, function in commands.items():
        group.command(command, cls=PlainCommand)(reports_errors(function))
    app.add_typer(group, name=name)


for command in (
    *(generate, redraw, animate, sheet, identity, landmarks, warp, bake, presets),
    *(people, prepare, train, export),
):
    app.command(cls=PlainCommand)(reports_errors(command))
_add_group(
    "recipes",
    {"list": recipes.list_recipes, "show": recipes.show},
    "Recipes of the package, and what their settings mean.",
)
_add_group(
    "dataset",
    {
        "build": dataset.build,
        "report": dataset.report,
        "add": dataset.add,
        "forget": dataset.forget,
        "check": dataset.check,
    },
    "ID data sets of photos: build, look at, grow, check.",
)
_add_group("convert", {"instantid": instantid}, "Published weights of other projects as HiFi weights.")
_add_group(
    "evaluate",
    {"people": evaluate_people, "real": real, "autoencoder": autoencoder, "prompts": prompts, "time": timing},
    "Measure a model as docs/results.md reports it.",
)
for command in (baselines, plot):
    app.command(cls=PlainCommand)(reports_errors(command))
_add_group(
    "attributes",
    {"train": attributes.train, "photos": attributes.photos},
    "The classifier that reads whether a portrait shows what its prompt asks.",
)


def main() -> None:
    """Run the command line."""
    open_missing_streams()
    hush_libraries()
    check_working_folder()
    make_imports_quick()
    app()
