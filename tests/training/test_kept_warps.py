"""Warps of samples that are drawn once and kept beside the prepared photos."""

import dataclasses
import json
import shutil

import cv2
import numpy as np
import pytest
import torch

from hifi_portrait.errors import DatasetError
from hifi_portrait.training.data import kept_warps
from hifi_portrait.training.data.kept_warps import KeptWarps
from hifi_portrait.training.objectives.hifi import data as hifi_data
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
    monkeypatch.setattr(hifi_data, "warp_picture", no_warp)
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


def test_captions_do_not_part_what_is_kept_and_references_do(folder):
    def kept_in(**changes):
        return HiFiData(dataclasses.replace(SETTINGS, **changes), folder).kept_warps.folder

    assert kept_in() == kept_in(clause_dropout=0.0, kept_warps=8, packed=True)
    others = {kept_in(), kept_in(references=(2, 2)), kept_in(degraded_share=1.0)}
    others.add(HiFiData(SETTINGS, folder, seed=1).kept_warps.folder)
    assert len(others) == 4


def test_warps_of_other_photos_are_not_taken(folder):
    before = HiFiData(SETTINGS, folder).kept_warps.folder
    np.save(folder / "split.npy", np.array([0] * 6 + [1] * 3, np.uint8))
    assert HiFiData(SETTINGS, folder).kept_warps.folder != before


def test_another_code_of_the_warp_draws_anew(tmp_path, monkeypatch):
    package = tmp_path / "package"
    (package / "warp").mkdir(parents=True)
    monkeypatch.setattr("hifi_portrait.__file__", str(package / "__init__.py"))
    folders = []
    for text in ("ears = 2", "ears = 4", "ears = 2"):
        (package / "warp" / "ears.py").write_text(text)
        kept_warps._code.cache_clear()
        folders.append(KeptWarps(tmp_path, {}).folder)
    kept_warps._code.cache_clear()
    assert folders[0] == folders[2] != folders[1]


def test_warps_of_other_shapes_are_not_taken(folder):
    """A folder that is prepared again with buckets has other targets."""
    before = HiFiData(SETTINGS, folder).kept_warps.folder
    count = len(np.load(folder / "split.npy"))
    np.save(folder / "bucket.npy", np.zeros(count, np.uint8))
    np.save(folder / "bucket_row.npy", np.zeros(count, np.int32))
    found = {before}
    for shapes in ([[64, 64]], [[64, 64], [32, 96]]):
        (folder / "buckets.json").write_text(json.dumps(shapes))
        for shape in shapes[1:]:
            np.save(folder / f"latents_{shape[0]}x{shape[1]}.npy", np.zeros((0, 4, 4, 12), np.float16))
        found.add(HiFiData(dataclasses.replace(SETTINGS, buckets=True), folder).kept_warps.folder)
    assert len(found) == 3


def test_the_folder_may_be_deleted_while_a_run_goes_on(folder):
    data = HiFiData(SETTINGS, folder)
    first = data.sample(0)
    shutil.rmtree(data.kept_warps.folder)
    assert torch.equal(data.sample(0)["faces"].warp, first["faces"].warp)
    assert (data.kept_warps.folder / "00000000.png").exists()


def test_a_run_without_warps_keeps_none(folder):
    HiFiData(SETTINGS, folder, with_warp=False).sample(0)
    assert not list(folder.glob("warps-*"))


@pytest.mark.parametrize("damage", [lambda _: b"", lambda data: data[:20], lambda _: PNG_OF_ANOTHER_SIZE])
def test_a_damaged_file_is_named(folder, damage):
    data = HiFiData(SETTINGS, folder)
    data.sample(0)
    path = data.kept_warps.folder / "00000000.png"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DatasetError, match=r"00000000\.png .*delete it"):
        data.sample(0)


@pytest.mark.parametrize("with_warp", [True, False])
@pytest.mark.parametrize("count", [5, -4])
def test_the_count_does_not_part_samples_that_belong_together(prepared, count, with_warp):
    with pytest.raises(DatasetError, match=rf"kept_warps = {count} .*equal_counts = 2"):
        HiFiData(HiFiDataConfig(kept_warps=count, equal_counts=2), prepared.folder, with_warp=with_warp)


def test_colours_and_coverage_come_back(tmp_path):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (8, 6, 3), np.uint8)
    coverage = (rng.integers(0, 256, (8, 6)) / 255).astype(np.float32)
    kept = KeptWarps(tmp_path, {"seed": 0})
    kept(3, (8, 6), lambda: (picture, coverage))
    read, covered = kept(3, (8, 6), no_warp)
    np.testing.assert_array_equal(read, picture)
    np.testing.assert_allclose(covered, coverage, atol=1e-6)
