"""Every scheduler that people use with SDXL draws, follows HiFi-Net, and is plain SDXL's at scale 0."""

import numpy as np
import pytest
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    LCMScheduler,
    TCDScheduler,
    UniPCMultistepScheduler,
)

from tiny_pipelines import TARGET, draw, draw_plain

SDXL = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}
SCHEDULERS = {
    "Euler": EulerDiscreteScheduler(**SDXL),
    "Euler a": EulerAncestralDiscreteScheduler(**SDXL),
    "DPM++ 2M Karras": DPMSolverMultistepScheduler(**SDXL, use_karras_sigmas=True),
    "UniPC": UniPCMultistepScheduler(**SDXL),
    "LCM": LCMScheduler(**SDXL),
    "TCD": TCDScheduler(**SDXL),
    "DDIM": DDIMScheduler(**SDXL),
    "Heun": HeunDiscreteScheduler(**SDXL),
}


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedulers(pipe, identity, name, prediction):
    scheduler = SCHEDULERS[name]
    pipe.scheduler = type(scheduler).from_config(scheduler.config, prediction_type=prediction)
    settings = {"num_inference_steps": 4, "guidance_scale": 2.0}
    ours = draw(pipe, identity, **settings)
    base = draw(pipe, identity, hifi_scale=0.0, face_scale=0.0, **settings)
    assert np.isfinite(ours).all() and not np.array_equal(ours, base)
    assert np.array_equal(base, draw_plain(pipe, **settings))


def test_a_few_steps_without_guidance(pipe, identity):
    """As SDXL-Lightning's weights are used: trailing timesteps, 4 steps, guidance 1."""
    pipe.scheduler = EulerDiscreteScheduler(**SDXL, timestep_spacing="trailing")
    settings = {"num_inference_steps": 4, "guidance_scale": 1.0}
    calls = []
    hook = pipe.unet.register_forward_pre_hook(lambda _, args: calls.append(len(args[0])))
    ours = draw(pipe, identity, **settings)
    hook.remove()
    assert calls == [1, 1, 1, 1]
    base = draw(pipe, identity, hifi_scale=0.0, face_scale=0.0, **settings)
    assert np.array_equal(base, draw_plain(pipe, **settings)) and not np.array_equal(ours, base)


@pytest.mark.parametrize("name", [name for name in SCHEDULERS if name != "Heun"])
def test_the_warp_is_a_start_for_every_scheduler(pipe, identity, name):
    scheduler = SCHEDULERS[name]
    pipe.scheduler = type(scheduler).from_config(scheduler.config)
    near, far = (
        draw(pipe, identity, num_inference_steps=8, warp_strength=strength, warp_share=0.0, hifi_scale=0.0)
        for strength in (0.125, 0.9)
    )
    warp = identity.warp(TARGET, 64) / 255
    assert np.isfinite(near).all() and np.isfinite(far).all()
    assert near.shape[1:] == warp.shape and not np.array_equal(near, far)
