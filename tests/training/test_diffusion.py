import torch

from hifi_portrait.training.objectives.diffusion import draw_noise_scale, draw_timesteps, draw_warp_starts

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
