"""What is kept of a picture is as it was, in pictures and in the latents of the denoising loop."""

from __future__ import annotations

import pytest
import torch
from diffusers import EulerDiscreteScheduler

from hifi_portrait.pipeline.inpaint import InpaintingMask, LatentInpainting

REDRAWN = torch.tensor([0.0, 0.0, 0.5, 1.0]).expand(1, 1, 4, 4)


@pytest.fixture
def scheduler():
    made = EulerDiscreteScheduler()
    made.set_timesteps(5)
    return made


def inpainting(noise_scale=1.0):
    generator = torch.Generator().manual_seed(0)
    picture, latents, noise = (torch.randn(1, 4, 4, 4, generator=generator) for _ in range(3))
    return LatentInpainting(picture[:, :3], REDRAWN, latents, noise_scale, noise)


def test_pictures_are_pasted_where_they_are_redrawn():
    given, drawn = torch.zeros(1, 3, 4, 4), torch.ones(2, 3, 4, 4)
    assert torch.equal(InpaintingMask(given, REDRAWN).paste(drawn), REDRAWN.expand(2, 3, 4, 4))


def test_latents_are_clean_after_the_last_step(scheduler):
    kept = inpainting()
    blended = kept.blend(torch.full((2, 4, 4, 4), 9.0), scheduler, None)
    torch.testing.assert_close(blended[..., :2], kept.latents.expand(2, 4, 4, 4)[..., :2])
    assert (blended[..., 3] == 9).all()


@pytest.mark.parametrize("noise_scale", [1.0, 0.25])
def test_latents_are_as_noisy_as_the_rest_started(scheduler, noise_scale):
    kept = inpainting(noise_scale)
    timestep = scheduler.timesteps[2]
    blended = kept.blend(torch.zeros(1, 4, 4, 4), scheduler, timestep)
    expected = scheduler.add_noise(kept.latents, noise_scale * kept.noise, timestep.reshape(1))
    torch.testing.assert_close(blended[..., :2], expected[..., :2])
    torch.testing.assert_close(blended[..., 2], expected[..., 2] / 2)


def test_after_a_step_latents_are_as_noisy_as_the_next_step_expects(scheduler):
    kept, heard = inpainting(), []

    def listen(pipe, step, timestep, tensors):
        heard.append((step, sorted(tensors)))
        return {}

    pipe = type("Pipe", (), {"scheduler": scheduler})
    after_step = kept.make_callback(listen, ["prompt_embeds"], lambda: scheduler.timesteps)
    values = {"latents": torch.zeros(1, 4, 4, 4), "prompt_embeds": torch.zeros(1)}
    for step, timestep in enumerate(scheduler.timesteps):
        following = scheduler.timesteps[step + 1] if step < 4 else None
        blended = after_step(pipe, step, timestep, values)["latents"]
        torch.testing.assert_close(blended, kept.blend(values["latents"], scheduler, following))
    assert heard == [(step, ["prompt_embeds"]) for step in range(5)]


def test_latents_that_the_users_own_callback_returns_are_blended():
    kept = inpainting()
    after_step = kept.make_callback(
        lambda *_: {"latents": torch.full((1, 4, 4, 4), 7.0)}, ["latents"], lambda: torch.zeros(1)
    )
    blended = after_step(type("Pipe", (), {"scheduler": None}), 0, 0, {"latents": torch.zeros(1, 4, 4, 4)})
    assert (blended["latents"][..., 3] == 7).all()
