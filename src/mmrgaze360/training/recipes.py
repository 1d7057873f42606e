"""The recipes of this package, and what they train."""

from __future__ import annotations

from pathlib import Path

from hifi_portrait.training.engine.objective import Objective
from hifi_portrait.training.engine.recipe_book import Recipe, RecipeBook

OBJECTIVES = {
    "dual_pathway": ("mmrgaze360.training.baseline", "DualPathwayTraining", "DualPathwayObjective"),
    "gaze_lle": ("mmrgaze360.training.baseline", "GazeLLETraining", "GazeLLEObjective"),
    "detector": ("mmrgaze360.training.detector", "DetectorConfig", "DetectorObjective"),
    "head": ("mmrgaze360.training.head", "HeadConfig", "HeadObjective"),
    "scene": ("mmrgaze360.training.scene", "SceneConfig", "SceneObjective"),
}
"""By name: the module of the objective, its settings and its class."""

_BOOK = RecipeBook("mmrgaze360.training", OBJECTIVES)

recipe_names = _BOOK.names
load_recipe = _BOOK.load


def make_objective(recipe: Recipe, data: str | Path) -> Objective:
    """Make what the trainer trains, over a folder of data."""
    objective: Objective = _BOOK.objective_class(recipe)(recipe.settings, str(data), seed=recipe.trainer.seed)
    return objective
