"""The reader of GazeFollow360's layout, on a folder of pictures made here, and the table of results."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from typer.testing import CliRunner

from gaze360.tiny import SCENE, tiny_model
from hifi_portrait.errors import DatasetError
from mmrgaze360 import sphere
from mmrgaze360.cli.app import app
from mmrgaze360.dataset import SceneDataset
from mmrgaze360.dataset.gazefollow360 import GazeFollow360
from mmrgaze360.dataset.rotate import rotate_dataset
from mmrgaze360.follower import read_gaze
from mmrgaze360.network import HeadNetwork, SceneNetwork
from mmrgaze360.network.model import load_network
from mmrgaze360.panorama import Panorama
from mmrgaze360.training.scene import SceneConfig, SceneObjective


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gazefollow360")
    (root / "train_vali_test_data").mkdir()
    pictures = root / "all the videos" / "video 1"
    pictures.mkdir(parents=True)
    for k in range(3):
        noise = np.random.default_rng(k).integers(0, 255, (128, 256, 3), dtype=np.uint8)
        Image.fromarray(noise).save(pictures / f"{k}.jpg")
    names = [f"video 1/{k}.jpg" + " " * (6 - k) for k in range(3)]
    table = {
        "path": np.array(names),
        "face_box": np.array([[[100, 40], [80, 60]], [[0, 10], [16, 30]], [[250, 60], [240, 50]]], float),
        "gaze": np.array([[0.75, 0.5], [0.0, 0.25], [0.999, 0.9]]),
    }
    savemat(root / "train_vali_test_data" / "test_data.mat", table)
    return root


def test_records_are_read_from_the_authors_layout(root: Path) -> None:
    scenes = GazeFollow360(root, "test")
    assert len(scenes) == 3
    first = scenes[0]
    assert first.picture().shape == (128, 256, 3) and first.scene_id == "video 1/0.jpg"
    person = first.people[0]
    assert np.allclose(person.target, (1, 0, 0))  # three quarters of the width: to the right
    lon, lat = (90 / 256 - 0.5) * 360, (0.5 - 50 / 128) * 180
    assert np.allclose(person.head_box, (lon, lat, 20 / 256 * 360 * np.cos(np.radians(lat)), 20 / 128 * 180))
    assert np.allclose(sphere.direction_to_lonlat(scenes[1].people[0].target), (-180, 45))
    assert person.gaze is None and np.isnan(person.depth_ratio)


def test_what_is_missing_or_damaged_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="train_data"):
        GazeFollow360(root, "train")
    with pytest.raises(ValueError, match="unknown split"):
        GazeFollow360(root, "all")
    (tmp_path / "train_vali_test_data").mkdir()
    (tmp_path / "all the videos").mkdir()
    (tmp_path / "train_vali_test_data" / "test_data.mat").write_bytes(b"no table")
    with pytest.raises(DatasetError, match="cannot be read as a table"):
        GazeFollow360(tmp_path)
    savemat(
        tmp_path / "train_vali_test_data" / "test_data.mat",
        {"path": np.array(["a.jpg"]), "face_box": np.zeros((1, 2, 2)), "gaze": np.zeros((2, 2))},
    )
    with pytest.raises(DatasetError, match="2 gazes"):
        GazeFollow360(tmp_path)
    savemat(
        tmp_path / "train_vali_test_data" / "test_data.mat",
        {"path": np.array(["a.jpg"]), "face_box": np.zeros((1, 2, 2)), "gaze": np.zeros((1, 2))},
    )
    with pytest.raises(DatasetError, match=r"a\.jpg"):
        GazeFollow360(tmp_path)[0]


@pytest.fixture(scope="module")
def whole(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three splits, of the same pictures."""
    whole = tmp_path_factory.mktemp("whole") / "data"
    shutil.copytree(root, whole)
    tables = whole / "train_vali_test_data"
    for split in ("train", "vali"):
        shutil.copy(tables / "test_data.mat", tables / f"{split}_data.mat")
    return whole


def test_a_scene_network_goes_on_from_weights_with_gazes_that_a_head_network_reads(
    whole: Path, tmp_path: Path
) -> None:
    tiny_model().save_pretrained(tmp_path)
    with pytest.raises(DatasetError, match=r"scene\.head"):
        SceneObjective(SceneConfig(network=SCENE), str(whole))
    settings = SceneConfig(head=str(tmp_path / "head"), start=str(tmp_path / "scene"))
    objective = SceneObjective(settings, str(whole))
    own = load_network(SceneNetwork, tmp_path / "scene").state_dict()
    started = objective.part("scene").network.state_dict()
    assert all(torch.equal(value, started[name]) for name, value in own.items())
    # The gaze of a sample is what the follower reads, in the frame of the panorama turned to the head.
    record = GazeFollow360(whole, "validation")[0]
    panorama = Panorama(record.picture())
    network = load_network(HeadNetwork, tmp_path / "head")
    gaze, _ = read_gaze(network, panorama, record.people[0].head_box)
    batch = objective.collate([objective.sample(k) for k in range(12)])
    tops = {round(float(value), 5) for value in batch["gaze"][:, 2]}  # neither turned nor mirrored
    assert round(float(gaze[2]), 5) in tops and len(tops) == 3
    terms = objective(batch)
    assert all(torch.isfinite(term) for term in terms.values()) and float(terms["depth"].detach()) == 0
    assert set(objective.metrics()) == {"distance", "degrees_median", "within_10"}


def test_it_is_turned_like_any_data_set(whole: Path, tmp_path: Path) -> None:
    assert rotate_dataset(whole, tmp_path / "turned", quiet=True) == 9
    first = next(iter(SceneDataset(tmp_path / "turned", "train")))
    before = GazeFollow360(whole, "train")[0].people[0]
    assert np.allclose(first.people[0].target, first.rotation @ before.target, atol=1e-6)
    with pytest.raises(DatasetError, match="the data set itself"):
        rotate_dataset(whole, whole)


def test_the_published_table_stands_above_the_user_s_rows(root: Path) -> None:
    command = ["evaluate", "--gazefollow360", str(root), "--row", "random", "--row", "centre", "--quiet"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    published = next(line for line in lines if line.startswith("| published: Li et al. 2021 |"))
    assert "0.6067" in published and "0.8104" in published
    assert next(line for line in lines if line.startswith("| random |")).endswith("| 3 |")
    assert any(line.startswith("| centre |") for line in lines)
