"""Every objective: its recipe trains, goes on where it stopped, and learns."""

import json

import pytest
import torch

from hifi_objectives import batch_of
from hifi_portrait.training.engine.checkpoint import latest_checkpoint, load_state
from hifi_portrait.training.recipes.reading import OBJECTIVES, load_recipe, objective_class
from picture_files import size_of


@pytest.fixture
def data_for(request):
    """Gives what an objective learns from."""
    folders = {"autoencoder": "id_data", "face-parsing": "labelled_folder"}

    def give(objective):
        value = request.getfixturevalue(folders.get(objective, "prepared"))
        return getattr(value, "folder", value)

    return give


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_tiny_recipe_trains_and_leaves_a_checkpoint_and_a_sheet(objective, data_for, run_recipe):
    run = run_recipe(objective, data_for(objective))
    assert load_state(latest_checkpoint(run))["step"] == 4
    assert size_of(run / "sheets" / "step-00000004.png")[0] >= 64
    assert json.loads((run / "recipe.json").read_text())["objective"] == objective


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_resumed_training_equals_uninterrupted_training(objective, data_for, run_recipe, tmp_path):
    data = data_for(objective)
    constant_rate = ["trainer.final_lr_share=1.0", "trainer.warmup_steps=1"]
    whole = run_recipe(objective, data, *constant_rate, out=tmp_path / "whole")
    half = run_recipe(objective, data, *constant_rate, "trainer.max_steps=2", out=tmp_path / "half")
    run_recipe(objective, data, *constant_rate, out=half)
    first, second = (load_state(latest_checkpoint(run))["parts"] for run in (whole, half))
    for part, weights in first.items():
        for name, value in weights.items():
            assert torch.equal(value, second[part][name]), f"{part}.{name}"


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_objective_learns_a_batch(objective, data_for):
    recipe = load_recipe(f"{objective}-tiny")
    subject = objective_class(recipe)(recipe.settings, data_for(objective))
    batch = batch_of(subject, range(4))
    optimiser = torch.optim.AdamW([p for p in subject.parameters() if p.requires_grad], 3e-3)

    def loss():
        torch.manual_seed(0)
        return sum(subject(batch).values())

    before = float(loss().detach())
    for _ in range(25):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert float(loss().detach()) < 0.8 * before
