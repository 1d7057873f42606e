"""``animate`` and ``sheet``: what they write, and what they refuse before anything is drawn."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hifi_portrait import Target
from hifi_portrait.cli.driving import parse_keys
from hifi_portrait.cli.options import LookOptions
from hifi_portrait.cli.outputs import motion_path
from hifi_portrait.cli.sheet import MARGIN, contact_sheet
from hifi_portrait.cli.sheets import grid, read_targets
from hifi_portrait.errors import MotionError, TargetError
from hifi_portrait.io.video import read_frames, read_info
from hifi_portrait.motion import Motion


@pytest.fixture
def motion(tmp_path):
    """Four moments in which the head turns."""
    path = tmp_path / "turn.json"
    Motion.of([0, 0.04, 0.08, 0.12], [Target(yaw=yaw) for yaw in (0, 5, 10, 15)]).save(path)
    return path


def message(result):
    return " ".join(result.output.split())


def test_a_saved_motion_moves_the_person(run, saved_identity, motion, tmp_path):
    out = tmp_path / "a.mp4"
    result = run("animate", saved_identity, "--drive", motion, "--size", 64, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["frames"], document["wanted"], document["rate"]) == (4, 4, 25.0)
    frames = [frame.pixels().astype(int) for frame in read_frames(out)]
    assert len(frames) == 4
    assert np.abs(frames[3] - frames[0]).mean() > 2
    assert read_info(out).record["motion"] == {"drive": "turn.json"}


def test_an_idle_motion_is_saved_beside_the_video(run, saved_identity, tmp_path):
    saved = tmp_path / "idle.json"
    words = ("--seconds", 0.2, "--rate", 10, "--size", 64, "--save-motion", saved, "--quality", "head")
    result = run("animate", saved_identity, *words, "--out", tmp_path / "a.gif")
    assert result.exit_code == 0, result.output
    assert len(Motion.load(saved)) == 2
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 2


def test_key_frames_are_read_from_words():
    (zero, first), (one, second) = parse_keys("neutral@0 smile:0.5/yaw=25/gaze=-10@1.5")
    assert (zero, one) == (0, 1.5)
    assert first == Target()
    assert second == Target(expression="smile:0.5", yaw=25, gaze=(-10, 0))
    for wrong in ("smile@", "grin@1", "smile/turn=3@1", "smile/yaw=x@1", "smile/yaw=99@1", "@x"):
        with pytest.raises(MotionError, match="is no key frame such as"):
            parse_keys(wrong)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--drive", "smile@0 smile/turn=3@1"], "--drive 'smile/turn=3@1' is no key frame"),
        (["--drive", "nowhere.mp4"], "--drive nowhere.mp4 does not exist"),
        (["--drive", __file__], "give a video, a motion as .json"),
        (["--parts", "hands"], "--parts 'hands': give some of pose, eyes, mouth, face"),
        (["--background", "transparent"], "videos have no alpha"),
        (["--out", "a.png"], "videos are written as .mp4"),
        (["--out", "a.mkv"], "videos are written as .mp4"),
        (["--out", "a.mp3"], "videos are written as .mp4"),
        (["--out", "a.csv"], "videos are written as .mp4"),
        (["--out", os.fsdecode(b"\xe4.mp4")], "the name of a video must be UTF-8"),
        (["--out", "a.gif", "--rate", "60"], "--rate 60: a .gif has at most 50 frames a second"),
        (["--save-motion", "m.csv"], "--save-motion m.csv: a motion is saved as .json"),
        (["--save-motion", "a.mp4"], "--save-motion a.mp4: a motion is saved as .json"),
        (["--save-motion", "/proc/none/m.json"], "--save-motion /proc/none/m.json: /proc cannot be"),
        (["--drive", "smile@0 " * 40 + "x"], "'x' is no key frame"),
        (["--background", "x" * 300], "is not known: give photo"),
        (
            ["--quality", "head", "--hair", "red"],
            "--quality head keeps hair, clothes and glasses as they are",
        ),
        (["--drive-person", "--drive-face", "1", "--drive", __file__ + ".mp4"], "does not exist"),
    ],
)
def test_what_cannot_be_animated_is_refused(run, saved_identity, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    result = run("animate", saved_identity, *words)
    assert result.exit_code == 2
    assert told in message(result)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["--drive", "clip.mp4", "--out", "clip.mp4"],
        ["--drive", "clip.mp4", "--out", "link.mp4"],
        ["--drive", "turn.json", "--out", "hard.mp4"],
        ["--drive", "turn.json", "--save-motion", "turn.json"],
        ["--drive", "clip.mp4", "--save-motion", "photo.json"],
        ["--background", "wall.webp", "--out", "./wall.webp"],
        ["--like", "wall.webp", "--out", "wall.webp"],
    ],
)
def test_nothing_that_moves_a_person_is_overwritten(
    run, saved_identity, motion, tmp_path, monkeypatch, words
):
    monkeypatch.chdir(tmp_path)
    Path("clip.mp4").write_bytes(b"a clip")
    Path("link.mp4").symlink_to("clip.mp4")
    Path("photo.json").symlink_to("clip.mp4")
    os.link(motion, "hard.mp4")
    Image.new("RGB", (64, 64)).save("wall.webp")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    result = run("animate", saved_identity, *words)
    assert result.exit_code == 2
    assert f"{words[-2]} " in message(result) and "would replace" in message(result)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_names_of_given_files_stay_out_of_a_private_video(run, saved_identity, motion, tmp_path):
    wall = tmp_path / "wall.png"
    Image.new("RGB", (64, 64), "teal").save(wall)
    common = ("--drive", motion, "--background", wall, "--size", 64, "--quality", "head")
    open_one, hidden = tmp_path / "\u540d.MP4", tmp_path / "b.webm"
    assert run("animate", saved_identity, *common, "--out", open_one).exit_code == 0
    record = read_info(open_one).record
    assert record["settings"]["background"] == "wall.png"
    assert str(tmp_path) not in json.dumps(record)
    assert run("animate", saved_identity, *common, "--out", hidden, "--private").exit_code == 0
    record = read_info(hidden).record
    assert record["settings"]["background"] == "picture"
    assert record["motion"] == {"drive": "file"}
    for name in (b"wall", b"turn", b"person.safetensors", b"sha256"):
        assert name not in hidden.read_bytes()


@pytest.mark.parametrize(
    ("words", "ignored"),
    [
        (["--drive", "smile@0", "--drive-face", 1, "--drive-person"], "drive-face drive-person"),
        (["--drive", "smile@0", "--smoothing", 3, "--seconds", 9], "smoothing seconds"),
        (["--drive", "smile@0", "--yaw", 20, "--expression", "smile"], "yaw expression"),
        (["--drive", "smile@0", "--yaw", 20, "--relative"], ""),
        (["--drive", "smile@0", "--yaw", 20, "--parts", "eyes,mouth"], ""),
        (["--seconds", 1, "--seed", 3, "--yaw", 20, "--expression", "smile"], ""),
        (["--drive", "smile@0", "--seed", 3, "--prompt", "red hair"], "prompt seed"),
        (["--model", "none", "--device", "cuda:x", "--dtype", "float16"], "model dtype device"),
    ],
)
def test_options_that_change_nothing_are_named(
    run, saved_identity, tmp_path, monkeypatch, caplog, words, ignored
):
    def stop(*_):
        raise MotionError("far enough")

    monkeypatch.setattr("hifi_portrait.cli.references.load_identity", stop)
    with caplog.at_level(logging.WARNING):
        result = run("animate", saved_identity, *words, "--out", tmp_path / "a.mp4")
    assert "far enough" in message(result)
    told = [record.getMessage() for record in caplog.records if "has no effect" in record.getMessage()]
    assert " ".join(line.split()[0].removeprefix("--") for line in told) == ignored


@pytest.mark.parametrize(
    ("given", "written"),
    [("run_0.5", "run_0.5.json"), ("m.JSON", "m.JSON"), (".", "motion.json"), ("new/", "new/motion.json")],
)
def test_a_motion_is_named_as_a_person_means_it(given, written):
    assert motion_path(given) == Path(written)


def test_a_damaged_clip_is_refused_by_name(run, saved_identity, tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"no clip at all" * 99)
    result = run("animate", saved_identity, "--drive", clip, "--out", tmp_path / "a.mp4")
    assert result.exit_code == 2
    assert "clip.mp4 is no video" in message(result)
    assert not (tmp_path / "a.mp4").exists()


def test_a_sheet_has_a_row_for_each_pose(run, saved_identity, tmp_path):
    out = tmp_path / "s.png"
    words = ("--expressions", "neutral,smile:0.5", "--yaw=-20,20", "--size", 64, "--quality", "head")
    result = run("sheet", saved_identity, *words, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["pictures"] == 4
    with Image.open(out) as image:
        assert image.width < 3 * 64 + 50


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--targets", "t.csv", "--expressions", "smile"], "--expressions and --targets contradict"),
        (["--targets", "t.csv", "--yaw", "20"], "--yaw and --targets contradict"),
        (["--targets", "t.csv", "--out", "t.csv"], "--out t.csv: pictures are written as"),
        (["--targets", "wall.png", "--out", "wall.png"], "--out wall.png would replace wall.png"),
        (["--background", "wall.png", "--out", "link.png"], "--out link.png would replace wall.png"),
        (["--background", "transparent", "--out", "s.JPG"], "a JPEG has no alpha"),
    ],
)
def test_what_cannot_be_on_a_sheet_is_refused(run, saved_identity, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("expression\nsmile\n")
    Image.new("RGB", (64, 64)).save("wall.png")
    Path("link.png").symlink_to("wall.png")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    result = run("sheet", saved_identity, *words)
    assert result.exit_code == 2
    assert told in message(result)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_sheet_keeps_the_transparency_of_its_pictures():
    picture = np.full((8, 8, 4), (200, 100, 50, 128), np.uint8)
    drawn = contact_sheet([("one", [picture])], cell=8, transparent=True)
    assert drawn.mode == "RGBA"
    assert np.array_equal(np.asarray(drawn)[-MARGIN - 8 : -MARGIN, MARGIN : MARGIN + 8], picture)
    assert drawn.getpixel((0, 0))[3] == 0
    assert contact_sheet([("one", [picture])], cell=8).mode == "RGB"


def test_a_sheets_grid_names_what_it_shows():
    rows = grid("smile, wink", [-20, 20], [0], LookOptions())
    assert [label for label, _ in rows] == ["yaw -20, pitch 0: smile, wink", "yaw 20, pitch 0: smile, wink"]
    assert rows[1][1][1].pose.yaw == 20
    assert sum(len(row) for _, row in grid("all", [0], [0], LookOptions())) == 20
    for wrong in ("", "smile,,wink"):
        with pytest.raises(TargetError, match="--expressions"):
            grid(wrong, [0], [0], LookOptions())


def test_a_table_of_targets_is_read(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("Name,expression,yaw,hair,framing\nfirst,smile,20,,close\n,,,red,\n")
    ((label, targets),) = read_targets(table, LookOptions(clothes="navy"))
    assert label == "first, 2"
    assert targets[0].pose.yaw == 20
    assert targets[0].framing.scale == 0.6
    assert (targets[1].hair, targets[1].clothes) == ("red", "navy")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "unknown column ''"),
        ("yaw,colour\n1,2\n", "unknown column 'colour'"),
        ("yaw\n", "no rows below its header"),
        ("yaw\n0\nleft\n", "line 3: could not convert"),
        ("expression\ngrin\n", "line 2: .*'grin'"),
    ],
)
def test_what_is_no_table_of_targets_is_refused_by_line(tmp_path, text, told):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(TargetError, match=f"t.csv.*{told}"):
        read_targets(tmp_path / "t.csv", LookOptions())


def test_the_presets_are_pictured(run, saved_identity, tmp_path):
    result = run("presets", "--out", tmp_path / "p.png", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["path"] == str(tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as image:
        assert image.height > 4 * 256
    result = run("presets", saved_identity)
    assert result.exit_code == 2
    assert "give its name, --out presets.png" in message(result)
    assert "--face is for photos" in message(run("presets", saved_identity, "--face", 1, "--out", "p.png"))
    assert "--face is for photos" in message(run("presets", "--face", 1))
