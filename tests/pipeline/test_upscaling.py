"""Portraits larger than the networks draw them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from hifi_portrait import Scene
from hifi_portrait.head import HeadPose
from hifi_portrait.person.target import Framing, Target
from hifi_portrait.pipeline import HiFiPortraitPipeline
from hifi_portrait.pipeline.encode import draw_head
from tiny_pipelines import TARGET, an_identity, draw

PICTURE = Path(__file__).parents[1] / "pictures" / "person_b_1.jpg"
NEAR_WARP = {"num_inference_steps": 4, "warp_strength": 0.25, "warp_grain": 0.0}


def halved(pictures):
    return F.avg_pool2d(torch.from_numpy(pictures).permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_a_portrait_is_so_many_times_as_large(pipe, identity, factor):
    pictures = draw(pipe, identity, upscale=factor, height=64, width=96, **NEAR_WARP)
    assert pictures.shape == (1, 64 * factor, 96 * factor, 3)


def test_a_larger_portrait_shows_the_same(pipe, identity):
    small, large = (draw(pipe, identity, upscale=factor, **NEAR_WARP) for factor in (1, 2))
    assert np.abs(halved(large) - small).mean() < 0.02


def test_where_it_is_the_warp_it_is_the_large_one(pipe, identity):
    same = {}
    for factor in (1, 2):
        warp = identity.warp(TARGET, 64 * factor) / 255
        differs = np.abs(draw(pipe, identity, upscale=factor, **NEAR_WARP)[0] - warp)
        same[factor] = (differs.max(axis=-1) < 0.01).mean()
    assert same[2] > 0.8 * same[1] > 0.2


def test_from_noise_pictures_are_only_enlarged(pipe, identity):
    small, large = (torch.from_numpy(draw(pipe, identity, upscale=factor)) for factor in (1, 2))
    expected = F.interpolate(small.permute(0, 3, 1, 2), scale_factor=2, mode="bicubic").clamp(0, 1)
    # The networks read the large warp, reduced, which is not quite the small one.
    assert (large.permute(0, 3, 1, 2) - expected).abs().mean() < 0.02


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_the_warps_detail_does_not_depend_on_a_prompts_rounds(pipe, identity, rounds):
    """In later rounds the networks read the picture so far; the detail is the warp's all the same."""
    words = {"upscale": 2, **NEAR_WARP}
    plain = draw(pipe, identity, **words)
    prompted = draw(pipe, identity, prompt="a beard", prompt_scale=0.0, prompt_rounds=rounds, **words)
    np.testing.assert_allclose(prompted, plain, atol=1e-5)


def test_latents_stay_as_they_are(pipe, identity):
    small, large = (draw(pipe, identity, output_type="latent", upscale=factor) for factor in (1, 2))
    assert torch.equal(small, large)


def test_two_people_are_each_sharp(pipe, identity):
    targets = [
        TARGET.replace(framing=Framing(0.45, 0.27, 0.5)),
        Target(pose=HeadPose(yaw=-20), framing=Framing(0.45, 0.73, 0.5)),
    ]
    words = {"height": 64, "width": 128, **NEAR_WARP}
    small, large = (
        draw(pipe, [identity, an_identity(seed=1)], targets, upscale=factor, **words) for factor in (1, 2)
    )
    assert large.shape == (1, 128, 256, 3)
    assert np.abs(halved(large) - small).mean() < 0.02


def test_what_a_scene_keeps_is_as_sharp_as_it_is(pipe, identity):
    scene = Scene.from_photo(PICTURE)
    large = draw(pipe, identity, scene.target, scene=scene, upscale=2, **NEAR_WARP)
    kept = scene.mask(draw_head(identity, scene.target, 128, 128)) == 0
    np.testing.assert_allclose(large[0][kept], scene.crop(128)[kept] / 255, atol=1e-6)


def test_a_model_has_a_default(pipe, identity, tmp_path):
    pipe.register_to_config(default_upscale=2)
    pipe.save_pretrained(tmp_path)
    again = HiFiPortraitPipeline.from_pretrained(tmp_path)
    again.set_progress_bar_config(disable=True)
    pipe.register_to_config(default_upscale=1)
    assert again.config.default_upscale == 2
    assert draw(again, identity, **NEAR_WARP).shape == (1, 128, 128, 3)


@pytest.mark.parametrize("factor", [0, 1.5, "2"])
def test_a_factor_that_is_no_count_is_refused(pipe, identity, factor):
    with pytest.raises(ValueError, match="`upscale` must be a whole number of 1 or more"):
        draw(pipe, identity, upscale=factor)
