"""Train every design of `models.designs` alike, to compare them fairly, and give the commands for it.

``hifi-portrait baselines --data PREPARED --out DIR`` trains one design after the other over the same frozen
base model, on the same samples, and exports each to ``DIR/models/DESIGN``. The same command goes on where it
stopped.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from hifi_portrait.errors import ModelError
from hifi_portrait.models.designs import DESIGNS, design_overrides
from hifi_portrait.models.files import BUNDLED, check_folder
from hifi_portrait.training.data.tokenizer import load_tokenizer
from hifi_portrait.training.engine.checkpoint import latest_checkpoint
from hifi_portrait.training.export import export_pipeline
from hifi_portrait.training.recipes.reading import Recipe, load_recipe
from hifi_portrait.training.run import train

logger = logging.getLogger(__name__)

RECIPE = "hifi-designs"
PROMPT = "a photo of a person"
"""For every design alike: it has the class word in whose place some of them put the faces."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Which designs are trained, on what, and how they draw.

    Attributes
    ----------
    data
        A prepared folder, with the base model's tokenizer and autoencoder.
    out
        Folder of the runs and of the models.
    designs
        Names of `models.designs.DESIGNS`.
    base
        Pipeline folder of the base model, which stays frozen.
    overrides
        Settings of the recipe to change, as `load_recipe` takes them, alike for all.
    steps, guidance
        Denoising steps and guidance scale that the models have for their defaults. All start from noise.
    """

    data: Path
    out: Path
    designs: tuple[str, ...] = tuple(DESIGNS)
    base: Path = BUNDLED
    overrides: tuple[str, ...] = ()
    steps: int = 20
    guidance: float = 2.0

    def train(self) -> None:
        """Train and export what is missing.

        Raises
        ------
        ModelError
            A design is unknown, the data was prepared for another tokenizer, or a run in ``out`` was begun
            with other settings.
        RecipeError, DatasetError
            As `hifi_portrait.training.run.train`.
        """
        for design in self.designs:
            design_overrides(design)
        check_folder(self.base)
        if load_tokenizer(self.data).get_vocab() != load_tokenizer(self.base).get_vocab():
            raise ModelError(
                f"{self.data} was prepared with another tokenizer than that of {self.base}: prepare it again "
                f"with --vae {self.base / 'vae'} --tokenizer {self.base}"
            )
        for design in self.designs:
            if not self._train(design):
                logger.warning("interrupted: the same command goes on")
                return

    def evaluation_commands(self) -> list[str]:
        """Shell commands that measure the row of each design that is finished."""
        return [
            f"hifi-portrait evaluate people --count 40 --scoring DIR --out {self.out / 'results'} "
            f"--model {self._model(name)} --name {name} --prompt {PROMPT!r}"
            for name in self.designs
            if self._exported(name)
        ]

    def _exported(self, design: str) -> bool:
        return (self._model(design) / "model_index.json").is_file()

    def _train(self, design: str) -> bool:
        """Train and export one design; False if a signal ended it."""
        overrides = [*self._base(), f'hifi.design="{design}"', *self.overrides]
        recipe, run = load_recipe(RECIPE, overrides), self.out / "runs" / design
        _check_same(run, recipe)
        finished = latest_checkpoint(run)
        if finished is None or finished.name != f"step-{recipe.trainer.max_steps:08d}":
            logger.info("training %s", design)
            if train(RECIPE, self.data, run, overrides=overrides).interrupted:
                return False
        if not self._exported(design):
            export_pipeline(
                [run, self.data, self.base],
                self._model(design),
                size=recipe.settings.size,
                steps=self.steps,
                guidance=self.guidance,
            )
        return True

    def _base(self) -> list[str]:
        return [f"hifi.init_from={json.dumps([str(self.base)])}"]

    def _model(self, design: str) -> Path:
        return self.out / "models" / design


def _check_same(run: Path, recipe: Recipe) -> None:
    """Refuse to go on with a run of other settings: the designs would not be trained alike."""
    file = run / "recipe.json"
    if file.is_file() and json.loads(file.read_text()) != json.loads(json.dumps(recipe.to_dict())):
        raise ModelError(f"{run} was begun with other settings than those asked for: give another --out")
