"""``--lora``: what it draws, and what is refused, before any photo is analysed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model_state_dict
from PIL import Image
from safetensors.torch import save_file

from hifi_portrait.cli.loras import parse_lora
from hifi_portrait.io.provenance import read_record
from tiny_pipelines import a_pipeline


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA for a tiny UNet's attention."""
    unet = a_pipeline().unet
    unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_k", "to_v"], init_lora_weights=False))
    generator = torch.Generator().manual_seed(0)
    tensors = {
        f"unet.{name}": torch.randn(value.shape, generator=generator) * 0.1
        for name, value in get_peft_model_state_dict(unet).items()
    }
    file = tmp_path_factory.mktemp("lora") / "style 0.5.safetensors"
    save_file(tensors, file)
    return file


def test_a_scale_stands_behind_the_file(tmp_path, monkeypatch):
    assert parse_lora("a.safetensors") == (Path("a.safetensors"), 1.0)
    assert parse_lora("a.safetensors:0.4") == (Path("a.safetensors"), 0.4)
    assert parse_lora("d:1/a.safetensors") == (Path("d:1/a.safetensors"), 1.0)
    monkeypatch.chdir(tmp_path)
    Path("a:2").touch()
    assert parse_lora("a:2") == (Path("a:2"), 1.0)


@pytest.mark.slow
def test_a_lora_changes_the_picture_as_strongly_as_asked_for(run, saved_identity, tiny_model, lora, tmp_path):
    pictures = {}
    for scale in (0, 0.5, 1):
        out = tmp_path / f"{scale}.png"
        words = ["--model", tiny_model, "--steps", 1, "--warp-share", 0, "--lora", f"{lora}:{scale}"]
        result = run("generate", saved_identity, *words, "--out", out)
        assert result.exit_code == 0, result.stderr
        pictures[scale] = np.asarray(Image.open(out), np.float32)
        assert read_record(out)["loras"] == [{"name": lora.name, "scale": scale}]
    changes = [np.abs(pictures[scale] - pictures[0]).mean() for scale in (0.5, 1)]
    assert min(changes) > 0.3
    assert not np.array_equal(pictures[0.5], pictures[1])


def test_names_of_loras_stay_out_of_the_metadata_where_that_is_asked_for(
    run, saved_identity, tiny_model, lora, tmp_path
):
    out = tmp_path / "p.png"
    words = ["--model", tiny_model, "--steps", 1, "--lora", f"{lora}:0.7", "--private", "--out", out]
    assert run("generate", saved_identity, *words).exit_code == 0
    assert read_record(out)["loras"] == [{"scale": 0.7}]


@pytest.mark.parametrize("command", ["generate", "redraw"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("none.safetensors", "none.safetensors does not exist"),
        ("{lora}:strong", "the scale 'strong' is no number"),
        ("{lora}:nan", "the scale 'nan' is no number"),
        ("{saved}", "holds no LoRA"),
        ("{photo}", "holds no LoRA"),
    ],
)
def test_what_is_no_lora_is_refused(
    run, person, saved_identity, tiny_model, lora, tmp_path, command, given, message
):
    given = given.format(lora=lora, saved=saved_identity, photo=person[0])
    words = [person[0], saved_identity] if command == "redraw" else [saved_identity]
    result = run(command, *words, "--model", tiny_model, "--lora", given, "--out", tmp_path / "o.png")
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_the_bundled_model_says_which_loras_it_takes(run, saved_identity, lora, tmp_path):
    result = run("generate", saved_identity, "--lora", lora, "--out", tmp_path / "o.png")
    assert result.exit_code == 2
    assert "was made for a model that reads text" in result.stderr
    assert "with an SDXL base model (--model and --hifi) one for SDXL" in result.stderr


def test_without_peft_the_extra_is_named(run, saved_identity, tiny_model, lora, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    result = run(
        "generate", saved_identity, "--model", tiny_model, "--lora", lora, "--out", tmp_path / "o.png"
    )
    assert result.exit_code == 2
    assert "peft is not installed: pip install 'hifi-portrait[lora]'" in result.stderr


def test_a_lora_that_was_given_is_not_replaced(run, saved_identity, lora, tmp_path):
    before = lora.read_bytes()
    picture = tmp_path / "p.png"
    picture.write_bytes(before)
    result = run("generate", saved_identity, "--lora", f"{picture}:0.5", "--out", picture)
    assert result.exit_code == 2
    assert "would replace" in result.stderr
    assert picture.read_bytes() == before
