"""The ``hifi-portrait`` command: one entry, one module for each family of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from hifi_portrait import __version__
from hifi_portrait.cli.console import hush_libraries, reports_errors
from hifi_portrait.cli.convert import instantid
from hifi_portrait.cli.evaluate import evaluate
from hifi_portrait.cli.generate import generate
from hifi_portrait.cli.people import people
from hifi_portrait.cli.plot import plot
from hifi_portrait.cli.previews import identity, landmarks, warp
from hifi_portrait.cli.redraw import redraw
from hifi_portrait.cli.train import train

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
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


for command in (generate, redraw, identity, landmarks, warp, people, train, evaluate, plot):
    app.command()(reports_errors(command))

convert = typer.Typer(no_args_is_help=True, help="Published weights of other projects as HiFi weights.")
convert.callback()(lambda: None)
convert.command()(reports_errors(instantid))
app.add_typer(convert, name="convert")


def main() -> None:
    """Run the command line."""
    hush_libraries()
    app()
