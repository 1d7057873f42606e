"""Where commands write: as a person means the name, never over an input, and found unfit before the work."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from hifi_portrait.cli.outputs import (
    beside,
    check_files,
    check_folder,
    numbered,
    picture_path,
    saved_path,
    video_path,
)
from hifi_portrait.errors import OutputError
from hifi_portrait.io.provenance import read_record


@pytest.mark.parametrize(
    ("out", "written"),
    [
        ("run_0.5", "run_0.5.png"),
        ("run_0.7", "run_0.7.png"),
        ("a.b.c", "a.b.c.png"),
        ("w.jpg", "w.jpg"),
        ("w.JPEG", "w.JPEG"),
        ("w.webp", "w.webp"),
        ("plain", "plain.png"),
        ("new/", "new/portrait.png"),
        (".", "portrait.png"),
        ("..", "../portrait.png"),
        ("dot.", "dot.png"),
        ("x .png", "x .png"),
    ],
)
def test_an_output_is_named_as_a_person_means_it(out, written):
    assert picture_path(out) == Path(written)


@pytest.mark.parametrize(
    ("out", "written"),
    [
        ("run_0.5", "run_0.5.mp4"),
        ("a.b.WebM", "a.b.WebM"),
        ("dot.", "dot.mp4"),
        ("new/", "new/animation.mp4"),
        (".", "animation.mp4"),
    ],
)
def test_a_video_is_named_as_a_person_means_it(out, written):
    assert video_path(out) == Path(written)


@pytest.mark.parametrize(
    ("out", "written"),
    [("run_0.5", "run_0.5.glb"), ("h.GLB", "h.GLB"), ("new/", "new/head.glb"), (".", "head.glb")],
)
def test_a_head_is_named_as_a_person_means_it(out, written):
    assert saved_path(out, "a head", "head.glb") == Path(written)


@pytest.mark.parametrize(
    ("out", "written"), [("figures", "figures.json"), ("f.JSON", "f.JSON"), ("new/", "new/table.json")]
)
def test_a_table_is_named_as_a_person_means_it(out, written):
    assert saved_path(out, "a table", "table.json") == Path(written)


@pytest.mark.parametrize("out", ["a.jpg", "", ".json"])
def test_a_name_that_is_no_tables_is_refused(out):
    with pytest.raises(OutputError, match="--out"):
        saved_path(out, "a table", "table.json")


def test_a_folder_that_cannot_be_made_is_told_by_its_own_option(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"--maps .*file is a file: name a folder"):
        check_folder(tmp_path / "file", [], "--maps")


def test_a_folder_that_exists_is_written_into(tmp_path):
    assert picture_path(str(tmp_path)) == tmp_path / "portrait.png"


@pytest.mark.parametrize(
    "out",
    [
        "a.gif",
        "a.csv",
        "a.mkv",
        "a.mp3",
        "a.glb",
        "a.jxl",
        "me.safetensors",
        "a.pdf",
        "a.heic",
        "",
        "a\0b",
        "figures.json",
        "-",
        ".png",
        "d/.JPG",
    ],
)
def test_a_name_that_is_no_pictures_is_refused(out):
    with pytest.raises(OutputError, match="--out"):
        picture_path(out)


@pytest.mark.parametrize(
    ("out", "written"),
    [
        ("anna", "anna.safetensors"),
        ("anna.v2", "anna.v2.safetensors"),
        ("A.SafeTensors", "A.SafeTensors"),
        ("new/", "new/identity.safetensors"),
        (".", "identity.safetensors"),
    ],
)
def test_an_identity_is_named_as_a_person_means_it(out, written):
    assert saved_path(out, "an identity", "identity.safetensors") == Path(written)


@pytest.mark.parametrize("out", ["only.jpg", "a.png", "a.json", "", ".safetensors", "-"])
def test_a_name_that_is_no_identitys_is_refused(out):
    with pytest.raises(OutputError, match="--out"):
        saved_path(out, "an identity", "identity.safetensors")


@pytest.mark.parametrize(
    "words",
    [
        ["warp", "~/who.safetensors", "--size", 64, "--out", "~/w.jpg"],
        ["landmarks", "~/who.safetensors", "--size", 64, "--out", "~/d/"],
        ["identity", "~/who.safetensors", "~/only.jpg", "--out", "~/both"],
        ["warp", "~/who.safetensors", "--size", 64, "--background", "~/only.jpg", "--out", "~/w.png"],
    ],
)
def test_a_tilde_that_the_shell_left_is_the_home_folder(
    run, photo, saved_identity, tmp_path, monkeypatch, words
):
    home, here = tmp_path / "home", tmp_path / "here"
    for folder in (home, here):
        folder.mkdir()
    shutil.copy(saved_identity, home / "who.safetensors")
    shutil.copy(photo, home / "only.jpg")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    assert len(list(home.rglob("*.*"))) == 3
    assert list(here.iterdir()) == []


def test_a_report_that_is_no_text_is_refused_before_anybody_is_measured(run, photo, tmp_path):
    result = run("evaluate", "people", "--count", 2, "--out", tmp_path / "d", "--report", photo)
    assert result.exit_code == 2
    assert "--report" in result.stderr
    assert "only.jpg is no text" in result.stderr
    assert not (tmp_path / "d").exists()


def test_several_pictures_are_numbered_and_a_sheet_stands_beside_them():
    assert numbered(Path("run_0.5.png"), 1) == [Path("run_0.5.png")]
    assert numbered(Path("run_0.5.jpg"), 2) == [Path("run_0.5-1.jpg"), Path("run_0.5-2.jpg")]
    assert beside(Path("d/a.b.webp"), "sheet") == Path("d/a.b-sheet.webp")


@pytest.fixture
def photo(person, tmp_path) -> Path:
    """A copy of a photo, the only one that somebody has."""
    return Path(shutil.copy(person[0], tmp_path / "only.jpg"))


@pytest.mark.parametrize(
    "words",
    [
        ["generate", "only.jpg", "--out", "only.jpg"],
        ["generate", "only.jpg", "--out", "link.jpg"],
        ["generate", "only.jpg", "--out", "hard.jpg"],
        ["generate", "folder", "--out", "folder/a.png"],
        ["generate", "who.safetensors", "--like", "only.jpg", "--out", "./only.jpg"],
        ["generate", "folder", "--count", 2, "--out", "folder/b.png"],
        ["generate", "folder", "--sheet", "--out", "folder/c.png"],
        ["warp", "only.jpg", "--out", "only.jpg"],
        ["warp", "who.safetensors", "--out", "who.safetensors"],
        ["warp", "who.safetensors", "--like", "only.jpg", "--out", "only.jpg"],
        ["landmarks", "only.jpg", "--out", "only.jpg"],
        ["identity", "who.safetensors", "--out", "who.safetensors"],
        ["bake", "who.safetensors", "--out", "who.safetensors"],
        ["bake", "who.safetensors", "--out", "link.glb"],
        ["presets", "folder", "--out", "folder/a.png"],
        ["sheet", "who.safetensors", "--targets", "hard.jpg", "--out", "only.jpg"],
        ["dataset", "build", "folder", "--out", "folder"],
        ["redraw", "only.jpg", "who.safetensors", "--out", "only.jpg"],
        ["redraw", "folder/a.png", "only.jpg", "--out", "only.jpg"],
        ["prepare", "--data", "folder", "--out", "folder"],
        ["train", "base-tiny", "--data", "folder", "--out", "folder"],
        ["export", "folder", "--out", "folder"],
        ["evaluate", "real", "folder", "--out", "folder"],
        ["evaluate", "time", "only.jpg", "--out", "d", "--report", "only.jpg"],
        ["people", "--variety", "world", "--environments", "folder", "--out", "folder"],
    ],
)
def test_nothing_that_was_given_is_replaced(run, photo, saved_identity, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    shutil.copy(saved_identity, "who.safetensors")
    Path("folder").mkdir()
    for name in ("a", "b-1", "c-sheet"):
        Image.open(photo).save(f"folder/{name}.png")
    Path("link.jpg").symlink_to(photo)
    Path("link.glb").symlink_to("who.safetensors")
    os.link(photo, "hard.jpg")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    result = run(*words)
    assert result.exit_code == 2, result.stderr
    assert "--out" in result.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["run_0.5", "w.jpg", "w.webp", "new/"])
def test_a_warp_is_written_where_it_was_asked_for(run, saved_identity, tmp_path, name):
    result = run("warp", saved_identity, "--size", 64, "--out", f"{tmp_path}/{name}")
    assert result.exit_code == 0, result.stderr
    (written,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert str(written) == result.stdout.strip()
    record = read_record(written)
    assert record["picture"] == "plain warp of the photos" and record["synthetic"] is True
    assert record["target"]["pose"] and record["versions"]["hifi-portrait"]


def test_a_name_that_is_not_utf_8_works(run, saved_identity, tmp_path):
    who = tmp_path / os.fsdecode(b"ann\xe4.safetensors")
    shutil.copy(saved_identity, who)
    for words in (["--json"], []):
        result = run("warp", who, "--size", 64, "--out", tmp_path / os.fsdecode(b"\xff.png"), *words)
        assert result.exit_code == 0, result.stderr
    assert os.fsdecode(b"\xff.png") in os.listdir(tmp_path)


def test_an_identity_goes_into_a_folder_and_holds_no_paths(run, photo, tmp_path):
    (tmp_path / "d").mkdir()
    assert run("identity", photo, "--out", tmp_path / "d").exit_code == 0
    saved = (tmp_path / "d" / "identity.safetensors").read_bytes()
    assert b"only.jpg" in saved
    assert str(tmp_path).encode() not in saved


def test_names_and_hashes_stay_out_of_the_metadata_where_that_is_asked_for(
    run, saved_identity, photo, tiny_model, tmp_path
):
    common = ["--model", tiny_model, "--steps", 1, "--private", "--sheet"]
    out = tmp_path / "p.png"
    assert run("generate", photo, saved_identity.parent / "none", "--out", out).exit_code == 2
    result = run("generate", photo, *common, "--out", out)
    assert result.exit_code == 0, result.stderr
    for path in (out, beside(out, "sheet")):
        assert read_record(path)["synthetic"] is True
        assert b"only" not in path.read_bytes()
        assert b"sha256" not in path.read_bytes()


def test_no_room_is_found_before_anything_is_drawn(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError, match=r"a\.png: .* cannot be written to: No space left"):
        check_files([tmp_path / "a.png"], [])
    with pytest.raises(OutputError, match="No space left"):
        check_folder(tmp_path / "new" / "d", [])


@pytest.mark.parametrize("out", ["file/a.png", "/proc/nowhere/a.png", "x" * 250 + ".png", "loop/a.png"])
def test_a_place_that_cannot_be_written_to_is_named(tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("loop").symlink_to("loop")
    with pytest.raises(OutputError, match="--out"):
        check_files([Path(out)], [])
    assert sorted(os.listdir()) == ["file", "loop"]


def test_what_is_no_plain_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(OutputError, match="no plain file"):
        check_files([tmp_path / "pipe.png"], [])


def test_checking_leaves_nothing_behind(tmp_path):
    check_files([tmp_path / "a" / "b.png"], [])
    check_folder(tmp_path / "c" / "d", [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["generate", "{saved}", "--model", "{odd}", "--out", "o.png"],
        ["redraw", "{photo}", "{saved}", "--model", "{odd}", "--out", "o.png"],
        ["people", "--count", 1, "--out", "{odd}"],
        ["export", "{model}", "--size", "tiny", "--out", "{odd}/new"],
        ["plot", "--run", "{odd}", "--out", "{odd}"],
    ],
)
def test_a_name_that_is_not_utf_8_is_named_where_libraries_cannot_open_it(
    run, photo, saved_identity, tiny_model, tmp_path, monkeypatch, words
):
    monkeypatch.chdir(tmp_path)
    odd = os.fsdecode(b"t\xe4")
    shutil.copytree(tiny_model, odd)
    names = {"saved": saved_identity, "photo": photo, "model": tiny_model, "odd": odd}
    result = run(*(str(word).format(**names) for word in words))
    assert result.exit_code == 2, result.stderr
    assert "must be UTF-8" in result.stderr and "t\ufffd" in result.stderr
    assert not Path("o.png").exists()


@pytest.mark.parametrize(
    ("out", "said"), [("https://example.com/a.png", "an address"), ("/dev/null", "a device")]
)
def test_what_is_no_file_is_not_written_to(out, said):
    with pytest.raises(OutputError, match=said):
        picture_path(out, "a.png")
