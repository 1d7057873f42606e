"""What `benchmarks/base_model.py` draws with base models."""

import numpy as np
from base_model import decode, draw

from hifi_portrait.training.objectives.base import BaseConfig, BaseObjective


def test_each_caption_gives_a_picture_and_the_same_one_again(prepared, monkeypatch):
    monkeypatch.setattr("base_model.BATCH", 2)
    objective = BaseObjective(BaseConfig(size="tiny"), prepared.folder)
    photos = prepared.photos("train")[:3]
    first, again = (draw(objective, prepared, photos, steps=2, guidance=2.0) for _ in range(2))
    assert [picture.shape for picture in first] == 3 * [(64, 64, 3)]
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not np.array_equal(first[0], first[1])


def test_latents_of_photos_are_decoded(prepared):
    objective = BaseObjective(BaseConfig(size="tiny"), prepared.folder)
    (picture,) = decode(objective, prepared.latents(0)[None])
    assert picture.shape == (64, 64, 3)
    assert picture.dtype == np.uint8
