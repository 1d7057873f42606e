"""A photo that lies on its side, as a target and as a scene."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hifi_portrait.faces import load_image
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.scene import Scene


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return load_image(Path(__file__).parents[1] / "pictures" / "person_a_1.jpg")


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_photo_gives_the_same_target(portrait: np.ndarray, turns: int):
    target = Target.from_photo(np.ascontiguousarray(np.rot90(portrait, turns)))
    assert abs(target.pose.roll - Target.from_photo(portrait).pose.roll) < 3


def test_a_turned_picture_is_redrawn_as_it_lies(portrait: np.ndarray):
    turned = np.ascontiguousarray(np.rot90(portrait))
    scene = Scene.from_photo(turned)
    crop = scene.crop(256)
    same = scene.paste(crop, np.ones((256, 256), np.float32))
    assert np.abs(same.astype(int) - turned).mean() < 6
