"""Recipes: TOML files that become keyword-only dataclasses, each defined beside what it configures."""

from __future__ import annotations

import tomllib
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from importlib import import_module, resources
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hifi_portrait.errors import RecipeError
from hifi_portrait.training.engine.config import TrainerConfig

# Objective -> where its settings and its class are.
OBJECTIVES = {
    "autoencoder": (
        "hifi_portrait.training.objectives.autoencoder",
        "AutoencoderConfig",
        "AutoencoderObjective",
    ),
    "base": ("hifi_portrait.training.objectives.base", "BaseConfig", "BaseObjective"),
    "hifi": ("hifi_portrait.training.objectives.hifi.objective", "HiFiConfig", "HiFiObjective"),
    "text": ("hifi_portrait.training.objectives.text.caption_reading", "TextConfig", "TextObjective"),
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to train (``objective`` and its own settings) and how (``trainer``)."""

    objective: str
    trainer: TrainerConfig
    settings: Any

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they are logged and kept in checkpoints."""
        return {
            "objective": self.objective,
            "trainer": asdict(self.trainer),
            self.objective: asdict(self.settings),
        }


def recipe_names() -> tuple[str, ...]:
    """Names of the recipes that come with the package."""
    folder = resources.files("hifi_portrait.training.recipes")
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def load_recipe(name: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Load a recipe by the name of one of the package's, or from a TOML file.

    Parameters
    ----------
    name : a name of :func:`recipe_names`, or the path of a ``.toml`` file
    overrides : settings that replace those of the file, each ``"trainer.max_steps=100"`` with a TOML value

    Raises
    ------
    RecipeError
        The file is missing or is not TOML, or has an unknown key, a wrong type, or lacks a key.
    """
    if str(name) in recipe_names():
        source = f"recipe {name!r}"
        text = (resources.files("hifi_portrait.training.recipes") / f"{name}.toml").read_text()
    else:
        source = str(name)
        try:
            text = Path(name).read_text()
        except OSError as error:
            known = ", ".join(recipe_names())
            raise RecipeError(f"no recipe {source!r}: give a .toml file or one of {known}") from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{source} is not TOML: {error}") from error
    for override in overrides:
        _apply_override(content, override)
    return _recipe(content, source)


def objective_class(recipe: Recipe) -> Any:
    """The class that trains a recipe."""
    module, _, name = OBJECTIVES[recipe.objective]
    return getattr(import_module(module), name)


def _recipe(content: dict[str, Any], source: str) -> Recipe:
    objective = content.get("objective")
    if objective not in OBJECTIVES:
        raise RecipeError(f"{source}: 'objective' must be one of {', '.join(OBJECTIVES)}, not {objective!r}")
    for key in content:
        if key not in ("objective", "trainer", objective):
            raise RecipeError(f"{source}: unknown key {key!r}; known are objective, trainer, {objective}")
    module, config_name, _ = OBJECTIVES[objective]
    config = getattr(import_module(module), config_name)
    return Recipe(
        objective=objective,
        trainer=_parse(TrainerConfig, content.get("trainer", {}), source, "trainer"),
        settings=_parse(config, content.get(objective, {}), source, objective),
    )


def _apply_override(content: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator:
        raise RecipeError(f"override {override!r} must read section.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    *sections, last = key.strip().split(".")
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise RecipeError(f"override {override!r}: {section!r} is a value, not a section")
    content[last] = value


def _parse(expected: Any, value: Any, source: str, key: str) -> Any:
    """``value`` as ``expected`` (a type or dataclass); RecipeError names the file and the key."""
    if is_dataclass(expected):
        return _parse_dataclass(expected, value, source, key)
    origin, arguments = get_origin(expected), get_args(expected)
    if origin in (Union, types.UnionType):
        options = [option for option in arguments if option is not type(None)]
        return _parse(options[0], value, source, key)
    if origin is Literal:
        if value not in arguments:
            raise RecipeError(
                f"{source}: {key} must be one of {', '.join(map(repr, arguments))}, not {value!r}"
            )
        return value
    if origin is tuple:
        if not isinstance(value, list) or (arguments[-1] is not ... and len(value) != len(arguments)):
            raise RecipeError(f"{source}: {key} must be a list like {expected}, not {value!r}")
        items = [arguments[0]] * len(value) if arguments[-1] is ... else arguments
        return tuple(
            _parse(t, v, source, f"{key}[{i}]") for i, (t, v) in enumerate(zip(items, value, strict=True))
        )
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not expected:
        raise RecipeError(f"{source}: {key} must be {expected.__name__}, not {value!r}")
    return value


def _parse_dataclass(expected: Any, value: Any, source: str, key: str) -> Any:
    if not isinstance(value, Mapping):
        raise RecipeError(f"{source}: {key} must be a section, not {value!r}")
    known = {field.name: field for field in fields(expected)}
    hints = get_type_hints(expected)
    for name in value:
        if name not in known:
            raise RecipeError(f"{source}: unknown key '{key}.{name}'; known are {', '.join(known)}")
    for name, field in known.items():
        if name not in value and field.default is MISSING and field.default_factory is MISSING:
            raise RecipeError(f"{source}: '{key}.{name}' is missing")
    try:
        return expected(
            **{name: _parse(hints[name], item, source, f"{key}.{name}") for name, item in value.items()}
        )
    except ValueError as error:
        raise RecipeError(f"{source}: {key}: {error}") from error
