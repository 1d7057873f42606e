"""Recipes: TOML files that become keyword-only dataclasses, each defined beside what it configures."""

from __future__ import annotations

import functools
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from importlib import import_module, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hifi_portrait.errors import RecipeError, needs_extra
from hifi_portrait.training.engine.config import TrainerConfig

if TYPE_CHECKING:
    from pydantic import BaseModel

Objectives = Mapping[str, tuple[str, str, str]]
"""By name: the module of the objective, its settings and its class."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to train, and how."""

    objective: str
    """A key of the package's objectives."""
    trainer: TrainerConfig
    """Settings of the training loop."""
    settings: Any
    """The objective's own settings."""

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, as they are logged and kept in checkpoints."""
        return {
            "objective": self.objective,
            "trainer": asdict(self.trainer),
            self.objective: asdict(self.settings),
        }


@dataclass(frozen=True, eq=False)
class RecipeBook:
    """The recipes of a package, and what they can train."""

    package: str
    """The package in whose folder the TOML files are."""
    objectives: Objectives
    """What they can train."""

    def names(self) -> tuple[str, ...]:
        """Name the recipes that come with the package."""
        folder = resources.files(self.package)
        return tuple(
            sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
        )

    def load(self, name: str | Path, overrides: Sequence[str] = ()) -> Recipe:
        """Load a recipe by the name of one of the package's, or from a TOML file.

        Parameters
        ----------
        name
            A name of `names`, or the path of a ``.toml`` file.
        overrides
            Settings that replace those of the file, each ``"trainer.max_steps=100"`` with a TOML value.

        Raises
        ------
        RecipeError
            The file is missing or is not TOML, or has an unknown key, a wrong type, or lacks a key.
        """
        return self._parse(*self.read(name, overrides))

    def read(self, name: str | Path, overrides: Sequence[str] = ()) -> tuple[dict[str, Any], str]:
        """Read a recipe's file and check what needs no objective: TOML, the sections, the trainer's settings.

        Parameters
        ----------
        name, overrides
            As of `load`.

        Returns
        -------
        content, source
            The file's content with the overrides, and what it is called in messages.

        Raises
        ------
        RecipeError
            As of `load`, but for the objective's own section.
        """
        if str(name) in self.names():
            source = f"recipe {name!r}"
            text = (resources.files(self.package) / f"{name}.toml").read_text("utf-8")
        else:
            source = str(name)
            try:
                text = Path(name).read_text("utf-8-sig")  # with the mark that some editors put before it
            except (OSError, UnicodeDecodeError, ValueError) as error:
                known = ", ".join(self.names())
                hint = _hint(source, self.names())
                raise RecipeError(
                    f"no recipe {source!r}{hint}: give a .toml file or one of {known}"
                ) from error
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"{source} is not TOML: {error}") from error
        for override in overrides:
            _apply_override(content, override)
        self._check_sections(content, source)
        return content, source

    def objective_class(self, recipe: Recipe) -> Any:
        """Look up the class that trains a recipe."""
        module, _, name = self.objectives[recipe.objective]
        return getattr(import_module(module), name)

    def settings_model(self, objective: str) -> type[BaseModel]:
        """Make the model of a recipe's sections, by which pydantic reads and describes their dataclasses."""
        module, config_name, _ = self.objectives[objective]
        return _make_settings_model(objective, module, config_name)

    def _parse(self, content: Mapping[str, Any], source: str) -> Recipe:
        """Make a recipe of the content of a TOML file; errors name `source` and the key."""
        with needs_extra("train"):
            from pydantic import ValidationError

        from hifi_portrait.training.engine.recipe_mistakes import explain

        objective = self._check_sections(content, source)
        model = self.settings_model(objective)
        sections = {name: content.get(name, {}) for name in ("trainer", objective)}
        try:
            # By way of JSON, whose arrays become tuples even where types are strict.
            read: Any = model.model_validate_json(json.dumps(sections, default=str))
        except ValidationError as error:
            raise RecipeError(f"{source}: {explain(error, model)}") from error
        return Recipe(objective=objective, trainer=read.trainer, settings=getattr(read, objective))

    def _check_sections(self, content: Mapping[str, Any], source: str) -> str:
        """Check the objective, which is returned, and the names of the sections and of the trainer's keys."""
        objective = content.get("objective")
        if not isinstance(objective, str) or objective not in self.objectives:
            raise RecipeError(
                f"{source}: 'objective' must be one of {', '.join(self.objectives)}, not {objective!r}"
                f"{_hint(objective, self.objectives)}"
            )
        known = ("objective", "trainer", objective)
        for key in content:
            if key not in known:
                raise RecipeError(
                    f"{source}: unknown key {key!r}{_hint(key, known)}; known are {', '.join(known)}"
                )
        trainer = content.get("trainer", {})
        settings = [field.name for field in fields(TrainerConfig)]
        for key in trainer if isinstance(trainer, Mapping) else ():
            if key not in settings:
                raise RecipeError(
                    f"{source}: unknown key 'trainer.{key}'{_hint(key, settings)}; known are"
                    f" {', '.join(settings)}"
                )
        return objective


@functools.cache
def _make_settings_model(objective: str, module: str, config_name: str) -> type[BaseModel]:
    """Make the model of a recipe's sections.

    Types are strict, as TOML has types of its own: no number is made of a string. A model is made once, for
    pydantic parses every file of settings for their docstrings.
    """
    with needs_extra("train"):
        from pydantic import ConfigDict, create_model

    sections: dict[str, Any] = {
        "trainer": (TrainerConfig, ...),
        objective: (getattr(import_module(module), config_name), ...),
    }
    strict = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)
    return create_model("Recipe", __config__=strict, **sections)


def _apply_override(content: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    *sections, last = key.strip().split(".")
    if not separator or not last:
        raise RecipeError(f"override {override!r} must read section.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise RecipeError(f"override {override!r}: {section!r} is a value, not a section")
    content[last] = value


def _hint(name: object, known: Sequence[str] | Mapping[str, object]) -> str:
    close = get_close_matches(str(name), known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
