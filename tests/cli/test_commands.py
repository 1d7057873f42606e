"""What the commands write, with the tiny model."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from hifi_portrait.cli.inputs import make_target
from hifi_portrait.cli.models import check_device
from hifi_portrait.cli.options import PoseOptions
from hifi_portrait.errors import ModelError
from hifi_portrait.io.provenance import file_sha256, read_record
from hifi_portrait.person.presets import PRESETS
from hifi_portrait.person.target import GLASSES
from picture_files import size_of


def test_help_comes_at_once_and_lists_every_command(run):
    result = run("--help")
    commands = ("generate", "identity", "landmarks", "warp", "people", "prepare", "train", "export")
    for command in (*commands, "recipes", "evaluate", "baselines", "attributes"):
        assert command in result.stdout


def test_generate_writes_portraits_that_say_how_they_were_made(run, saved_identity, tiny_model, tmp_path):
    words = ["--model", tiny_model, "--expression", "smile", "--yaw", 10, "--seed", 5, "--count", 2]
    words += ["--steps", 2, "--out", tmp_path / "new" / "p.png", "--sheet", "--json"]
    result = run("generate", saved_identity, *words)
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert [image["seed"] for image in told["images"]] == [5, 6]
    record = read_record(told["images"][1]["path"])
    assert record["seed"] == 6
    assert record["target"]["pose"]["yaw"] == 10
    assert record["references"] == [{"name": saved_identity.name, "sha256": file_sha256(saved_identity)}]
    assert size_of(told["sheet"])[0] > 256


def test_a_seed_gives_the_same_picture_however_many_are_asked_for(run, saved_identity, tiny_model, tmp_path):
    common = ["--model", tiny_model, "--steps", 1, "--json"]
    run("generate", saved_identity, *common, "--seed", 3, "--out", tmp_path / "alone.png")
    run("generate", saved_identity, *common, "--seed", 2, "--count", 2, "--out", tmp_path / "many.png")
    alone, second = Image.open(tmp_path / "alone.png"), Image.open(tmp_path / "many-2.png")
    np.testing.assert_array_equal(np.asarray(alone), np.asarray(second))


@pytest.mark.parametrize("command", ["landmarks", "warp"])
def test_a_preview_has_the_size_asked_for(run, saved_identity, tmp_path, command):
    out = tmp_path / "preview.png"
    result = run(command, saved_identity, "--size", 128, "--pitch", 5, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert size_of(out) == (128, 128)


@pytest.mark.parametrize("words", [["--glasses", "round"], ["--prompt", "a man with round glasses"]])
def test_glasses_are_in_the_record_however_they_were_asked_for(
    run, saved_identity, tiny_model, tmp_path, words
):
    out = tmp_path / "portrait.png"
    result = run("generate", saved_identity, "--model", tiny_model, "--steps", 1, *words, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert read_record(out)["target"]["glasses"] == "round"


def test_help_names_every_kind_of_glasses(run):
    words = run("warp", "--help").stdout
    for kind in GLASSES:
        assert kind in words


def test_like_takes_the_pose_of_a_photo_and_options_override_it(run, saved_identity, person, tmp_path):
    out = tmp_path / "like.png"
    assert run("warp", saved_identity, "--like", person[0], "--yaw", 7, "--out", out).exit_code == 0
    assert out.exists()


def test_identity_of_a_folder_is_saved(run, person, tmp_path):
    out = tmp_path / "saved" / "person.safetensors"
    result = run("identity", person[0].parent, "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["photos"] == 4
    assert out.exists()


def test_people_are_written(run, tmp_path):
    result = run("people", "--count", 1, "--photos", 1, "--size", 64, "--workers", 1, "--out", tmp_path / "d")
    assert result.exit_code == 0, result.stderr
    assert any((tmp_path / "d").iterdir())


def test_gaze_is_measured_from_the_camera():
    assert make_target(PoseOptions(yaw=20, gaze=(0, 0))).gaze == pytest.approx((-20, 0))
    assert make_target(PoseOptions(yaw=20)).gaze == (0, 0)


def test_help_names_every_preset(run):
    unbroken = re.sub(r"-\s*\n[│\s]*", "-", run("warp", "--help").stdout)  # names are broken at hyphens
    words = re.sub(r"[│\s]+", " ", unbroken)
    missing = [name for name in PRESETS if not re.search(rf"[ ,]{name}[,.]", words)]
    assert not missing


def test_an_unexpected_error_is_one_line_and_exit_code_1(tmp_path):
    code = (
        "from hifi_portrait.cli.console import reports_errors\nimport typer\napp = typer.Typer()\n"
        "@app.command()\n@reports_errors\ndef broken() -> None: raise RuntimeError('two\\nlines')\napp()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: unexpected RuntimeError: two lines\n"


def test_a_folder_of_people_is_evaluated_and_reported(run, person, tiny_model, tmp_path):
    shutil.copytree(person[0].parent, tmp_path / "photos" / "anna")
    report = tmp_path / "results.md"
    words = [tmp_path / "photos", "--model", tiny_model, "--steps", 1, "--out", tmp_path / "out"]
    result = run("evaluate", "real", *words, "--report", report, "--json")
    assert result.exit_code == 0, result.stderr
    assert [row["name"] for row in json.loads(result.stdout)["rows"]] == ["plain warp", "portrait"]
    assert "evaluate real PHOTOS --out DIR --model DIR --name portrait --steps 1\n" in report.read_text()
    sheets = {path.name for path in (tmp_path / "out" / "sheets").iterdir()}
    assert sheets == {"rows.jpg", "row-plain warp.jpg", "row-portrait.jpg"}


def test_a_portrait_is_timed(run, person, tiny_model, tmp_path):
    words = [person[0].parent, "--model", tiny_model, "--steps", 1, "--out", tmp_path, "--json"]
    result = run("evaluate", "time", *words)
    assert result.exit_code == 0, result.stderr
    figures = json.loads(result.stdout)
    assert figures["portrait_seconds"] > 0
    assert figures["peak_memory"] > 100


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("banana", "no such device: give cpu, cuda, cuda:1 or mps"),
        ("cuda:x", "no such device"),
        ("cuda:-1", "no such device"),
        ("", "no such device"),
        ("cuda:9", "torch finds no CUDA device here: give cpu"),
        ("mps", "torch finds no Apple GPU here: give cpu"),
    ],
)
def test_a_device_that_is_not_there_is_refused(monkeypatch, device, said):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    with pytest.raises(ModelError, match=f"--device {device}: {said}"):
        check_device(device)


def test_a_device_beyond_the_last_names_the_last(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    check_device("cuda:1")
    with pytest.raises(ModelError, match="--device cuda:2: the last one here is cuda:1: give that"):
        check_device("cuda:2")


@pytest.mark.parametrize("command", [["generate"], ["redraw", "PHOTO"]])
def test_every_command_that_draws_checks_its_device(run, person, saved_identity, tmp_path, command):
    words = [person[0] if word == "PHOTO" else word for word in command]
    result = run(*words, saved_identity, "--device", "banana", "--out", tmp_path / "a.png")
    assert result.exit_code == 2
    assert result.stderr == "error: --device banana: no such device: give cpu, cuda, cuda:1 or mps\n"
