"""The documentation's commands that train on SDXL, run as they stand there, on small models of its layout."""

import itertools
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate.commands.launch import launch_command_parser
from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
from transformers import CLIPConfig, CLIPModel
from typer.testing import CliRunner

from hifi_portrait.cli.app import app
from hifi_portrait.models import build, size_config
from hifi_portrait.pipeline import HiFiPortraitPipeline
from hifi_portrait.training.data.tokenizer import train_tokenizer
from hifi_portrait.training.run import train
from tiny_pipelines import an_identity, draw

pytestmark = pytest.mark.slow

DOCUMENT = Path(__file__).parents[2] / "docs" / "sdxl.md"
SMALL = ["--set", 'hifi.size="tiny"', "--set", "trainer.max_steps=1", "--set", "trainer.accumulate=1"]
SMALL += ["--set", "trainer.learning_rate=0.01", "--set", "trainer.warmup_steps=1"]
SMALL += ["--set", "trainer.workers=0", "--set", "hifi.sheet_people=1", "--set", "hifi.sheet_steps=2"]


def blocks():
    """Blocks of commands that begin with a training run or lead to one, each command as its words."""
    text = DOCUMENT.read_text().partition("## Training\n")[2]
    found = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [block.replace("\\\n", " ").strip().splitlines() for block in found]
    return [[shlex.split(line) for line in block] for block in lines]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """`BASE`, a tiny SDXL in diffusers' layout that predicts noise, and `CLIP`, a whole CLIP."""
    folder = tmp_path_factory.mktemp("models")
    parts = build("tiny", ["vae", "unet", "text_encoder", "text_encoder_2"], seed=0)
    tokenizer = train_tokenizer(["a portrait of person"], 514)
    second = train_tokenizer(["a portrait of person"], 514)
    second.pad_token = "!"
    scheduler = EulerDiscreteScheduler(beta_schedule="scaled_linear", timestep_spacing="leading")
    StableDiffusionXLPipeline(
        **parts, tokenizer=tokenizer, tokenizer_2=second, scheduler=scheduler
    ).save_pretrained(folder / "BASE")
    vision = dict(size_config("tiny")["face_encoder"]["vision"])
    text = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(0)
    CLIPModel(CLIPConfig(vision_config=vision, text_config=text)).save_pretrained(folder / "CLIP")
    return folder


def placed(words, places):
    """A command's words with its folders, and the tiny size, in the place of those of the document."""
    changed = [
        re.sub(r"my-data|prepared|runs/sdxl|my-model|BASE|CLIP", lambda m: places[m[0]], w) for w in words
    ]
    return [
        "tiny" if word == "sdxl" and changed[i - 1] == "--size" else word for i, word in enumerate(changed)
    ]


def run(words):
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr


def accelerate_launch(words):
    """`accelerate launch WORDS` of our module, in this process: `ranks` and its tests start others."""
    parsed = launch_command_parser().parse_args(words)
    assert parsed.module and parsed.training_script == "hifi_portrait.training"
    run(["train", *parsed.training_script_args])


def assert_draws(folder, clip, *, as_clip):
    """It is a pipeline that draws, with the base's scheduler; its vision tower is CLIP's, or has learnt."""
    pipe = HiFiPortraitPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    assert isinstance(pipe.scheduler, EulerDiscreteScheduler)
    assert pipe.scheduler.config.prediction_type == "epsilon"
    drawn = draw(pipe, an_identity(), num_inference_steps=2)
    assert drawn.shape == (1, 64, 64, 3) and np.isfinite(drawn).all() and drawn.std() > 0.01
    theirs = CLIPModel.from_pretrained(clip).vision_model.embeddings.patch_embedding.weight
    ours = pipe.face_encoder.tower.embeddings.patch_embedding.weight
    frozen = theirs.bfloat16().half().float()  # kept in bfloat16 where it does not learn, exported in float16
    assert torch.equal(ours, frozen) == as_clip
    torch.testing.assert_close(ours, theirs, atol=0.05, rtol=0)


@pytest.fixture(scope="module")
def places(models, id_data, tmp_path_factory):
    """Where the document's folders are here; the data are prepared by its command."""
    folder = tmp_path_factory.mktemp("sdxl")
    places = {"prepared": str(folder / "prepared"), "my-data": str(id_data)}
    places |= {name: str(models / name) for name in ("BASE", "CLIP")}
    prepare = blocks()[0][0]
    assert prepare[:2] == ["hifi-portrait", "prepare"]
    run([*placed(prepare[1:], places), "--workers", "1"])
    return places


def test_from_photos_a_clip_and_an_sdxl_to_a_pipeline_that_draws(models, places, tmp_path):
    _, launch, export = blocks()[0]
    places = places | {name: str(tmp_path / name) for name in ("runs/sdxl", "my-model")}
    assert launch[:4] == ["accelerate", "launch", "-m", "hifi_portrait.training"]
    options = ["--num_processes=1", "--num_cpu_threads_per_process=1", "--cpu"]
    accelerate_launch([*options, "-m", "hifi_portrait.training", *placed(launch[4:], places), *SMALL])
    run(placed(export[1:], places))
    assert_draws(tmp_path / "my-model", models / "CLIP", as_clip=False)


def test_with_clip_frozen_as_for_24_gigabytes(models, places, tmp_path):
    launch, export = next(block for block in blocks() if any("frozen_clip" in w for w in block[0]))
    places = places | {name: str(tmp_path / name) for name in ("runs/sdxl", "my-model")}
    words = [*placed(launch[4:], places), *SMALL]
    settings = [b for a, b in itertools.pairwise(words) if a == "--set" and "adamw8bit" not in b]
    train("sdxl", places["prepared"], places["runs/sdxl"], overrides=settings)
    run(placed(export[1:], places))
    assert_draws(tmp_path / "my-model", models / "CLIP", as_clip=True)
