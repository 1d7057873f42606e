import json
import shutil

import numpy as np
import pytest
import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    StableDiffusionXLPipeline,
    UniPCMultistepScheduler,
)

from hifi_portrait.errors import ModelError
from hifi_portrait.head import HeadPose, LandmarkGenerator
from hifi_portrait.models.conditioning import face_inputs
from hifi_portrait.pipeline import HiFiPortraitPipeline
from hifi_portrait.target import Target
from tiny_pipelines import FACE_PARTS, TARGET, a_pipeline, an_identity, draw, draw_plain


@pytest.fixture(scope="module")
def pipe():
    return a_pipeline()


@pytest.fixture(scope="module")
def identity():
    return an_identity()


def test_a_portrait_has_the_models_size(pipe, identity):
    assert draw(pipe, identity).shape == (1, 64, 64, 3)
    assert pipe.default_size == 64


def test_portraits_are_pil_images_by_default(pipe, identity):
    assert draw(pipe, identity, output_type="pil")[0].size == (64, 64)


@pytest.mark.parametrize("guidance_scale", [1.0, 3.0])
def test_untrained_the_picture_is_the_base_models_bit_for_bit(identity, guidance_scale):
    pipe = a_pipeline(trained=False)
    ours = draw(pipe, identity, guidance_scale=guidance_scale)
    assert np.array_equal(ours, draw_plain(pipe, guidance_scale=guidance_scale))


def test_at_scale_zero_the_picture_is_the_base_models_bit_for_bit(pipe, identity):
    assert np.array_equal(draw(pipe, identity, hifi_scale=0.0, face_scale=0.0), draw_plain(pipe))


@pytest.mark.parametrize("scale", ["hifi_scale", "face_scale"])
def test_each_scale_has_an_effect(pipe, identity, scale):
    assert not np.array_equal(draw(pipe, identity), draw(pipe, identity, **{scale: 0.0}))


def test_after_a_call_the_base_model_is_as_before(pipe, identity):
    before = draw_plain(pipe)
    draw(pipe, identity)
    assert np.array_equal(draw_plain(pipe), before)


def test_the_same_seed_gives_the_same_picture(pipe, identity):
    assert np.array_equal(draw(pipe, identity, seed=3), draw(pipe, identity, seed=3))


def test_another_seed_gives_another_picture(pipe, identity):
    assert not np.array_equal(draw(pipe, identity, seed=3), draw(pipe, identity, seed=4))


def test_another_person_gives_another_picture(pipe, identity):
    assert not np.array_equal(draw(pipe, identity), draw(pipe, an_identity(seed=5)))


def test_another_target_gives_another_picture(pipe, identity):
    other = Target.preset("surprise", pose=HeadPose(yaw=-20))
    assert not np.array_equal(draw(pipe, identity), draw(pipe, identity, other))


@pytest.mark.parametrize("references", [1, 3, 8])
def test_any_number_of_references(pipe, references):
    assert np.isfinite(draw(pipe, an_identity(references))).all()


@pytest.mark.parametrize("switch", ["landmark", "warp_latents", "surface_alignment", "face_tokens"])
def test_each_source_can_be_switched_off(identity, switch):
    pipe = a_pipeline(overrides={"hifi_net": {switch: False}})
    assert np.isfinite(draw(pipe, identity)).all()


def test_without_a_network_portraits_are_draws_from_the_prior(identity):
    pipe = a_pipeline(trained=False, overrides={"hifi_net": {"latent_prior": 8}})
    prior = pipe.hifi_net.prior
    with torch.no_grad():
        pipe.unet.conv_out.weight.zero_()
        pipe.unet.conv_out.bias.zero_()
        prior.gain.fill_(3.0)
        prior.variance.fill_(0.05)
    settings = {"num_inference_steps": 30, "guidance_scale": 1.0, "num_images_per_prompt": 8}
    latents = draw(pipe, identity, output_type="latent", **settings)
    landmark = LandmarkGenerator()(identity.identity, TARGET, pipe.default_size)
    mean = pipe.condition(face_inputs(identity, landmark)).hifi.prior_mean
    assert 0.7 < (latents - mean).std() / 0.05**0.5 < 1.25
    without = draw(pipe, identity, output_type="latent", hifi_scale=0.0, **settings)
    assert (latents - mean).abs().mean() < 0.8 * (without - mean).abs().mean()


def test_several_prompts_and_several_pictures_each(pipe, identity):
    assert len(draw(pipe, identity, prompt=["red hair", "a beard"], num_images_per_prompt=2)) == 4


