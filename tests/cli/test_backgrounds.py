"""``--background``, ``--light``, ``--style``: what is written, and what is refused beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from hifi_portrait.cli import drawing_options, options
from hifi_portrait.cli.inputs import background_settings
from hifi_portrait.person.background import Background
from hifi_portrait.pipeline.options import STARTS
from hifi_portrait.scenery.environment import PANORAMAS
from hifi_portrait.scenery.studio import LIGHT_NAMES
from hifi_portrait.scenery.styles import STYLES


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


def test_a_place_and_a_light(run, saved_identity, tmp_path):
    drawn = {}
    for name, words in {
        "own": (),
        "lit": ("--light", "low-key light"),
        "park": ("--background", "park"),
    }.items():
        result = run("warp", saved_identity, "--out", tmp_path / f"{name}.png", "--size", 64, *words)
        assert result.exit_code == 0, result.output
        drawn[name] = np.asarray(Image.open(tmp_path / f"{name}.png"), float)
    assert drawn["lit"].mean() < drawn["own"].mean()
    assert np.abs(drawn["park"] - drawn["own"])[:4].mean() > 10


@pytest.mark.parametrize(("option", "value"), [("--light", "candle"), ("--background", "nowhere at all")])
def test_what_is_unknown_is_refused_with_what_is_known(run, saved_identity, tmp_path, option, value):
    result = run("warp", saved_identity, "--out", tmp_path / "a.png", option, value)
    assert result.exit_code == 2
    assert ("park" if option == "--background" else "window light") in " ".join(result.output.split())
    assert not (tmp_path / "a.png").exists()


def test_the_options_offer_what_the_library_knows():
    def choices(annotated):
        return annotated.__origin__.__args__

    assert choices(options.Light) == ("photo", *LIGHT_NAMES)
    assert choices(options.Style) == ("photo", *STYLES)
    start = drawing_options.SamplingOptions.__annotations__["start"]
    assert all(f'"{way}"' in str(start) or way in str(start) for way in STARTS)


def test_a_private_record_does_not_name_a_panoramas_file(tmp_path):
    file = tmp_path / "my_home.exr"
    file.write_bytes((PANORAMAS / "pmndrs_park.exr").read_bytes())
    behind = Background.of(str(file))
    assert background_settings(str(file), behind, private=True) == {"background": "picture"}
    assert background_settings(str(file), behind, private=False) == {"background": "my_home.exr"}
    assert background_settings("park", Background.of("park"), private=True) == {"background": "park"}
