"""Prepared folders packed into little for training the base model elsewhere."""

import zipfile

import numpy as np
import pytest
import torch

from hifi_portrait.errors import DatasetError, ModelError
from hifi_portrait.training.data.prepared import Prepared
from hifi_portrait.training.engine.checkpoint import latest_checkpoint
from hifi_portrait.training.objectives.base import BaseConfig, BaseObjective
from pack_prepared import main, pack, unpack


@pytest.fixture(scope="module")
def packed(prepared, tmp_path_factory):
    file = tmp_path_factory.mktemp("packed") / "all.zip"
    pack(prepared.folder, file, step=0.1)
    return file


def test_latents_come_back_up_to_half_a_step(prepared, packed, tmp_path):
    unpack(packed, tmp_path)
    there = Prepared(tmp_path)
    assert there.captions == prepared.captions
    for photo in range(len(prepared)):
        error = (there.latents(photo) - prepared.latents(photo)).abs().max()
        assert error <= 0.05 + 0.01  # and float16's rounding
    for split in ("train", "validation", "test"):
        assert np.array_equal(there.photos(split), prepared.photos(split))


def test_the_first_people_alone(prepared, tmp_path):
    pack(prepared.folder, tmp_path / "two.zip", people=2)
    unpack(tmp_path / "two.zip", tmp_path / "two")
    there = Prepared(tmp_path / "two")
    assert len(there) == 6
    assert there.captions == prepared.captions[:6]


def test_latents_far_from_zero_keep_their_values(prepared, tmp_path):
    pack(prepared.folder, tmp_path / "fine.zip", step=0.001)
    unpack(tmp_path / "fine.zip", tmp_path / "there")
    there = Prepared(tmp_path / "there")
    assert prepared.latents(0).abs().max() > 0.127 + 0.01
    torch.testing.assert_close(there.latents(0), prepared.latents(0), rtol=1e-3, atol=1e-3)


def test_a_prepared_folder_is_not_written_over(prepared, packed):
    with pytest.raises(DatasetError, match="is a prepared folder already: give another --out"):
        unpack(packed, prepared.folder)


def test_the_recipe_base_trains_on_it(packed, tmp_path, run_recipe):
    unpack(packed, tmp_path / "there")
    run = run_recipe("base", tmp_path / "there")
    assert (latest_checkpoint(run) / "ema" / "unet" / "config.json").is_file()


def test_what_was_left_out_is_said(packed, tmp_path):
    unpack(packed, tmp_path)
    with pytest.raises(DatasetError, match="has no landmarks: it was packed without"):
        Prepared(tmp_path).references([0], ["fit"])


def test_frozen_text_encoders_must_be_given(prepared):
    with pytest.raises(ModelError, match="no weights for 'text_encoder'"):
        BaseObjective(BaseConfig(size="tiny", trainable=("unet",)), prepared.folder)


def test_logit_normal_timesteps_train_and_captions_draw(prepared):
    objective = BaseObjective(BaseConfig(size="tiny", timesteps="logit-normal"), prepared.folder)
    batch = objective.collate([objective.sample(index) for index in range(2)])
    assert torch.isfinite(objective(batch)["denoising"])
    noise = torch.randn_like(batch["latents"])
    with torch.no_grad():
        plain, guided, again = (objective.draw(batch["token_ids"], noise, 2, g) for g in (1.0, 4.0, 1.0))
    assert plain.shape == noise.shape
    assert torch.equal(plain, again)
    assert not torch.equal(plain, guided)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--step", "0"], "--step must be"),
        (["--step", "nan"], "--step"),
        (["--people", "0"], "--people must be"),
    ],
)
def test_options_that_lose_everything_are_refused(prepared, tmp_path, monkeypatch, capsys, options, said):
    arguments = ["pack", str(prepared.folder), "--out", str(tmp_path / "packed.zip"), *options]
    monkeypatch.setattr("sys.argv", ["pack_prepared.py", *arguments])
    with pytest.raises(SystemExit):
        main()
    assert said in capsys.readouterr().err
    assert not (tmp_path / "packed.zip").exists()


def test_another_archive_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(DatasetError, match=r"other\.zip is no packed folder"):
        unpack(tmp_path / "other.zip", tmp_path / "out")


def test_a_step_too_small_for_the_latents_is_refused(prepared, tmp_path):
    with pytest.raises(DatasetError, match=r"--step 1e-06 is too small"):
        pack(prepared.folder, tmp_path / "fine.zip", step=1e-6)
    assert not (tmp_path / "fine.zip").exists()
