"""How people run it: interruption, callbacks, compilation."""

import numpy as np
import pytest
import torch
from diffusers import T2IAdapter

from hifi_portrait import Guide
from tiny_pipelines import a_pipeline, draw, draw_plain


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


def count_graphs(compile_with, run):
    """How many graphs a run is compiled into, whole ones alone."""
    graphs = []

    def backend(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    torch._dynamo.reset()
    compile_with(backend=backend, fullgraph=True)
    run()
    torch._dynamo.reset()
    return len(graphs)


@pytest.mark.slow
def test_repeated_blocks_compile_into_as_many_graphs_as_those_of_sdxl(identity):
    """Each kind of block once, however many layers there are, and once more for another scale."""
    plain, ours = a_pipeline(), a_pipeline()
    drawn = draw(ours, identity)
    of_sdxl = count_graphs(plain.unet.compile_repeated_blocks, lambda: draw_plain(plain))
    assert of_sdxl == 2  # of its two widths

    def compare():
        np.testing.assert_allclose(draw(ours, identity), drawn, atol=1e-5)

    assert count_graphs(ours.unet.compile_repeated_blocks, compare) == of_sdxl


@pytest.mark.slow
def test_the_networks_compile_whole_and_a_guided_unet_not_once_a_step(identity):
    """Which step is under way is not read from a tensor, for which a GPU would have to be waited."""
    pipe = a_pipeline()
    widths = {"channels": [8, 16, 24, 24], "num_res_blocks": 1, "downscale_factor": 16}
    model = T2IAdapter(**widths, adapter_type="full_adapter_xl").eval()
    guide = Guide(model, np.zeros((64, 64, 3), np.uint8), end=0.5)  # the UNet is alone afterwards
    settings = {"guides": [guide], "num_inference_steps": 4}
    plain = draw(pipe, identity, **settings)

    def compile_both(**how):
        pipe.hifi_net.compile(fullgraph=True, backend="eager")
        pipe.unet.compile(**how)

    def compare():
        np.testing.assert_allclose(draw(pipe, identity, **settings), plain, atol=1e-5)

    assert count_graphs(compile_both, compare) <= 3
