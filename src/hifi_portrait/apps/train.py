"""``hifi-portrait train``: train a network as a recipe says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.apps import options
from hifi_portrait.apps.console import emit


def train(
    recipes: Annotated[
        list[Path], typer.Argument(metavar="RECIPE...", help="Recipe files, trained one after another.")
    ],
    as_json: options.Json = False,
) -> None:
    """Train as the recipes say, taking up an unfinished run where it stopped."""
    from hifi_portrait.training import train as run_recipe

    for recipe in recipes:
        run_recipe(recipe)
    emit({"recipes": [str(recipe) for recipe in recipes]}, "\n".join(map(str, recipes)), as_json)
