"""``redraw``: the example person's face in a picture of somebody else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from hifi_portrait.provenance import read_png

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
    record = read_png(out)
    assert record["picture"]["name"] == "person_b_1.jpg"


def test_a_face_that_is_not_there(run, saved_identity, tmp_path):
    result = run("redraw", PICTURE, saved_identity, "--face", 3, "--out", tmp_path / "no.png")
    assert result.exit_code == 2
    assert "there is no face 3" in " ".join(result.stderr.split())
    assert not (tmp_path / "no.png").exists()
