"""``--framing``, ``--size``, ``--width`` and ``--height``, and photos that show no shoulders."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import get_type_hints

import pytest
import typer

from hifi_portrait import Framing, Target
from hifi_portrait.cli.drawing_options import PictureSizeOptions
from hifi_portrait.cli.inputs import FRAMINGS, frame, make_target, parse_framing
from hifi_portrait.cli.options import PoseOptions
from hifi_portrait.errors import ImageError, TargetError
from hifi_portrait.person.target import POSE_RANGE
from picture_files import size_of

CLOSE = SimpleNamespace(framing=lambda: Framing(scale=0.6))
"""A person of whom no photo shows the shoulders."""


@pytest.mark.parametrize("word", FRAMINGS)
def test_a_word_is_a_height_of_the_face(word):
    assert parse_framing(word).scale == FRAMINGS[word]
    assert make_target(PoseOptions(framing=word)).framing.scale == FRAMINGS[word]


def test_a_number_is_the_height_of_the_face():
    assert parse_framing("0.55").scale == 0.55


@pytest.mark.parametrize("word", ["huge", "", "nan", "0", "-1", "7", "1e999", "0.5,0.5"])
def test_what_is_no_framing_is_refused_by_name(word):
    with pytest.raises(TargetError, match="framing"):
        parse_framing(word)


def test_missing_shoulders_are_left_out_unless_a_framing_is_given(tmp_path):
    assert frame(Target(), PoseOptions(), CLOSE).framing == CLOSE.framing()
    wide = Target(framing=parse_framing("wide"))
    assert frame(wide, PoseOptions(framing="wide"), CLOSE) == wide
    assert frame(wide, PoseOptions(like=tmp_path / "a.jpg"), CLOSE) == wide


@pytest.mark.parametrize(
    ("options", "sides"),
    [
        ({}, {}),
        ({"size": 640}, {"width": 640, "height": 640}),
        ({"width": 640, "height": 768}, {"width": 640, "height": 768}),
        ({"height": 768}, {"height": 768}),
    ],
)
def test_sizes_are_those_of_the_finished_picture(options, sides):
    assert PictureSizeOptions(**options).arguments() == sides


def test_a_size_and_a_side_contradict_each_other():
    with pytest.raises(typer.BadParameter, match="--size, or --width and --height"):
        PictureSizeOptions(size=512, width=640).arguments()


def test_a_portrait_has_the_sides_asked_for(run, saved_identity, tiny_model, tmp_path):
    sides, out = ["--width", 64, "--height", 96], tmp_path / "a.png"
    result = run("generate", saved_identity, "--model", tiny_model, "--steps", 1, *sides, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert size_of(out) == (64, 96)


@pytest.mark.parametrize("option", ["--size", "--width", "--height"])
@pytest.mark.parametrize("value", ["63", "4097", "x", "1e3"])
def test_a_side_out_of_range_is_refused_by_name(run, saved_identity, option, value):
    result = run("generate", saved_identity, option, value)
    assert result.exit_code == 2
    assert option in result.stderr


@pytest.mark.parametrize("place", ["", "."])
def test_a_folder_as_a_pose_is_refused_by_the_options_name(place):
    with pytest.raises(ImageError, match=r"--like .* is a folder"):
        make_target(PoseOptions(like=Path(place)))


def test_angles_on_the_command_line_are_those_that_a_target_takes():
    hints = get_type_hints(PoseOptions, include_extras=True)
    for axis, limit in POSE_RANGE.items():
        option = hints[axis].__metadata__[0]
        assert (option.min, option.max) == (-limit, limit)


def test_a_face_of_the_photo_that_is_followed_needs_that_photo(run, saved_identity):
    result = run("warp", saved_identity, "--like-face", 1)
    assert result.exit_code == 2
    assert "--like-face is for --like" in result.stderr
