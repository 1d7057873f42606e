"""Nothing of a call is left behind, and calls over the same parts take turns."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, EulerDiscreteScheduler

from hifi_portrait import Guide
from hifi_portrait.errors import HiFiPortraitError, ModelError, PipelineBusyError
from hifi_portrait.pipeline import HiFiPortraitPipeline
from tiny_pipelines import TARGET, a_pipeline, an_identity, draw

# All that a call can put on shared parts: guides, rescaled guidance, a start from the warp, reused residuals.
EVERYTHING = {
    "num_inference_steps": 4,
    "warp_strength": 0.5,
    "guidance_scale": 3.0,
    "guidance_rescale": 0.5,
    "hifi_every": 2,
    "prompt": "a beard",
}


@pytest.fixture(scope="module")
def pipe():
    return a_pipeline(
        overrides={"hifi_net": {"latent_prior": 8}, "scheduler": {"prediction_type": "v_prediction"}}
    )


@pytest.fixture(scope="module")
def guide(pipe):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = ControlNetModel.from_unet(pipe.unet, conditioning_embedding_out_channels=(4, 4, 8, 8))
    return Guide(model.eval(), np.zeros((64, 64, 3), np.uint8))


def state_of(pipe):
    """All that a call may change in a pipeline's parts, to be compared by identity."""
    modules = [module for part in (pipe.unet, pipe.hifi_net, pipe.vae) for module in part.modules()]
    hooks = [(*module._forward_hooks.values(), *module._forward_pre_hooks.values()) for module in modules]
    return [
        *(value for name, value in sorted(vars(pipe.scheduler).items())),
        *sorted(vars(pipe.scheduler)),
        *(hook for each in hooks for hook in each),
        *pipe.unet.attn_processors.values(),
        pipe.hifi_net._bound,
        *(layer.bound for layer in pipe.face_attention._layers),
        pipe._state,
    ]


def assert_as_before(pipe, before):
    after = state_of(pipe)
    assert len(after) == len(before)
    assert all(new is old for new, old in zip(after, before, strict=True))


def test_a_call_leaves_no_state(pipe, identity, guide):
    before = state_of(pipe)
    draw(pipe, identity, guides=[guide], **EVERYTHING)
    assert_as_before(pipe, before)


class StopError(Exception):
    pass


@pytest.mark.parametrize("step", [0, 1])
def test_an_exception_in_a_callback_leaves_no_state(pipe, identity, guide, step):
    before, expected = state_of(pipe), draw(pipe, identity, guides=[guide], **EVERYTHING)

    def stop(_pipe, now, _timestep, tensors):
        if now == step:
            raise StopError
        return tensors

    with pytest.raises(StopError):
        draw(pipe, identity, guides=[guide], callback_on_step_end=stop, **EVERYTHING)
    assert_as_before(pipe, before)
    assert np.array_equal(draw(pipe, identity, guides=[guide], **EVERYTHING), expected)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"callback_on_step_end_tensor_inputs": ["nonsense"]}, ValueError),  # found by diffusers, late
        ({"timesteps": [3, 2, 1], "sigmas": [1.0]}, ValueError),  # later still
        ({"generator": [torch.Generator()] * 3}, ValueError),  # after the schedule is set
        ({"latents": torch.zeros(1, 3, 8, 8)}, ValueError),  # found first
    ],
)
def test_a_wrong_argument_leaves_no_state(pipe, identity, wrong, error):
    before, expected = state_of(pipe), draw(pipe, identity, **EVERYTHING)
    with pytest.raises(error):
        pipe(identity, TARGET, **(EVERYTHING | {"warp_strength": 1.0, "output_type": "np"} | wrong))
    assert_as_before(pipe, before)
    assert np.array_equal(draw(pipe, identity, **EVERYTHING), expected)


def test_a_guide_that_does_not_fit_leaves_no_state(pipe, identity):
    config = dict(pipe.unet.config) | {"cross_attention_dim": 48}
    other = ControlNetModel.from_unet(
        type(pipe.unet).from_config(config), conditioning_embedding_out_channels=(4, 4)
    )
    before = state_of(pipe)
    with pytest.raises(ModelError, match="does not fit"):
        draw(pipe, identity, guides=[Guide(other, np.zeros((64, 64, 3)))], **EVERYTHING)
    assert_as_before(pipe, before)


