"""What diffusers' own tests check of every pipeline of theirs, checked of this one.

The list is that of their common pipeline tests. What of it stands elsewhere:

- same seed, same picture; batches and schedulers: `test_pipeline`, `../ecosystem/test_schedulers`
- keywords of diffusers' pipeline: `test_options`
- damaged and missing files: `test_files`
- LoRA, textual inversion, long prompts, FreeU: `../ecosystem/test_prompts`
- other ControlNets, IP-Adapters: `../ecosystem/test_guides`
- interruption, compilation: `../ecosystem/test_running`
- offload: `../ecosystem/test_instantid`, `../training/test_pretended_gpu`

What does not apply, and why:

- EDM and flow-matching schedulers draw: their noise is not on SDXL's schedule, and they are refused by name
- a prompt without tokenizers is encoded: embeddings are given then
- a variant that is not there raises a `ValueError`: here it is a `ModelError`
- the values of `encode_prompt` are named by a docstring inside diffusers' package
"""

import inspect

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny, StableDiffusionXLPipeline
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from hifi_portrait.errors import ModelError
from hifi_portrait.pipeline import HiFiPortraitPipeline
from tiny_pipelines import TARGET, a_pipeline, draw, draw_plain

EMBEDDINGS = (
    "prompt_embeds",
    "negative_prompt_embeds",
    "pooled_prompt_embeds",
    "negative_pooled_prompt_embeds",
)


def quiet(pipe):
    pipe.set_progress_bar_config(disable=True)
    return pipe


def networks(pipe):
    return {name: part for name, part in pipe.components.items() if isinstance(part, torch.nn.Module)}


