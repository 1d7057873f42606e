"""Portraits that start from the plain warp, and what prompts change in them."""

import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    UniPCMultistepScheduler,
)

from hifi_portrait.pipeline.encode import draw_head
from hifi_portrait.warp.draw import draw_warp
from tiny_pipelines import TARGET, a_pipeline, draw


@pytest.mark.parametrize(
    "scheduler", [None, EulerDiscreteScheduler, DPMSolverMultistepScheduler, UniPCMultistepScheduler]
)
def test_starting_from_the_warp_takes_the_last_steps(identity, scheduler):
    pipe = a_pipeline()
    if scheduler is not None:
        pipe.scheduler = scheduler.from_config(pipe.scheduler.config, rescale_betas_zero_snr=False)
    timesteps = []

    def on_step(_pipe, _step, timestep, tensors):
        timesteps.append(int(timestep))
        return tensors

    images = draw(pipe, identity, num_inference_steps=4, warp_strength=0.5, callback_on_step_end=on_step)
    pipe.scheduler.set_timesteps(4)
    assert np.isfinite(images).all()
    assert timesteps == [int(t) for t in pipe.scheduler.timesteps[2:]]


@pytest.mark.parametrize(("steps", "strength", "first"), [(1, 0.2, 199), (4, 0.95, 799)])
def test_a_schedule_that_would_be_taken_whole_begins_where_the_strength_says(
    identity, steps, strength, first
):
    """Its first step is noise alone in a schedule of zero terminal SNR, and nothing at all without noise."""
    pipe, timesteps = a_pipeline(), []
    config = pipe.scheduler.config
    pipe.scheduler = DDIMScheduler.from_config(
        config, timestep_spacing="trailing", rescale_betas_zero_snr=True
    )

    def on_step(_pipe, _step, timestep, tensors):
        timesteps.append(int(timestep))
        return tensors

    settings = {"num_inference_steps": steps, "warp_strength": strength, "warp_grain": 0.0}
    images = draw(pipe, identity, callback_on_step_end=on_step, **settings)
    assert (len(timesteps), timesteps[0]) == (steps, first)
    assert np.isfinite(images).all()


@pytest.mark.parametrize("chosen", [{"timesteps": [700, 300, 40]}, {"sigmas": [9.0, 3.0, 0.5, 0.0]}], ids=str)
def test_a_schedule_of_ones_own_is_taken_whole_from_the_warp(identity, chosen):
    pipe, timesteps = a_pipeline(), []
    pipe.scheduler = EulerDiscreteScheduler()

    def on_step(_pipe, _step, timestep, tensors):
        timesteps.append(float(timestep))
        return tensors

    images = draw(pipe, identity, warp_strength=0.5, callback_on_step_end=on_step, **chosen)
    pipe.scheduler.set_timesteps(**chosen)
    assert timesteps == pipe.scheduler.timesteps.tolist() and len(timesteps) == 3
    assert np.isfinite(images).all()


def test_a_small_warp_strength_stays_closer_to_the_warp_than_a_large_one(identity):
    pipe = a_pipeline(trained=False)
    pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config, rescale_betas_zero_snr=False)

    def spread(warp_strength):
        settings = {"warp_strength": warp_strength, "num_inference_steps": 10, "output_type": "latent"}
        first, second = (draw(pipe, identity, seed=seed, **settings) for seed in (0, 1))
        return (first - second).abs().mean()

    assert spread(0.1) < 0.5 * spread(1.0)


def test_each_prompt_changes_a_start_from_the_warp_and_an_empty_one_does_not(identity):
    pipe, own = a_pipeline(), TARGET.replace(clothes="own")
    settings = {"num_inference_steps": 4, "warp_strength": 0.25, "warp_grain": 0.0}
    plain = draw(pipe, identity, own, **settings)[0]
    together = draw(pipe, identity, own, prompt=["", "a red shirt", "a blue shirt"], **settings)
    alone = [
        draw(pipe, identity, own, prompt=words, **settings)[0] for words in ("a red shirt", "a blue shirt")
    ]
    for drawn, expected in zip(together, [plain, *alone], strict=True):
        np.testing.assert_allclose(drawn, expected, atol=1e-3)
    assert not np.array_equal(plain, alone[0])
    without = draw(pipe, identity, own, prompt="a red shirt", prompt_scale=0.0, **settings)[0]
    np.testing.assert_allclose(without, plain, atol=1e-6)
    assert not np.array_equal(*alone)


