"""The baked head: the warp's picture, from a texture."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait import BakedHead, Target, TargetError


def test_a_picture_has_alpha_and_the_size_that_was_asked_for(head):
    picture = head.draw(Target(), (96, 128))
    assert picture.shape == (128, 96, 4) and picture.dtype == np.uint8
    assert picture[4, 4, 3] == 0 and picture[64, 48, 3] == 255


def test_the_face_is_the_warps(head, identity):
    for target in (Target(), Target(yaw=25), Target(expression="smile", yaw=-20)):
        drawn = head.draw(target, 128)[40:85, 48:80, :3].astype(float)
        warped = identity.warp(target.replace(look=0), 128)[40:85, 48:80].astype(float)
        assert np.abs(drawn - warped).mean() < 8


def test_the_background_is_that_of_the_look(head, identity):
    picture = head.draw(Target(), 64, background=True)
    assert (picture[..., 3] == 255).all()
    warped = identity.warp(Target(look=0), 64)
    assert np.abs(picture[:8, :, :3].astype(float) - warped[:8]).mean() < 3


def test_an_open_mouth_is_dark_inside(head):
    shut, opened = (head.draw(Target(expression=words), 128) for words in ("neutral", "jawOpen=0.8"))
    darker = shut[..., :3].astype(float).max(axis=2) - opened[..., :3].max(axis=2)
    assert (darker > 60).sum() > 20


@pytest.mark.parametrize("size", [8, 100_000, 64.5, "large", (64,), (64, 64, 64), None])
def test_a_size_of_no_picture_is_refused(head, size):
    with pytest.raises(ValueError, match="size"):
        head.draw(Target(), size)


def test_what_is_no_target_is_refused(head):
    with pytest.raises(TypeError, match="must be a Target"):
        head.draw({"yaw": 10})


def test_a_texture_of_no_size_is_refused(identity):
    for texture in (16, 1e6, "fine"):
        with pytest.raises(ValueError, match="texture"):
            BakedHead.bake(identity, texture=texture)


def test_a_look_of_no_photo_is_refused(identity):
    with pytest.raises(TargetError, match="look"):
        BakedHead.bake(identity, look=7)
