"""What the subcommands of ``evaluate`` make of their options."""

from __future__ import annotations

from pathlib import Path

import pytest

from hifi_portrait.cli.evaluate.benchmark import SeveralSeedsOptions
from hifi_portrait.cli.evaluate.common import DrawingOptions, ScoringOptions
from hifi_portrait.errors import ModelError
from hifi_portrait.evaluation.runner import Sampling
from hifi_portrait.faces import load_image

EXAMPLE = sorted((Path(__file__).parents[2] / "examples" / "person").glob("*.jpg"))[0]


@pytest.mark.scoring
def test_the_scoring_recogniser_describes_a_face(scoring_dir):
    embedding = ScoringOptions(scoring_dir).recogniser()(load_image(EXAMPLE))
    assert embedding is not None and embedding.shape == (128,) and abs(embedding).max() > 0


def test_without_scoring_weights_the_packages_own_describes_a_face():
    embedding = ScoringOptions().recogniser()(load_image(EXAMPLE))
    assert embedding is not None and embedding.shape == (128,)


def test_the_report_names_the_recogniser_and_hides_the_folder(tmp_path):
    assert (ScoringOptions().words, ScoringOptions(tmp_path).words) == ("", "--scoring DIR")
    assert ScoringOptions(tmp_path).recogniser_name == "SFace"
    with pytest.raises(ModelError, match="not a folder"):
        ScoringOptions(tmp_path / "none")


def test_a_report_shows_the_options_that_were_given():
    row = SeveralSeedsOptions(model="my/model", name="ours", seeds=3, against="instantid")
    words = row.words(Sampling(prompt="a man", steps=5, warp_share=0.5, upscale=2))
    assert words == (
        "--seeds 3 --against instantid --model DIR --name ours "
        "--prompt 'a man' --steps 5 --warp-share 0.5 --upscale 2"
    )
    assert SeveralSeedsOptions().words(Sampling()) == ""
    assert SeveralSeedsOptions(warp_only=True).words(Sampling(steps=5)) == "--warp-only"


def test_every_option_of_drawing_reaches_the_pipeline():
    drawing = DrawingOptions(
        steps=3,
        guidance=1.5,
        start="faithful",
        warp_strength=0.25,
        prompt_scale=2.0,
        prompt_rounds=1,
        warp_grain=0.5,
        warp_share=0.75,
        hifi_every=2,
    )
    assert drawing.sampling("a man", 4) == Sampling(
        prompt="a man",
        steps=3,
        guidance=1.5,
        start="faithful",
        warp_strength=0.25,
        warp_grain=0.5,
        warp_share=0.75,
        prompt_scale=2.0,
        prompt_rounds=1,
        hifi_every=2,
        upscale=4,
    )
    assert DrawingOptions().sampling() == Sampling()
