from pathlib import Path

import pytest

from hifi_portrait.cli.evaluate.common import ScoringOptions
from hifi_portrait.faces import load_image

EXAMPLE = sorted((Path(__file__).parents[2] / "examples" / "person").glob("*.jpg"))[0]


@pytest.mark.scoring
def test_the_scoring_recogniser_describes_a_face(scoring_dir):
    embedding = ScoringOptions(scoring_dir).recogniser()(load_image(EXAMPLE))
    assert embedding is not None and embedding.shape == (128,) and abs(embedding).max() > 0


def test_without_scoring_weights_the_packages_own_describes_a_face():
    embedding = ScoringOptions().recogniser()(load_image(EXAMPLE))
    assert embedding is not None and embedding.shape == (128,)
