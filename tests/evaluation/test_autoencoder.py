"""Recognition through an autoencoder."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from hifi_portrait.evaluation.autoencoder import encode_and_decode, evaluate_autoencoder


@pytest.fixture(scope="module")
def autoencoder() -> AutoencoderKL:
    torch.manual_seed(0)
    return AutoencoderKL(
        block_out_channels=(8,), norm_num_groups=4, layers_per_block=1, mid_block_add_attention=False
    ).eval()


def colour(image):
    """A recogniser of flat pictures: the mean colour, no face in a black one."""
    mean = image.reshape(-1, 3).mean(0) - 100.0
    return mean if image.any() else None


def flat(*rgb):
    return np.broadcast_to(np.array(rgb, np.uint8), (16, 16, 3)).copy()


def test_a_picture_comes_back_at_its_own_size(autoencoder):
    image = encode_and_decode(autoencoder, flat(10, 20, 30))
    assert image.shape == (16, 16, 3)
    assert image.dtype == np.uint8


def test_originals_are_recognised_and_faceless_photos_are_not(autoencoder):
    gallery = [flat(200, 100, 100), flat(100, 100, 200)]
    queries = [[flat(190, 110, 100)], [flat(0, 0, 0)]]
    figures = evaluate_autoencoder(autoencoder, queries, gallery, colour)
    assert figures.rank_one_originals.value == 0.5
    assert (figures.people, figures.pictures) == (2, 2)
