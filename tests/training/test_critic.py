import numpy as np
import torch

from hifi_objectives import batch_of, hifi
from hifi_portrait.training.objectives.hifi.config import FACE_PARTS, HiFiConfig, HiFiDataConfig, HiFiLosses
from hifi_portrait.training.objectives.hifi.critic import LatentCritic, balance_gradients, hinge_critic_loss
from hifi_portrait.training.objectives.hifi.objective import HiFiObjective


def critic_and_inputs(size=8):
    torch.manual_seed(0)
    critic = LatentCritic(latent_channels=4, width=8)
    return critic, torch.randn(3, 4, size, size), torch.randn(3, 4, size, size), torch.rand(3, 1, size, size)


def test_it_scores_patches_at_two_scales():
    critic, latents, warps, coverage = critic_and_inputs()
    assert critic(latents, warps, coverage).shape == (3, 4 * 4 + 2 * 2)


def test_its_judgement_reaches_the_latents_and_not_its_own_weights_when_frozen():
    critic, latents, warps, coverage = critic_and_inputs()
    critic.eval()
    latents.requires_grad_()
    scores = critic.score_frozen(latents, warps, coverage)
    torch.testing.assert_close(scores, critic(latents, warps, coverage))
    scores.mean().backward()
    assert latents.grad is not None and latents.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in critic.parameters())


def test_it_learns_to_tell_blurred_latents_from_sharp_ones():
    critic, _, warps, coverage = critic_and_inputs()
    optimiser = torch.optim.Adam(critic.parameters(), 2e-3)
    for step in range(60):
        torch.manual_seed(step)
        sharp = torch.randn(8, 4, 8, 8)
        blurred = torch.nn.functional.avg_pool2d(sharp, 3, stride=1, padding=1)
        around = (warps[:1].expand(8, -1, -1, -1), coverage[:1].expand(8, -1, -1, -1))
        loss = hinge_critic_loss(
            critic(sharp, *around), critic(blurred, *around), torch.ones(8, dtype=torch.bool)
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 1.0  # 2 where it cannot tell


def test_balanced_terms_pull_with_the_share_asked_for():
    at = torch.randn(5, requires_grad=True)
    other, loss = (3 * at).square().sum(), 0.01 * at.sum()
    (pull,) = torch.autograd.grad(balance_gradients(loss, other, at, 0.25), at, retain_graph=True)
    (against,) = torch.autograd.grad(other, at)
    torch.testing.assert_close(pull.norm(), 0.25 * against.norm())


def test_the_critic_wants_photos_above_1_and_drawings_below_minus_1():
    photos, drawn = torch.tensor([[2.0, 0.0], [-5.0, 9.0]]), torch.tensor([[-3.0, 0.5], [7.0, 7.0]])
    loss = hinge_critic_loss(photos, drawn, torch.tensor([True, False]))
    assert float(loss) == (0 + 1) / 2 + (0 + 1.5) / 2
    assert float(hinge_critic_loss(photos, drawn, torch.zeros(2, dtype=torch.bool))) == 0


def in_sittings(data):
    """Let all photos of an identity count as one sitting."""
    data.prepared.arrays["sitting"] = np.array(data.prepared.arrays["identity"], np.int64)


def test_the_adversary_reaches_critic_and_networks(prepared, base_folder):
    objective = hifi(
        prepared,
        base_folder,
        trainable=[*FACE_PARTS, "critic"],
        warp_starts=1.0,
        losses=HiFiLosses(adversary=0.5),
        data=HiFiDataConfig(face_dropout=0, caption_dropout=0),
    )
    in_sittings(objective.data)
    batch = batch_of(objective)
    torch.manual_seed(0)
    terms = objective(batch, progress=1.0)
    assert set(terms) == {"denoising", "critic", "adversary"}
    terms["adversary"].backward(retain_graph=True)
    assert all(p.grad is None for p in objective.part("critic").parameters())
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in objective.part("hifi_net").parameters())
    terms["critic"].backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in objective.part("critic").parameters())


def test_the_adversary_has_little_say_in_the_beginning(prepared, base_folder):
    objective = hifi(
        prepared,
        base_folder,
        trainable=[*FACE_PARTS, "critic"],
        warp_starts=1.0,
        losses=HiFiLosses(adversary=0.5),
        data=HiFiDataConfig(face_dropout=0, caption_dropout=0),
    )
    in_sittings(objective.data)
    batch = batch_of(objective)

    def pull(progress):
        torch.manual_seed(0)
        return float(objective(batch, progress=progress)["adversary"].detach())

    pull(1.0)
    full = pull(1.0)
    assert pull(0.0) == 0
    np.testing.assert_allclose([pull(0.05), pull(0.1)], [0.5 * full, full], rtol=0.1)


def test_critics_follow_from_the_seed_or_from_the_run_before(prepared, base_folder, tmp_path):
    adversarial = {"trainable": [*FACE_PARTS, "critic"], "losses": HiFiLosses(adversary=0.5)}
    first, second = (hifi(prepared, base_folder, **adversarial).part("critic") for _ in range(2))
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    with torch.no_grad():
        first.half_head.weight.add_(1)
    first.save_pretrained(tmp_path / "critic")
    config = HiFiConfig(size="tiny", init_from=(str(tmp_path), str(base_folder)), **adversarial)
    third = HiFiObjective(config, prepared.folder).part("critic")
    pairs = zip(first.parameters(), third.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
