"""Tables of ARKit coefficients, as apps for face capture on phones write them."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from hifi_portrait.errors import MotionError
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.geometry import EXPRESSION_NAMES
from hifi_portrait.io.names import printable
from hifi_portrait.motion.motion import Motion, check_is_file

_TIMES = ("time", "seconds", "timestamp", "t")
"""Names of a column of seconds, in lower case."""

_TIMECODE = "timecode"
"""Name of a column of hours, minutes, seconds and frames, as Live Link Face writes it."""

_ANGLES = ("headyaw", "headpitch", "headroll")

_RATES = (24.0, 25.0, 30.0, 60.0)
"""Frames a second that a timecode may count in."""

_USUAL_RATE = 60.0
"""Frames a second where nothing tells: Live Link Face's own."""

_MOST_RADIANS = 2.0
"""Angles of heads that are nowhere larger than this are taken for radians, others for degrees."""

_FEWEST = 10
"""Coefficients that a table must have at least to be taken for one."""


def read_arkit(path: str | PathLike[str], *, mirrored: bool = False) -> Motion:
    """Read a table of ARKit coefficients over time.

    The table is a CSV file with a header. Columns may be in any order, and names in any case, with or without
    underscores: the 52 coefficients (missing ones are 0); ``HeadYaw``, ``HeadPitch`` and ``HeadRoll``, in
    radians or degrees, positive as in `HeadPose`; and time, as ``time`` or ``seconds``, or as ``Timecode``
    (HH:MM:SS:FF). Without a time, rows are 1/60 s apart.

    Parameters
    ----------
    path
        The file.
    mirrored
        Whether left and right are exchanged, as in what an app shows like a mirror.

    Raises
    ------
    MotionError
        The file is missing, no such table, or a value of it is no number; the message names line and column.
    """
    place = printable(Path(path))
    check_is_file(Path(path))
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MotionError(f"{place} cannot be read as a table: {error}") from error
    if len(rows) < 2:
        raise MotionError(f"{place} has no rows below its header")
    columns = {_plain(name): number for number, name in reversed(list(enumerate(rows[0])))}
    known = [name for name in EXPRESSION_NAMES if name.lower() in columns]
    if len(known) < _FEWEST:
        raise MotionError(
            f"{place} names {len(known)} of the 52 ARKit coefficients in its header, at least {_FEWEST} are"
            " needed: columns such as jawOpen, mouthSmileLeft"
        )
    table = _Table(place, columns, rows[1:])
    expression = np.zeros((len(rows) - 1, len(EXPRESSION_NAMES)))
    for name in known:
        expression[:, EXPRESSION_NAMES.index(name)] = table.numbers(name.lower())
    zero = np.zeros(len(expression))
    pose = np.stack([table.numbers(name) if name in columns else zero for name in _ANGLES], axis=1)
    if np.abs(pose).max() <= _MOST_RADIANS:
        pose = np.degrees(pose)
    times = table.times()
    first = np.concatenate([[True], np.diff(times) > 0])  # some apps write a moment twice
    motion = Motion(times[first], np.clip(expression, 0, 1)[first], pose[first], np.zeros((first.sum(), 2)))
    return mirror(motion) if mirrored else motion


def mirror(motion: Motion) -> Motion:
    """Exchange left and right of a motion."""
    order = [EXPRESSION_NAMES.index(_other_side(name)) for name in EXPRESSION_NAMES]
    return Motion(
        motion.times,
        motion.expression[:, order],
        motion.pose * (-1, 1, -1),
        motion.gaze * (-1, 1),
        motion.notices,
    )


class _Table:
    """Rows of cells below named columns."""

    def __init__(self, place: str, columns: Mapping[str, int], rows: Sequence[Sequence[str]]) -> None:
        self._place, self._columns, self._rows = place, columns, rows

    def numbers(self, name: str) -> Array:
        """Read a column of numbers."""
        return np.array([self._number(name, line, self._cell(name, line)) for line in range(len(self._rows))])

    def times(self) -> Array:
        """Read the seconds of each row since the first."""
        name = next((each for each in _TIMES if each in self._columns), None)
        if name is not None:
            times = self.numbers(name)
        elif _TIMECODE in self._columns:
            times = self._timecodes()
        else:
            times = np.arange(len(self._rows)) / _USUAL_RATE
        back = np.flatnonzero(np.diff(times) < 0)
        if len(back):
            raise MotionError(f"{self._place}, line {back[0] + 3}: time runs backwards there")
        return np.asarray(times - times[0])

    def _timecodes(self) -> Array:
        parts = np.array([self._timecode(line) for line in range(len(self._rows))])
        seconds, frames = parts[:, 0], parts[:, 1]
        rate = _USUAL_RATE
        if seconds[-1] > seconds[0]:  # at least one whole second was counted
            rate = next((each for each in _RATES if each > frames.max()), float(np.ceil(frames.max() + 1e-6)))
        return np.asarray(seconds + frames / rate)

    def _timecode(self, line: int) -> tuple[float, float]:
        cell = self._cell(_TIMECODE, line).strip()
        parts = re.fullmatch(r"(\d+):(\d+):(\d+)[:;](\d+(?:\.\d+)?)", cell)
        if parts is None:
            raise MotionError(
                f"{self._place}, line {line + 2}: {cell!r} is no timecode such as 00:00:01:15.250"
            )
        hours, minutes, seconds, frames = map(float, parts.groups())
        return 3600 * hours + 60 * minutes + seconds, frames

    def _cell(self, name: str, line: int) -> str:
        row, column = self._rows[line], self._columns[name]
        if column >= len(row):
            raise MotionError(f"{self._place}, line {line + 2}: the row ends before the column {name}")
        return row[column]

    def _number(self, name: str, line: int, cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            raise MotionError(f"{self._place}, line {line + 2}: {name} is {cell!r}, which is no number")
        return value


def _plain(name: str) -> str:
    """Write a column's name as it is compared: JawOpen and jaw_open are jawopen, eyeWide_L eyewideleft."""
    word = name.strip()
    word = re.sub(r"_L$", "Left", word)
    word = re.sub(r"_R$", "Right", word)
    return re.sub(r"[^a-z]", "", word.lower())


def _other_side(name: str) -> str:
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    return name.removesuffix("Right") + "Left" if name.endswith("Right") else name
