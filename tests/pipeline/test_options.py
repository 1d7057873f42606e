"""A call's options, by groups and by keywords."""

import inspect
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionXLControlNetPipeline

from hifi_portrait import PromptOptions, SamplingOptions, Scene, SizeOptions, SteeringOptions, WarpOptions
from hifi_portrait.pipeline import HiFiPortraitPipeline
from hifi_portrait.pipeline.options import GROUPS, KEYWORDS, CallSettings, settle
from hifi_portrait.pipeline.signature import PASSED_ON, CallKeywords
from tiny_pipelines import TARGET, a_pipeline, draw

# Every value another than the default.
VALUES = {
    "height": 96,
    "width": 32,
    "upscale": 3,
    "num_inference_steps": 7,
    "guidance_scale": 3.5,
    "face_guidance_scale": 2.5,
    "guidance_rescale": 0.25,
    "num_images_per_prompt": 2,
    "hifi_scale": 0.6,
    "hifi_every": 4,
    "face_scale": 0.7,
    "guides": ("a guide",),
    "start": "faithful",
    "warp_strength": 0.4,
    "warp_grain": 0.3,
    "warp_until": 0.45,
    "warp_share": 0.8,
    "prompt_scale": 1.5,
    "prompt_rounds": 5,
}
DEFAULTS = {
    "default_upscale": 1,
    "default_prompt_scale": 1.0,
    "default_steps": 20,
    "default_guidance": 2.0,
    "default_warp_strength": 1.0,
    "default_warp_grain": 1.0,
}


def in_groups(values):
    """Each group with those of the values that are its own."""
    return [
        kind(**{field: values[name] for name, (owner, field) in KEYWORDS.items() if owner == group})
        for group, kind in GROUPS.items()
    ]


def test_groups_and_keywords_say_the_same():
    by_group = settle(in_groups(VALUES), {}, DEFAULTS, 64)
    by_keyword = settle([None] * len(GROUPS), VALUES, DEFAULTS, 64)
    assert vars(by_group) == vars(by_keyword) == VALUES


def test_a_keyword_counts_where_a_group_says_something_else():
    settled = settle(in_groups(VALUES), {"warp_strength": 0.9, "height": 128}, DEFAULTS, 64)
    assert vars(settled) == VALUES | {"warp_strength": 0.9, "height": 128}


def test_what_nobody_says_is_the_models_or_the_groups_default():
    models = {name: value + 2 for name, value in DEFAULTS.items()}
    settled = settle([None] * len(GROUPS), {"upscale": None}, models, 64)
    assert vars(settled) == {
        "height": 64,
        "width": 64,
        "upscale": 3,
        "num_inference_steps": 22,
        "guidance_scale": 4.0,
        "face_guidance_scale": None,
        "guidance_rescale": 0.0,
        "num_images_per_prompt": 1,
        "hifi_scale": 1.0,
        "hifi_every": 1,
        "face_scale": 1.0,
        "guides": (),
        "start": "faithful",
        "warp_strength": 3.0,
        "warp_grain": 3.0,
        "warp_until": 0.0,
        "warp_share": 1.0,
        "prompt_scale": 3.0,
        "prompt_rounds": 2,
    }


def test_every_field_of_a_group_has_one_keyword():
    places = [(group, field.name) for group, kind in GROUPS.items() for field in fields(kind)]
    assert sorted(KEYWORDS.values()) == sorted(places)
    assert set(KEYWORDS) == {field.name for field in fields(CallSettings)} == set(VALUES)


def test_type_checkers_know_every_keyword():
    named = set(inspect.signature(HiFiPortraitPipeline.__call__).parameters) - set(
        CallKeywords.__annotations__
    )
    assert set(CallKeywords.__annotations__) == (set(KEYWORDS) | PASSED_ON) - named


def test_tools_that_read_the_signature_find_every_keyword():
    parameters = inspect.signature(HiFiPortraitPipeline.__call__).parameters
    assert set(CallKeywords.__annotations__) < set(parameters)
    assert all(parameters[name].default is None for name in CallKeywords.__annotations__)
    assert parameters["identity"].default is inspect.Parameter.empty
    assert list(parameters)[:4] == ["self", "identity", "target", "prompt"]


def test_every_argument_of_diffusers_is_taken_or_its_own():
    own = {"self", "image", "controlnet_conditioning_scale", "guess_mode", "kwargs"}
    taken = set(inspect.signature(HiFiPortraitPipeline.__call__).parameters) | set(
        CallKeywords.__annotations__
    )
    assert set(inspect.signature(StableDiffusionXLControlNetPipeline.__call__).parameters) - own <= taken


def test_help_tells_of_every_parameter_field_and_keyword():
    text = HiFiPortraitPipeline.__call__.__doc__
    parameters = set(inspect.signature(HiFiPortraitPipeline.__call__).parameters) - {"self"}
    for name in parameters - set(CallKeywords.__annotations__):
        assert name in text
    for name in [
        *KEYWORDS,
        *(field for _, field in KEYWORDS.values()),
        *(k.__name__ for k in GROUPS.values()),
    ]:
        assert f"`{name}`" in text