def test_pictures_of_a_batch_are_those_drawn_alone(pipe, identity):
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    settings = {"num_inference_steps": 3, "output_type": "np"}
    both = pipe(identity, TARGET, generator=generators, num_images_per_prompt=2, **settings).images
    np.testing.assert_allclose(both[1:], draw(pipe, identity, seed=1), atol=2e-5)


def test_prompt_embeddings_can_be_given(pipe, identity):
    with torch.no_grad():
        hidden, no_hidden, pooled, no_pooled = pipe.encode_prompt("a beard", do_classifier_free_guidance=True)
    given = draw(
        pipe,
        identity,
        prompt_embeds=hidden,
        negative_prompt_embeds=no_hidden,
        pooled_prompt_embeds=pooled,
        negative_pooled_prompt_embeds=no_pooled,
    )
    assert np.array_equal(given, draw(pipe, identity, prompt="a beard"))


def count_calls(pipe, names, run):
    calls = dict.fromkeys(names, 0)

    def hook(name):
        def count(*_):
            calls[name] += 1

        return count

    hooks = [pipe.hifi_net.get_submodule(name).register_forward_hook(hook(name)) for name in names[:2]]
    hooks.append(pipe.face_encoder.tower.register_forward_hook(hook(names[2])))
    hooks.append(pipe.face_attention.to_k[0].register_forward_hook(hook(names[3])))
    run()
    for handle in hooks:
        handle.remove()
    return calls


def test_what_does_not_depend_on_the_step_is_computed_once(pipe, identity):
    names = ("controlnet_cond_embedding", "warp_in", "tower", "to_k")
    calls = count_calls(pipe, names, lambda: draw(pipe, identity, num_inference_steps=5))
    assert set(calls.values()) == {1}


@pytest.mark.parametrize("references", [1, 8])
def test_a_step_reads_as_many_tokens_for_any_number_of_references(pipe, references):
    shapes = set()
    layer = pipe.hifi_net.mid_block.attentions[0].transformer_blocks[0].attn2.to_k
    handle = layer.register_forward_hook(lambda _m, inputs, _o: shapes.add(tuple(inputs[0].shape)))
    draw(pipe, an_identity(references))
    handle.remove()
    assert shapes == {(1, 4 + 77, 32)}  # one conditional half, 4 face tokens, 77 of text


def test_callbacks_see_every_step(pipe, identity):
    steps = []

    def on_step(_pipe, step, _timestep, tensors):
        steps.append(step)
        return tensors

    draw(pipe, identity, callback_on_step_end=on_step)
    assert steps == [0, 1, 2]


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


