import shlex

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from hifi_portrait.cli.app import app
from hifi_portrait.errors import ModelError
from hifi_portrait.evaluation.baselines import PROMPT, Comparison
from hifi_portrait.models.build import build
from hifi_portrait.models.designs import DESIGNS, design_overrides
from hifi_portrait.pipeline import HiFiPortraitPipeline
from hifi_portrait.training.objectives.hifi.config import FACE_PARTS, HiFiConfig, HiFiDataConfig
from hifi_portrait.training.objectives.hifi.objective import HiFiObjective
from hifi_portrait.training.objectives.hifi.parts import take_over_prior
from tiny_pipelines import TARGET, an_identity

TINY = (
    'hifi.size="tiny"',
    "trainer.batch_size=1",
    'trainer.precision="no"',
    "trainer.workers=0",
    "hifi.noise_draws=1",
    "hifi.sheet_people=1",
    "hifi.sheet_steps=1",
)


TRAINED = ("instantid", "photomaker", "ours")
"""Designs that are trained: each sends faces another way."""


@pytest.fixture(scope="module")
def base(prepared, tmp_path_factory):
    """A fresh tiny pipeline, for the frozen base model in it."""
    tokenizer = prepared.tokenizer()
    folder = tmp_path_factory.mktemp("base")
    parts = build("tiny", seed=0)
    HiFiPortraitPipeline(tokenizer=tokenizer, tokenizer_2=tokenizer, **parts).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def compared(prepared, base, tmp_path_factory):
    """The folder of a comparison of three designs, a step each."""
    out, overrides = tmp_path_factory.mktemp("compared"), ("trainer.max_steps=1", *TINY)
    Comparison(
        data=prepared.folder, out=out, designs=TRAINED, base=base, overrides=overrides, steps=2
    ).train()
    return out


