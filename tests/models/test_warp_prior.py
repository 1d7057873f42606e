"""The warp as a prior: exact where it can be worked out otherwise, and kept to the conditional half."""

import pytest
import torch
from diffusers import DDIMScheduler

from hifi_portrait.models.build import build
from hifi_portrait.models.warp_prior import alpha_bar_at, prior_added, prior_velocity

SHAPE = (2, 4, 3, 3)


def _gaussian(seed: int) -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def test_a_unit_gaussian_around_zero_adds_nothing():
    alpha_bar = torch.tensor([0.3, 0.9])
    velocity = prior_velocity(_gaussian(0), alpha_bar, torch.zeros(SHAPE), torch.ones(SHAPE))
    assert torch.equal(velocity, torch.zeros(SHAPE))


def test_a_certain_picture_gives_the_velocity_of_the_scheduler():
    scheduler = DDIMScheduler(prediction_type="v_prediction")
    clean, noise, steps = _gaussian(1), _gaussian(2), torch.tensor([100, 800])
    noisy = scheduler.add_noise(clean, noise, steps)
    velocity = prior_velocity(noisy, scheduler.alphas_cumprod[steps], clean, torch.zeros(SHAPE))
    assert torch.allclose(velocity, scheduler.get_velocity(clean, noise, steps), atol=1e-5)


def test_it_is_the_best_guess_of_the_velocity_for_gaussian_pictures():
    """Regressing the velocity on the noisy value of many draws gives the same line."""
    generator = torch.Generator().manual_seed(3)
    mean, variance, alpha_bar = 0.7, 0.2, 0.4
    clean = mean + variance**0.5 * torch.randn(400_000, generator=generator)
    noise = torch.randn(400_000, generator=generator)
    noisy = alpha_bar**0.5 * clean + (1 - alpha_bar) ** 0.5 * noise
    velocity = alpha_bar**0.5 * noise - (1 - alpha_bar) ** 0.5 * clean
    slope = ((noisy - noisy.mean()) * velocity).mean() / noisy.var()
    line = velocity.mean() + slope * (torch.tensor([-1.0, 1.0]) - noisy.mean())

    def shaped(values: torch.Tensor) -> torch.Tensor:
        return values.view(2, 1, 1, 1)

    predicted = prior_velocity(
        shaped(torch.tensor([-1.0, 1.0])),
        torch.full((2,), alpha_bar),
        shaped(torch.full((2,), mean)),
        shaped(torch.full((2,), variance)),
    )
    assert torch.allclose(predicted.flatten(), line, atol=0.01)


def test_timesteps_between_whole_ones_are_interpolated():
    assert alpha_bar_at(torch.tensor([1.0, 0.5, 0.2]), torch.tensor([0.5, 2.0])).tolist() == pytest.approx(
        [0.75, 0.2]
    )


def test_only_the_conditional_half_of_the_unet_changes():
    unet = build("tiny", ["unet"], seed=0)["unet"].eval()
    config = unet.config
    channels, side = config.in_channels, 8
    noisy = torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(4))
    pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
    inputs = {
        "encoder_hidden_states": torch.zeros(2, 5, config.cross_attention_dim),
        "added_cond_kwargs": {"text_embeds": torch.zeros(2, pooled), "time_ids": torch.zeros(2, 6)},
    }
    mean = torch.full((1, channels, side, side), 0.5)
    alphas = DDIMScheduler().alphas_cumprod
    with torch.no_grad():
        plain = unet(noisy, 500, **inputs).sample
        with prior_added(unet, mean, torch.full_like(mean, 0.1), alphas):
            added = unet(noisy, 500, return_dict=False, **inputs)[0]
        after = unet(noisy, 500, **inputs).sample
    expected = prior_velocity(noisy[1:], alphas[500:501], mean, torch.full_like(mean, 0.1))
    assert torch.equal(added[0], plain[0])
    assert torch.allclose(added[1:], plain[1:] + expected, atol=1e-6)
    assert torch.equal(after, plain)
