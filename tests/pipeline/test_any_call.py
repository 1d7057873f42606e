"""Numbers of any type, seeds, several targets, sizes: a call takes them, or names what it refuses."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest
import torch
from diffusers import (
    EDMDPMSolverMultistepScheduler,
    EDMEulerScheduler,
    FlowMatchEulerDiscreteScheduler,
    FlowMatchHeunDiscreteScheduler,
)

from hifi_portrait.errors import ModelError
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.options import KEYWORDS, choose_upscale, settle
from tiny_pipelines import TARGET, a_pipeline, an_identity, draw

CONFIG = {"default_steps": 3, "default_guidance": 2.0, "default_warp_strength": 0.5} | {
    "default_warp_grain": 1.0,
    "default_upscale": 2,
    "default_prompt_scale": 1.0,
}


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float32, torch.tensor, np.array, float])
def test_numbers_of_every_type_are_taken(kind):
    given = {"num_inference_steps": kind(2), "guidance_scale": kind(3), "prompt_rounds": kind(1)}
    settings = settle([None] * 5, given, CONFIG, 256)
    assert (settings.num_inference_steps, settings.guidance_scale, settings.prompt_rounds) == (2, 3, 1)
    assert type(settings.num_inference_steps) is int
    assert type(settings.guidance_scale) is float


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, np.float32("nan"), "2", b"2", True, [1], 2 + 1j]
)
@pytest.mark.parametrize("name", sorted(set(KEYWORDS) - {"guides", "start"}))
def test_what_is_no_finite_number_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        settle([None] * 5, {name: value}, CONFIG, 256)


@pytest.mark.parametrize("value", [0, -1, 2.5, np.int64(0), 10**30])
@pytest.mark.parametrize("name", ["num_inference_steps", "height", "upscale", "num_images_per_prompt"])
def test_a_count_is_a_whole_number_of_one_or_more(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        settle([None] * 5, {name: value}, CONFIG, 256)


@pytest.mark.parametrize("name", ["hifi_scale", "face_scale", "prompt_scale", "warp_share", "guidance_scale"])
def test_negative_scales_are_refused_by_name(pipe, identity, name):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        draw(pipe, identity, **{name: np.float64(-0.5)})


@pytest.mark.parametrize(
    ("asked", "drawn", "upscale"),
    [
        ({"height": 512, "width": 512}, (256, 256), 2),
        ({"height": 256, "width": 256}, (256, 256), 1),
        ({"height": np.int64(1024), "width": 1024}, (256, 256), 4),
        ({"height": 768, "width": 512}, (384, 256), 2),
        ({"height": 512}, (256, 256), 2),
        ({"height": 512, "width": 512, "upscale": 2}, (512, 512), 2),
        ({"upscale": 3}, (256, 256), 3),
        ({}, (256, 256), 2),
    ],
)
def test_a_size_is_that_of_the_finished_picture(asked, drawn, upscale):
    settings = settle([None] * 5, asked, CONFIG, 256, 16)
    assert ((settings.height, settings.width), settings.upscale) == (drawn, upscale)


def test_a_size_that_cannot_be_drawn_smaller_is_drawn_as_it_is():
    assert choose_upscale(272, 272, 256, 16) == 1
    assert choose_upscale(520, 520, 256, 16) == 1  # and is refused later: no multiple of 16


def test_a_model_that_does_not_enlarge_draws_the_size(pipe, identity):
    assert draw(pipe, identity, height=96, width=64).shape == (1, 96, 64, 3)


@pytest.mark.parametrize("seed", [5, np.int64(5), 5.0])
def test_a_seed_is_a_generator(pipe, identity, seed):
    one = pipe(identity, TARGET, generator=seed, num_inference_steps=2, output_type="np").images
    np.testing.assert_array_equal(one, draw(pipe, identity, seed=5, num_inference_steps=2))


def test_seeds_may_be_a_tuple_one_a_picture(pipe, identity):
    settings = {"num_inference_steps": 1, "output_type": "np"}
    two = pipe(identity, TARGET, generator=(3, 4), num_images_per_prompt=2, **settings).images
    for picture, seed in zip(two, (3, 4), strict=True):
        alone = pipe(identity, TARGET, generator=seed, **settings).images[0]
        np.testing.assert_allclose(picture, alone, atol=1e-4)


@pytest.mark.parametrize(
    "seed", ["five", 5.5, math.nan, np.random.default_rng(0), object(), 2**64, -1, [1, 2, 3]]
)
def test_what_is_no_seed_is_refused_by_name(pipe, identity, seed):
    with pytest.raises((TypeError, ValueError), match="`generator`"):
        pipe(identity, TARGET, generator=seed)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("seed", "generator"), ("steps", "num_inference_steps"), ("negative", "negative_prompt")],
)
def test_another_programs_name_of_an_argument_is_understood(pipe, identity, wrong, right):
    with pytest.raises(TypeError, match=f"no argument `{wrong}`; did you mean `{right}`"):
        pipe(identity, TARGET, **{wrong: 5})


def test_several_targets_of_one_person_are_drawn_in_turn(pipe, identity):
    targets = [Target("smile"), Target(yaw=20), Target(pitch=10)]
    settings = {"num_inference_steps": 1, "output_type": "np", "generator": 7}
    together = pipe(identity, targets, **settings).images
    assert together.shape == (3, 64, 64, 3)
    for picture, target in zip(together, targets, strict=True):
        np.testing.assert_array_equal(picture, pipe(identity, target, **settings).images[0])


def test_several_targets_have_one_look(pipe):
    """Each by itself would be drawn of the photo nearest in pose."""
    person = an_identity()
    targets = [Target(yaw=-25), Target(yaw=25), Target(yaw=30)]
    settings = {"num_inference_steps": 1, "output_type": "np", "generator": 7, "warp_share": 1.0}
    together = pipe(person, targets, **settings).images
    look = person.best_look(targets)
    alone = [pipe(person, target.replace(look=look), **settings).images[0] for target in targets]
    np.testing.assert_array_equal(together, np.stack(alone))
    own = [pipe(person, target, **settings).images[0] for target in targets]
    assert [np.array_equal(*pair) for pair in zip(alone, own, strict=True)].count(False) == 1
    other = pipe(person, [targets[0].replace(look=0), targets[1]], **settings).images
    np.testing.assert_array_equal(other[1], own[1])


def test_targets_with_a_generator_each_and_without_any(pipe, identity):
    generators = [torch.Generator().manual_seed(n) for n in range(2)]
    drawn = pipe(identity, (TARGET, TARGET), generator=generators, num_inference_steps=1).images
    assert len(drawn) == 2
    with pytest.raises(ValueError, match="`target` is an empty list"):
        pipe(identity, [])
    with pytest.raises(ValueError, match="`generator` must be one"):
        pipe(identity, (TARGET, TARGET), generator=[1, 2, 3])


@pytest.mark.parametrize(
    "kind",
    [
        EDMEulerScheduler,
        EDMDPMSolverMultistepScheduler,
        FlowMatchEulerDiscreteScheduler,
        FlowMatchHeunDiscreteScheduler,
    ],
)
def test_a_scheduler_of_another_kind_of_model_is_refused_by_name(identity, kind):
    pipe = a_pipeline()
    pipe.scheduler = kind()
    with pytest.raises(ModelError, match=f"{kind.__name__} does not fit"):
        draw(pipe, identity)


PARTS = ("unet", "vae", "text_encoder", "text_encoder_2", "hifi_net", "face_encoder", "face_refiner")


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        *((part, torch.float16) for part in PARTS),
        ("unet", torch.bfloat16),
        ("vae", torch.float64),
        ("hifi_net", torch.bfloat16),
    ],
)
def test_a_part_of_another_precision_is_named(identity, part, kind):
    pipe = a_pipeline()
    getattr(pipe, part).to(kind)
    with pytest.raises(ModelError, match=f"different precision .*{part}.*{str(kind).removeprefix('torch.')}"):
        draw(pipe, identity)


@pytest.mark.parametrize("prompt", [5, [5], [], ["a", None], {"a": 1}])
def test_what_is_no_prompt_is_refused_by_name(pipe, identity, prompt):
    with pytest.raises((TypeError, ValueError), match="`prompt`"):
        draw(pipe, identity, prompt=prompt)


def test_an_unknown_output_type_is_refused(pipe, identity):
    with pytest.raises(ValueError, match="`output_type`"):
        draw(pipe, identity, output_type="jpeg")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"negative_prompt": "hat", "guidance_scale": 1}, "negative prompt has no effect"),
        (
            {"num_images_per_prompt": 2, "warp_strength": 0.5, "warp_grain": 0},
            "2 pictures of a prompt are the same",
        ),
        ({"hifi_every": 9}, "hifi_every 9 is more than"),
        ({"hifi_every": 2, "warp_strength": 0.5}, "hifi_every 2 is more than the 1 steps"),
        ({"guidance_rescale": 0.7, "guidance_scale": 1}, "guidance_rescale has no effect at guidance 1"),
        ({"warp_strength": 0.5, "prompt_scale": 5.0}, "prompt_scale (--prompt-scale) has no effect without"),
        ({"warp_strength": 0.5, "prompt_rounds": 5}, "prompt_rounds (--prompt-rounds) has no effect without"),
        (
            {"warp_strength": 0.5, "prompt": "a hat", "prompt_scale": 0, "prompt_rounds": 5},
            "prompt_rounds (--prompt-rounds) has no effect at prompt_scale 0",
        ),
        ({"start": "imagined", "warp_grain": 0.5}, "warp_grain (--warp-grain) has no effect on a start from"),
        ({"start": "imagined", "warp_share": 0.5}, "warp_share (--warp-share) has no effect on a start from"),
        ({"prompt": "word " * 600}, "too long: the model does not read"),
    ],
)
def test_what_has_no_effect_is_said(pipe, identity, caplog, arguments, said):
    with caplog.at_level(logging.WARNING, "hifi_portrait"):
        draw(pipe, identity, num_inference_steps=2, **arguments)
    assert said in caplog.text


def test_what_has_an_effect_is_not_talked_of(pipe, identity, caplog):
    with caplog.at_level(logging.WARNING, "hifi_portrait"):
        draw(pipe, identity, negative_prompt="hat", guidance_scale=2.0, num_images_per_prompt=2)
    assert caplog.text == ""


@pytest.mark.parametrize("size", [0, -5, 2.5, "big", math.nan, 10**9])
def test_a_warp_of_no_size_is_refused(identity, size):
    with pytest.raises(ValueError, match="`size` must be"):
        identity.warp(TARGET, size)


def test_a_warp_takes_numpys_numbers(identity):
    assert identity.warp(TARGET, np.int64(32)).shape == (32, 32, 3)
