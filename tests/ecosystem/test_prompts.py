"""What people do with prompts: LoRA, textual inversion, embeddings, long negatives, clip skip, FreeU."""

import copy

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file

from hifi_portrait.errors import ModelError
from tiny_pipelines import a_pipeline, draw, draw_plain

LAYERS = ["to_q", "to_k", "to_v", "to_out.0"]


def lora_weights(seed):
    """LoRA matrices for a tiny UNet's attention, by module name: (down, up)."""
    unet = a_pipeline().unet
    unet.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=LAYERS, init_lora_weights=False))
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(value.shape, generator=generator) * 0.3
        for name, value in get_peft_model_state_dict(unet).items()
    }


def peft_file(folder, seed):
    save_file(
        {f"unet.{name}": value for name, value in lora_weights(seed).items()},
        folder / f"peft{seed}.safetensors",
    )
    return f"peft{seed}.safetensors"


def kohya_file(folder, seed):
    tensors = {}
    for name, value in lora_weights(seed).items():
        module, matrix = name.removesuffix(".weight").rsplit(".", 1)
        key = "lora_unet_" + module.replace(".", "_")
        tensors[f"{key}.lora_{'down' if matrix == 'lora_A' else 'up'}.weight"] = value
        tensors[f"{key}.alpha"] = torch.tensor(2.0)
    save_file(tensors, folder / f"kohya{seed}.safetensors")
    return f"kohya{seed}.safetensors"


def load(pipe, folder, file, name):
    pipe.load_lora_weights(folder, weight_name=file, adapter_name=name)


def assert_unloaded(pipe, identity, before):
    pipe.unload_lora_weights()
    fresh = a_pipeline().unet.state_dict()
    assert all(torch.equal(value, fresh[name]) for name, value in pipe.unet.state_dict().items())
    # peft leaves weights that ask for no gradient; torch then rounds otherwise, in plain SDXL too.
    np.testing.assert_allclose(draw(pipe, identity), before, atol=1e-5)


@pytest.mark.parametrize("write", [peft_file, kohya_file])
def test_lora(pipe, identity, tmp_path, write):
    before = draw(pipe, identity)
    load(pipe, tmp_path, write(tmp_path, 1), "one")
    full = draw(pipe, identity)
    assert not np.array_equal(full, before)
    base = draw(pipe, identity, hifi_scale=0.0, face_scale=0.0)
    assert np.array_equal(base, draw_plain(pipe))
    pipe.set_adapters(["one"], [0.3])
    assert not np.array_equal(draw(pipe, identity), full)
    assert_unloaded(pipe, identity, before)


def test_both_layouts_of_one_lora_give_one_picture(identity, tmp_path):
    pictures = []
    for write in (peft_file, kohya_file):
        pipe = a_pipeline()
        load(pipe, tmp_path, write(tmp_path, 1), "one")
        pictures.append(draw(pipe, identity))
    np.testing.assert_allclose(*pictures, atol=1e-5)


def test_several_loras_are_weighed(pipe, identity, tmp_path):
    before = draw(pipe, identity)
    for seed in (1, 2):
        load(pipe, tmp_path, kohya_file(tmp_path, seed), f"lora{seed}")
    pictures = []
    for weights in ([1.0, 0.0], [0.0, 1.0], [0.7, 0.7], [0.0, 0.0]):
        pipe.set_adapters(["lora1", "lora2"], weights)
        pictures.append(draw(pipe, identity))
    assert all(not np.array_equal(a, b) for i, a in enumerate(pictures) for b in pictures[:i])
    np.testing.assert_allclose(pictures[-1], before, atol=1e-5)
    assert_unloaded(pipe, identity, before)


def test_a_name_that_is_taken_is_refused(pipe, tmp_path):
    load(pipe, tmp_path, peft_file(tmp_path, 1), "one")
    with pytest.raises(ModelError, match="there is a LoRA named 'one' already"):
        load(pipe, tmp_path, peft_file(tmp_path, 2), "one")


@pytest.mark.parametrize(
    ("module", "width", "message"),
    [
        ("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q", 320, "made for SDXL"),  # too wide
        (
            "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
            8,
            "made for SDXL",
        ),  # no such layer
        ("transformer.single_blocks.0.attn.to_q", 3072, "made for a transformer, such as FLUX"),
    ],
)
def test_a_lora_of_another_architecture_is_refused(pipe, identity, tmp_path, module, width, message):
    before = draw(pipe, identity)
    tensors = {
        f"{module}.lora_A.weight": torch.ones(2, width),
        f"{module}.lora_B.weight": torch.ones(width, 2),
    }
    save_file(tensors, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match=rf"the LoRA .*other\.safetensors .*{message}"):
        load(pipe, tmp_path, "other.safetensors", "other")
    np.testing.assert_allclose(draw(pipe, identity), before, atol=1e-5)


def test_textual_inversion(pipe, identity):
    pipe.tokenizer_2 = copy.deepcopy(pipe.tokenizer)
    without = draw(pipe, identity, prompt="a photo, mood")
    generator = torch.Generator().manual_seed(0)
    for encoder, tokenizer in ((pipe.text_encoder, pipe.tokenizer), (pipe.text_encoder_2, pipe.tokenizer_2)):
        embedding = torch.randn(16, generator=generator)
        pipe.load_textual_inversion(embedding, token="mood", text_encoder=encoder, tokenizer=tokenizer)
    learnt = draw(pipe, identity, prompt="a photo, mood")
    assert not np.array_equal(learnt, without)
    base = draw(pipe, identity, prompt="a photo, mood", hifi_scale=0.0, face_scale=0.0)
    assert np.array_equal(base, draw_plain(pipe, prompt="a photo, mood"))


def test_prompt_embeddings_equal_the_prompt(pipe, identity):
    words = {"prompt": "a man in the rain", "negative_prompt": "blurred"}
    names = (
        "prompt_embeds",
        "negative_prompt_embeds",
        "pooled_prompt_embeds",
        "negative_pooled_prompt_embeds",
    )
    with torch.no_grad():
        given = dict(zip(names, pipe.encode_prompt(**words), strict=True))
    assert np.array_equal(draw(pipe, identity, **given), draw(pipe, identity, **words))


def test_long_negative_prompts(pipe, identity):
    long = ", ".join(["blurred", "low quality", "extra fingers"] * 60)
    short = draw(pipe, identity, prompt="a man", negative_prompt="blurred")
    assert not np.array_equal(draw(pipe, identity, prompt="a man", negative_prompt=long), short)


@pytest.mark.parametrize("setting", [{"clip_skip": 1}, {"guidance_rescale": 0.7}])
def test_settings_of_diffusers_reach_it(pipe, identity, setting):
    plain = draw_plain(pipe, prompt="a man", **setting)
    base = draw(pipe, identity, prompt="a man", hifi_scale=0.0, face_scale=0.0, **setting)
    assert np.array_equal(base, plain)
    assert not np.array_equal(base, draw_plain(pipe, prompt="a man"))
    assert not np.array_equal(draw(pipe, identity, prompt="a man", **setting), base)


def test_freeu(pipe, identity):
    before = draw(pipe, identity)
    pipe.enable_freeu(s1=0.9, s2=0.2, b1=1.3, b2=1.4)
    with_freeu = draw(pipe, identity)
    base = draw(pipe, identity, hifi_scale=0.0, face_scale=0.0)
    assert np.array_equal(base, draw_plain(pipe)) and not np.array_equal(with_freeu, before)
    pipe.disable_freeu()
    assert np.array_equal(draw(pipe, identity), before)
