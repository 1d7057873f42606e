"""Every objective: its recipe trains, goes on where it stopped, and learns."""

import json

import pytest
import torch

from hifi_objectives import batch_of
from hifi_portrait.training.engine.checkpoint import latest_checkpoint, load_state
from hifi_portrait.training.recipes.reading import load_recipe, objective_class
from picture_files import size_of


@pytest.mark.parametrize("objective", ["autoencoder", "base", "hifi", "text"])
def test_tiny_recipe_trains_and_leaves_a_checkpoint_and_a_sheet(objective, id_data, prepared, run_recipe):
    run = run_recipe(objective, id_data if objective == "autoencoder" else prepared.folder)
    assert load_state(latest_checkpoint(run))["step"] == 4
    assert size_of(run / "sheets" / "step-00000004.png")[0] >= 64
    assert json.loads((run / "recipe.json").read_text())["objective"] == objective


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["autoencoder", "base", "hifi", "text"])
def test_resumed_training_equals_uninterrupted_training(objective, id_data, prepared, run_recipe, tmp_path):
    data = id_data if objective == "autoencoder" else prepared.folder
    constant_rate = ["trainer.final_lr_share=1.0", "trainer.warmup_steps=1"]
    whole = run_recipe(objective, data, *constant_rate, out=tmp_path / "whole")
    half = run_recipe(objective, data, *constant_rate, "trainer.max_steps=2", out=tmp_path / "half")
    run_recipe(objective, data, *constant_rate, out=half)
    first, second = (load_state(latest_checkpoint(run))["parts"] for run in (whole, half))
    for part, weights in first.items():
        for name, value in weights.items():
            assert torch.equal(value, second[part][name]), f"{part}.{name}"


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["autoencoder", "base", "hifi", "text"])
def test_each_objective_learns_a_batch(objective, id_data, prepared):
    recipe = load_recipe(f"{objective}-tiny")
    subject = objective_class(recipe)(
        recipe.settings, id_data if objective == "autoencoder" else prepared.folder
    )
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
