"""Pipelines saved and loaded."""

import json
import shutil

import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionXLPipeline,
)
from diffusers.loaders import lora_base

from hifi_portrait.errors import ModelError
from hifi_portrait.pipeline import HiFiPortraitPipeline, loading
from tiny_pipelines import FACE_PARTS, TARGET, a_pipeline, draw


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


def test_a_pipeline_is_saved_where_peft_is_not_installed(pipe, tmp_path, monkeypatch):
    monkeypatch.setattr(lora_base, "USE_PEFT_BACKEND", False)  # what diffusers remembers of it
    monkeypatch.setattr(loading, "is_peft_available", lambda: False)
    pipe.save_pretrained(tmp_path / "model")
    assert (tmp_path / "model" / "model_index.json").is_file()
