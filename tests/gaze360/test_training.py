"""Training both networks: samples, resuming, recipes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from gaze360.tiny import HEAD, SCENE, tiny_data
from hifi_portrait.errors import DatasetError, RecipeError
from hifi_portrait.training.engine.config import TrainerConfig
from hifi_portrait.training.engine.trainer import Trainer
from mmrgaze360 import sphere
from mmrgaze360.cli.app import app
from mmrgaze360.dataset import SceneDataset
from mmrgaze360.network import HeadNetwork, SceneNetwork
from mmrgaze360.network.model import load_network
from mmrgaze360.training.crops import vary_close_up
from mmrgaze360.training.head import HeadConfig, HeadObjective
from mmrgaze360.training.recipes import load_recipe, recipe_names
from mmrgaze360.training.scene import SceneConfig, SceneObjective, disturb, prepare


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_data(tmp_path_factory.mktemp("tiny") / "data"))


def trainer_config(steps: int) -> TrainerConfig:
    return TrainerConfig(
        batch_size=2,
        learning_rate=1e-3,
        max_steps=steps,
        warmup_steps=1,
        final_lr_share=1.0,  # so that the rate does not follow from the run's length
        precision="no",
        sheet_minutes=0,
    )


def weights(run: Path, part: str, step: int) -> dict[str, torch.Tensor]:
    state = torch.load(run / "checkpoints" / f"step-{step:08d}" / "state.pt", weights_only=True)
    found: dict[str, torch.Tensor] = state["parts"][part]
    return found


@pytest.mark.parametrize("part", ["head", "scene"])
def test_a_run_goes_on_to_the_same_weights(data: str, tmp_path: Path, part: str) -> None:
    def make() -> HeadObjective | SceneObjective:
        if part == "head":
            return HeadObjective(HeadConfig(network=HEAD), data)
        return SceneObjective(SceneConfig(network=SCENE), data)

    result = Trainer(make(), trainer_config(3), tmp_path / "whole").train()
    assert result.step == 3 and all(np.isfinite(value) for value in result.metrics.values())
    assert "degrees_mean" in result.metrics or "distance" in result.metrics
    Trainer(make(), trainer_config(2), tmp_path / "parts").train()
    assert Trainer(make(), trainer_config(3), tmp_path / "parts").train().step == 3
    whole, resumed = weights(tmp_path / "whole", part, 3), weights(tmp_path / "parts", part, 3)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    saved = tmp_path / "whole" / "checkpoints" / "step-00000003" / "ema" / part
    assert load_network(HeadNetwork if part == "head" else SceneNetwork, saved)


def test_losses_fall_on_one_batch(data: str) -> None:
    objective = SceneObjective(SceneConfig(network=SCENE, noise=1.0), data)
    batch = objective.collate([objective.sample(k) for k in range(4)])
    optimiser = torch.optim.Adam(objective.parameters(), 3e-3)
    losses = []
    for _ in range(12):
        terms = objective(batch)
        assert set(terms) == {"heat_map", "in_view", "scores", "depth"}
        loss = torch.stack(list(terms.values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.3


def test_samples_follow_from_their_number(data: str) -> None:
    for objective in (
        HeadObjective(HeadConfig(network=HEAD), data),
        SceneObjective(SceneConfig(network=SCENE), data),
    ):
        a, b, c = objective.sample(3), objective.sample(3), objective.sample(4)
        assert all(torch.equal(a[name], b[name]) or a[name].isnan().all() for name in a)
        assert not torch.equal(a["gaze"], c["gaze"])


def test_the_gaze_turns_with_a_varied_close_up() -> None:
    # A bright spot beside the middle, seen along the gaze from there, stays along the gaze.
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[28:33, 45:50] = 255
    gaze = sphere.unit((15.0, -30, 1.0))
    for seed in range(12):
        moved, turned = vary_close_up(picture, gaze, np.random.default_rng(seed))
        bright = moved.mean(-1) ** 3
        rows, columns = np.mgrid[0:64, 0:64] - 31.5
        spot = np.array(((bright * columns).sum(), -(bright * rows).sum())) / bright.sum()
        wanted = np.degrees(np.arctan2(turned[2], turned[0]))
        found = np.degrees(np.arctan2(spot[1], spot[0]))
        assert abs((found - wanted + 180) % 360 - 180) < 25


def test_a_mirrored_person_is_the_mirror_image(data: str) -> None:
    scene = SceneDataset(data, "train")[0]
    person = scene.people[0]
    picture = np.repeat(np.repeat(scene.picture(), 4, 0), 4, 1)
    plain = prepare(picture, person, person.gaze, 20.0)
    mirrored = prepare(picture, person, person.gaze, 20.0, mirrored=True)
    assert torch.equal(plain["panorama"].flip(-1), mirrored["panorama"])
    flip = torch.tensor((-1.0, 1, 1))
    for name in ("head", "gaze", "target"):
        assert torch.allclose(plain[name] * flip, mirrored[name])
    assert abs(float(plain["head"][0])) < 0.02  # in the middle column
    assert plain["depth"] == pytest.approx(np.log(1.5), abs=1e-5)


def test_disturbed_gazes_are_off_by_what_was_asked_for() -> None:
    rng = np.random.default_rng(0)
    gaze = sphere.lonlat_to_direction(30, 60)
    off = [sphere.angle_between(gaze, disturb(gaze, 0.1, rng)) for _ in range(2000)]
    assert np.sqrt(np.mean(np.square(off))) == pytest.approx(0.1, rel=0.05)


def test_recipes_are_read_and_mistakes_named(tmp_path: Path) -> None:
    for name in recipe_names():  # each of the package's can be read
        load_recipe(name)
    without = [name for name in recipe_names() if name.startswith("scene_without_")]
    assert len(without) == 4
    for name in without:
        assert not getattr(load_recipe(name).settings.network, name.removeprefix("scene_without_"))
    recipe = load_recipe("scene", ["trainer.max_steps=7", "scene.network.reborn=false"])
    assert recipe.trainer.max_steps == 7 and not recipe.settings.network.reborn
    json.dumps(recipe.to_dict())
    for overrides, message in (
        (["trainer.steps=1"], "unknown key 'trainer.steps'"),
        (["scene.network.colour=1"], "unknown key 'scene.network.colour'"),
        (['trainer.batch_size="many"'], "batch_size"),
        (['objective="other"'], "'objective' must be"),
        (["nothing"], "section.key=value"),
    ):
        with pytest.raises(RecipeError, match=message):
            load_recipe("scene", overrides)
    with pytest.raises(RecipeError, match=r"no recipe"):
        load_recipe(str(tmp_path / "none.toml"))


def test_data_without_gazes_is_refused(tmp_path: Path, data: str) -> None:
    test_only = str(tiny_data(tmp_path / "data", ("test",)))
    with pytest.raises(DatasetError, match="training split"):
        HeadObjective(HeadConfig(network=HEAD), test_only)
    result = CliRunner().invoke(
        app, ["train", "scene", "--data", str(tmp_path), "--out", str(tmp_path / "run")]
    )
    assert result.exit_code == 2 and "dataset.json" in result.output
