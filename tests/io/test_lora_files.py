"""What a LoRA's file is refused for, before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from hifi_portrait.errors import ModelError
from hifi_portrait.io.lora_files import check_lora, read_text_width
from hifi_portrait.io.names import BUNDLED_MODEL

KOHYA = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight"
PEFT = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight"
DIFFUSERS = "unet.down_blocks.1.attentions.0.processor.attn2.to_k.lora.down.weight"


def write(path: Path, *names: str, width: int = 2048) -> Path:
    save_file({name: np.zeros((4, width), np.float32) for name in names}, path)
    return path


@pytest.mark.parametrize("name", [KOHYA, PEFT, DIFFUSERS])
def test_a_lora_for_the_model_is_taken_in_every_layout(tmp_path, name):
    check_lora(write(tmp_path / "a.safetensors", name), 2048)


@pytest.mark.parametrize("name", [KOHYA, PEFT, DIFFUSERS])
@pytest.mark.parametrize(
    ("width", "made_for"), [(768, "Stable Diffusion 1"), (1024, "Stable Diffusion 2"), (64, "64 wide")]
)
def test_a_lora_for_another_model_is_refused_by_both_names(tmp_path, name, width, made_for):
    file = write(tmp_path / "a.safetensors", name, width=width)
    with pytest.raises(ModelError, match=f"a.safetensors was made for .*{made_for}.* that of SDXL"):
        check_lora(file, 2048)


@pytest.mark.parametrize(
    "name", ["transformer.x.lora_A.weight", "lora_unet_double_blocks_0.lora_down.weight"]
)
def test_a_lora_for_a_transformer_is_refused(tmp_path, name):
    with pytest.raises(ModelError, match="made for a transformer, such as FLUX"):
        check_lora(write(tmp_path / "flux.safetensors", name), 2048)


def test_who_has_a_smaller_model_is_told_where_loras_for_sdxl_go(tmp_path):
    file = write(tmp_path / "a.safetensors", KOHYA)
    with pytest.raises(ModelError, match=r"made for SDXL, .* SDXL base model"):
        check_lora(file, read_text_width(BUNDLED_MODEL))


def test_a_text_encoders_lora_is_left_to_the_loader(tmp_path):
    check_lora(write(tmp_path / "a.safetensors", "lora_te1_x.lora_down.weight"), 2048)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("embeddings", "holds no LoRA"),
        ("lora_unet_x.hada_w1_a", "is a LyCORIS file"),
        ("lora_unet_x.lokr_w1", "is a LyCORIS file"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, name, message):
    with pytest.raises(ModelError, match=message):
        check_lora(write(tmp_path / "a.safetensors", name), 2048)


def test_a_damaged_or_missing_file_is_named(tmp_path):
    file = write(tmp_path / "a.safetensors", KOHYA)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ModelError, match=r"a\.safetensors holds no LoRA, or is damaged"):
        check_lora(file)
    with pytest.raises(ModelError, match=r"b\.safetensors does not exist"):
        check_lora(tmp_path / "b.safetensors")
    with pytest.raises(ModelError, match="is a folder"):
        check_lora(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", '{"cross_attention_dim": [1, 2]}'])
def test_a_width_that_is_not_to_be_read_is_unknown(tmp_path, content):
    assert read_text_width(tmp_path) is None
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(content)
    assert read_text_width(tmp_path) is None
