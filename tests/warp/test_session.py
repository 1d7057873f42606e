"""Warps of one look, one after another: the same pictures as single warps."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait import Target, TargetError, WarpSession


def test_a_session_draws_what_single_warps_draw(identity):
    session = WarpSession(identity, 64, look=1)
    for target in (Target(yaw=20), Target(expression="smile", yaw=-15, gaze=(8, 0)), Target(yaw=20)):
        np.testing.assert_array_equal(session.draw(target), identity.warp(target.replace(look=1), 64))


def test_the_look_is_found_once(identity):
    session = WarpSession(identity, 64)
    assert session.look == identity.best_look([Target()])
    np.testing.assert_array_equal(
        session.draw(Target(yaw=40, look=1 - session.look)),
        identity.warp(Target(yaw=40, look=session.look), 64),
    )


@pytest.mark.parametrize("look", [2, -1, 0.5, "first", None])
def test_a_look_of_no_photo_is_refused(identity, look):
    with pytest.raises(TargetError, match="look"):
        WarpSession(identity, 64, look=look)


def test_what_is_no_target_is_refused(identity):
    with pytest.raises(TypeError, match="must be a Target"):
        WarpSession(identity, 64, look=0).draw("smile")


def test_a_size_of_no_picture_is_refused(identity):
    with pytest.raises(ValueError, match="size"):
        WarpSession(identity, 8)
