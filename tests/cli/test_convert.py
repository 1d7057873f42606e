"""``convert instantid``, and a portrait drawn with what it wrote."""

from __future__ import annotations

import json

import numpy as np
import pytest
from diffusers import StableDiffusionXLPipeline
from PIL import Image

import instantid_published as published
from arcface_samples import write_network
from hifi_portrait.training.data.tokenizer import train_tokenizer


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """InstantID's files, an SDXL base, and a recogniser of the length that the adapter reads."""
    folder = tmp_path_factory.mktemp("files")
    published.write_published(folder)
    tokenizer = train_tokenizer([], 514)
    both = {"tokenizer": tokenizer, "tokenizer_2": tokenizer, "scheduler": published.scheduler()}
    StableDiffusionXLPipeline(**published.base_parts(), **both).save_pretrained(folder / "base")
    write_network(folder / "recogniser.onnx", outputs=published.EMBEDDING)
    return folder


def convert(run, files, out, *words):
    given = ("--controlnet", files / "ControlNetModel", "--adapter", files / "ip-adapter.bin", "--out", out)
    return run("convert", "instantid", *given, *words)


@pytest.mark.parametrize("name", ["hifi", "hifi.safetensors"])
def test_what_is_converted_draws(run, files, person, tmp_path, name):
    written = convert(run, files, tmp_path / name, "--json")
    assert written.exit_code == 0, written.stderr
    assert json.loads(written.stdout) == {
        "path": str(tmp_path / name), "recogniser_dim": 24, "tokens": [16, 32],
        "layers": len(published.published_adapter(published.base_parts()["unet"])["ip_adapter"]) // 2,
    }  # fmt: skip
    words = ("--model", files / "base", "--hifi", tmp_path / name, "--recogniser", files / "recogniser.onnx")
    pictures = []
    for scale in (0.8, 0.0):
        out = tmp_path / f"{scale}.png"
        scales = ("--hifi-scale", scale, "--face-scale", scale)
        drawn = run("generate", person[0], *words, *scales, "--steps", 2, "--out", out)
        assert drawn.exit_code == 0, drawn.stderr
        pictures.append(np.asarray(Image.open(out).convert("RGB"), int))
    assert np.abs(pictures[0] - pictures[1]).max() > 5


def test_nothing_is_overwritten(run, files, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    refused = convert(run, files, tmp_path)
    assert refused.exit_code == 2
    assert "is there already" in refused.stderr
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_half_precision_takes_half_the_space(run, files, tmp_path):
    sizes = []
    for dtype in ("float32", "float16"):
        out = tmp_path / f"{dtype}.safetensors"
        assert convert(run, files, out, "--dtype", dtype).exit_code == 0
        sizes.append(out.stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]


def test_hifi_weights_need_their_base(run, files, person):
    refused = run("generate", person[0], "--hifi", files / "hifi")
    assert refused.exit_code == 2
    assert "give --model" in refused.stderr
