"""The latents' prior: exact where it can be worked out otherwise, and better than none where it measured."""

import pytest
import torch
from diffusers import DDIMScheduler

from hifi_portrait.models.build import build
from hifi_portrait.models.latent_prior import LatentPrior, add_prior, alpha_bar_at

CHANNELS, SIDE = 4, 8
SHAPE = (2, CHANNELS, SIDE, SIDE)


def gaussian(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape or SHAPE, generator=torch.Generator().manual_seed(seed))


def smooth(seed: int, count: int) -> torch.Tensor:
    """Latents whose channels and neighbours go together, around a mean."""
    mixed = torch.einsum("ck,nkhw->nchw", gaussian(99, CHANNELS, CHANNELS), gaussian(seed, count, *SHAPE[1:]))
    return 0.5 + mixed + 2 * mixed.mean((2, 3), keepdim=True) * SIDE


def calibrated(count: int = 4000) -> LatentPrior:
    prior = LatentPrior(CHANNELS, SIDE)
    latents = smooth(1, count)
    warps = 0.5 + (latents - 0.5) + gaussian(2, *latents.shape)
    prior.calibrate(latents, latents, warps, torch.ones(count, 1, SIDE, SIDE))
    return prior


def test_fresh_it_adds_nothing():
    velocity = LatentPrior(CHANNELS, SIDE).velocity(gaussian(0), torch.tensor([0.3, 0.9]), torch.zeros(SHAPE))
    assert torch.equal(velocity, torch.zeros(SHAPE))


def test_a_certain_picture_gives_the_velocity_of_the_scheduler():
    scheduler = DDIMScheduler(prediction_type="v_prediction")
    prior = calibrated(50)
    prior.variance.zero_()
    clean, noise, steps = gaussian(1), gaussian(2), torch.tensor([100, 800])
    noisy = scheduler.add_noise(clean, noise, steps)
    velocity = prior.velocity(noisy, scheduler.alphas_cumprod[steps], clean)
    assert torch.allclose(velocity, scheduler.get_velocity(clean, noise, steps), atol=1e-4)


@pytest.mark.parametrize("noise_scale", [1.0, 0.3])
@pytest.mark.parametrize("alpha_bar", [0.05, 0.4, 0.9])
def test_it_is_the_best_linear_guess_of_the_velocity(alpha_bar, noise_scale):
    """Least squares from the noisy latents of many draws, all pixels and channels at once, does no better.

    The velocity is the one that leads back to the clean latents: v = (alpha z - x) / sigma.
    """
    prior, count = calibrated(), 6000
    clean, noise = smooth(5, count), gaussian(6, count, *SHAPE[1:])
    alpha, sigma = alpha_bar**0.5, (1 - alpha_bar) ** 0.5
    noisy = alpha * clean + noise_scale * sigma * noise
    velocity = (alpha * noisy - clean) / sigma
    prior.gain.zero_()
    prior.variance.copy_(prior._to_frequencies(smooth(1, 4000) - prior.mean).square().mean(0))
    alphas, mean = torch.full((count,), alpha_bar), prior.mean_alone(noisy)
    guess = prior.velocity(noisy, alphas, mean, noise_scale)
    inputs = torch.cat([noisy.flatten(1), torch.ones(count, 1)], dim=1).double()
    best = inputs @ torch.linalg.lstsq(inputs, velocity.flatten(1).double()).solution
    error, least = (guess - velocity).square().mean(), (best.float() - velocity.flatten(1)).square().mean()
    assert error < 1.1 * least
    assert error < 0.8 * velocity.var()


def test_the_mean_given_a_warp_is_nearer_than_the_mean_alone():
    prior, clean = calibrated(), smooth(7, 200)
    warp = clean + gaussian(8, *clean.shape)
    error = (prior.mean_given(warp, torch.ones(200, 1, SIDE, SIDE)) - clean).square().mean()
    assert error < 0.5 * (prior.mean_alone(clean) - clean).square().mean()
    unseen = prior.mean_given(warp, torch.zeros(200, 1, SIDE, SIDE))
    assert torch.allclose(unseen, prior.mean_alone(clean), atol=1e-5)


def test_a_warp_never_explains_all_of_a_picture():
    """Even if those that were measured did: in use there are worse ones."""
    latents, prior, alone = smooth(1, 500), LatentPrior(CHANNELS, SIDE), LatentPrior(CHANNELS, SIDE)
    prior.calibrate(latents, latents, latents, torch.ones(500, 1, SIDE, SIDE))
    alone.calibrate(latents, latents, latents, torch.zeros(500, 1, SIDE, SIDE))
    torch.testing.assert_close(prior.variance, 0.3 * alone.variance, rtol=0.05, atol=1e-3)


def test_other_sizes_are_interpolated():
    prior = calibrated(200)
    noisy = gaussian(3, 1, CHANNELS, 12, 16)
    velocity = prior.velocity(noisy, torch.tensor([0.5]), prior.mean_alone(noisy))
    assert velocity.shape == noisy.shape
    assert bool(velocity.isfinite().all())


def test_timesteps_between_whole_ones_are_interpolated():
    assert alpha_bar_at(torch.tensor([1.0, 0.5, 0.2]), torch.tensor([0.5, 2.0])).tolist() == pytest.approx(
        [0.75, 0.2]
    )


def test_the_unconditional_half_of_the_unet_knows_no_warp():
    unet = build("tiny", ["unet"], seed=0)["unet"].eval()
    config = unet.config
    prior = calibrated(200)
    noisy = gaussian(4, 2, config.in_channels, 8, 8)
    pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
    inputs = {
        "encoder_hidden_states": torch.zeros(2, 5, config.cross_attention_dim),
        "added_cond_kwargs": {"text_embeds": torch.zeros(2, pooled), "time_ids": torch.zeros(2, 6)},
    }
    mean = torch.full((1, config.in_channels, 8, 8), 0.5)
    alphas = DDIMScheduler().alphas_cumprod
    with torch.no_grad():
        plain = unet(noisy, 500, **inputs).sample
        with add_prior(unet, prior, mean, alphas):
            added = unet(noisy, 500, return_dict=False, **inputs)[0]
        after = unet(noisy, 500, **inputs).sample
    means = torch.cat([prior.mean_alone(mean), mean])
    expected = prior.velocity(noisy, alphas[500:501].expand(2), means)
    assert torch.allclose(added, plain + expected, atol=1e-5)
    assert torch.equal(after, plain)


def test_what_has_no_noise_is_left_as_it_is():
    prior, alpha_bar = LatentPrior(CHANNELS, SIDE), torch.tensor([0.9, 0.6])
    prior.variance.uniform_(0.01, 2.0)
    clean, mean = torch.randn(2, CHANNELS, SIDE, SIDE), torch.randn(2, CHANNELS, SIDE, SIDE)
    alpha, sigma = (x.sqrt().view(-1, 1, 1, 1) for x in (alpha_bar, 1 - alpha_bar))
    noisy = alpha * clean
    velocity = prior.velocity(noisy, alpha_bar, mean, noise_scale=0.0)
    torch.testing.assert_close(alpha * noisy - sigma * velocity, clean, atol=1e-4, rtol=1e-4)
