"""The compared networks: their geometry, their backbones, training them, and the rows that ask them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from gaze360.tiny import DUAL, tiny_backbone, tiny_data
from hifi_portrait.errors import DatasetError, ModelError
from hifi_portrait.evaluation.scorers.mobilenet import MEAN, STD, MobileNetV2Features
from mmrgaze360 import sphere
from mmrgaze360.baselines import DualPathway, GazeLLE, GazeLLEConfig
from mmrgaze360.baselines.backbones import MOBILENET_FILE, Backbone
from mmrgaze360.baselines.dual_pathway import regions_of
from mmrgaze360.baselines.gaze_lle import head_cells
from mmrgaze360.baselines.inputs import flat_place, gaussian_map
from mmrgaze360.cli.app import app
from mmrgaze360.network.model import load_network, save_network
from mmrgaze360.training.baseline import (
    BaselineObjective,
    DualPathwayObjective,
    DualPathwayTraining,
    GazeLLEObjective,
    GazeLLETraining,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_data(tmp_path_factory.mktemp("compared") / "data"))


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_backbone(tmp_path_factory.mktemp("backbone") / "dinov2"))


def direction(lon: float, lat: float) -> torch.Tensor:
    return torch.from_numpy(sphere.lonlat_to_direction(lon, lat)).float()[None]


def test_places_and_maps_are_those_of_the_flat_picture() -> None:
    for lon, lat in ((0, 0), (100, -40), (-170, 60)):
        place = flat_place(direction(lon, lat))[0].numpy()
        assert np.allclose(place, sphere.direction_to_pixel(direction(lon, lat)[0].numpy(), 1, 1), atol=1e-5)
    heat = gaussian_map(direction(90, 0), 56)[0]
    assert np.unravel_index(int(heat.argmax()), heat.shape)[1] in (41, 42) and heat[27:29].max() > 0.9


def test_the_regions_lie_beside_the_head_and_about_the_chords_end() -> None:
    head, end = direction(0, 0), direction(60, -20)
    local, distant = regions_of(head, end - head, end)
    row, column = np.unravel_index(int(distant[0].argmax()), (56, 56))
    assert column == pytest.approx((60 / 360 + 0.5) * 56, abs=1) and row == pytest.approx(34, abs=1)
    right, left = local[0][:, 30:].sum(), local[0][:, :26].sum()
    assert right > 5 * left
    across = regions_of(direction(175, 0), direction(-160, 0) - direction(175, 0), direction(-160, 0))[0][0]
    assert across[:, 55].sum() > across[:, 50].sum()  # on towards the right edge, not back over the picture


def test_heads_mark_cells_on_both_sides_of_the_seam() -> None:
    cells = head_cells(torch.tensor([[180.0, 0, 20, 20]]), direction(180, 0))[0]
    assert cells[8, 0] == 1 and cells[8, 31] == 1 and cells[:, 4:28].sum() == 0 and cells[0].sum() == 0


def test_backbones_of_both_kinds_describe_a_panorama(tmp_path: Path, backbone: str) -> None:
    torch.manual_seed(0)
    torch.save(MobileNetV2Features().state_dict(), tmp_path / MOBILENET_FILE)
    panorama = torch.rand(1, 3, 256, 512) * 2 - 1
    for folder, channels in ((tmp_path, 96), (Path(backbone), 32)):
        loaded = Backbone.load(folder)
        assert loaded(panorama).shape == (1, channels, 16, 32)
        assert not any(parameter.requires_grad for parameter in loaded.parameters())
    (tmp_path / MOBILENET_FILE).write_bytes(b"nothing")
    with pytest.raises(ModelError, match="damaged"):
        Backbone.load(tmp_path)
    with pytest.raises(ModelError, match=r"gaze_lle\.network\.backbone"):
        GazeLLE()


def test_folded_batch_norms_change_nothing(tmp_path: Path) -> None:
    torch.manual_seed(0)
    plain = MobileNetV2Features()
    for module in plain.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
    torch.save(plain.state_dict(), tmp_path / MOBILENET_FILE)
    loaded = Backbone.load(tmp_path)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in loaded.modules())
    panorama = torch.rand(1, 3, 256, 512) * 2 - 1
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (MEAN, STD))
    with torch.no_grad():
        expected = plain.eval().features[:14]((panorama / 2 + 0.5 - mean) / std)
    assert torch.allclose(loaded(panorama), expected, atol=1e-4)


def make(name: str, data: str, backbone: str) -> BaselineObjective:
    if name == "dual_pathway":
        return DualPathwayObjective(DualPathwayTraining(network=DUAL, held_out=2), data)
    network = GazeLLEConfig(backbone=backbone, width=32, blocks=1)
    return GazeLLEObjective(GazeLLETraining(network=network, held_out=2), data)


@pytest.mark.parametrize("name", ["dual_pathway", "gaze_lle"])
def test_a_compared_network_learns_one_batch(name: str, data: str, backbone: str, tmp_path: Path) -> None:
    objective = make(name, data, backbone)
    first, again = objective.sample(1), objective.sample(1)
    assert all(torch.equal(first[key], again[key]) for key in first)
    batch = objective.collate([objective.sample(k) for k in range(4)])
    assert batch["in_view"].sum() == 2
    optimiser = torch.optim.Adam([p for p in objective.parameters() if p.requires_grad], 3e-3)
    losses = []
    for _ in range(10):
        loss = torch.stack(list(objective(batch, progress=0.9).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
    assert 0 <= objective.metrics()["distance"] <= np.pi and objective.sheet().shape == (256, 512, 3)
    save_network(objective.network, tmp_path / name)
    loaded = load_network(DualPathway if name == "dual_pathway" else GazeLLE, tmp_path / name)
    objective.network.eval()
    difference = loaded.heat_map(batch) - objective.network.heat_map(batch)
    assert difference.abs().max() < 0.02  # half precision


def test_stages_of_the_dual_pathway_follow_each_other(data: str, backbone: str) -> None:
    objective = make("dual_pathway", data, backbone)
    batch = objective.collate([objective.sample(k) for k in range(2)])
    taught = [{n for n, v in objective(batch, p).items() if v.detach() > 0} for p in (0.0, 0.5, 0.9)]
    assert taught == [{"chord"}, {"chord", "maps"}, {"chord", "maps", "joined"}]


def test_turned_and_mirrored_samples_stay_true(data: str, backbone: str) -> None:
    objective = make("dual_pathway", data, backbone)
    for index in range(6):
        item = objective.sample(index)
        if item["in_view"]:
            apart = float(sphere.angle_between(item["head"].numpy(), item["target"].numpy()))
            truth = [
                float(sphere.angle_between(person.head, person.target))
                for _, person in objective._people
                if person.target is not None
            ]
            assert min(abs(apart - other) for other in truth) < 1e-3


def test_data_without_targets_is_refused(tmp_path: Path, backbone: str) -> None:
    with pytest.raises(DatasetError, match="no target"):
        make("dual_pathway", str(tiny_data(tmp_path / "data", ("test",))), backbone)


def test_runs_are_collected_under_the_names_of_their_recipes(data: str, tmp_path: Path) -> None:
    runs = []
    small = ["scene.network.widths=[8, 8, 16, 16]", "trainer.max_steps=1", "trainer.batch_size=1"]
    for recipe in ("scene", "scene_without_patches"):
        run = tmp_path / recipe
        settings = [word for setting in small for word in ("--set", setting)]
        arguments = ["train", recipe, "--data", data, "--out", str(run), *settings]
        assert CliRunner().invoke(app, arguments).exit_code == 0
        runs.append(str(run))
    result = CliRunner().invoke(app, ["collect", *runs, "--out", str(tmp_path / "model")])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["scene", "scene_without_patches"]
    for arguments in ([runs[0], runs[0]], [str(tmp_path / "model")]):
        result = CliRunner().invoke(app, ["collect", *arguments, "--out", str(tmp_path / "other")])
        assert result.exit_code == 2 and "run" in result.output
