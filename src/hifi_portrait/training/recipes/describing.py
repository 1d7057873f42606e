"""Every setting of a recipe with its type, its value and what it means, from the docstrings of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from hifi_portrait.training.recipes.reading import Recipe, make_settings_model


@dataclass(frozen=True)
class Setting:
    """One setting of a recipe."""

    key: str
    """As ``--set`` takes it, such as ``trainer.batch_size``."""
    type: str
    """As it is annotated, such as ``tuple[float, float]``."""
    value: Any
    """What the recipe, or else the default, sets it to."""
    meaning: str
    """The docstring of its field; empty if it has none."""


def list_settings(recipe: Recipe) -> list[Setting]:
    """List every setting of a recipe, section by section."""
    schema = make_settings_model(recipe.objective).model_json_schema()
    sections = {"trainer": recipe.trainer, recipe.objective: recipe.settings}
    return [setting for name, section in sections.items() for setting in _of(section, name, schema["$defs"])]


def _of(section: Any, prefix: str, schemas: Mapping[str, Any]) -> Iterator[Setting]:
    """Describe the settings of one dataclass; `schemas` describe each dataclass by its name."""
    described = schemas[type(section).__name__]["properties"]
    for field in fields(section):
        key, value = f"{prefix}.{field.name}", getattr(section, field.name)
        if is_dataclass(value):
            yield from _of(value, key, schemas)
        else:
            meaning = described[field.name].get("description", "")
            yield Setting(key, str(field.type), value, meaning)
