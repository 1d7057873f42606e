"""The recipes of this package, and what they train."""

from __future__ import annotations

from hifi_portrait.training.engine.recipe_book import Recipe, RecipeBook

__all__ = [
    "OBJECTIVES",
    "Recipe",
    "load_recipe",
    "make_settings_model",
    "objective_class",
    "read_recipe",
    "recipe_names",
]

OBJECTIVES = {
    "autoencoder": (
        "hifi_portrait.training.objectives.autoencoder",
        "AutoencoderConfig",
        "AutoencoderObjective",
    ),
    "base": ("hifi_portrait.training.objectives.base", "BaseConfig", "BaseObjective"),
    "face-parsing": (
        "hifi_portrait.training.objectives.face_parsing",
        "FaceParsingConfig",
        "FaceParsingObjective",
    ),
    "hifi": ("hifi_portrait.training.objectives.hifi.objective", "HiFiConfig", "HiFiObjective"),
    "text": ("hifi_portrait.training.objectives.text", "TextConfig", "TextObjective"),
}
"""By name: the module of the objective, its settings and its class."""

_BOOK = RecipeBook("hifi_portrait.training.recipes", OBJECTIVES)

recipe_names = _BOOK.names
load_recipe = _BOOK.load
read_recipe = _BOOK.read
objective_class = _BOOK.objective_class
make_settings_model = _BOOK.settings_model