def test_every_round_of_a_prompt_changes_more_and_starts_from_the_one_before(identity):
    pipe = a_pipeline()
    settings = {
        "num_inference_steps": 4,
        "warp_strength": 0.25,
        "warp_grain": 0.0,
        "prompt": ["", "red hair"],
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
    assert TARGET.replace(glasses=glasses).prompted(prompt).glasses == shown


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
    settings = {"num_inference_steps": 6, "warp_strength": 0.5, "prompt": "a red shirt"}
    first, again = (draw(pipe, identity, seed=4, **settings) for _ in range(2))
    assert np.array_equal(first, again)


def test_only_a_start_from_the_warp_has_its_detail(identity):
    pipe = a_pipeline()
    plain = draw(pipe, identity, num_inference_steps=4, warp_strength=0.25, warp_share=0.0)
    detailed = draw(pipe, identity, num_inference_steps=4, warp_strength=0.25)
    assert plain.shape == detailed.shape and not np.array_equal(plain, detailed)
    from_noise = draw(pipe, identity, warp_strength=1.0)
    assert np.array_equal(from_noise, draw(pipe, identity, warp_strength=1.0, warp_share=0.0))


def test_a_saved_pipeline_draws_the_same_bit_for_bit(pipe, identity, tmp_path):
    pipe.save_pretrained(tmp_path)
    loaded = HiFiPortraitPipeline.from_pretrained(tmp_path)
    loaded.set_progress_bar_config(disable=True)
    assert np.array_equal(draw(loaded, identity, prompt="a beard"), draw(pipe, identity, prompt="a beard"))


def test_a_saved_pipeline_keeps_its_defaults(identity, tmp_path):
    pipe = a_pipeline()
    pipe.register_to_config(default_steps=4, default_guidance=1.0, default_warp_strength=0.5)
    pipe.save_pretrained(tmp_path)
    loaded = HiFiPortraitPipeline.from_pretrained(tmp_path)
    loaded.set_progress_bar_config(disable=True)
    unsaid = loaded(identity, TARGET, generator=torch.Generator().manual_seed(0), output_type="np").images
    said = {"num_inference_steps": 4, "guidance_scale": 1.0, "warp_strength": 0.5}
    assert np.array_equal(unsaid, draw(pipe, identity, **said))


def test_a_saved_pipeline_names_its_classes(pipe, tmp_path):
    pipe.save_pretrained(tmp_path)
    index = json.loads((tmp_path / "model_index.json").read_text())
    assert index["_class_name"] == "HiFiPortraitPipeline"
    assert index["hifi_net"] == ["hifi_portrait", "HiFiNet"] and "controlnet" not in index


def test_hifi_weights_load_beside_a_base_model(pipe, identity, tmp_path):
    names = ("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "scheduler")
    StableDiffusionXLPipeline(**{name: getattr(pipe, name) for name in names}).save_pretrained(
        tmp_path / "base"
    )
    pipe.save_hifi(tmp_path / "hifi")
    loaded = HiFiPortraitPipeline.from_pretrained(tmp_path / "base", hifi=tmp_path / "hifi")
    loaded.set_progress_bar_config(disable=True)
    assert np.array_equal(draw(loaded, identity), draw(pipe, identity))


def test_half_precision_files_load_as_float32(tmp_path):
    a_pipeline().to(torch.float16).save_pretrained(tmp_path)
    loaded = HiFiPortraitPipeline.from_pretrained(tmp_path)
    assert {part.dtype for part in loaded.components.values() if isinstance(part, torch.nn.Module)} == {
        torch.float32
    }


def test_the_landmark_image_can_be_previewed(pipe, identity):
    landmarks = pipe.landmarks(identity, TARGET, size=96)
    assert landmarks.shape == (96, 96, 3) and landmarks.dtype == np.uint8


@pytest.fixture(scope="module")
def saved(pipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    pipe.save_pretrained(folder)
    return folder


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere"):
        HiFiPortraitPipeline.from_pretrained(tmp_path / "a" / "b" / "nowhere")


def test_a_folder_without_an_index_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"has no model_index.json"):
        HiFiPortraitPipeline.from_pretrained(tmp_path)


@pytest.mark.parametrize("part", ["unet", "hifi_net", "text_encoder"])
def test_a_damaged_weights_file_is_named(saved, tmp_path, part):
    folder = tmp_path / "damaged"
    shutil.copytree(saved, folder)
    file = next((folder / part).glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(ModelError, match=rf"{part}/.*\.safetensors is damaged"):
        HiFiPortraitPipeline.from_pretrained(folder)


def test_a_missing_weights_file_is_named(saved, tmp_path):
    folder = tmp_path / "incomplete"
    shutil.copytree(saved, folder)
    next((folder / "vae").glob("*.safetensors")).unlink()
    with pytest.raises(ModelError, match="vae has no weights"):
        HiFiPortraitPipeline.from_pretrained(folder)


def test_a_base_model_without_hifi_weights_is_refused(saved, tmp_path):
    folder = tmp_path / "base"
    shutil.copytree(saved, folder)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(
        json.dumps({k: v for k, v in index.items() if k not in FACE_PARTS})
    )
    with pytest.raises(ModelError, match="give the folder that has them as `hifi`"):
        HiFiPortraitPipeline.from_pretrained(folder)


def test_hifi_weights_of_another_width_are_refused():
    with pytest.raises(ModelError, match=r"hifi_net\.cross_attention_dim is 48"):
        a_pipeline(overrides={"hifi_net": {"cross_attention_dim": 48}})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"height": 70}, "`height` and `width` must be multiples of 32"),
        ({"hifi_scale": -1.0}, "`hifi_scale` must be a number of 0 or more"),
        ({"face_scale": "high"}, "`face_scale` must be a number of 0 or more"),
        ({"warp_strength": 0.0}, "`warp_strength` must be in"),
        ({"warp_strength": 1.5}, "`warp_strength` must be in"),
        ({"warp_share": 1.5}, "`warp_share` must be in"),
        ({"prompt_scale": -1.0}, "`prompt_scale` must be a number of 0 or more"),
        ({"prompt_rounds": 0}, "`prompt_rounds` must be a whole number of 1 or more"),
    ],
)
def test_an_argument_out_of_range_is_named(pipe, identity, settings, message):
    with pytest.raises(ValueError, match=message):
        pipe(identity, TARGET, **settings)


def test_something_else_than_an_identity_is_refused(pipe):
    with pytest.raises(TypeError, match="`identity` must be an Identity"):
        pipe("photo.jpg", TARGET)


def test_something_else_than_a_target_is_refused(pipe, identity):
    with pytest.raises(TypeError, match="`target` must be a Target"):
        pipe(identity, "smile")
