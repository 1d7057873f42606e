"""A head that waits: it blinks, sways a little and looks about."""

from __future__ import annotations

import numpy as np

from hifi_portrait.errors import MotionError
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.geometry import EXPRESSION_NAMES
from hifi_portrait.head.numerics import as_number, as_whole
from hifi_portrait.motion.motion import LONGEST, Motion, check_rate

_BLINK_EVERY = (2.0, 6.0)
"""Seconds between blinks, from the least to the most. People at rest blink 10 to 20 times a minute."""

_BLINK_SHAPE = ((0.0, 0.0), (0.08, 1.0), (0.12, 1.0), (0.30, 0.0))
"""Seconds and closure of a blink: lids fall faster than they rise."""

_SWAY = (2.0, 1.2, 0.9)
"""Largest yaw, pitch and roll of the swaying head, in degrees."""

_SWAY_HERTZ = (0.07, 0.31)
"""Range of the frequencies that the sway is made of."""

_GLANCE_EVERY = (1.5, 4.0)
"""Seconds for which eyes rest on a place."""

_GLANCE = (3.0, 1.5)
"""Largest yaw and pitch of a glance, in degrees."""

_WAVES = 3
"""Sines that each angle of the sway is made of."""


def idle(duration: float, *, rate: float = 25.0, seed: int = 0) -> Motion:
    """Make the motion of a head at rest, to be added to a target.

    Parameters
    ----------
    duration
        Seconds, in (0, 3600].
    rate
        Moments a second.
    seed
        Of its chance: the same seed gives the same motion.

    Raises
    ------
    MotionError
        A number is out of range.
    """
    length = as_number(duration)
    if length is None or not 0 < length <= LONGEST:
        raise MotionError(f"the duration of an idle motion must be in (0, 3600] seconds, but is {duration!r}")
    rate = check_rate(rate)
    number = as_whole(seed)
    if number is None or number < 0:
        raise MotionError(f"the seed of an idle motion must be a whole number, 0 or more, but is {seed!r}")
    random = np.random.default_rng(number)
    times = np.arange(max(1, round(length * rate))) / rate
    expression = np.zeros((len(times), len(EXPRESSION_NAMES)))
    closure = _blinks(times, random)
    for side in ("Left", "Right"):
        expression[:, EXPRESSION_NAMES.index(f"eyeBlink{side}")] = closure
    pose = np.stack([_sway(times, most, random) for most in _SWAY], axis=1)
    return Motion(times, expression, pose, _glances(times, random))


def _blinks(times: Array, random: np.random.Generator) -> Array:
    closure = np.zeros(len(times))
    begin = random.uniform(0.5, _BLINK_EVERY[0])
    while begin < times[-1]:
        moments, closed = zip(*_BLINK_SHAPE, strict=True)
        closure = np.maximum(closure, np.interp(times - begin, moments, closed))
        begin += random.uniform(*_BLINK_EVERY)
    return closure


def _sway(times: Array, most: float, random: np.random.Generator) -> Array:
    hertz, phase = random.uniform(*_SWAY_HERTZ, _WAVES), random.uniform(0, 2 * np.pi, _WAVES)
    waves = np.sin(2 * np.pi * np.outer(times, hertz) + phase)
    return np.asarray(most * waves.mean(axis=1))


def _glances(times: Array, random: np.random.Generator) -> Array:
    """Eyes jump from place to place; between jumps they rest."""
    gaze = np.zeros((len(times), 2))
    begin = random.uniform(*_GLANCE_EVERY)
    while begin < times[-1]:
        gaze[times >= begin] = random.uniform(-1, 1, 2) * _GLANCE
        begin += random.uniform(*_GLANCE_EVERY)
    return gaze
