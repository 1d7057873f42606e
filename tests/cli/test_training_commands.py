"""``prepare``, ``train``, ``export``, ``recipes``, ``baselines`` and ``attributes`` as commands."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from hifi_portrait.cli.train import parse_shapes
from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.evaluation.attributes import HEADS
from hifi_portrait.training.data.prepared import Prepared
from hifi_portrait.training.recipes.reading import recipe_names

SEED = 8_000_031
"""Of three people of whom the second is not in the training split."""


@pytest.fixture
def succeeds(run):
    """Run a command that must succeed, and give what it prints as JSON."""

    def run_well(*words):
        result = run(*words, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run_well


def test_shapes_are_height_and_width():
    assert parse_shapes("1152x896, 896X1152") == [(1152, 896), (896, 1152)]
    assert parse_shapes(None) == []


@pytest.mark.parametrize("text", ["1152", "1152x", "axb", "64x64,"])
def test_a_shape_is_two_numbers(run, tmp_path, text):
    result = run("prepare", "--data", tmp_path, "--out", tmp_path / "out", "--buckets", text)
    assert result.exit_code == 2
    assert "is no HEIGHTxWIDTH" in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_data_set_is_trained_on_and_prepared(succeeds, tmp_path):
    data, prepared, vae = tmp_path / "data", tmp_path / "prepared", tmp_path / "vae"
    succeeds("people", "--count", 2, "--photos", 2, "--size", 128, "--workers", 1, "--out", data)
    steps = ("--set", "trainer.max_steps=1", "--set", "trainer.workers=0")
    assert succeeds("train", "autoencoder-tiny", "--data", data, "--out", vae, *steps)["out"] == str(vae)
    words = ("--data", data, "--out", prepared, "--size", "tiny", "--workers", 1)
    told = succeeds("prepare", *words, "--vae", vae)
    assert told == {"path": str(prepared), "photos": len(Prepared(prepared)), "latents": True}
    assert (prepared / "latents.npy").exists()


def test_a_pipeline_is_exported_with_its_defaults(succeeds, tiny_model, tmp_path):
    model = tmp_path / "model"
    words = ("--size", "tiny", "--steps", 3, "--warp-strength", 0.5, "--warp-grain", 0.25, "--upscale", 2)
    told = succeeds("export", tiny_model, "--out", model, *words)
    assert told == {"path": str(model), "folders": [str(tiny_model)]}
    config = json.loads((model / "model_index.json").read_text())
    names = ("steps", "guidance", "warp_strength", "warp_grain", "upscale")
    assert [config[f"default_{name}"] for name in names] == [3, 2.0, 0.5, 0.25, 2]


def test_a_part_that_no_folder_has_is_named(run, tmp_path):
    result = run("export", tmp_path, "--out", tmp_path / "model", "--size", "tiny")
    assert result.exit_code == 2
    assert "unet" in result.stderr


def test_the_recipes_are_listed(run):
    assert json.loads(run("recipes", "list", "--json").stdout) == {"recipes": list(recipe_names())}


def test_every_setting_of_a_recipe_is_shown_with_its_type_and_value(run):
    words = ("autoencoder-tiny", "--set", "autoencoder.losses.kl=0.5")
    shown = run("recipes", "show", *words).stdout.splitlines()
    assert "autoencoder.losses.kl: float = 0.5" in shown
    assert "trainer.betas: tuple[float, float] = [0.9, 0.98]" in shown
    setting = json.loads(run("recipes", "show", *words, "--json").stdout)["settings"]["autoencoder.losses.kl"]
    assert (setting["type"], setting["value"]) == ("float", 0.5)


def test_a_mistake_in_a_recipe_is_one_line(run, tmp_path):
    result = run("recipes", "show", "autoencoder-tiny", "--set", "autoencoder.corp=3")
    assert result.exit_code == 2
    assert "did you mean 'crop'?" in " ".join(result.stderr.split())


def test_an_unknown_design_is_refused(run, tmp_path):
    result = run("baselines", "--data", tmp_path, "--out", tmp_path / "out", "--designs", "nobodys")
    assert result.exit_code == 2
    assert "nobodys" in result.stderr


def test_recoloured_people_train_a_classifier(succeeds, tmp_path):
    data, out = tmp_path / "data", tmp_path / "classifier.safetensors"
    told = succeeds("attributes", "photos", "--out", data, "--count", 3, "--photos", 1, "--seed", SEED)
    assert told == {"path": str(data), "people": 3, "photos": 3}
    assert len(IDDataset(data)) == 3
    trained = succeeds("attributes", "train", data, "--test", data, "--epochs", 1, "--out", out)
    assert set(trained["accuracy"][str(data)]) == {head.name for head in HEADS}
    assert out.exists()


def test_the_module_that_launchers_take_is_the_train_command(tmp_path):
    command = [sys.executable, "-m", "hifi_portrait.training", "no-such-recipe"]
    words = ["--data", str(tmp_path), "--out", str(tmp_path / "out")]
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: no recipe 'no-such-recipe'")
    assert "Traceback" not in done.stderr
