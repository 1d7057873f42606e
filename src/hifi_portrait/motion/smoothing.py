"""The One-Euro filter (Casiez, Roussel and Vogel, CHI 2012): smooth at rest, quick in motion."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hifi_portrait.head.arrays import Array

_SPEED_CUTOFF = 1.0
"""Hertz above which the speed itself is smoothed; the paper's value."""


@dataclass
class OneEuroFilter:
    """A low-pass filter whose cut-off frequency rises with speed. It takes one sample after another.

    Attributes
    ----------
    cutoff
        Hertz, of a signal at rest: lower is smoother.
    speed_gain
        Hertz by which a speed of one unit a second raises the cut-off: higher follows motion sooner.
    """

    cutoff: float
    speed_gain: float
    _time: float | None = field(default=None, init=False)
    _value: Array = field(default_factory=lambda: np.zeros(0), init=False)
    _speed: Array = field(default_factory=lambda: np.zeros(0), init=False)

    def __call__(self, time: float, value: Array) -> Array:
        """Smooth one sample.

        Parameters
        ----------
        time
            Seconds, more than those of the sample before.
        value
            (C,), the signal's channels.
        """
        value = np.asarray(value, np.float64)
        if self._time is None:
            self._time, self._value, self._speed = time, value, np.zeros_like(value)
            return value
        step = max(time - self._time, 1e-6)
        rate = _fraction(np.full_like(value, _SPEED_CUTOFF), step)
        self._speed = self._speed + rate * ((value - self._value) / step - self._speed)
        fraction = _fraction(self.cutoff + self.speed_gain * np.abs(self._speed), step)
        self._time, self._value = time, self._value + fraction * (value - self._value)
        return self._value


def smooth(times: Array, values: Array, cutoff: float, speed_gain: float) -> Array:
    """Smooth a recorded signal without delay: the mean of a run forwards and one backwards.

    Parameters
    ----------
    times
        (N,) seconds, ascending.
    values
        (N, C).
    cutoff, speed_gain
        See `OneEuroFilter`.
    """
    forwards, backwards = OneEuroFilter(cutoff, speed_gain), OneEuroFilter(cutoff, speed_gain)
    ahead = [forwards(time, value) for time, value in zip(times, values, strict=True)]
    back = [backwards(-time, value) for time, value in zip(times[::-1], values[::-1], strict=True)]
    return np.asarray((np.stack(ahead) + np.stack(back[::-1])) / 2)


def _fraction(cutoff: Array, step: float) -> Array:
    """Give the part of a new value that a low-pass filter takes, for its cut-off in hertz."""
    return np.asarray(1 / (1 + 1 / (2 * np.pi * cutoff * step)))
