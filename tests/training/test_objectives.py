"""Every objective: its recipe trains, goes on where it stopped, and learns."""

import functools
import json

import pytest
import torch

from hifi_objectives import batch_of
from hifi_portrait.training.engine.checkpoint import latest_checkpoint, load_state
from hifi_portrait.training.recipes.reading import OBJECTIVES, load_recipe, objective_class
from hifi_portrait.training.run import train
from picture_files import size_of

CONSTANT_RATE = ("trainer.final_lr_share=1.0", "trainer.warmup_steps=1")
"""A rate that does not depend on how long a run is to be."""


@pytest.fixture(scope="module")
def data_for(request):
    """Gives what an objective learns from."""
    folders = {"autoencoder": "id_data", "face-parsing": "labelled_folder"}

    def give(objective):
        value = request.getfixturevalue(folders.get(objective, "prepared"))
        return getattr(value, "folder", value)

    return give


@pytest.fixture(scope="module")
def whole_run(data_for, tmp_path_factory):
    """Gives the folder of an objective's tiny recipe, trained at one go."""

    @functools.cache
    def give(objective):
        out = tmp_path_factory.mktemp("whole") / "run"
        train(f"{objective}-tiny", data_for(objective), out, overrides=CONSTANT_RATE)
        return out

    return give


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_tiny_recipe_trains_and_leaves_a_checkpoint_and_a_sheet(objective, whole_run):
    run = whole_run(objective)
    assert load_state(latest_checkpoint(run))["step"] == 4
    assert size_of(run / "sheets" / "step-00000004.png")[0] >= 64
    assert json.loads((run / "recipe.json").read_text())["objective"] == objective


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_resumed_training_equals_uninterrupted_training(objective, data_for, whole_run, run_recipe):
    data = data_for(objective)
    run_recipe(objective, data, *CONSTANT_RATE, "trainer.max_steps=2")
    resumed = run_recipe(objective, data, *CONSTANT_RATE)
    first, second = (load_state(latest_checkpoint(run))["parts"] for run in (whole_run(objective), resumed))
    for part, weights in first.items():
        for name, value in weights.items():
            assert torch.equal(value, second[part][name]), f"{part}.{name}"


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_objective_learns_a_batch(objective, data_for):
    recipe = load_recipe(f"{objective}-tiny")
    subject = objective_class(recipe)(recipe.settings, data_for(objective))
    batch = batch_of(subject)
    optimiser = torch.optim.AdamW([p for p in subject.parameters() if p.requires_grad], 3e-3)

    def loss():
        torch.manual_seed(0)
        return sum(subject(batch).values())

    losses = []
    while len(losses) < 25 and (not losses or losses[-1] >= 0.8 * losses[0]):
        optimiser.zero_grad()
        value = loss()
        losses.append(float(value.detach()))
        value.backward()
        optimiser.step()
    assert losses[-1] < 0.8 * losses[0]
