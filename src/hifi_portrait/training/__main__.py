"""``hifi-portrait train`` for several processes: ``accelerate launch -m hifi_portrait.training RECIPE ...``.

The same with ``torchrun -m`` or ``python -m``. It is the command line's own function, and so the one module
of this package that imports from the command line.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from typing import Any

import typer

from hifi_portrait.cli.console import hush_libraries, reports_errors
from hifi_portrait.cli.train import train


@functools.wraps(train)
def train_and_leave(**options: Any) -> None:
    """Train, and take leave of the other processes."""
    train(**options)

    from accelerate import PartialState

    state = PartialState()
    state.destroy_process_group()
    if state.num_processes > 1:
        # All is written. Threads of a closed group may outlive it and crash an interpreter that ends.
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def main() -> None:
    """Run the command line."""
    hush_libraries()
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command()(reports_errors(train_and_leave))
    app(prog_name="hifi_portrait.training")


if __name__ == "__main__":
    main()
