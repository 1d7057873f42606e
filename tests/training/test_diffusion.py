import pytest
import torch
from diffusers import DDIMScheduler

from hifi_portrait.training.objectives import diffusion
from hifi_portrait.training.objectives.diffusion import draw_noise_scale, draw_timesteps, draw_warp_starts

SCHEDULER = DDIMScheduler(
    prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"
)
PHOTOS = torch.zeros(2000, dtype=torch.bool)
SCHEDULE = {"steps": 1000, "draws": 1, "shift": 1.0, "warp_range": (0.1, 0.3)}


def test_draws_of_a_sample_lie_in_equal_parts_of_the_schedule():
    drawn = draw_timesteps(PHOTOS[:200], **SCHEDULE | {"draws": 4}).view(50, 4)
    assert torch.equal(drawn // 250, torch.arange(4).expand(50, 4))
    assert len(drawn[:, 0].unique()) > 20


def test_a_shift_draws_more_noise():
    drawn = draw_timesteps(PHOTOS, **SCHEDULE | {"shift": 5.0})
    assert 800 < drawn.median() < 870  # 5 u / (1 + 4 u) at u = 1/2
    assert drawn.max() < 1000


def test_starts_from_the_warp_are_drawn_from_their_own_range():
    possible = torch.arange(2000) % 2 == 0
    from_warp = draw_warp_starts(possible, 0.5)
    assert not from_warp[~possible].any() and 400 < from_warp.sum() < 600
    drawn = draw_timesteps(from_warp, **SCHEDULE)
    assert drawn[from_warp].min() >= 100 and drawn[from_warp].max() < 300
    assert drawn[~from_warp].max() > 900


def test_a_start_from_the_warp_gets_its_own_share_of_noise():
    from_warp = torch.arange(400) % 2 == 0
    grain = draw_noise_scale(from_warp, (0.0, 0.25))
    assert grain[from_warp].max() <= 0.25 and grain[from_warp].std() > 0.05
    assert (grain[~from_warp] == 1).all()


def test_min_snr_weight_cuts_off_nearly_clean_latents_and_keeps_pure_noise():
    weight = diffusion.min_snr_weight(SCHEDULER.alphas_cumprod, torch.tensor([0, 500, 999]), gamma=5)
    snr = SCHEDULER.alphas_cumprod[0] / (1 - SCHEDULER.alphas_cumprod[0])
    assert float(weight[0]) == pytest.approx(5 / float(snr + 1), rel=1e-4)
    assert float(weight[2]) == 1


def test_clean_latents_come_back_from_the_true_velocity():
    clean, noise = torch.randn(3, 4, 8, 8), torch.randn(3, 4, 8, 8)
    timesteps = torch.tensor([10, 400, 900])
    noisy = SCHEDULER.add_noise(clean, noise, timesteps)
    velocity = SCHEDULER.get_velocity(clean, noise, timesteps)
    found = diffusion.clean_from_velocity(noisy, velocity, SCHEDULER.alphas_cumprod, timesteps)
    torch.testing.assert_close(found, clean, atol=1e-4, rtol=1e-4)


def test_a_start_from_the_warp_asks_for_the_photo():
    alphas = torch.linspace(0.99, 0.0, 1000)
    photo, warp, noise = torch.randn(3, 4, 16, 8, 8)
    timesteps = torch.tensor([10, 300, 700, 999])
    alpha = alphas[timesteps].view(-1, 1, 1, 1)
    noisy = alpha.sqrt() * warp + (1 - alpha).sqrt() * noise
    velocity = diffusion.velocity_to(photo, noisy, alphas, timesteps)
    torch.testing.assert_close(diffusion.clean_from_velocity(noisy, velocity, alphas, timesteps), photo)


def test_a_prediction_of_the_noise_is_a_velocity():
    alphas = torch.tensor([0.9, 0.3])
    timesteps = torch.tensor([0, 1])
    photo, noise = torch.randn(2, 2, 4, 8, 8).unbind(0)
    alpha = alphas.view(-1, 1, 1, 1)
    noisy = alpha.sqrt() * photo + (1 - alpha).sqrt() * noise
    found = diffusion.velocity_from_noise(noise, noisy, alphas, timesteps)
    torch.testing.assert_close(found, diffusion.velocity_to(photo, noisy, alphas, timesteps))


def test_errors_of_noise_weigh_as_min_snr_has_them():
    """min(1, gamma / SNR) times the noise's squared error (arXiv 2303.09556)."""
    alphas, timesteps = torch.tensor([0.99, 0.5, 0.01]), torch.arange(3)
    weight = diffusion.min_snr_weight(alphas, timesteps, 5.0, "epsilon")
    error = torch.full((3, 4, 8, 8), 0.1)
    noisy = torch.zeros_like(error)
    velocity = diffusion.velocity_from_noise(error, noisy, alphas, timesteps)
    found = weight * velocity.square().mean(dim=(1, 2, 3))
    snr = alphas / (1 - alphas)
    torch.testing.assert_close(found, (5 / snr).clamp(max=1) * 0.01)
