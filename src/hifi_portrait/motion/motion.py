"""Expression, head pose and gaze over time."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np

from hifi_portrait.errors import MotionError, OutputError
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.geometry import EXPRESSION_NAMES
from hifi_portrait.head.numerics import as_number
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.io.names import printable
from hifi_portrait.motion.smoothing import smooth
from hifi_portrait.person.expressions import MAX_COEFFICIENT
from hifi_portrait.person.target import Target
from hifi_portrait.person.target_angles import GAZE_RANGE, POSE_RANGE

PARTS = ("pose", "eyes", "mouth", "face")
"""What of a motion can be taken by itself: the head's pose; gaze and lids; lips, jaw and tongue; and the rest
of the face: brows, cheeks and nose."""

FORMAT = "hifi-portrait motion"
"""What a motion's JSON file says that it is."""

VERSION = 1
"""Of that file's format."""

_EYES = np.array([name.startswith("eye") for name in EXPRESSION_NAMES])
_MOUTH = np.array([name.startswith(("mouth", "jaw", "tongue")) for name in EXPRESSION_NAMES])

_CUTOFFS = {"expression": (1.5, 2.0), "pose": (0.8, 0.03), "gaze": (1.0, 0.03)}
"""Cut-off in hertz at rest, and by how much a unit a second raises it, of smoothing at strength 1: for
coefficients, and for degrees."""


LONGEST = 3600.0
"""Seconds of the longest motion that is made of nothing."""

_ROUNDING = 0.05
"""Part of a frame by which the time of the last one may be rounded down, as videos do."""


