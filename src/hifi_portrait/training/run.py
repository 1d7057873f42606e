"""Train a recipe on data into a run folder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from hifi_portrait.errors import RecipeError
from hifi_portrait.training.engine.trainer import Trainer, TrainingResult
from hifi_portrait.training.objectives.hifi.config import HiFiConfig
from hifi_portrait.training.recipes.reading import load_recipe, objective_class

logger = logging.getLogger(__name__)


def train(
    recipe: str | Path, data: str | Path, out: str | Path, *, overrides: Sequence[str] = ()
) -> TrainingResult:
    """Train a recipe; an unfinished run in ``out`` continues.

    Parameters
    ----------
    recipe
        Name of a recipe of the package, or a TOML file.
    data
        An ID data set for the autoencoder, and a prepared folder (:mod:`hifi_portrait.training.data.prepare`)
        for the others.
    out
        The run's folder.
    overrides
        Settings in place of the recipe's, as ``"section.key=value"``.

    Raises
    ------
    RecipeError, DatasetError, ModelError
        The recipe, the data or the first weights cannot be used.
    """
    loaded = load_recipe(recipe, overrides)
    if loaded.trainer.shard and isinstance(loaded.settings, HiFiConfig) and loaded.settings.kept_samples:
        raise RecipeError(
            "trainer.shard and hifi.kept_samples do not go together, for each process looks at its samples "
            "alone: set one of them to false or 0"
        )
    objective = objective_class(loaded)(loaded.settings, data, seed=loaded.trainer.seed)
    return Trainer(objective, loaded.trainer, out, description=loaded.to_dict()).train()
