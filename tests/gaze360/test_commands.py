"""Commands on panoramas: nothing given is replaced, and what cannot be done is said before the work."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from gaze360.tiny import tiny_data, tiny_model
from hifi_portrait.errors import OutputError
from hifi_portrait.faces.image import load_image
from mmrgaze360.cli.app import app
from mmrgaze360.cli.outputs import write_heat_maps
from mmrgaze360.panorama import save_picture


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A panorama ``p.png`` in the working folder, with a link to it and a copy by name."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 255, (64, 128, 3), dtype=np.uint8)
    Image.fromarray(noise).save("p.png")
    Path("link.png").symlink_to("p.png")
    os.link("p.png", "hard.png")
    Path("maps").mkdir()
    os.link("p.png", "maps/person-00.png")
    Path("heads.json").write_text('[{"box": [0, 0, 8, 10]}]')
    return tmp_path / "p.png"


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be opened: what is wrong must be said before."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it went to work")

    monkeypatch.setattr("mmrgaze360.panorama.Panorama.open", refuse)


@pytest.mark.parametrize(
    "words",
    [
        ["view", "p.png", "--out", "p.png"],
        ["view", "p.png", "--out", "link.png"],
        ["view", "p.png", "--out", "hard.png"],
        ["view", "link.png", "--out", "maps/../p.png"],
        ["follow", "p.png", "--out", "p.png"],
        ["follow", "p.png", "--out", "hard.png"],
        ["follow", "maps/person-00.png", "--heatmaps", "maps"],
        ["follow", "p.png", "--heatmaps", "maps"],
        ["follow", "p.png", "--model", "maps", "--heatmaps", "maps"],
    ],
)
def test_nothing_that_was_given_is_replaced(room: Path, no_work: None, words: list[str]) -> None:
    before = room.read_bytes()
    result = run(*words)
    assert result.exit_code == 2
    assert "which was given: name another place" in result.output
    assert room.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["view", "p.png", "--out", "p.png/v.png"], "p.png is no folder"),
        (["view", "p.png", "--out", "/proc/nowhere/v.png"], "/proc/nowhere/v.png"),
        (["view", "p.png", "--out", "v.gif"], "pictures are written as .png"),
        (["view", "p.png", "--out", ""], "--out '' is no name"),
        (["follow", "p.png", "--out", "heads.json"], "pictures are written as .png"),
        (["follow", "p.png", "--heatmaps", "heads.json"], "heads.json is a file: name a folder"),
        (["follow", "p.png", "--heatmaps", "/proc/nowhere"], "--heatmaps /proc/nowhere"),
        (["follow", "p.png", "--out", "m.png", "--heatmaps", "m.png"], "--heatmaps m.png is the picture"),
    ],
)
def test_a_place_that_cannot_be_written_to_is_named(
    room: Path, no_work: None, words: list[str], said: str
) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(
    ("out", "written"), [("v", "v.png"), ("new/v.jpg", "new/v.jpg"), ("maps", "maps/view.png")]
)
def test_a_view_is_written_where_it_was_asked_for(room: Path, out: str, written: str) -> None:
    result = run("view", "p.png", "--out", out, "--size", 16)
    assert result.exit_code == 0, result.output
    assert result.output.strip() == written
    assert load_image(written, min_side=16).shape == (16, 16, 3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--at", "nan", "0"], "longitude must be from -360 to 360 degrees, not nan"),
        (["--at", "inf", "0"], "longitude must be from -360 to 360 degrees, not inf"),
        (["--at", "1e308", "0"], "longitude must be from -360 to 360 degrees, not 1e+308"),
        (["--at", "0", "95"], "latitude must be from -90 to 90 degrees, not 95.0"),
        (["--at", "0", "nan"], "latitude must be from -90 to 90 degrees, not nan"),
        (["--fov", "1e-300"], "--fov"),
        (["--fov", "nan"], "--fov"),
        (["--fov", "180"], "--fov"),
    ],
)
def test_a_view_that_there_is_not_is_refused(room: Path, words: list[str], said: str) -> None:
    result = run("view", "p.png", "--out", "v.png", *words)
    assert result.exit_code == 2
    assert said in result.output
    assert not Path("v.png").exists()


@pytest.mark.parametrize("fov", ["nan", "inf", "0", "1e-300", "180"])
def test_an_angle_that_no_photo_has_is_refused(room: Path, no_work: None, fov: str) -> None:
    result = run("follow", "p.png", "--fov", fov)
    assert result.exit_code == 2
    assert "--fov" in result.output


def test_the_help_shows_both_angles_of_a_view() -> None:
    assert "--at LONGITUDE LATITUDE" in run("view", "--help").output


@pytest.mark.parametrize(
    "words",
    [
        ["view", "", "--out", "v.png"],
        ["follow", ""],
        ["follow", "p.png", "--heads", ""],
        ["follow", "p.png", "--model", ""],
        ["follow", "p.png", "--heatmaps", ""],
        ["evaluate", "--data", ""],
        ["evaluate", "--gazefollow360", ""],
        ["scenes", "--out", ""],
        ["scenes", "--out", "s", "--furniture", ""],
        ["scenes", "--out", "s", "--environments", ""],
        ["rotate", "", "--out", "t"],
        ["rotate", "maps", "--out", ""],
        ["train", "head", "--data", "", "--out", "r"],
        ["train", "head", "--data", "maps", "--out", ""],
        ["collect", "", "--out", "m"],
        ["collect", "maps", "--out", ""],
    ],
)
def test_an_empty_name_does_not_stand_for_the_working_folder(
    room: Path, no_work: None, words: list[str]
) -> None:
    before = sorted(os.listdir())
    result = run(*words)
    assert result.exit_code == 2
    assert "an empty name" in result.output
    assert sorted(os.listdir()) == before


def test_heads_that_are_a_folder_are_named(room: Path) -> None:
    result = run("follow", "p.png", "--heads", "maps")
    assert result.exit_code == 2
    assert result.output == "error: boxes of heads cannot be read from maps: Is a directory\n"


def test_a_panorama_that_is_a_folder_is_named(room: Path) -> None:
    result = run("view", "maps", "--out", "v.png")
    assert result.exit_code == 2
    assert "maps is a folder" in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "must hold a list"),
        ("[" * 100_000, "cannot be read"),
        (
            '[{"box": [0, 0, 8, 9]}, {"pixels": [10, 10, 5, 5]}]',
            "entry 2, {'pixels': [10, 10, 5, 5]}, has no",
        ),
        ('[{"pixels": [10, 30, 20, 10]}]', "entry 1, {'pixels': [10, 30, 20, 10]}, has no size"),
        ('[{"pixels": [NaN, 10, 20, 30]}]', "entry 1, {'pixels': [nan, 10, 20, 30]}, has no size"),
        ('[{"pixels": [200, 10, 220, 30]}]', "outside of p.png, which is 128 x 64 pixels"),
        ('[{"pixels": [10, 50, 20, 70]}]', "outside of p.png"),
        ('[{"pixels": [10, -5, 20, 7]}]', "outside of p.png"),
        ('[{"box": [0, NaN, 8, 9]}]', "entry 1, {'box': [0, nan, 8, 9]}, is not on the sphere"),
        ('[{"box": [0, 0, 8, Infinity]}]', "entry 1, {'box': [0, 0, 8, inf]}, is not on the sphere"),
        ('[{"box": [1' + "0" * 400 + ", 0, 8, 9]}]", "entry 1"),
        ('[{"box": 7}]', "entry 1, {'box': 7}, is no box"),
    ],
)
def test_a_box_that_is_none_is_named(room: Path, text: str, said: str) -> None:
    Path("heads.json").write_text(text)
    result = run("follow", "p.png", "--heads", "heads.json")
    assert result.exit_code == 2
    assert said in result.output


def test_a_full_disk_is_told_with_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OutputError, match=r"a\.png cannot be written: No space"):
        save_picture(np.zeros((8, 8, 3), np.uint8), tmp_path / "a.png")


def test_a_full_disk_is_told_with_the_heat_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("8192 requested and 0 written")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OutputError, match=r"person-00\.npy cannot be written: 8192 requested"):
        write_heat_maps(tmp_path, [np.ones((4, 8), np.float32)])


@pytest.mark.parametrize("out", ["data/dataset.json", "model/head/config.json"])
def test_a_table_replaces_nothing_of_what_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny_data(Path("data"), ("test",))
    tiny_model().save_pretrained("model")
    before = Path(out).read_bytes()
    result = run("evaluate", "--data", "data", "--model", "model", "--out", out)
    assert result.exit_code == 2
    assert f"--out {out} would replace" in result.output
    assert Path(out).read_bytes() == before


def test_a_table_is_written_into_a_new_folder(tmp_path: Path) -> None:
    data = tiny_data(tmp_path / "data", ("test",))
    out = tmp_path / "new" / "table.json"
    result = run("evaluate", "--data", data, "--row", "random", "--out", out)
    assert result.exit_code == 0, result.output
    assert "random" in json.loads(out.read_text())["rows"]


@pytest.mark.parametrize(
    "words",
    [
        ["scenes", "--out", "s", "--seed", 4 * 10**22],
        ["scenes", "--out", "s", "--seed", -40],
        ["scenes", "--out", "s", "--count", 10**22],
        ["scenes", "--out", "s", "--count", 0],
        ["scenes", "--out", "s", "--size", 10**22],
        ["rotate", "maps", "--out", "t", "--seed", -1],
        ["rotate", "maps", "--out", "t", "--seed", 10**22],
        ["evaluate", "--data", "maps", "--most", 10**22],
        ["view", "p.png", "--out", "v.png", "--size", 10**22],
    ],
)
def test_a_number_out_of_range_is_told_by_its_option(room: Path, words: list[object]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert f"Invalid value for '{words[-2]}'" in result.output


@pytest.mark.parametrize(
    "words",
    [
        ["rotate", "maps", "--out", "maps"],
        ["rotate", "maps", "--out", "../{here}/maps"],
        ["train", "head", "--data", "maps", "--out", "maps"],
        ["collect", "maps", "--out", "maps"],
        ["scenes", "--environments", "maps", "--out", "maps"],
        ["scenes", "--furniture", "p.png", "--out", "p.png"],
    ],
)
def test_a_folder_that_was_given_is_not_written_into(room: Path, words: list[str]) -> None:
    result = run(*(word.format(here=room.parent.name) for word in words))
    assert result.exit_code == 2
    assert "which was given: name another place" in result.output
    assert sorted(os.listdir("maps")) == ["person-00.png"]


@pytest.mark.parametrize(
    "words",
    [
        ["scenes", "--out", "heads.json"],
        ["rotate", "maps", "--out", "heads.json"],
        ["train", "head", "--data", "maps", "--out", "heads.json"],
        ["collect", "maps", "--out", "heads.json"],
    ],
)
def test_a_folder_that_is_a_file_is_named(room: Path, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "heads.json is a file: name a folder" in result.output


@pytest.fixture
def head_run(tmp_path: Path) -> Path:
    """A run of the head network, ``runs/head``."""
    weights = tmp_path / "runs" / "head" / "checkpoints" / "step-1" / "ema" / "head"
    weights.mkdir(parents=True)
    (weights / "config.json").write_text("{}")
    (tmp_path / "runs" / "head" / "recipe.json").write_text('{"objective": "head", "head": {}}')
    return tmp_path / "runs" / "head"


def test_weights_are_not_collected_into_their_run(head_run: Path) -> None:
    result = run("collect", head_run, "--out", head_run.parent)
    assert result.exit_code == 2
    assert "head is a run" in result.output
    assert not (head_run / "config.json").exists()


def test_a_full_disk_is_told_with_the_weights(
    head_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise shutil.Error([("a", "b", "No space left on device")])

    monkeypatch.setattr(shutil, "copytree", full)
    result = run("collect", head_run, "--out", tmp_path / "model")
    assert result.exit_code == 2
    assert "model/head cannot be written" in result.output.replace("\n", "")
