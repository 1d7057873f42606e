"""Warps of samples that are drawn once and kept beside the prepared photos."""

import dataclasses
import shutil

import cv2
import numpy as np
import pytest
import torch

from hifi_portrait.errors import DatasetError
from hifi_portrait.training.data import kept_warps
from hifi_portrait.training.data.kept_warps import KeptWarps
from hifi_portrait.training.objectives.hifi.config import HiFiDataConfig
from hifi_portrait.training.objectives.hifi.data import HiFiData

PNG_OF_ANOTHER_SIZE = cv2.imencode(".png", np.zeros((9, 7, 4), np.uint8))[1].tobytes()
SETTINGS = HiFiDataConfig(references=(1, 2), kept_warps=2, face_dropout=0, clause_dropout=0.7)


@pytest.fixture
def folder(prepared, tmp_path):
    """A prepared folder of one test's own, to keep warps in."""
    return shutil.copytree(prepared.folder, tmp_path / "prepared")


def no_warp(*_args, **_options):
    raise AssertionError("a warp was drawn that had been kept")


def faces_of(sample):
    return {field.name: getattr(sample["faces"], field.name) for field in dataclasses.fields(sample["faces"])}


def test_a_kept_warp_is_the_one_drawn_and_is_not_drawn_again(folder, monkeypatch):
    plain = HiFiData(dataclasses.replace(SETTINGS, kept_warps=0), folder).sample(1)
    first = HiFiData(SETTINGS, folder).sample(1)
    monkeypatch.setattr(kept_warps, "warp_picture", no_warp)
    again = HiFiData(SETTINGS, folder).sample(1)
    for name, value in faces_of(again).items():
        assert torch.equal(value, faces_of(first)[name]), name
        torch.testing.assert_close(value, faces_of(plain)[name], rtol=0, atol=0.501 / 127.5)
    assert faces_of(again)["warp"].std() > 0.1


def test_samples_begin_again_with_other_captions(folder):
    data = HiFiData(SETTINGS, folder)
    passes = [data.sample(1 + 2 * number) for number in range(6)]
    for sample in passes:
        assert torch.equal(sample["faces"].warp, passes[0]["faces"].warp)
        assert torch.equal(sample["latents"], passes[0]["latents"])
    assert len({tuple(sample["token_ids"].tolist()) for sample in passes}) > 1
    assert not torch.equal(data.sample(0)["faces"].warp, passes[0]["faces"].warp)


def test_other_references_and_targets_are_drawn_anew(folder):
    def files(**changes):
        data = HiFiData(dataclasses.replace(SETTINGS, **changes), folder)
        data.sample(0)
        return {path.name for path in data.kept_warps.folder.glob("*.png")}

    first = files()
    assert len(first) == 1
    assert files(clause_dropout=0.0, kept_warps=8, packed=True) == first
    assert len(files(references=(2, 2), truth_share=1.0)) == 2
    crops = np.load(folder / "crops.npy")
    np.save(folder / "crops.npy", 255 - crops)  # as if the folder had been prepared from other photos
    assert len(files()) == 3


def test_another_code_of_the_warp_draws_anew(tmp_path, monkeypatch, model):
    package = tmp_path / "package"
    (package / "warp").mkdir(parents=True)
    monkeypatch.setattr("hifi_portrait.__file__", str(package / "__init__.py"))
    folders = []
    for text in ("ears = 2", "ears = 4", "ears = 2"):
        (package / "warp" / "ears.py").write_text(text)
        kept_warps._code.cache_clear()
        folders.append(KeptWarps(tmp_path, model).folder)
    kept_warps._code.cache_clear()
    assert folders[0] == folders[2] != folders[1]


def test_the_folder_may_be_deleted_while_a_run_goes_on(folder):
    data = HiFiData(SETTINGS, folder)
    first = data.sample(0)
    shutil.rmtree(data.kept_warps.folder)
    assert torch.equal(data.sample(0)["faces"].warp, first["faces"].warp)
    assert len(list(data.kept_warps.folder.iterdir())) == 1


def test_a_run_without_warps_keeps_none(folder):
    HiFiData(SETTINGS, folder, with_warp=False).sample(0)
    assert not list(folder.glob("warps-*"))


@pytest.mark.parametrize("damage", [lambda _: b"", lambda data: data[:20], lambda _: PNG_OF_ANOTHER_SIZE])
def test_a_damaged_file_is_named(folder, damage):
    data = HiFiData(SETTINGS, folder)
    data.sample(0)
    (path,) = data.kept_warps.folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DatasetError, match=r"\.png is no warp .*delete it"):
        data.sample(0)


@pytest.mark.parametrize("with_warp", [True, False])
@pytest.mark.parametrize("count", [5, -4])
def test_the_count_does_not_part_samples_that_belong_together(prepared, count, with_warp):
    with pytest.raises(DatasetError, match=rf"kept_warps = {count} .*equal_counts = 2"):
        HiFiData(HiFiDataConfig(kept_warps=count, equal_counts=2), prepared.folder, with_warp=with_warp)
