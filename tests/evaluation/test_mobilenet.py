"""The feature network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hifi_portrait.evaluation.scorers.mobilenet import FEATURES, MobileNetV2Features


def test_features_have_the_published_layout():
    names = MobileNetV2Features().state_dict()
    assert len(names) == 312
    assert names["features.18.0.weight"].shape == (FEATURES, 320, 1, 1)
    assert names["features.1.conv.1.weight"].shape == (16, 32, 1, 1)


def test_a_picture_of_any_size_is_described():
    torch.manual_seed(0)
    features = MobileNetV2Features().eval().describe(np.zeros((40, 60, 3), np.uint8))
    assert features.shape == (FEATURES,)
    assert np.isfinite(features).all()


@pytest.mark.scoring
def test_the_published_weights_load(scoring_dir):
    from hifi_portrait.evaluation.scorers.scorers import FEATURES_FILE

    MobileNetV2Features.load(scoring_dir / FEATURES_FILE)
