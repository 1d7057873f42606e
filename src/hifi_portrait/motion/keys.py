"""A motion through a few targets at given times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator

from hifi_portrait.errors import MotionError
from hifi_portrait.motion.motion import LONGEST, Motion, check_rate
from hifi_portrait.person.target import Target


def key_frames(frames: Sequence[tuple[float, Target | str]], rate: float = 25.0) -> Motion:
    """Make a motion that passes through targets and rests at each for an instant.

    Between two targets, it runs on monotone cubic curves (PCHIP): nothing goes beyond what was asked for.

    Parameters
    ----------
    frames
        Seconds, 0 or more and ascending, each with a target, or with an expression as `Target` takes one
        ("smile", "wink:0.5").
    rate
        Moments a second of the result.

    Raises
    ------
    MotionError, TargetError
        There is no frame, times do not ascend or go beyond `LONGEST`, or an expression is unknown.
    """
    if not frames:
        raise MotionError("key frames need at least one time with a target")
    targets = [each if isinstance(each, Target) else Target(expression=each) for _, each in frames]
    keys = Motion.of([time for time, _ in frames], targets)
    if len(keys) == 1:
        return keys
    rate = check_rate(rate)
    if keys.duration > LONGEST:
        raise MotionError(f"key frames must end by {LONGEST:.0f} s, but the last is at {keys.duration:g} s")
    count = round((keys.times[-1] - keys.times[0]) * rate) + 1
    times = keys.times[0] + np.arange(count) / rate
    curves = {
        name: PchipInterpolator(keys.times, getattr(keys, name), axis=0)(np.minimum(times, keys.times[-1]))
        for name in ("expression", "pose", "gaze")
    }
    return Motion(times, **curves)
