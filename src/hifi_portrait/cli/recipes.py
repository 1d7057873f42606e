"""``hifi-portrait recipes``: the recipes of the package, and every setting of one."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit


def list_recipes(as_json: options.Json = False) -> None:
    """List the recipes that come with the package."""
    from hifi_portrait.training.recipes.reading import recipe_names

    names = list(recipe_names())
    emit({"recipes": names}, "\n".join(names), as_json)


def show(
    recipe: Annotated[str, typer.Argument(help="A recipe of the package by name, or a .toml file.")],
    overrides: options.Overrides = None,
    as_json: options.Json = False,
) -> None:
    """Print every setting of a recipe: its name, type and value, and what it means."""
    from hifi_portrait.training.recipes.describing import list_settings
    from hifi_portrait.training.recipes.reading import load_recipe

    loaded = load_recipe(recipe, overrides or [])
    settings = list_settings(loaded)
    text = "\n".join(
        f"{setting.key}: {setting.type} = {json.dumps(setting.value)}"
        + "".join(f"\n    {line}" for line in setting.meaning.splitlines())
        for setting in settings
    )
    result = {
        "recipe": recipe,
        "objective": loaded.objective,
        "settings": {
            setting.key: {"type": setting.type, "value": setting.value, "meaning": setting.meaning}
            for setting in settings
        },
    }
    emit(result, text, as_json)
