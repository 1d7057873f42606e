"""How people run it: interruption, callbacks, compilation."""

import numpy as np
import pytest
import torch

from tiny_pipelines import draw


@pytest.mark.parametrize("start", [{}, {"warp_strength": 0.8, "prompt": "a beard"}])
def test_an_interrupted_call_stops(pipe, identity, start):
    steps, runs = [], []
    hook = pipe.unet.register_forward_hook(lambda *_: runs.append(1))

    def on_step(own, step, timestep, tensors):
        steps.append(step)
        own._interrupt = step == 1
        return tensors

    images = draw(pipe, identity, num_inference_steps=6, callback_on_step_end=on_step, **start)
    hook.remove()
    assert steps == [0, 1] and len(runs) == 2 and np.isfinite(images).all()
    assert len(draw(pipe, identity)) == 1  # the next call is not


@pytest.mark.parametrize("run", [7, 8])
def test_a_draw_that_is_interrupted_leaves_the_picture_of_the_round_before(pipe, identity, run):
    settings = {"num_inference_steps": 4, "warp_strength": 0.5, "warp_grain": 0.0, "prompt": "a beard"}
    before = draw(pipe, identity, prompt_rounds=1, **settings)
    runs = []

    def interrupting(*_):  # as somebody does who watches from another thread
        runs.append(1)
        pipe._interrupt = len(runs) == run

    hook = pipe.unet.register_forward_hook(interrupting)
    drawn = draw(pipe, identity, prompt_rounds=3, **settings)
    hook.remove()
    assert len(runs) == run
    np.testing.assert_allclose(drawn, before, atol=1e-5)


def test_callbacks_can_change_the_latents(pipe, identity):
    plain = draw(pipe, identity, num_inference_steps=4)

    def on_step(own, step, timestep, tensors):
        return {"latents": tensors["latents"] * 0.5} if step == 1 else {}

    changed = draw(
        pipe,
        identity,
        num_inference_steps=4,
        callback_on_step_end=on_step,
        callback_on_step_end_tensor_inputs=["latents"],
    )
    assert not np.array_equal(plain, changed)


@pytest.mark.slow
def test_the_networks_compile_without_graph_breaks(pipe, identity):
    plain = draw(pipe, identity)
    torch._dynamo.reset()
    pipe.unet.compile(fullgraph=True, backend="eager")
    pipe.hifi_net.compile(fullgraph=True, backend="eager")
    np.testing.assert_allclose(draw(pipe, identity), plain, atol=1e-5)
    np.testing.assert_allclose(draw(pipe, identity, num_inference_steps=3), plain, atol=1e-5)