@pytest.mark.parametrize("each", [1, 2])
def test_both_draws_of_every_round_start_from_the_same_noise(identity, each):
    """So that all that they differ in is the prompt's; one generator, or one a picture."""
    pipe, starts, last = a_pipeline(), [], []

    def record(_, given):
        if not last or last[0] < float(given[1]):  # a draw's first step, from the most noise
            starts.append(given[0][-each:].clone())
        last[:] = [float(given[1])]

    pipe.unet.register_forward_pre_hook(record)
    generators = [torch.Generator().manual_seed(seed) for seed in range(each)]
    generator = generators if each > 1 else generators[0]
    words = {"num_inference_steps": 6, "warp_strength": 0.5, "num_images_per_prompt": each}
    pipe(identity, TARGET, "a beard", generator=generator, prompt_rounds=2, output_type="pt", **words)
    first, second, third, fourth = starts
    assert torch.equal(first, second) and torch.equal(third, fourth)
    assert not torch.equal(first, third)  # the picture so far is in the place of the warp


def test_a_callback_hears_the_first_draw_alone(pipe, identity):
    """Of the four that two rounds of a prompt take."""
    steps = []

    def hear(_pipe, step, _timestep, tensors):
        steps.append(step)
        return tensors

    words = {"num_inference_steps": 6, "warp_strength": 0.5, "prompt_rounds": 2}
    draw(pipe, identity, prompt="a beard", callback_on_step_end=hear, **words)
    assert steps == [0, 1, 2]


def test_the_warps_noise_scale_counts_for_starts_from_the_warp_alone(identity):
    """A start from noise has all of the schedule's, and the latents' prior is to know."""
    pipe = a_pipeline(
        overrides={"hifi_net": {"latent_prior": 8}, "scheduler": {"prediction_type": "v_prediction"}}
    )
    with torch.no_grad():
        pipe.hifi_net.prior.variance.fill_(0.1)
    for strength, same in ((1.0, True), (0.5, False)):
        full, half = (
            draw(pipe, identity, warp_strength=strength, warp_grain=scale, num_inference_steps=4)
            for scale in (1.0, 0.5)
        )
        assert np.array_equal(full, half) == same


def test_every_round_of_a_prompt_changes_more_and_starts_from_the_one_before(identity):
    pipe = a_pipeline()
    settings = {
        "num_inference_steps": 4,
        "warp_strength": 0.25,
        "warp_grain": 0.0,
        "prompt": ["", "a beard"],
    }
    one, two, three = (draw(pipe, identity, prompt_rounds=rounds, **settings) for rounds in (1, 2, 3))
    plain = draw(pipe, identity, **(settings | {"prompt": ""}))[0]
    for pictures in (one, two, three):
        np.testing.assert_allclose(pictures[0], plain, atol=1e-3)
    first, second = np.abs(one[1] - plain).mean(), np.abs(two[1] - one[1]).mean()
    assert 0 < second < 2 * first
    assert not np.array_equal(two[1], three[1])


@pytest.mark.parametrize(
    ("glasses", "prompt", "shown"),
    [
        (None, "a man with square glasses", "square"),
        (None, ["a man with glasses", "a woman with rectangular glasses"], "rectangular"),
        (None, ["a man with glasses", "a man"], None),
        (None, "a man", None),
        ("own", "a man with square glasses", "own"),
        ("round", "a man with square glasses", "round"),
    ],
)
def test_glasses_of_all_prompts_are_the_targets_if_it_names_none(glasses, prompt, shown):
    assert TARGET.replace(glasses=glasses).with_prompt(prompt).glasses == shown


@pytest.mark.parametrize(
    ("attribute", "prompt"),
    [
        ("glasses", "a photo of a person with square glasses"),
        ("hair", "a photo of a person with pink hair"),
        ("clothes", "a photo of a person, wearing yellow clothes"),
    ],
)
def test_what_a_prompt_says_of_glasses_and_colours_is_drawn_by_the_warp_alone(identity, attribute, prompt):
    pipe = a_pipeline()
    settings = {"num_inference_steps": 4, "warp_strength": 0.25, "warp_grain": 0.0, "prompt": prompt}
    worn, unchanged = (draw(pipe, identity, prompt_scale=scale, **settings) for scale in (1.0, 0.0))
    np.testing.assert_allclose(worn, unchanged, atol=1e-5)
    bare = draw(pipe, identity, TARGET.replace(**{attribute: "own"}), prompt_scale=0.0, **settings)
    assert np.abs(worn - bare).max() > 0.1


def test_networks_leave_the_colours_alone_that_the_warp_draws(identity):
    pipe = a_pipeline()
    settings = {"num_inference_steps": 4, "warp_strength": 0.25, "warp_grain": 0.0}
    prompt = "a person with pink hair, wearing yellow clothes, a beard"
    changed, unchanged = (
        draw(pipe, identity, prompt=prompt, prompt_scale=scale, **settings)[0] for scale in (1.0, 0.0)
    )
    head = draw_head(identity, TARGET.with_prompt(prompt), 64, 64)
    dyed = draw_warp(identity, head).dyed
    difference = np.abs(changed - unchanged).max(axis=-1)
    assert (dyed == 1).sum() > 100 and difference[dyed == 1].max() < 1e-5
    assert difference[dyed == 0].mean() > 0.002


