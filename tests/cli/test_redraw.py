"""``redraw``: the example person's face in a picture of somebody else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from hifi_portrait.io.provenance import read_record

PICTURE = Path(__file__).parents[1] / "pictures" / "person_b_1.jpg"


def test_a_face_is_redrawn_and_the_rest_left(run, saved_identity, tmp_path):
    out = tmp_path / "redrawn.png"
    result = run("redraw", PICTURE, saved_identity, "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    drawn, before = (np.asarray(Image.open(path).convert("RGB"), int) for path in (out, PICTURE))
    assert json.loads(result.stdout)["size"] == [before.shape[1], before.shape[0]]
    changed = np.abs(drawn - before).max(axis=-1) > 0
    assert 0.05 < changed.mean() < 0.4
    assert not changed[:20].any() and not changed[-20:].any()
    record = read_record(out)
    assert record["picture"]["name"] == "person_b_1.jpg"


def test_a_face_that_is_not_there(run, saved_identity, tmp_path):
    result = run("redraw", PICTURE, saved_identity, "--face", 3, "--out", tmp_path / "no.png")
    assert result.exit_code == 2
    assert "there is no face 3" in " ".join(result.stderr.split())
    assert not (tmp_path / "no.png").exists()


def test_no_picture_that_was_given_is_replaced(run, saved_identity, tmp_path):
    picture = tmp_path / "me.png"
    Image.open(PICTURE).save(picture)
    before = picture.read_bytes()
    for out in (picture, tmp_path / "me"):
        result = run("redraw", picture, saved_identity, "--out", out)
        assert result.exit_code == 2
        assert "would replace" in " ".join(result.stderr.split())
    assert picture.read_bytes() == before


def test_a_recogniser_is_for_photos(run, saved_identity, tmp_path):
    result = run("redraw", PICTURE, saved_identity, "--recogniser", tmp_path / "any.onnx")
    assert result.exit_code == 2
    assert "--recogniser is for photos" in " ".join(result.stderr.split())
