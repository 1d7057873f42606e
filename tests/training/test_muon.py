"""Muon: steps of orthogonal matrices for hidden layers, AdamW for the rest."""

import pytest
import torch
from torch import nn

from hifi_portrait.errors import ModelError
from hifi_portrait.training.engine.config import TrainerConfig
from hifi_portrait.training.engine.muon import Muon, is_orthogonalised, orthogonalise
from hifi_portrait.training.engine.optimiser import group_parameters, make_optimiser
from line_objective import LineObjective, final_state, flat, trainer


@pytest.mark.parametrize("shape", [(24, 24), (16, 90), (90, 16)])
def test_singular_values_come_near_one(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 7
    turned = orthogonalise(matrix)
    values = torch.linalg.svdvals(turned)
    assert turned.shape == shape
    assert values[-2] > 0.35  # the smallest of a square matrix is near 0
    assert values.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    assert torch.nn.functional.cosine_similarity(turned.flatten(), (left @ right).flatten(), dim=0) > 0.95


def test_a_step_has_the_length_of_the_learning_rate():
    kernel = nn.Parameter(torch.zeros(32, 8, 3, 3).to(memory_format=torch.channels_last))
    kernel.grad = torch.randn(kernel.shape, generator=torch.Generator().manual_seed(0))
    Muon([{"params": [kernel], "orthogonal": True}], lr=0.01).step()
    assert kernel.detach().square().mean().sqrt() == pytest.approx(0.2 * 0.01, rel=0.35)
    assert (kernel.detach() * kernel.grad).sum() < 0


def test_what_is_not_orthogonalised_learns_as_by_adamw():
    torch.manual_seed(0)
    start = torch.randn(5)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    settings = {"lr": 0.02, "betas": (0.9, 0.98), "weight_decay": 0.1}
    optimisers = Muon([{"params": [ours]}], **settings), torch.optim.AdamW([theirs], **settings)
    for _ in range(20):
        gradient = torch.randn(5)
        for parameter, optimiser in zip((ours, theirs), optimisers, strict=True):
            parameter.grad = gradient.clone()
            optimiser.step()
    torch.testing.assert_close(ours, theirs)


def test_hidden_matrices_form_groups_of_their_own():
    parts = {
        "unet.conv_in.weight": nn.Parameter(torch.zeros(4, 4, 3, 3)),
        "unet.down.resnets.0.conv1.weight": nn.Parameter(torch.zeros(4, 4, 3, 3)),
        "unet.down.resnets.0.conv1.bias": nn.Parameter(torch.zeros(4)),
        "unet.time_embedding.linear_1.weight": nn.Parameter(torch.zeros(4, 4)),
        "unet.mid.attn1.to_q.weight": nn.Parameter(torch.zeros(4, 4)),
        "unet.attentions.0.proj_in.weight": nn.Parameter(torch.zeros(4, 4)),
        "hifi_net.warp_in.weight": nn.Parameter(torch.zeros(4, 4, 3, 3)),
        "face_attention.to_v.0.weight": nn.Parameter(torch.zeros(4, 4)),
        "face_refiner.queries": nn.Parameter(torch.zeros(4, 4)),
    }
    hidden = [name for name, parameter in parts.items() if is_orthogonalised(name, parameter)]
    assert hidden == [
        *("unet.down.resnets.0.conv1.weight", "unet.mid.attn1.to_q.weight"),
        "unet.attentions.0.proj_in.weight",
    ]
    config = TrainerConfig(batch_size=1, learning_rate=1e-3, max_steps=1, optimiser="muon")
    groups = group_parameters(parts, (), config)
    assert [(len(group["params"]), group["orthogonal"]) for group in groups] == [(3, True), (6, False)]
    assert isinstance(make_optimiser(groups, config), Muon)
    fresh = group_parameters(parts, ("unet.mid.attn1.to_q.weight",), config_with_fresh())
    assert [(len(g["params"]), g["rate"], g["orthogonal"]) for g in fresh] == [
        (2, 1.0, True), (6, 1.0, False), (1, 5.0, True),
    ]  # fmt: skip


def config_with_fresh():
    rates = {"learning_rate": 1e-3, "fresh_learning_rate": 5e-3}
    return TrainerConfig(batch_size=1, max_steps=1, optimiser="muon", **rates)


def test_it_goes_on_bit_for_bit_after_a_kill(tmp_path):
    whole = trainer(tmp_path / "whole", optimiser="muon").train()
    trainer(tmp_path / "killed", LineObjective(kill_at=10 * 4), optimiser="muon").train()
    assert trainer(tmp_path / "killed", optimiser="muon").train().step == whole.step
    states = [final_state(tmp_path / name) for name in ("whole", "killed")]
    pairs = list(zip(*(flat({k: s[k] for k in ("parts", "optimiser")}) for s in states), strict=True))
    assert pairs
    assert all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in pairs)


def test_a_run_does_not_go_on_with_the_other_optimiser(tmp_path):
    trainer(tmp_path, optimiser="muon", max_steps=4).train()
    with pytest.raises(ModelError, match=r"set trainer\.optimiser"):
        trainer(tmp_path, max_steps=8)


def test_a_net_of_two_layers_learns():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(16, 32, bias=False), nn.Linear(32, 16, bias=False))
    config = TrainerConfig(batch_size=1, learning_rate=3e-3, max_steps=1, optimiser="muon")
    optimiser = make_optimiser(group_parameters(dict(net.named_parameters()), (), config), config)
    losses = []
    for _ in range(200):
        x = torch.randn(64, 16)
        loss = (net(x) - x.flip(1)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_it_is_not_sharded():
    with pytest.raises(ValueError, match="shard needs the optimiser adamw"):
        TrainerConfig(batch_size=1, learning_rate=1e-3, max_steps=1, optimiser="muon", shard=True)
