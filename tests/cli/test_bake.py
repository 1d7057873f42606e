"""``hifi-portrait bake``: photos to a GLB file."""

from __future__ import annotations

import json

import pytest

from hifi_portrait.io.provenance import file_sha256


def test_bake_writes_a_head_that_says_how_it_was_made(run, saved_identity, tmp_path):
    out = tmp_path / "new" / "anna"
    result = run("bake", saved_identity, "--texture", 128, "--look", 1, "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["path"] == f"{out}.glb" and told["look"] == 1
    data = (tmp_path / "new" / "anna.glb").read_bytes()
    assert data[:4] == b"glTF" and len(data) == told["bytes"]
    assert file_sha256(saved_identity).encode() in data


def test_private_keeps_names_and_hashes_out(run, saved_identity, tmp_path):
    out = tmp_path / "anna.glb"
    assert run("bake", saved_identity, "--texture", 64, "--private", "--out", out).exit_code == 0
    assert file_sha256(saved_identity).encode() not in out.read_bytes()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--look", 99], "look"),
        (["--out", "anna.png"], ".glb"),
        (["--face", 1], "--face is for photos"),
    ],
)
def test_what_cannot_be_done_is_refused(run, saved_identity, tmp_path, words, named):
    out = [] if "--out" in words else ["--out", tmp_path / "anna.glb"]
    result = run("bake", saved_identity, *words, *out)
    assert result.exit_code == 2
    assert named in result.stderr
