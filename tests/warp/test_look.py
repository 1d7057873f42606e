"""The look: one photo decides hair, clothes, light and background of a whole sequence."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from hifi_portrait import Target
from hifi_portrait.errors import TargetError
from painted_heads import person
from tiny_pipelines import an_identity

BACKDROPS = ((200, 40, 40), (40, 40, 200))


@pytest.fixture(scope="module")
def sitter():
    """A person before a red wall, turned to the left, and before a blue one, turned to the right."""
    photos = person((-25.0, 25.0), 128)
    crops = photos.crops.copy()
    for crop, matte, colour in zip(crops, photos.mattes, BACKDROPS, strict=True):
        crop[np.asarray(matte) < 0.5] = colour
    identity = an_identity()
    return dataclasses.replace(
        identity,
        crops=crops,
        mattes=photos.mattes,
        landmarks=photos.landmarks,
        geometries=photos.geometries,
        embeddings=photos.embeddings,
        quality=np.ones(2, np.float32),
    )


def behind(picture):
    return np.median(picture[:12].reshape(-1, 3), axis=0)


def test_the_named_photo_decides_the_background(sitter):
    for look, colour in enumerate(BACKDROPS):
        for yaw in (-25, 25):
            picture = sitter.warp(Target(yaw=yaw, look=look), 128)
            assert behind(picture) == pytest.approx(colour, abs=12)
    assert behind(sitter.warp(Target(yaw=20), 128)) == pytest.approx(BACKDROPS[1], abs=12)


def test_a_sequence_of_one_look_has_no_jump(sitter):
    def largest_step(look):
        pictures = [sitter.warp(Target(yaw=yaw, look=look), 128).astype(int) for yaw in range(-12, 13, 3)]
        steps = [np.abs(after - before).mean() for before, after in pairwise(pictures)]
        return max(steps) / np.median(steps)

    assert largest_step(0) < 2
    assert largest_step(None) > 5  # where the other photo becomes the nearest


def test_the_best_look_is_that_of_most_targets(sitter):
    assert sitter.best_look([Target(yaw=-20), Target(yaw=-10), Target(yaw=15)]) == 0
    assert sitter.best_look([Target(yaw=-10), Target(yaw=15), Target(yaw=30)]) == 1
    with pytest.raises(ValueError, match="give at least one Target"):
        sitter.best_look([])


def test_a_look_that_is_none_of_the_photos_is_refused(sitter):
    with pytest.raises(TargetError, match="look 2: there are 2 photos, 0 to 1"):
        sitter.warp(Target(look=2), 64)
    for wrong in (-1, 1.5, "first", True):
        with pytest.raises(TargetError, match="look must be the number of a photo"):
            Target(look=wrong)


def test_a_target_keeps_its_look_as_plain_values():
    target = Target("smile", look=np.int64(1))
    assert target.to_dict()["look"] == 1
    assert Target.from_dict(target.to_dict()) == target
