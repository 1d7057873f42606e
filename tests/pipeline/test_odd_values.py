"""Values of any kind for what diffusers reads, and for what else a call takes: used, or refused by name."""

from __future__ import annotations

import logging
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from hifi_portrait.errors import ModelError, NoFaceError
from hifi_portrait.faces import analyse
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.scene import Scene
from tiny_pipelines import draw

PICTURE = Path(__file__).parents[1] / "pictures" / "person_a_1.jpg"
NOWHERE_A_NUMBER = [math.nan, math.inf, -1, "x", [-1], object()]


@pytest.mark.parametrize("value", NOWHERE_A_NUMBER, ids=["nan", "inf", "-1", "x", "[-1]", "object"])
@pytest.mark.parametrize(
    "name",
    [
        *("eta", "clip_skip", "cross_attention_kwargs", "denoising_end", "latents", "timesteps", "sigmas"),
        *("original_size", "target_size", "crops_coords_top_left", "negative_original_size"),
        *("control_guidance_start", "control_guidance_end", "prompt_embeds", "pooled_prompt_embeds"),
    ],
)
def test_what_diffusers_cannot_use_is_refused_by_name(pipe, identity, name, value):
    if name in ("timesteps", "sigmas") and value == [-1]:
        pytest.skip("a number")
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        draw(pipe, identity, **{name: value})


@pytest.mark.parametrize("name", ["latents", "prompt_embeds", "negative_prompt_embeds"])
def test_tensors_of_nan_draw_nothing(pipe, identity, name):
    with pytest.raises(ValueError, match=f"`{name}` must be a tensor .*finite numbers"):
        draw(pipe, identity, **{name: torch.full((1, 4, 8, 8), math.nan)})


@pytest.mark.parametrize("shape", [(4, 8, 8), (2, 4, 8, 8), (1, 3, 8, 8)])
def test_latents_of_another_shape_are_refused(pipe, identity, shape):
    with pytest.raises(ValueError, match=r"`latents` must be a tensor \(1, 4, H, W\)"):
        draw(pipe, identity, latents=torch.zeros(shape))


def test_what_diffusers_can_use_is_taken(pipe, identity):
    draw(pipe, identity, eta=np.float32(0), clip_skip=1, original_size=(64, 64), cross_attention_kwargs={})


@pytest.mark.parametrize("name", ["ip_adapter_image", "ip_adapter_image_embeds"])
def test_a_picture_for_an_adapter_that_is_not_loaded_is_refused(pipe, identity, name):
    with pytest.raises(ModelError, match=f"`{name}` needs an IP-Adapter"):
        draw(pipe, identity, **{name: Image.new("RGB", (64, 64))})


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("regions", 5, "a list"),
        ("guides", 5, "a list of Guide"),
        ("guides", [Image.new("L", (8, 8))], "a list of Guide"),
        ("callback_on_step_end", "x", "a function"),
        ("scene", PICTURE, "a Scene"),
    ],
)
def test_what_is_of_another_kind_is_refused_by_name(pipe, identity, name, value, wanted):
    with pytest.raises(TypeError, match=f"`{name}` must be {wanted}"):
        draw(pipe, identity, **{name: value})


@pytest.mark.parametrize("picture", [PICTURE, str(PICTURE), Image.new("RGB", (64, 64)), None])
def test_a_picture_in_place_of_a_scene_is_refused(pipe, identity, picture):
    with pytest.raises(TypeError, match=r"see Scene\.from_photo"):
        pipe.redraw(identity, picture)


def test_a_prompt_that_is_no_unicode_is_refused(pipe, identity):
    with pytest.raises(ValueError, match="`negative_prompt` holds letters that are no Unicode"):
        draw(pipe, identity, negative_prompt="a\udcff")


def test_a_tuple_of_prompts_is_a_list(pipe, identity):
    assert np.array_equal(draw(pipe, identity, prompt=("a", "b")), draw(pipe, identity, prompt=["a", "b"]))


@pytest.mark.parametrize("name", ["prompt", "negative_prompt", "prompt_2", "negative_prompt_2"])
def test_words_that_are_not_read_are_named(pipe, identity, caplog, name):
    with caplog.at_level(logging.WARNING):
        draw(pipe, identity, guidance_scale=3.0, **{name: "a photo of a man " * 60})
    assert f"the {name.replace('_', ' ')} is too long: the model does not read" in caplog.text


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        *(("random_seed", "generator"), ("rng", "generator"), ("cfg", "guidance_scale")),
        *(("yaw", "target"), ("expression", "target"), ("control_image", "guides")),
        *(("denoise", "warp_strength"), ("n_samples", "num_images_per_prompt")),
        ("lora_scale", "cross_attention_kwargs"),
    ],
)
def test_the_names_of_other_programs_are_understood(pipe, identity, given, meant):
    with pytest.raises(TypeError, match=f"`{given}`; did you mean `{meant}`"):
        draw(pipe, identity, **{given: 1})


@pytest.mark.parametrize("number", [math.nan, -1, "x", 1.5, True, [0], 10**30, np.int64(3)], ids=str)
@pytest.mark.parametrize(
    "find",
    [
        lambda number: analyse(PICTURE, index=number),
        lambda number: Target.from_photo(PICTURE, face=number),
        lambda number: Scene.from_photo(PICTURE, face=number),
        lambda number: Identity.from_photos(PICTURE, face=number),
    ],
    ids=["analyse", "target", "scene", "identity"],
)
def test_a_face_that_there_cannot_be_is_named(find, number):
    with pytest.raises(NoFaceError, match=r"no (photo has a )?face"):
        find(number)


@pytest.mark.parametrize("size", [10**30, 0, math.nan, "x"])
def test_a_landmark_image_of_no_size_is_refused(pipe, identity, size):
    with pytest.raises(ValueError, match="`size` must be"):
        pipe.landmarks(identity, Target(), size)


@pytest.mark.parametrize("target", [None, 5, "smile"])
def test_a_warp_of_no_target_is_refused(identity, target):
    with pytest.raises(TypeError, match="`target` must be a Target"):
        identity.warp(target)
