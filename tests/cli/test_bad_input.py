"""Input that cannot be used: exit code 2 and one clear line on stderr, never a traceback."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PICTURES = Path(__file__).parents[1] / "pictures"


def assert_refused(result, *words: str) -> None:
    message = " ".join(result.stderr.split())
    assert result.exit_code == 2, message
    assert result.stdout == ""
    assert "Traceback" not in message
    assert not isinstance(result.exception, Exception)
    for word in words:
        assert word in message


def test_a_folder_with_no_photo_in_it(run, tmp_path):
    assert_refused(run("generate", tmp_path), str(tmp_path), "no photo")


def test_a_photo_that_does_not_exist(run, tmp_path):
    assert_refused(run("generate", tmp_path / "nobody.jpg"), "nobody.jpg", "does not exist")


@pytest.mark.parametrize("command", ["warp", "generate", "identity"])
def test_an_empty_name(run, tmp_path, command):
    """As of a variable that is not set: it is not the current folder."""
    assert_refused(run(command, "", "--out", tmp_path / "x.safetensors"), "empty name")


def test_an_address(run, tmp_path):
    words = ("https://example.com/a.jpg", "--out", tmp_path / "x.png")
    assert_refused(run("warp", *words), "https://example.com/a.jpg", "is an address")


def test_a_size_that_the_model_cannot_draw(run, person, tmp_path):
    asked = ("--size", 100, "--out", tmp_path / "x.png")
    assert_refused(run("generate", *person, *asked), "multiples of 32", "100")


def test_another_light_from_noise(run, person, tmp_path):
    asked = ("--light", "sunlight", "--start", "imagined", "--out", tmp_path / "x.png")
    assert_refused(run("generate", *person, *asked), "light", "faithful")


def test_a_text_file_named_jpg(run, tmp_path):
    (tmp_path / "notes.jpg").write_text("not a picture")
    assert_refused(run("generate", tmp_path / "notes.jpg"), "notes.jpg")


def test_a_truncated_jpeg(run, person, tmp_path):
    (tmp_path / "half.jpg").write_bytes(person[0].read_bytes()[:4000])
    assert_refused(run("generate", tmp_path / "half.jpg"), "half.jpg", "truncated")


def test_a_picture_of_one_pixel(run, tmp_path):
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    assert_refused(run("generate", tmp_path / "dot.png"), "dot.png", "too small")


def test_a_photo_without_a_face(run, tmp_path):
    ramp = np.linspace(0, 255, 300 * 300 * 3).astype(np.uint8).reshape(300, 300, 3)
    Image.fromarray(ramp).save(tmp_path / "sky.png")
    assert_refused(run("generate", tmp_path / "sky.png"), "sky.png", "face")


def test_photos_of_two_different_people(run):
    result = run("generate", PICTURES / "person_a_1.jpg", PICTURES / "person_b_1.jpg")
    assert_refused(result, "person_a_1.jpg", "person_b_1.jpg", "different people")


def test_an_unknown_preset_lists_the_known_ones(run, saved_identity):
    assert_refused(run("generate", saved_identity, "--expression", "smlie"), "'smlie'", "smile", "neutral")


def test_a_coefficient_that_is_no_number(run, saved_identity):
    assert_refused(run("warp", saved_identity, "--expression", "jawOpen=wide"), "jawOpen=wide")


def test_a_yaw_of_400(run, saved_identity):
    assert_refused(run("generate", saved_identity, "--yaw", 400), "--yaw", "60")


def test_unknown_glasses(run, saved_identity):
    assert_refused(run("warp", saved_identity, "--glasses", "monocle"), "'monocle'", "round", "sunglasses")


def test_a_missing_checkpoint_folder(run, saved_identity, tmp_path):
    missing = tmp_path / "no" / "model"
    assert_refused(run("generate", saved_identity, "--model", missing), str(missing))


def test_a_damaged_identity_file(run, saved_identity, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(saved_identity.read_bytes()[:200])
    assert_refused(run("generate", tmp_path / "bad.safetensors"), "bad.safetensors")


def test_a_damaged_weights_file(run, saved_identity, tiny_model, tmp_path):
    damaged = tmp_path / "model"
    shutil.copytree(tiny_model, damaged)
    weights = next((damaged / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:1000])
    assert_refused(run("generate", saved_identity, "--model", damaged), str(damaged))


@pytest.mark.parametrize("words", [["--count", 0], ["--steps", 0], ["--yaw", "left"], ["--gaze", 1]])
def test_an_option_out_of_range(run, saved_identity, words):
    assert run("generate", saved_identity, *words).exit_code == 2


def test_an_evaluation_of_nothing_says_what_to_say(run, tmp_path):
    result = run("evaluate", "--out", tmp_path)
    assert result.exit_code == 2
    for what in ("people", "real", "autoencoder", "prompts", "time"):
        assert what in run("evaluate", "--help").stdout


def test_real_photos_in_a_folder_without_people(run, tmp_path):
    result = run("evaluate", "real", tmp_path, "--out", tmp_path / "out")
    assert_refused(result, str(tmp_path), "sub-folder")


def test_a_missing_folder_of_scoring_weights(run, tmp_path):
    result = run("evaluate", "people", "--scoring", tmp_path / "none", "--out", tmp_path / "out")
    assert_refused(result, str(tmp_path / "none"), "not a folder")
    assert not (tmp_path / "out").exists()


def test_an_unknown_recipe(run, tmp_path):
    result = run("train", "no-such-recipe", "--data", tmp_path, "--out", tmp_path / "out")
    assert_refused(result, "no-such-recipe")


def test_a_damaged_data_set(run, tmp_path):
    result = run("train", "autoencoder", "--data", tmp_path, "--out", tmp_path / "out")
    assert_refused(result, str(tmp_path))


def test_synthetic_people_of_an_unknown_variety(run, tmp_path):
    assert_refused(run("people", "--variety", "moon", "--out", tmp_path / "d"), "studio", "world")


def test_panoramas_for_a_variety_that_has_no_places(run, tmp_path):
    assert_refused(run("people", "--environments", tmp_path, "--out", tmp_path / "d"), "--variety world")
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    "words",
    [["warp"], ["recipes", "show"], ["train", "--data", ".", "--out", "run"], ["plot", "--out", "plots"]],
)
def test_a_named_pipe_is_refused_and_not_waited_for(run, tmp_path, words):
    os.mkfifo(tmp_path / "pipe")
    result = run(*words, tmp_path / "pipe")
    assert result.exit_code == 2
    assert "pipe is a named pipe: give a file or a folder" in result.stderr


@pytest.mark.parametrize("what", ["people", "prompts", "autoencoder", "real"])
def test_a_model_to_evaluate_is_looked_for_before_anybody_is_photographed(run, tmp_path, what):
    words = [tmp_path] if what == "real" else ["--count", 2]
    result = run("evaluate", what, *words, "--model", tmp_path / "nope", "--out", tmp_path / "out")
    assert_refused(result, "nope")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["people"], "--count"),
        (["people"], "--seed"),
        (["attributes", "photos"], "--count"),
        (["attributes", "photos"], "--seed"),
        (["evaluate", "people"], "--count"),
    ],
)
def test_more_people_than_there_can_be_are_refused_by_name(run, tmp_path, command, option):
    result = run(*command, option, "9" * 30, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert option in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["generate", "redraw"])
@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--hifi", "nope", "no folder nope"),
        ("--hifi", "weights.safetensors", "no folder weights.safetensors"),
        ("--hifi", "./mine/hifi", "no folder ./mine/hifi"),
        ("--hifi", "my files/mine:1", "no folder my files/mine:1"),
        ("--model", "my models/mine", "no folder my models/mine"),
        ("--model", "mine/..", "--model mine/..: no saved pipeline there"),
        ("--recogniser", "nope.onnx", "--recogniser nope.onnx: there is no such file"),
        ("--matting", "nope.onnx", "--matting nope.onnx: there is no such file"),
    ],
)
def test_a_mistyped_network_is_named_before_anything_is_loaded(
    run, person, tiny_model, tmp_path, monkeypatch, command, option, value, message
):
    monkeypatch.setattr("hifi_portrait.person.identity.Identity.from_photos", None)  # not got to
    photos = [person[0], person[1]]
    result = run(command, *photos, "--model", tiny_model, option, value, "--out", tmp_path / "o.png")
    assert_refused(result, message)


@pytest.mark.parametrize("command", ["generate", "warp", "landmarks", "identity"])
def test_a_face_of_a_saved_identity_is_refused(run, saved_identity, tmp_path, command):
    out = tmp_path / ("o.safetensors" if command == "identity" else "o.png")
    assert_refused(run(command, saved_identity, "--face", 1, "--out", out), "--face is for photos")
