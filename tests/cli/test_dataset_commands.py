"""``hifi-portrait dataset`` as commands."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from hifi_portrait.dataset.format import IDDataset

OLD = Path(__file__).parents[1] / "dataset" / "version_1"


def test_the_check_of_a_sound_set_says_so(run):
    result = run("dataset", "check", OLD)
    assert (result.exit_code, result.stdout) == (0, f"{OLD}: all is well\n")


def test_a_set_of_version_1_is_rewritten(run, tmp_path):
    data = shutil.copytree(OLD, tmp_path / "set")
    before = [record.image for record in IDDataset(data)]
    result = run("dataset", "check", data, "--upgrade", "--json")
    assert json.loads(result.stdout)["upgraded"]
    assert json.loads((data / "dataset.json").read_text())["version"] == 2
    records = list(IDDataset(data))
    assert [record.image for record in records] == before
    assert all(len(record.sha256) == 64 and record.analysis is not None for record in records)
    assert [record.sitting for record in records] == [0, 1, 0, 1]
    assert run("dataset", "check", data, "--upgrade", "--json").exit_code == 0


def test_the_check_names_what_is_wrong(run, tmp_path):
    data = shutil.copytree(OLD, tmp_path / "set")
    next((data / "images").glob("*.tar")).unlink()
    result = run("dataset", "check", data)
    assert result.exit_code != 0 and "a-00000.tar" in result.stderr


def test_photos_without_licence_and_consent_are_not_read(run, person, tmp_path):
    result = run("dataset", "build", person[0].parent, "--out", tmp_path / "set")
    assert result.exit_code != 0
    assert "sources.toml" in result.stderr and "consent" in result.stderr
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("word", ["build", "add"])
def test_a_missing_folder_is_named(run, tmp_path, word):
    place = ("--out", tmp_path / "set") if word == "build" else ()
    given = (tmp_path / "nothing",) if word == "build" else (tmp_path / "set", tmp_path / "nothing")
    result = run("dataset", word, *given, *place)
    assert result.exit_code != 0
    assert str(tmp_path) in result.stderr


def test_a_folder_that_holds_something_else_is_not_written_to(run, person, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "letter.txt").write_text("dear")
    result = run("dataset", "build", person[0].parent, "--out", tmp_path / "set")
    assert result.exit_code != 0 and "something else" in result.stderr


def test_what_was_not_built_here_is_not_added_to(run, person, tmp_path):
    data = shutil.copytree(OLD, tmp_path / "set")
    result = run("dataset", "add", data, person[0].parent)
    assert result.exit_code != 0 and "was not built by" in result.stderr


def test_forgetting_nothing_is_refused(run, tmp_path):
    result = run("dataset", "forget", tmp_path)
    assert result.exit_code == 2 and "--photo" in result.stderr


def test_an_address_without_a_cluster_is_refused(run, tmp_path):
    result = run("dataset", "build", OLD, "--out", tmp_path / "set", "--address", "head:6379")
    assert result.exit_code != 0 and "--engine ray" in result.stderr


def test_a_cluster_needs_its_extra(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "hifi_portrait.dataset.ray_workers", raising=False)
    result = run("dataset", "build", OLD, "--out", tmp_path / "set", "--engine", "ray")
    assert result.exit_code != 0 and "hifi-portrait[cluster]" in result.stderr


def test_adding_nothing_is_refused(run, tmp_path):
    result = run("dataset", "add", tmp_path)
    assert result.exit_code == 2 and "--retry-rejected" in result.stderr


@pytest.mark.slow
def test_a_dry_run_writes_nothing(run, person, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(person[0], folder / "1.jpg")
    (folder / "sources.toml").write_text(
        '[[source]]\nname = "mine"\npath = "."\nlicence = "CC0-1.0"\nconsent = "own"\n'
    )
    result = run("dataset", "build", folder, "--out", tmp_path / "set", "--dry-run", "--json")
    assert json.loads(result.stdout)["used"] == 1
    assert not (tmp_path / "set").exists()
