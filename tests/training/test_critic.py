import torch

from hifi_portrait.training.critic import LatentCritic, balanced, hinge_critic_loss


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
    scores = critic.frozen(latents, warps, coverage)
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
        loss = hinge_critic_loss(critic(sharp, *around), critic(blurred, *around))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 1.0  # 2 where it cannot tell


def test_balanced_terms_pull_with_the_share_asked_for():
    at = torch.randn(5, requires_grad=True)
    other, loss = (3 * at).square().sum(), 0.01 * at.sum()
    (pull,) = torch.autograd.grad(balanced(loss, other, at, 0.25), at, retain_graph=True)
    (against,) = torch.autograd.grad(other, at)
    torch.testing.assert_close(pull.norm(), 0.25 * against.norm())
