"""Train a recipe: ``python -m hifi_portrait.training RECIPE --data DIR --out DIR``.

The same with ``accelerate launch -m`` in place of ``python -m`` runs on several devices.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys

from hifi_portrait.errors import needs_extra
from hifi_portrait.training.engine.run import exit_code, train

with needs_extra("train"):
    from accelerate import PartialState


def main() -> int:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(prog="hifi_portrait.training", description=__doc__)
    parser.add_argument("recipe", help="name of a recipe of the package, or a .toml file")
    parser.add_argument("--data", required=True, help="data set folder (autoencoder) or prepared folder")
    parser.add_argument("--out", required=True, help="run folder; an unfinished run there goes on")
    parser.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="e.g. trainer.max_steps=100",
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    code = exit_code(
        lambda: train(arguments.recipe, arguments.data, arguments.out, overrides=arguments.overrides)
    )
    if code == 0:
        state = PartialState()
        state.destroy_process_group()
        if state.num_processes > 1:
            # All is written. Threads of a closed group may outlive it and crash an interpreter that ends.
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
