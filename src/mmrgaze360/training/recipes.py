"""Recipes: TOML files that say what is trained, and how."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from hifi_portrait.errors import RecipeError, needs_extra
from hifi_portrait.training.engine.config import TrainerConfig
from hifi_portrait.training.engine.objective import Objective
from mmrgaze360.training.baseline import (
    DualPathwayObjective,
    DualPathwayTraining,
    GazeLLEObjective,
    GazeLLETraining,
)
from mmrgaze360.training.detector import DetectorConfig, DetectorObjective
from mmrgaze360.training.head import HeadConfig, HeadObjective
from mmrgaze360.training.scene import SceneConfig, SceneObjective

with needs_extra("train"):
    from pydantic import ConfigDict, TypeAdapter, ValidationError, create_model

_OBJECTIVES: dict[str, tuple[Any, Any]] = {
    "dual_pathway": (DualPathwayTraining, DualPathwayObjective),
    "gaze_lle": (GazeLLETraining, GazeLLEObjective),
    "detector": (DetectorConfig, DetectorObjective),
    "head": (HeadConfig, HeadObjective),
    "scene": (SceneConfig, SceneObjective),
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to train, and how."""

    objective: str
    """A key of ``_OBJECTIVES``."""
    trainer: TrainerConfig
    settings: Any

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, as they are kept in checkpoints."""
        return {
            "objective": self.objective,
            "trainer": asdict(self.trainer),
            self.objective: asdict(self.settings),
        }

    def make_objective(self, data: str | Path) -> Objective:
        """Make what the trainer trains."""
        objective: Objective = _OBJECTIVES[self.objective][1](
            self.settings, str(data), seed=self.trainer.seed
        )
        return objective


def recipe_names() -> tuple[str, ...]:
    """Name the recipes that come with the package."""
    folder = resources.files("mmrgaze360.training")
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def load_recipe(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Load a recipe by the name of one of the package's, or from a TOML file.

    Parameters
    ----------
    name
        A name of `recipe_names`, or the path of a ``.toml`` file.
    overrides
        Settings that replace those of the file, each ``"trainer.max_steps=100"`` with a TOML value.

    Raises
    ------
    RecipeError
        The file is missing or is not TOML, or a key is unknown or of a wrong type.
    """
    if name in recipe_names():
        text = (resources.files("mmrgaze360.training") / f"{name}.toml").read_text("utf-8")
    else:
        try:
            text = Path(name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            known = ", ".join(recipe_names())
            raise RecipeError(f"no recipe {name!r}: give a .toml file or one of {known}") from error
    try:
        content = tomllib.loads(text)
        for override in overrides:
            _apply(content, override)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"recipe {name!r} is not TOML: {error}") from error
    return _parse(content, name)


def _apply(content: dict[str, Any], override: str) -> None:
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


def _parse(content: dict[str, Any], name: str) -> Recipe:
    objective = content.get("objective")
    if objective not in _OBJECTIVES:
        raise RecipeError(
            f"recipe {name!r}: 'objective' must be one of {', '.join(_OBJECTIVES)}, not {objective!r}"
        )
    strict = ConfigDict(strict=True, extra="forbid")
    sections: dict[str, Any] = {
        "objective": (str, ...),
        "trainer": (TrainerConfig, ...),
        objective: (_OBJECTIVES[objective][0], ...),
    }
    model = create_model("Recipe", __config__=strict, **sections)
    filled = {objective: {}} | content
    for section in ("trainer", objective):
        _refuse_unknown(sections[section][0], filled.get(section, {}), f"recipe {name!r}: {section}")
    try:
        # By way of JSON, whose arrays become tuples even where types are strict.
        read: Any = TypeAdapter(model).validate_json(json.dumps(filled, default=str))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise RecipeError(f"recipe {name!r}: {place}: {first['msg']}") from error
    return Recipe(objective=objective, trainer=read.trainer, settings=getattr(read, objective))


def _refuse_unknown(kind: Any, values: Any, place: str) -> None:
    """Dataclasses of pydantic's would leave unknown keys out."""
    if not isinstance(values, dict):
        raise RecipeError(f"{place} must be a section")
    fields = kind.__dataclass_fields__
    for key, value in values.items():
        if key not in fields:
            raise RecipeError(f"{place}: unknown key {key!r}; known are {', '.join(fields)}")
        factory = fields[key].default_factory
        if isinstance(value, dict) and hasattr(factory, "__dataclass_fields__"):
            _refuse_unknown(factory, value, f"{place}.{key}")