@dataclass(frozen=True, eq=False)
class Motion:
    """A head's motion: N moments with 52 coefficients, pose and gaze each.

    Raises
    ------
    MotionError
        There is no moment, the shapes do not fit, a number is not finite, or times do not ascend from 0.
    """

    times: Array
    """(N,) seconds from the beginning, 0 or more, ascending."""
    expression: Array
    """(N, 52) coefficients, in the order of ``EXPRESSION_NAMES``; of a relative motion, some are below 0."""
    pose: Array
    """(N, 3) yaw, pitch and roll of the head in degrees, with the signs of `HeadPose`."""
    gaze: Array
    """(N, 2) yaw and pitch of the eyes in degrees relative to the head, as in `Target`."""
    notices: tuple[str, ...] = ()
    """What is to be said about it, such as times at which no face was seen."""

    def __post_init__(self) -> None:
        count = len(np.asarray(self.times))
        if count == 0:
            raise MotionError("a motion needs at least one moment")
        shapes = {"times": (count,), "expression": (count, 52), "pose": (count, 3), "gaze": (count, 2)}
        for name, shape in shapes.items():
            values = np.asarray(getattr(self, name), np.float64)
            if values.shape != shape:
                raise MotionError(f"{name} of a motion must have shape {shape}, but has {values.shape}")
            if not np.isfinite(values).all():
                raise MotionError(f"{name} of a motion holds a number that is not finite")
            object.__setattr__(self, name, values)
        if self.times[0] < 0 or (np.diff(self.times) <= 0).any():
            raise MotionError("times of a motion must ascend, and begin at 0 or later")

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        return f"Motion({len(self)} moments, {self.duration:.2f} s)"

    @property
    def duration(self) -> float:
        """Seconds from 0 to the last moment."""
        return float(self.times[-1])

    def at(self, times: Array | Sequence[float]) -> Motion:
        """Give the motion at other moments, in straight lines between its own; before and after, it rests."""
        times = np.asarray(times, np.float64)
        parts = {
            name: np.stack([np.interp(times, self.times, column) for column in getattr(self, name).T], axis=1)
            for name in ("expression", "pose", "gaze")
        }
        return Motion(times, **parts, notices=self.notices)

    def at_rate(self, rate: float) -> Motion:
        """Give the motion at so many moments a second, from 0 to its end: (0, 1000]."""
        rate = check_rate(rate)
        return self.at(np.arange(int(self.duration * rate + _ROUNDING) + 1) / rate)

    def smoothed(self, strength: float = 1.0) -> Motion:
        """Smooth out the jitter of a recorded motion by a One-Euro filter, without delay.

        Parameters
        ----------
        strength
            0 for none; 1 suits faces tracked in videos; more for smoother motion.
        """
        number = as_number(strength)
        if number is None or not 0 <= number <= 10:
            raise MotionError(f"the strength of smoothing must be in [0, 10], but is {strength!r}")
        if strength == 0 or len(self) < 2:
            return self
        parts: dict[str, Any] = {
            name: smooth(self.times, getattr(self, name), cutoff / strength, gain)
            for name, (cutoff, gain) in _CUTOFFS.items()
        }
        return replace(self, **parts)

    def most_neutral(self) -> int:
        """Find the number of the moment with the least expression and the straightest head."""
        turned = np.abs(self.pose).sum(axis=1) / 30 + np.abs(self.gaze).sum(axis=1) / 30
        return int((np.abs(self.expression).sum(axis=1) + turned).argmin())

    def relative(self, to: int | None = None) -> Motion:
        """Give what changes against one of the moments, the most neutral one if not given."""
        origin = self.most_neutral() if to is None else to
        return replace(
            self,
            expression=self.expression - self.expression[origin],
            pose=self.pose - self.pose[origin],
            gaze=self.gaze - self.gaze[origin],
        )

    def targets(
        self, base: Target | None = None, *, parts: Collection[str] = PARTS, relative: bool = False
    ) -> list[Target]:
        """Make a target of each moment.

        Parameters
        ----------
        base
            What holds where the motion says nothing: framing, glasses, hair, clothes, look, and what is not
            in ``parts``.
        parts
            What is taken of the motion: some of `PARTS`.
        relative
            Whether changes against the motion's most neutral moment are added to ``base``, rather than its
            values taken.

        Returns
        -------
        list of Target
            N targets. Angles beyond what a target may have are brought back to the limit.

        Raises
        ------
        MotionError
            A part is unknown.
        """
        wrong = [part for part in parts if part not in PARTS]
        if wrong or not parts:
            raise MotionError(
                f"parts of a motion are {', '.join(PARTS)}, but not {', '.join(wrong) or 'none'}"
            )
        base = base or Target()
        moved = self.relative() if relative else self
        chosen = _EYES * ("eyes" in parts) + _MOUTH * ("mouth" in parts)
        chosen = chosen + ~(_EYES | _MOUTH) * ("face" in parts) > 0
        start = base.expression_vector().astype(np.float64)
        pose = np.array([base.pose.yaw, base.pose.pitch, base.pose.roll])
        gaze = np.array(base.gaze)
        expressions = np.where(chosen, relative * start + moved.expression, start)
        poses = relative * pose + moved.pose if "pose" in parts else np.tile(pose, (len(self), 1))
        gazes = relative * gaze + moved.gaze if "eyes" in parts else np.tile(gaze, (len(self), 1))
        limits, gaze_limits = list(POSE_RANGE.values()), list(GAZE_RANGE.values())
        return [
            base.replace(
                expression=np.clip(expression, 0, MAX_COEFFICIENT).tolist(),
                pose=np.clip(angles, np.negative(limits), limits).tolist(),
                gaze=np.clip(looked, np.negative(gaze_limits), gaze_limits).tolist(),
            )
            for expression, angles, looked in zip(expressions, poses, gazes, strict=True)
        ]

    @classmethod
    def of(cls, times: Sequence[float], targets: Sequence[Target], notices: Sequence[str] = ()) -> Self:
        """Make the motion of N targets at N times."""
        return cls(
            np.asarray(times, np.float64),
            np.stack([target.expression_vector() for target in targets]),
            np.array([[target.pose.yaw, target.pose.pitch, target.pose.roll] for target in targets]),
            np.array([target.gaze for target in targets]),
            tuple(notices),
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write it as JSON; the file is complete or not there.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        rows = zip(self.times, self.expression, self.pose, self.gaze, strict=True)
        frames = [
            {
                "time": round(float(time), 6),
                "expression": {
                    name: round(float(value), 5)
                    for name, value in zip(EXPRESSION_NAMES, expression, strict=True)
                    if abs(value) > 5e-6
                },
                "pose": [round(float(angle), 4) for angle in pose],
                "gaze": [round(float(angle), 4) for angle in gaze],
            }
            for time, expression, pose, gaze in rows
        ]
        record = {"format": FORMAT, "version": VERSION, "notices": list(self.notices), "frames": frames}
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path, many_writers=True) as partial:
                partial.write_text(json.dumps(record, indent=1) + "\n")
        except OSError as error:
            raise OutputError(f"{printable(path)} cannot be written: {error.strerror or error}") from error

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Motion:
        """Read what `save` wrote.

        Raises
        ------
        MotionError
            The file is missing, no motion, damaged, or of a newer release's format.
        """
        place = printable(Path(path))
        check_is_file(Path(path))
        try:
            record = json.loads(Path(path).read_text())
        except (OSError, ValueError) as error:
            raise MotionError(f"{place} is no motion: {error}") from error
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise MotionError(f'{place} is no motion: it does not say "format": "{FORMAT}"')
        if record.get("version") != VERSION:
            raise MotionError(f"{place} has version {record.get('version')!r}; this release reads {VERSION}")
        try:
            frames = record["frames"]
            return cls(
                np.array([frame["time"] for frame in frames], np.float64),
                np.stack([_read_coefficients(frame["expression"]) for frame in frames]),
                np.array([frame["pose"] for frame in frames], np.float64),
                np.array([frame["gaze"] for frame in frames], np.float64),
                tuple(str(notice) for notice in record.get("notices", ())),
            )
        except (KeyError, TypeError, ValueError, MotionError) as error:
            raise MotionError(f"{place} is a damaged motion: {error}") from error


def check_is_file(path: Path) -> None:
    """Check that there is a file to read: no folder, and no pipe, which might never end.

    Raises
    ------
    MotionError
        There is none.
    """
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist"
        raise MotionError(f"{printable(path)} {what}: give a motion as .json, or ARKit coefficients as .csv")


def check_rate(rate: float) -> float:
    """Check how many moments a second a motion is to have.

    Raises
    ------
    MotionError
        It is no number in (0, 1000].
    """
    number = as_number(rate)
    if number is None or not 0 < number <= 1000:
        raise MotionError(f"a motion's rate must be in (0, 1000] a second, but is {rate!r}")
    return number


def _read_coefficients(given: Mapping[str, Any]) -> Array:
    unknown = [name for name in given if name not in EXPRESSION_NAMES]
    if unknown:
        raise MotionError(f"unknown coefficient {unknown[0]!r}")
    return np.array([float(given.get(name, 0.0)) for name in EXPRESSION_NAMES])