def test_a_schedulers_own_attributes_stay(identity):
    """Such as a method that somebody has replaced on the instance."""
    pipe = a_pipeline()
    pipe.scheduler = scheduler = EulerDiscreteScheduler()
    seen = []
    step, set_timesteps = scheduler.step, scheduler.set_timesteps
    scheduler.step = lambda *args, **words: seen.append("step") or step(*args, **words)
    scheduler.set_timesteps = lambda *args, **words: seen.append("set") or set_timesteps(*args, **words)
    before = dict(vars(scheduler))
    draw(pipe, identity, num_inference_steps=4, warp_strength=0.5, guidance_rescale=0.5)
    assert seen == ["set", "step", "step"]
    assert vars(scheduler).keys() == before.keys()
    assert all(vars(scheduler)[name] is value for name, value in before.items())


class Held:
    """A call on another thread that waits after its first step until it is released."""

    def __init__(self, pipe, identity):
        self.started, self.released = threading.Event(), threading.Event()
        self.pool = ThreadPoolExecutor(1)
        self.call = self.pool.submit(draw, pipe, identity, callback_on_step_end=self._wait)
        assert self.started.wait(60)

    def _wait(self, _pipe, _step, _timestep, tensors):
        self.started.set()
        assert self.released.wait(60)
        return tensors

    def picture(self):
        self.released.set()
        with self.pool:
            return self.call.result()


def test_a_second_call_is_refused_and_the_first_is_as_if_alone(pipe, identity):
    alone, other = draw(pipe, identity), draw(pipe, an_identity(seed=5))
    held = Held(pipe, identity)
    try:
        with pytest.raises(PipelineBusyError, match=r"give each thread a pipeline of its own: `copy\.deepc"):
            draw(pipe, an_identity(seed=5))
    finally:
        picture = held.picture()
    assert np.array_equal(picture, alone)
    assert np.array_equal(draw(pipe, an_identity(seed=5)), other)
    assert issubclass(PipelineBusyError, HiFiPortraitError)


def test_a_pipeline_over_the_same_parts_is_refused_too(pipe, identity):
    second = HiFiPortraitPipeline(**pipe.components)
    second.set_progress_bar_config(disable=True)
    held = Held(pipe, identity)
    try:
        with pytest.raises(PipelineBusyError, match="hifi_net"):
            draw(second, identity)
    finally:
        held.picture()
    assert np.array_equal(draw(second, identity), draw(pipe, identity))


def test_a_call_within_a_call_is_refused(pipe, identity):
    def nested(own, _step, _timestep, _tensors):
        draw(own, identity)

    expected = draw(pipe, identity)
    with pytest.raises(PipelineBusyError):
        draw(pipe, identity, callback_on_step_end=nested)
    assert np.array_equal(draw(pipe, identity), expected)


def test_copies_draw_side_by_side(pipe):
    """Two pipelines with parts of their own, on two threads that start together, three calls each."""
    people = [an_identity(seed=seed) for seed in (0, 5)]
    alone = [[draw(pipe, person, seed=seed) for seed in range(3)] for person in people]
    pipes, together = [copy.deepcopy(pipe), copy.deepcopy(pipe)], threading.Barrier(2)

    def calls(number):
        together.wait(60)
        return [draw(pipes[number], people[number], seed=seed) for seed in range(3)]

    with ThreadPoolExecutor(2) as pool:
        drawn = list(pool.map(calls, range(2)))
    assert np.array_equal(drawn, alone)


def test_no_call_of_several_threads_is_wrong(pipe):
    """Each call either gives its own picture or is refused."""
    people = [an_identity(seed=seed) for seed in (0, 5, 6)]
    alone = [draw(pipe, person) for person in people]
    together = threading.Barrier(3)

    def call(number):
        together.wait(60)
        try:
            return draw(pipe, people[number])
        except PipelineBusyError:
            return None

    with ThreadPoolExecutor(3) as pool:
        drawn = [picture for _ in range(2) for picture in zip(pool.map(call, range(3)), alone, strict=True)]
    finished = [pair for pair in drawn if pair[0] is not None]
    assert finished and all(np.array_equal(picture, expected) for picture, expected in finished)