PINK, GREEN = "a person with pink hair", "a person with green hair and round glasses"


@pytest.mark.parametrize("output_type", ["np", "pt", "latent"])
def test_prompts_that_name_other_colours_are_each_drawn_as_alone(pipe, identity, output_type):
    words = {"num_inference_steps": 4, "warp_strength": 0.25, "output_type": output_type}
    generators = [torch.Generator().manual_seed(seed) for seed in range(4)]
    both = pipe(
        identity,
        TARGET,
        [PINK, GREEN],
        negative_prompt=["blur", "noise"],
        num_images_per_prompt=2,
        generator=generators,
        **words,
    ).images
    again = [torch.Generator().manual_seed(seed) for seed in (2, 3)]
    alone = pipe(
        identity, TARGET, GREEN, negative_prompt="noise", num_images_per_prompt=2, generator=again, **words
    ).images
    np.testing.assert_allclose(np.asarray(both[2:]), np.asarray(alone), atol=1e-5)
    assert len(both) == 4 and np.abs(np.asarray(both[:2]) - np.asarray(both[2:])).max() > 0.05


def test_prompts_drawn_one_by_one_are_called_as_one(pipe, identity):
    heard = []

    def hear(_pipe, _step, _timestep, tensors):
        heard.append(set(tensors))
        return tensors

    words = {"num_inference_steps": 4, "warp_strength": 0.25, "output_type": "np"}
    latents = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    together = pipe(
        [identity],
        [TARGET],
        [PINK, GREEN],
        latents=latents,
        callback_on_step_end=hear,
        callback_on_step_end_tensor_inputs=["latents"],
        **words,
    ).images
    alone = pipe(identity, TARGET, GREEN, latents=latents[1:], **words).images
    np.testing.assert_allclose(together[1:], alone, atol=1e-5)
    assert heard == [{"latents"}] * 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("negative_prompt", ["blur"]), ("generator", [torch.Generator() for _ in range(3)])],
)
def test_as_many_are_asked_for_as_there_are_prompts(pipe, identity, name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must .* 2\b.* but (has|are) {len(value)}"):
        draw_settings = {"num_inference_steps": 2, "warp_strength": 0.5, name: value}
        pipe(identity, TARGET, [PINK, GREEN], **draw_settings)


def test_a_negative_prompt_counts_beside_one_that_is_shown_already(pipe, identity):
    words = {"num_inference_steps": 4, "warp_strength": 0.25, "guidance_scale": 6.0, "prompt": "a person"}
    plain, other = (draw(pipe, identity, negative_prompt=text, **words) for text in ("", "a beard"))
    assert np.abs(plain - other).mean() > 0.005


def test_prompts_that_agree_on_colours_are_drawn_at_once(pipe, identity):
    words = {"num_inference_steps": 4, "warp_strength": 0.25, "guidance_scale": 1.0}
    sizes = []
    hook = pipe.unet.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
    draw(pipe, identity, prompt=[PINK, f"{PINK} in snow"], **words)
    at_once = set(sizes)
    sizes.clear()
    draw(pipe, identity, prompt=[PINK, GREEN], **words)
    hook.remove()
    assert (at_once, set(sizes)) == ({2}, {1})


def test_a_prompt_that_is_shown_already_is_drawn_once(identity):
    pipe = a_pipeline()
    settings = {"num_inference_steps": 4, "warp_strength": 0.25, "warp_grain": 0.0}
    calls = []
    hook = pipe.unet.register_forward_hook(lambda *_: calls.append(1))
    draw(pipe, identity, prompt="a person with pink hair", **settings)
    shown = len(calls)
    draw(pipe, identity, prompt="a person with pink hair in a garden", **settings)
    hook.remove()
    assert len(calls) - shown == 4 * shown


def test_schedulers_that_add_noise_keep_to_the_seed_with_a_prompt(identity):
    pipe = a_pipeline()
    pipe.scheduler = EulerAncestralDiscreteScheduler.from_config(
        pipe.scheduler.config, rescale_betas_zero_snr=False
    )
    settings = {"num_inference_steps": 6, "warp_strength": 0.5, "prompt": "a beard"}
    first, again = (draw(pipe, identity, seed=4, **settings) for _ in range(2))
    assert np.array_equal(first, again)


def test_only_a_start_from_the_warp_has_its_detail(identity):
    pipe = a_pipeline()
    plain = draw(pipe, identity, num_inference_steps=4, warp_strength=0.25, warp_share=0.0)
    detailed = draw(pipe, identity, num_inference_steps=4, warp_strength=0.25)
    assert plain.shape == detailed.shape and not np.array_equal(plain, detailed)
    from_noise = draw(pipe, identity, warp_strength=1.0)
    assert np.array_equal(from_noise, draw(pipe, identity, warp_strength=1.0, warp_share=0.0))