@pytest.mark.parametrize("design", DESIGNS)
def test_gradients_reach_every_part_that_a_design_trains(design, prepared, base):
    data = HiFiDataConfig(face_dropout=0, caption_dropout=0)
    config = HiFiConfig(size="tiny", design=design, init_from=(str(base),), fresh=FACE_PARTS, data=data)
    objective = HiFiObjective(config, prepared.folder)
    batch = objective.collate([objective.sample(i) for i in range(2)])
    learning = [parameter for parameter in objective.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(learning, lr=0.1)
    for _ in range(3):  # the first steps leave zero-initialised layers
        torch.manual_seed(0)
        optimiser.zero_grad()
        loss = objective(batch)["denoising"]
        loss.backward()
        optimiser.step()
    assert bool(loss.isfinite())
    for name in FACE_PARTS:
        for child, module in objective.part(name).named_children():
            reached = [p.grad is not None and bool(p.grad.any()) for p in module.parameters()]
            assert not reached or any(reached), f"{name}.{child}"


def assert_draws(pipe, **settings):
    pipe.set_progress_bar_config(disable=True)
    settings |= {"num_images_per_prompt": 2, "output_type": "np"}
    pictures = pipe(an_identity(), TARGET, ["a man", "a woman"], **settings).images
    assert pictures.shape == (4, 64, 64, 3) and np.isfinite(pictures).all()


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_is_a_pipeline_that_draws(design, prepared):
    parts = build("tiny", seed=0, overrides=design_overrides(design))
    tokenizer = prepared.tokenizer()
    pipe = HiFiPortraitPipeline(tokenizer=tokenizer, tokenizer_2=tokenizer, **parts)
    assert_draws(pipe, num_inference_steps=2)


@pytest.mark.parametrize("design", TRAINED)
def test_a_trained_design_is_a_pipeline_that_draws(design, compared):
    pipe = HiFiPortraitPipeline.from_pretrained(compared / "models" / design)
    assert pipe.config.default_warp_strength == 1.0 and pipe.config.default_steps == 2
    assert_draws(pipe)


def test_faces_in_the_prompt_change_the_picture_of_photomaker(compared):
    pipe = HiFiPortraitPipeline.from_pretrained(compared / "models" / "photomaker")
    assert pipe.face_refiner.in_prompt and not pipe.face_attention.config.hidden_sizes
    tokens, present = torch.ones(1, 2, 32), torch.ones(1, 2, dtype=torch.bool)
    text = torch.zeros(1, 77, 32)
    merged = pipe.face_refiner.merge(text, torch.tensor([3]), tokens, present)
    assert merged[0, 3:5].abs().min() > 0 and merged[0, 5:].abs().max() == 0


def test_a_finished_comparison_only_says_how_to_measure(compared, prepared, base):
    weights = [path.stat().st_mtime_ns for path in sorted(compared.glob("models/*/*/*.safetensors"))]
    command = ["--data", str(prepared.folder), "--out", str(compared), "--base", str(base), "--steps", "1"]
    command += ["--designs", ",".join(TRAINED)]
    settings = [word for setting in TINY for word in ("--set", setting)]
    done = CliRunner().invoke(app, ["baselines", *command, *settings])
    assert done.exit_code == 0, done.stderr
    assert weights == [path.stat().st_mtime_ns for path in sorted(compared.glob("models/*/*/*.safetensors"))]
    printed = done.stdout.splitlines()
    words = [shlex.split(line) for line in printed]
    assert [line[line.index("--name") + 1] for line in words] == list(TRAINED)
    assert {line[line.index("--prompt") + 1] for line in words} == {PROMPT}


def test_a_run_of_other_settings_is_refused(compared, prepared, base):
    overrides = ("trainer.max_steps=3", *TINY)
    longer = Comparison(data=prepared.folder, out=compared, designs=TRAINED, base=base, overrides=overrides)
    with pytest.raises(ModelError, match="other settings"):
        longer.train()


def test_data_of_another_tokenizer_are_refused(prepared, tmp_path):
    with pytest.raises(ModelError, match="another tokenizer"):
        Comparison(data=prepared.folder, out=tmp_path, overrides=TINY).train()


def test_a_fresh_net_takes_over_the_latent_prior(tmp_path):
    base, fresh, without = (
        build("tiny", ["hifi_net"], overrides={"hifi_net": {"latent_prior": size}})["hifi_net"]
        for size in (8, 8, 0)
    )
    base.prior.mean.normal_()
    base.save_pretrained(tmp_path / "pipeline" / "hifi_net")
    build("tiny", ["unet"])["unet"].save_pretrained(tmp_path / "pipeline" / "unet")
    assert take_over_prior(fresh, [tmp_path / "pipeline"])
    assert torch.equal(fresh.prior.mean, base.prior.mean)
    with pytest.raises(ModelError, match="latent prior"):
        take_over_prior(without, [tmp_path / "pipeline"])
    assert not take_over_prior(without, [])


def test_the_latent_prior_of_another_base_model_is_left(tmp_path):
    """Face parts may be taken from a model whose own base learnt with a prior."""
    other, fresh = (
        build("tiny", ["hifi_net"], overrides={"hifi_net": {"latent_prior": size}})["hifi_net"]
        for size in (8, 0)
    )
    other.save_pretrained(tmp_path / "other" / "hifi_net")
    build("tiny", ["unet"])["unet"].save_pretrained(tmp_path / "base" / "unet")
    assert not take_over_prior(fresh, [tmp_path / "base", tmp_path / "other"])


def test_every_design_draws_the_same_samples(prepared, base):
    drawn = []
    for design in ("ours", "photomaker"):
        config = HiFiConfig(size="tiny", design=design, init_from=(str(base),), fresh=FACE_PARTS)
        drawn.append(HiFiObjective(config, prepared.folder).sample(3))
    assert torch.equal(drawn[0]["latents"], drawn[1]["latents"])
    assert torch.equal(drawn[0]["faces"].crops, drawn[1]["faces"].crops)
