"""Other ControlNets, T2I-Adapters and IP-Adapters beside HiFi-Net."""

import numpy as np
import pytest
import torch
from diffusers import (
    ControlNetModel,
    EulerDiscreteScheduler,
    StableDiffusionXLAdapterPipeline,
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLPipeline,
    T2IAdapter,
)
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from hifi_portrait import Guide
from hifi_portrait.errors import ModelError
from tiny_models import randomised
from tiny_pipelines import PLAIN_PARTS, a_pipeline, draw

OFF = {"hifi_scale": 0.0, "face_scale": 0.0}


@pytest.fixture
def pipe():
    pipe = a_pipeline()
    pipe.scheduler = EulerDiscreteScheduler()
    return pipe


def picture(seed):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (64, 64, 3), np.uint8))


def controlnet(pipe, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = ControlNetModel.from_unet(pipe.unet, conditioning_embedding_out_channels=(4, 4, 8, 8))
    return randomised(model).eval()


def adapter():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return T2IAdapter(
            channels=[8, 16, 24, 24], num_res_blocks=1, downscale_factor=16, adapter_type="full_adapter_xl"
        ).eval()


def others(kind, pipe, **extra):
    plain = kind(**{name: getattr(pipe, name) for name in PLAIN_PARTS}, **extra)
    plain.set_progress_bar_config(disable=True)
    return plain


def settings(**more):
    generator = torch.Generator().manual_seed(0)
    return {
        "prompt": "",
        "num_inference_steps": 3,
        "guidance_scale": 2.0,
        "output_type": "np",
        "generator": generator,
    } | more


@pytest.mark.parametrize("count", [1, 2])
def test_controlnets(pipe, identity, count):
    models, images = [controlnet(pipe, n) for n in range(count)], [picture(n) for n in range(count)]
    scales = [0.8, 0.4][:count]
    plain = others(StableDiffusionXLControlNetPipeline, pipe, controlnet=models)
    expected = plain(image=images, controlnet_conditioning_scale=scales, **settings()).images
    guides = [Guide(*each) for each in zip(models, images, scales, strict=True)]
    np.testing.assert_allclose(draw(pipe, identity, guides=guides, **OFF), expected, atol=1e-5)
    both, alone = draw(pipe, identity, guides=guides), draw(pipe, identity)
    assert not np.array_equal(both, alone) and not np.array_equal(both, expected)
    assert np.array_equal(draw(pipe, identity), alone)  # nothing is left behind


def test_a_t2i_adapter(pipe, identity):
    model, image = adapter(), picture(5)
    plain = others(StableDiffusionXLAdapterPipeline, pipe, adapter=model)
    expected = plain(image=image, adapter_conditioning_scale=0.7, **settings()).images
    guides = [Guide(model, image, 0.7)]
    np.testing.assert_allclose(draw(pipe, identity, guides=guides, **OFF), expected, atol=1e-5)
    both = draw(pipe, identity, guides=guides)
    assert not np.array_equal(both, draw(pipe, identity)) and not np.array_equal(both, expected)


def test_a_guide_acts_between_its_start_and_end(pipe, identity):
    model, image = controlnet(pipe, 0), picture(0)
    calls = []
    hook = model.register_forward_hook(lambda *_: calls.append(1))
    draw(pipe, identity, guides=[Guide(model, image, start=0.25, end=0.75)], num_inference_steps=4)
    hook.remove()
    assert len(calls) == 2
    silent = draw(pipe, identity, guides=[Guide(model, image, scale=0.0)])
    assert np.array_equal(silent, draw(pipe, identity))


def test_a_guide_counts_the_steps_that_a_start_from_the_warp_takes(pipe, identity):
    model, calls = controlnet(pipe, 0), []
    hook = model.register_forward_hook(lambda *_: calls.append(1))
    settings = {"num_inference_steps": 8, "warp_strength": 0.5, "warp_share": 0.0}
    draw(pipe, identity, guides=[Guide(model, picture(0), end=0.5)], **settings)
    hook.remove()
    assert len(calls) == 2  # of the four steps


def test_a_t2i_adapter_of_other_widths_is_refused(pipe, identity):
    other = T2IAdapter(channels=[8, 8, 8, 8], num_res_blocks=1, adapter_type="full_adapter_xl")
    with pytest.raises(ModelError, match=r"T2IAdapter does not fit the base model: widths of its levels"):
        draw(pipe, identity, guides=[Guide(other, picture(0))])


def load_style(pipe, folder):
    """Load an IP-Adapter with random weights, and give plain SDXL with it."""
    width, tokens = 32, 4
    config = CLIPVisionConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=32,
        patch_size=16, projection_dim=24,
    )  # fmt: skip
    torch.manual_seed(0)
    pipe.register_modules(
        image_encoder=CLIPVisionModelWithProjection(config).eval(),
        feature_extractor=CLIPImageProcessor(size=32, crop_size=32),
    )
    sizes = pipe.face_attention.config.hidden_sizes
    adapter = {
        f"{2 * n + 1}.to_{m}_ip.weight": torch.randn(size, width)
        for n, size in enumerate(sizes)
        for m in "kv"
    }
    projection = {
        "proj.weight": torch.randn(tokens * width, 24), "proj.bias": torch.zeros(tokens * width),
        "norm.weight": torch.ones(width), "norm.bias": torch.zeros(width),
    }  # fmt: skip
    tensors = {f"image_proj.{name}": value for name, value in projection.items()}
    save_file(
        tensors | {f"ip_adapter.{name}": value for name, value in adapter.items()},
        folder / "style.safetensors",
    )
    pipe.load_ip_adapter(folder, subfolder="", weight_name="style.safetensors", image_encoder_folder=None)
    pipe.set_ip_adapter_scale(0.6)
    return others(
        StableDiffusionXLPipeline,
        pipe,
        image_encoder=pipe.image_encoder,
        feature_extractor=pipe.feature_extractor,
    )