@pytest.mark.parametrize(
    ("group", "keywords"),
    [
        ({"size": SizeOptions(width=96, upscale=2)}, {"width": 96, "upscale": 2}),
        (
            {"sampling": SamplingOptions(steps=2, guidance=4.0, guidance_rescale=0.5, images_per_prompt=2)},
            {
                "num_inference_steps": 2,
                "guidance_scale": 4.0,
                "guidance_rescale": 0.5,
                "num_images_per_prompt": 2,
            },
        ),
        (
            {"steering": SteeringOptions(hifi_scale=0.5, hifi_every=2, face_scale=0.2)},
            {"hifi_scale": 0.5, "hifi_every": 2, "face_scale": 0.2},
        ),
        (
            {"warp": WarpOptions(strength=0.5, noise_scale=0.3, fraction=0.6)},
            {"warp_strength": 0.5, "warp_grain": 0.3, "warp_share": 0.6},
        ),
        (
            {"prompting": PromptOptions(scale=1.5, rounds=1), "prompt": "a beard", "warp_strength": 0.5},
            {"prompt_scale": 1.5, "prompt_rounds": 1, "prompt": "a beard", "warp_strength": 0.5},
        ),
    ],
    ids=list(GROUPS),
)
def test_pictures_are_the_same_by_group_and_by_keyword(pipe, identity, group, keywords):
    steps = {} if "sampling" in group else {"num_inference_steps": 3}

    def drawn(**words):
        words = words if "sampling" in words else steps | words
        generator = torch.Generator().manual_seed(0)
        return pipe(identity, TARGET, generator=generator, output_type="np", **words).images

    assert np.array_equal(drawn(**group), drawn(**keywords))


@pytest.mark.parametrize("name", list(GROUPS))
def test_a_group_of_another_kind_is_refused(pipe, identity, name):
    with pytest.raises(TypeError, match=f"`{name}` must be of kind {GROUPS[name].__name__}, but is"):
        draw(pipe, identity, **{name: 0.3})


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ({"warp": WarpOptions(strength=0.0)}, "`warp_strength` must be in"),
        ({"prompting": PromptOptions(rounds=0)}, "`prompt_rounds` must be a whole number"),
        ({"steering": SteeringOptions(face_scale=-1)}, "`face_scale` must be a number of 0 or more"),
        ({"size": SizeOptions(height=70)}, "`height` and `width` must be multiples of 32"),
    ],
)
def test_a_value_out_of_range_is_named_by_its_keyword(pipe, identity, group, message):
    with pytest.raises(ValueError, match=message):
        draw(pipe, identity, **group)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("promting", "prompting"), ("warp_shar", "warp_share"), ("negativ_prompt", "negative_prompt")],
)
def test_a_misspelt_name_is_answered_with_the_one_meant(pipe, identity, name, meant):
    with pytest.raises(TypeError, match=rf"`{name}`; did you mean `{meant}`\?"):
        draw(pipe, identity, **{name: 1.0})


def test_a_scene_is_redrawn_in_a_square_of_the_groups_height(identity):
    scene = Scene.from_photo(Path(__file__).parents[1] / "pictures" / "person_b_1.jpg")
    pipe, sizes = a_pipeline(), []
    pipe.unet.register_forward_pre_hook(lambda _, given: sizes.append(tuple(given[0].shape[-2:])))
    pipe.redraw(identity, scene, num_inference_steps=1, size=SizeOptions(height=96))
    assert set(sizes) == {(12, 12)}


def settled(config=None, **given):
    return settle([None] * len(GROUPS), given, DEFAULTS | IMAGINED_DEFAULTS | (config or {}), 64)


IMAGINED_DEFAULTS = {"default_imagined_steps": 7, "default_imagined_guidance": 3.0}
FROM_THE_WARP = {"default_warp_strength": 0.2, "default_warp_grain": 0.0}


def test_an_imagined_start_is_from_noise_with_defaults_of_its_own():
    call = settled(FROM_THE_WARP, start="imagined")
    assert (call.start, call.warp_strength, call.warp_grain) == ("imagined", 1.0, 1.0)
    assert (call.num_inference_steps, call.guidance_scale) == (7, 3.0)
    assert settled(FROM_THE_WARP, start="imagined", num_inference_steps=2).num_inference_steps == 2


def test_a_faithful_start_is_from_the_warp():
    call = settled(FROM_THE_WARP, start="faithful")
    assert vars(call) == vars(settled(FROM_THE_WARP))
    assert (call.start, call.warp_strength, call.num_inference_steps) == ("faithful", 0.2, 20)
    by_noise = settled(start="faithful")  # a model that starts from noise by itself
    assert (by_noise.start, by_noise.warp_strength) == ("faithful", 0.5)
    assert settled().start == "imagined"


@pytest.mark.parametrize("given", ["Faithful", "", 1, ["imagined"], np.array([1, 2])])
def test_other_starts_are_refused(given):
    with pytest.raises(ValueError, match="`start` must be 'faithful' or 'imagined'"):
        settled(start=given)


def test_an_imagined_start_and_one_from_the_warp_contradict_each_other():
    with pytest.raises(ValueError, match="leave one out"):
        settled(start="imagined", warp_strength=0.5)
    assert settled(start="imagined", warp_strength=1.0).warp_strength == 1
    with pytest.raises(ValueError, match="leave one out"):
        settled(start="faithful", warp_strength=1.0)
