"""``hifi-portrait train`` for several processes: ``accelerate launch -m hifi_portrait.training RECIPE ...``.

The same with ``torchrun -m`` or ``python -m``. It is the command line's own function, and so the one module
of this package that imports from the command line.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from hifi_portrait.cli.console import hush_libraries, reports_errors
from hifi_portrait.cli.train import train


def main() -> NoReturn:
    """Run the command line, and leave the other processes whichever way it ends."""
    hush_libraries()
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command()(reports_errors(train))
    code: str | int | None = None
    try:
        app(prog_name="hifi_portrait.training")
    except SystemExit as end:
        code = end.code
    if "torch" in sys.modules:  # it is not after --help
        from hifi_portrait.training.engine.process_group import leave_process_group

        leave_process_group()  # only here does no error refer to the trainer any more
    sys.exit(code)


if __name__ == "__main__":
    main()