def test_a_saved_pipeline_draws_the_same_bit_for_bit(pipe, identity, tmp_path):
    pipe.save_pretrained(tmp_path)
    loaded = quiet(HiFiPortraitPipeline.from_pretrained(tmp_path))
    assert np.array_equal(draw(loaded, identity, prompt="a beard"), draw(pipe, identity, prompt="a beard"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_pipeline_of_half_precision_is_saved_and_loaded(identity, tmp_path, dtype):
    pipe = a_pipeline().to(dtype)
    pipe.save_pretrained(tmp_path)
    loaded = quiet(HiFiPortraitPipeline.from_pretrained(tmp_path, torch_dtype=dtype))
    assert {name: part.dtype for name, part in networks(loaded).items()} == dict.fromkeys(
        networks(pipe), dtype
    )
    np.testing.assert_allclose(draw(loaded, identity), draw(pipe, identity), atol=1e-3)


def test_a_pipeline_saved_in_pytorchs_own_format_is_loaded(pipe, identity, tmp_path):
    pipe.save_pretrained(tmp_path, safe_serialization=False)
    assert (tmp_path / "face_attention" / "diffusion_pytorch_model.bin").is_file()
    loaded = quiet(HiFiPortraitPipeline.from_pretrained(tmp_path))
    assert np.array_equal(draw(loaded, identity), draw(pipe, identity))


def test_prompts_are_encoded_by_the_arguments_that_diffusers_names():
    """Its tools look into the signature for them."""
    ours, theirs = (
        inspect.signature(each.encode_prompt).parameters
        for each in (HiFiPortraitPipeline, StableDiffusionXLPipeline)
    )
    assert list(ours) == list(theirs)


def test_files_of_a_variant(pipe, identity, tmp_path):
    pipe.save_pretrained(tmp_path, variant="fp16")
    assert (tmp_path / "hifi_net" / "diffusion_pytorch_model.fp16.safetensors").is_file()
    loaded = quiet(HiFiPortraitPipeline.from_pretrained(tmp_path, variant="fp16"))
    assert np.array_equal(draw(loaded, identity), draw(pipe, identity))


def test_parts_that_need_not_be_there_are_saved_and_loaded_with_and_without(identity, tmp_path):
    pipe = a_pipeline()
    pipe.save_pretrained(tmp_path / "without")
    without = HiFiPortraitPipeline.from_pretrained(tmp_path / "without")
    assert without.image_encoder is None and without.feature_extractor is None
    config = CLIPVisionConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=32,
        patch_size=16, projection_dim=24,
    )  # fmt: skip
    pipe.register_modules(
        image_encoder=CLIPVisionModelWithProjection(config).eval(),
        feature_extractor=CLIPImageProcessor(size=32, crop_size=32),
    )
    pipe.save_pretrained(tmp_path / "with")
    loaded = quiet(HiFiPortraitPipeline.from_pretrained(tmp_path / "with"))
    assert loaded.image_encoder is not None and loaded.feature_extractor is not None
    assert np.array_equal(draw(loaded, identity), draw(pipe, identity))


def test_a_pipeline_of_anothers_components_draws_the_same(pipe, identity):
    again = quiet(HiFiPortraitPipeline(**pipe.components))
    assert np.array_equal(draw(again, identity), draw(pipe, identity))


def test_plain_sdxl_is_made_of_a_pipeline(pipe):
    plain = quiet(StableDiffusionXLPipeline.from_pipe(pipe))
    words = {"prompt": "", "num_inference_steps": 3, "guidance_scale": 2.0, "output_type": "np"}
    drawn = plain(generator=torch.Generator().manual_seed(0), **words).images
    np.testing.assert_allclose(drawn, draw_plain(pipe), atol=1e-6)


def test_an_output_and_a_tuple_hold_the_same(pipe, identity):
    words = {"num_inference_steps": 2, "output_type": "np", "return_dict": False}
    (pictures,) = pipe(identity, TARGET, generator=torch.Generator().manual_seed(0), **words)
    assert np.array_equal(pictures, draw(pipe, identity, num_inference_steps=2))


@pytest.mark.parametrize("start", [{}, {"warp_strength": 0.5}], ids=["noise", "warp"])
def test_output_types_hold_the_same(pipe, identity, start):
    arrays, tensors, images = (
        draw(pipe, identity, output_type=kind, **start) for kind in ("np", "pt", "pil")
    )
    np.testing.assert_allclose(tensors.permute(0, 2, 3, 1), arrays, atol=1e-6)
    np.testing.assert_allclose(np.asarray(images[0]) / 255, arrays[0], atol=0.51 / 255)


@pytest.mark.parametrize("prompts", [1, 2])
@pytest.mark.parametrize("each", [1, 3])
def test_as_many_pictures_as_prompts_and_pictures_of_each(pipe, identity, prompts, each):
    words = {"prompt": ["a beard"] * prompts, "num_images_per_prompt": each, "num_inference_steps": 1}
    assert len(draw(pipe, identity, **words)) == prompts * each


def test_batches_of_prompts_are_drawn_as_alone(pipe, identity):
    prompts = ["a sunny beach", "a dark forest", ""]
    generators = [torch.Generator().manual_seed(seed) for seed in range(3)]
    settings = {"num_inference_steps": 3, "output_type": "np"}
    together = pipe(identity, TARGET, prompts, generator=generators, **settings).images
    for seed, (words, image) in enumerate(zip(prompts, together, strict=True)):
        np.testing.assert_allclose(image, draw(pipe, identity, seed=seed, prompt=words)[0], atol=2e-5)


def test_guidance_changes_the_picture_but_not_its_size(pipe, identity):
    without, guided = (draw(pipe, identity, prompt="a beard", guidance_scale=g) for g in (1.0, 7.0))
    assert without.shape == guided.shape and not np.array_equal(without, guided)


def test_a_callback_hears_every_tensor_that_diffusers_names(pipe, identity):
    heard, names = [], pipe._callback_tensor_inputs

    def hear(own, step, _timestep, tensors):
        heard.append((own is pipe, step, set(tensors)))
        return tensors

    draw(
        pipe,
        identity,
        guidance_scale=3.0,
        callback_on_step_end=hear,
        callback_on_step_end_tensor_inputs=names,
    )
    assert heard == [(True, step, set(names)) for step in range(3)]


def test_a_callback_that_clears_the_latents_clears_the_picture(pipe, identity):
    def clear(own, step, _timestep, tensors):
        last = step == own.num_timesteps - 1
        return {"latents": torch.zeros_like(tensors["latents"])} if last else tensors

    cleared = draw(pipe, identity, callback_on_step_end=clear, output_type="latent")
    assert cleared.abs().sum() == 0


def test_a_callback_changes_guidance_from_step_to_step(pipe, identity):
    scales = []

    def strengthen(own, _step, _timestep, tensors):
        own._guidance_scale += 1
        scales.append(own.guidance_scale)
        return tensors

    draw(pipe, identity, guidance_scale=2.0, callback_on_step_end=strengthen)
    assert scales == [3.0, 4.0, 5.0]


TEXTS = ("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2")


@pytest.fixture(scope="module")
def mute(pipe):
    """The same pipeline without its text encoders."""
    others = {name: part for name, part in pipe.components.items() if name not in TEXTS}
    return quiet(HiFiPortraitPipeline(**others, **dict.fromkeys(TEXTS)))


def embed(pipe, prompt, **words):
    with torch.no_grad():
        return dict(zip(EMBEDDINGS, pipe.encode_prompt(prompt, **words), strict=True))


def test_prompts_are_encoded_by_the_text_encoders_alone(pipe, mute, identity):
    """And a pipeline without text encoders draws from what they gave."""
    words = {"prompt": "a man in the rain", "negative_prompt": "blurred"}
    assert np.array_equal(draw(mute, identity, **embed(pipe, **words)), draw(pipe, identity, **words))


def test_without_text_encoders_a_prompt_changes_a_start_from_the_warp(pipe, mute, identity):
    start = {"warp_strength": 0.5, "warp_grain": 0.0}
    beard, rain = (draw(mute, identity, **embed(pipe, words), **start) for words in ("a beard", "rain"))
    zeros = {name: torch.zeros_like(value) for name, value in embed(pipe, "a beard").items()}
    nothing = draw(mute, identity, **zeros, **start)
    assert not np.array_equal(beard, nothing) and not np.array_equal(beard, rain)
    np.testing.assert_allclose(draw(mute, identity, **zeros, **start, prompt_scale=9.0), nothing, atol=1e-5)


def test_a_pipeline_without_text_encoders_is_saved_and_loaded(pipe, mute, identity, tmp_path):
    given = embed(pipe, "a beard")
    mute.save_pretrained(tmp_path)
    loaded = quiet(HiFiPortraitPipeline.from_pretrained(tmp_path))
    assert loaded.text_encoder is None
    assert np.array_equal(draw(loaded, identity, **given), draw(mute, identity, **given))


def test_parts_that_draw_may_be_left_out_to_encode_prompts(pipe, tiny_model):
    others = ("vae", "unet", "hifi_net", "face_encoder", "face_refiner", "face_attention")
    text = HiFiPortraitPipeline.from_pretrained(tiny_model, **dict.fromkeys(others))
    with torch.no_grad():
        embeddings, *_ = text.encode_prompt("a beard")
    assert embeddings.shape[-1] == pipe.unet.config.cross_attention_dim
    with pytest.raises(ModelError, match="no vae, unet, hifi_net"):
        draw(text, None)


@pytest.mark.parametrize("start", [{}, {"warp_strength": 0.5}], ids=["noise", "warp"])
def test_a_tiny_autoencoder_takes_the_place_of_the_whole_one(identity, start):
    pipe, widths = a_pipeline(), (8, 8, 8, 8)
    pipe.vae = AutoencoderTiny(
        encoder_block_out_channels=widths, decoder_block_out_channels=widths,
        num_encoder_blocks=(1, 1, 1, 1), num_decoder_blocks=(1, 1, 1, 1),
    )  # fmt: skip
    drawn = draw(pipe, identity, prompt="a beard", **start)
    assert drawn.shape == (1, 64, 64, 3) and np.isfinite(drawn).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_draws_about_the_same(identity, dtype):
    pipe = a_pipeline()
    full = draw(pipe, identity, prompt="a man")
    pipe.to(dtype)
    assert {part.dtype for part in networks(pipe).values()} == {dtype}
    halved = draw(pipe, identity, prompt="a man")
    assert np.isfinite(halved).all()
    assert np.abs(halved - full).mean() < 0.03
    assert {part.dtype for part in networks(pipe).values()} == {dtype}  # nothing is left in another one


def test_attention_slicing(identity):
    pipe = a_pipeline()
    plain = draw(pipe, identity)
    pipe.enable_attention_slicing("max")
    np.testing.assert_allclose(draw(pipe, identity), plain, atol=1e-4)
    pipe.disable_attention_slicing()
    np.testing.assert_allclose(draw(pipe, identity), plain, atol=1e-5)


def test_slicing_and_tiling_of_the_autoencoder(identity):
    pipe, settings = a_pipeline(), {"num_images_per_prompt": 2, "height": 128, "width": 128}
    plain = draw(pipe, identity, **settings)
    pipe.vae.enable_slicing()
    np.testing.assert_allclose(draw(pipe, identity, **settings), plain, atol=1e-5)
    pipe.vae.enable_tiling()
    tiled = draw(pipe, identity, **settings)
    assert tiled.shape == plain.shape and np.isfinite(tiled).all()


def test_projections_of_attention_can_be_fused(identity):
    pipe = a_pipeline()
    plain = draw(pipe, identity)
    pipe.fuse_qkv_projections()
    np.testing.assert_allclose(draw(pipe, identity), plain, atol=1e-4)
    pipe.unfuse_qkv_projections()
    assert np.array_equal(draw(pipe, identity), plain)
