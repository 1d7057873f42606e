"""``--background`` of `warp`: what is written, and what is refused before anything is drawn."""

from __future__ import annotations

import numpy as np
from PIL import Image


def test_a_transparent_background_is_written_as_alpha(run, saved_identity, tmp_path):
    out = tmp_path / "cut.png"
    result = run("warp", saved_identity, "--out", out, "--size", 64, "--background", "transparent")
    assert result.exit_code == 0, result.output
    alpha = np.asarray(Image.open(out))[..., 3]
    assert (alpha.min(), alpha.max()) == (0, 255)


def test_a_transparent_jpeg_is_refused(run, saved_identity, tmp_path):
    out = tmp_path / "cut.jpg"
    result = run("warp", saved_identity, "--out", out, "--background", "transparent")
    assert result.exit_code == 2
    assert "a JPEG has no alpha: name a .png" in " ".join(result.output.split())
    assert not out.exists()


def test_a_background_that_is_none_is_refused_by_name(run, saved_identity, tmp_path):
    result = run("warp", saved_identity, "--out", tmp_path / "a.png", "--background", "reddish")
    assert result.exit_code == 2
    assert "the background 'reddish' is not known" in " ".join(result.output.split())


def test_the_backgrounds_picture_is_not_overwritten(run, saved_identity, tmp_path):
    wall = tmp_path / "wall.png"
    Image.new("RGB", (64, 64), "blue").save(wall)
    before = wall.read_bytes()
    result = run("warp", saved_identity, "--out", wall, "--background", wall)
    assert result.exit_code == 2
    assert "would replace" in " ".join(result.output.split())
    assert wall.read_bytes() == before
