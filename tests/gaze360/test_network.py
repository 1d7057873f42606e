"""The networks: reborn layers, generators, patches, saving."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from gaze360.tiny import DETECTOR, HEAD, SCENE, tiny_model
from hifi_portrait.errors import ModelError
from mmrgaze360 import sphere
from mmrgaze360.network import HeadNetwork, MMRGaze360, SceneNetwork, SceneNetworkConfig
from mmrgaze360.network.generators import DEPTHS, field_of_view, off_gaze, sight_line_points
from mmrgaze360.network.head import von_mises_fisher_loss
from mmrgaze360.network.model import BUNDLED
from mmrgaze360.network.patches import PatchModule
from mmrgaze360.network.reborn import RebornConv, RebornMLP, RebornReLU
from mmrgaze360.network.scene import sphere_log_density
from mmrgaze360.network.tail import spread_tail
from mmrgaze360.sphere.torch_patches import directions_of_grid


def directions(*lonlat: tuple[float, float]) -> torch.Tensor:
    return torch.from_numpy(np.stack([sphere.lonlat_to_direction(*each) for each in lonlat]))


def test_a_reborn_relu_starts_as_a_relu_and_learns_what_that_would_lose() -> None:
    layer, x = RebornReLU(4), torch.randn(2, 4, 3)
    assert torch.equal(layer(x), torch.relu(x))
    dead = -torch.rand(2, 4, 3)
    layer(dead).sum().backward()
    assert (layer.scale.grad > 0).all()
    with torch.no_grad():
        layer.scale.fill_(-1)
    assert torch.allclose(layer(x), x)  # the whole signal
    assert torch.equal(RebornReLU(3, last=True)(x), torch.relu(x))


@pytest.mark.parametrize("reborn", [True, False])
def test_the_reborn_switch_decides_every_activation(reborn: bool) -> None:
    network = SceneNetwork(SceneNetworkConfig(widths=(8, 8, 16, 16), reborn=reborn))
    kinds = [RebornReLU, torch.nn.ReLU] if reborn else [torch.nn.ReLU, RebornReLU]
    assert sum(isinstance(m, kinds[0]) for m in network.modules()) > 10
    assert not any(isinstance(m, kinds[1]) for m in network.modules())
    assert len(RebornMLP((4, 8, 8, 2), reborn=reborn)) == 6


def test_a_wrapping_convolution_does_not_know_the_seam() -> None:
    layer = RebornConv(3, 8, wraps=True)
    x = torch.randn(1, 3, 6, 16)
    assert torch.allclose(layer(x.roll(5, -1)), layer(x).roll(5, -1), atol=1e-6)


def test_the_360_gaze_is_the_picture_of_the_sight_line() -> None:
    head, gaze = directions((20, 5), (170, -10)), directions((100, -30), (-60, 20))
    points = sight_line_points(head, gaze)
    for k in range(2):
        offset, along = sphere.arc_offset(points[k].numpy(), head[k].numpy(), gaze[k].numpy())
        assert offset.max() < 1e-6 and (np.diff(along) > 0).all()
        seen = head[k] + 1.5 * gaze[k]
        assert torch.allclose(points[k, 3], seen / seen.norm())


def test_the_360_fov_is_the_angle_at_the_eyes() -> None:
    head, gaze = directions((20, 5)), directions((100, -30))
    places = directions((60, -10), (-150, 40))[None]
    cosine = off_gaze(places, head, gaze)[0]
    for d, depth in enumerate(DEPTHS):
        for k in range(2):
            way = depth * places[0, k] - head[0]
            assert cosine[d, k] == pytest.approx(float(way @ gaze[0] / way.norm()), abs=1e-6)


def test_a_target_on_the_sight_line_is_in_the_narrowest_cone() -> None:
    head, gaze = directions((20, 5)), directions((100, -30))
    seen = sphere.unit((head + 0.9 * gaze).numpy())  # not one of the depths of the closed form
    cones, prior = field_of_view(torch.from_numpy(seen)[None], head, gaze, torch.tensor([40.0]))
    beside, low = field_of_view(-torch.from_numpy(seen)[None], head, gaze, torch.tensor([40.0]))
    assert cones[0, 1, 0] > 0.9 and beside[0, 1, 0] < 0.1
    assert prior[0, 0] > low[0, 0] + 2


def test_patch_maps_land_where_their_cameras_look() -> None:
    module = PatchModule((20.0, 50.0), reborn=True)
    panorama = torch.randn(1, 3, 64, 128)
    head, gaze = directions((0, 5)).float(), directions((120, -30)).float()
    rotations, maps, scores, _, _ = module(panorama, head, gaze)
    assert maps.shape[:2] == scores.shape == (1, 16)
    grid = directions_of_grid(128, 64, like=head)
    laid = module.on_sphere(rotations, torch.ones_like(maps), grid)
    for n in (0, 3, 9):
        middle = rotations[0, n, :, 1].detach().numpy()
        away = np.degrees(sphere.angle_between(grid.numpy(), middle))
        half = 10 if n < 8 else 25
        covered = laid[0, n].detach().numpy() > 0.5
        assert (
            covered.any() and away[covered].max() < half * 1.5 and (laid[0, n] > 0.5)[away < half - 3].all()
        )
        holds = module.holds_target(rotations, torch.from_numpy(middle)[None])
        assert holds[0, n] and not module.holds_target(rotations, -torch.from_numpy(middle)[None])[0, n]


@pytest.mark.parametrize("part", ["patches", "field_of_view", "image"])
def test_each_part_can_be_left_out(part: str) -> None:
    network = SceneNetwork(SceneNetworkConfig(widths=(8, 8, 16, 16), **{part: False})).eval()
    head, gaze = directions((0, 5)).float(), directions((120, -30)).float()
    out = network(torch.randn(1, 3, 256, 512), head, gaze, torch.tensor([20.0]))
    assert out.logits.shape == (1, 64, 128) and (out.scores is None) == (part == "patches")
    if part == "image":
        other = network(torch.randn(1, 3, 256, 512), head, gaze, torch.tensor([20.0]))
        assert torch.equal(out.logits, other.logits)
    assert sphere_log_density(out.logits).exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_the_likelihood_is_that_of_the_von_mises_fisher_distribution() -> None:
    grid = directions_of_grid(256, 128, like=torch.zeros(1, dtype=torch.float64)).reshape(-1, 3)
    area = torch.from_numpy(sphere.solid_angles(256, 128).copy()).flatten()
    gaze = directions((30, 10)).expand(len(grid), -1)
    for kappa in (1.5, 20.0):
        density = torch.exp(-von_mises_fisher_loss(gaze, torch.full((len(grid),), kappa).double(), grid))
        assert (density * area).sum() / (2 * np.pi) == pytest.approx(1, rel=1e-2)


def test_saved_networks_come_back(tmp_path: Path) -> None:
    model = tiny_model()
    model.save_pretrained(tmp_path / "model")
    loaded = MMRGaze360.from_pretrained(tmp_path / "model")
    assert loaded.head.config == HEAD and loaded.scene.config == SCENE
    assert loaded.detector is not None and loaded.detector.config == DETECTOR
    shutil.rmtree(tmp_path / "model" / "detector")
    assert MMRGaze360.from_pretrained(tmp_path / "model").detector is None
    crop = torch.randn(1, 3, 32, 32)
    assert torch.allclose(loaded.head(crop)[0], model.head(crop)[0], atol=1e-2)  # half precision
    assert not loaded.training


def test_the_weights_of_the_package_are_whole_and_small() -> None:
    model = MMRGaze360.from_pretrained()
    assert model.detector is not None
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    assert sum(file.stat().st_size for file in BUNDLED.rglob("*")) < 8e6


def test_missing_and_damaged_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no folder"):
        MMRGaze360.from_pretrained(tmp_path / "nowhere")
    tiny_model().save_pretrained(tmp_path)
    weights = tmp_path / "scene" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ModelError, match="damaged"):
        MMRGaze360.from_pretrained(tmp_path)
    weights.unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors|no weights"):
        MMRGaze360.from_pretrained(tmp_path)
    (tmp_path / "head" / "config.json").write_text('{"size": 32, "colour": 1}')
    with pytest.raises(ModelError, match="colour"):
        MMRGaze360.from_pretrained(tmp_path)


def test_sizes_are_those_of_the_settings() -> None:
    gaze, kappa = HeadNetwork(HEAD).eval()(torch.randn(2, 3, 32, 32))
    assert torch.allclose(gaze.norm(dim=1), torch.ones(2)) and (kappa >= 1).all()


def test_a_tail_puts_far_directions_in_order_and_moves_no_peak() -> None:
    width, height = 128, 64
    peaks = torch.stack([torch.zeros(height, width), torch.zeros(height, width)])
    peaks[0, 20, 127], peaks[1, 3, 30] = 1.0, 1.0  # at the seam, and near a pole
    found = spread_tail(peaks)
    assert torch.allclose(found.sum((1, 2)), torch.ones(2)) and (found >= 0).all()
    grid = directions_of_grid(width, height, like=found)
    for heat, (row, column) in zip(found, ((20, 127), (3, 30)), strict=True):
        assert divmod(int(heat.argmax()), width) == (row, column)
        assert float(heat[row, column]) > 0.95
        density = heat / torch.sin((torch.arange(height) + 0.5) * torch.pi / height)[:, None]
        away = torch.rad2deg(torch.arccos((grid @ grid[row, column]).clamp(-1, 1)))
        rings = [density[(away > a) & (away < a + 6)].mean() for a in (8, 20, 32, 44, 56)]
        assert all(near > far > 0 for near, far in pairwise(rings))
        ring = density[(away > 22) & (away < 26)]
        assert ring.std() < 0.3 * ring.mean()  # round, across the seam and near the pole
