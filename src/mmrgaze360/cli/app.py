"""The ``mmrgaze360`` command: one entry, one module for each family of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from hifi_portrait import __version__
from hifi_portrait.cli.console import (
    check_working_folder,
    hush_libraries,
    open_missing_streams,
    reports_errors,
)
from mmrgaze360.cli.data import rotate, scenes
from mmrgaze360.cli.train import collect, train
from mmrgaze360.cli.use import evaluate, follow, view

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
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Who looks where in a 360-degree picture."""


for command in (follow, view, scenes, rotate, train, collect, evaluate):
    app.command()(reports_errors(command, debug="MMRGAZE360_DEBUG", bad_input=(ValueError,)))


def main() -> None:
    """Run the command line."""
    open_missing_streams()
    hush_libraries()
    check_working_folder()
    app()