def test_an_ip_adapter_for_style(pipe, identity, tmp_path):
    before = draw(pipe, identity)
    plain, style = load_style(pipe, tmp_path), {"ip_adapter_image": picture(7)}
    expected = plain(**style, **settings()).images
    np.testing.assert_allclose(draw(pipe, identity, **OFF, **style), expected, atol=1e-5)
    both = draw(pipe, identity, **style)
    assert not np.array_equal(both, expected)
    assert not np.array_equal(both, draw(pipe, identity, face_scale=0.3, **style))
    pipe.set_ip_adapter_scale(0.1)
    assert not np.array_equal(both, draw(pipe, identity, **style))
    pipe.unload_ip_adapter()
    np.testing.assert_allclose(draw(pipe, identity), before, atol=1e-5)


def test_an_ip_adapter_within_a_mask(pipe, identity, tmp_path):
    plain, style = load_style(pipe, tmp_path), {"ip_adapter_image": picture(7)}
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., :32] = 1
    masked = style | {"cross_attention_kwargs": {"ip_adapter_masks": [mask]}}
    expected = plain(**masked, **settings()).images
    assert not np.array_equal(expected, plain(**style, **settings()).images)
    np.testing.assert_allclose(draw(pipe, identity, **OFF, **masked), expected, atol=1e-5)
    assert not np.array_equal(draw(pipe, identity, **masked), draw(pipe, identity, **style))


def test_a_guide_of_another_model_is_refused(pipe, identity):
    config = dict(pipe.unet.config) | {"cross_attention_dim": 48}
    other = ControlNetModel.from_unet(
        type(pipe.unet).from_config(config), conditioning_embedding_out_channels=(4, 4)
    )
    with pytest.raises(ModelError, match=r"`cross_attention_dim` 48, expected 32\. Use one that was made"):
        draw(pipe, identity, guides=[Guide(other, picture(0))])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": -1}, "`scale`"),
        ({"start": 0.5, "end": 0.5}, "`start` and `end`"),
        ({"end": 2}, "`start` and `end`"),
    ],
)
def test_a_guides_settings_are_checked(pipe, arguments, message):
    with pytest.raises(ValueError, match=message):
        Guide(controlnet(pipe, 0), picture(0), **arguments)


def test_a_guides_model_is_checked(pipe):
    with pytest.raises(TypeError, match="ControlNetModel or a T2IAdapter"):
        Guide(pipe.unet, picture(0))


@pytest.mark.parametrize(
    ("name", "meant"),
    [("guidance_scal", "guidance_scale"), ("warp_strenght", "warp_strength"), ("clip_skp", "clip_skip")],
)
def test_unknown_arguments_are_refused(pipe, identity, name, meant):
    with pytest.raises(TypeError, match=rf"`{name}`; did you mean `{meant}`\?"):
        draw(pipe, identity, **{name: 1.0})
