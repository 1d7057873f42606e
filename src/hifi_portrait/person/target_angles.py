"""Head pose and gaze of a target: how far they may go, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from hifi_portrait.errors import TargetError
from hifi_portrait.head.geometry import HeadPose
from hifi_portrait.person.expressions import check_range, describe_unknown

POSE_RANGE: Mapping[str, float] = {"yaw": 60.0, "pitch": 40.0, "roll": 40.0}
"""Largest absolute head angles, in degrees."""

GAZE_RANGE: Mapping[str, float] = {"yaw": 40.0, "pitch": 30.0}
"""Largest absolute gaze angles, in degrees, relative to the head."""


def clip_gaze(yaw: float, pitch: float) -> tuple[float, float]:
    """Bring a gaze into `GAZE_RANGE`."""
    yaw_limit, pitch_limit = GAZE_RANGE.values()
    return float(np.clip(yaw, -yaw_limit, yaw_limit)), float(np.clip(pitch, -pitch_limit, pitch_limit))


def read_pose(pose: Any, angles: Mapping[str, float | None]) -> HeadPose:
    """Read a pose, be it one or its angles, with some angles changed."""
    if isinstance(pose, Mapping):
        unknown = [str(axis) for axis in pose if axis not in POSE_RANGE]
        if unknown:
            raise TargetError(describe_unknown("angle of a head pose", unknown[0], tuple(POSE_RANGE)))
        given = {axis: pose.get(axis, 0.0) for axis in POSE_RANGE}
    elif isinstance(pose, HeadPose):
        given = asdict(pose)
    else:
        given = dict(zip(POSE_RANGE, _read_angles("pose", pose, tuple(POSE_RANGE)), strict=True))
    given |= {axis: angle for axis, angle in angles.items() if angle is not None}
    for axis, limit in POSE_RANGE.items():
        check_range(axis, given[axis], -limit, limit, " degrees")
    return HeadPose(**{axis: float(angle) for axis, angle in given.items()})


def read_gaze(gaze: Any) -> tuple[float, float]:
    """Read a gaze of yaw and pitch, and check that it is within `GAZE_RANGE`."""
    yaw, pitch = _read_angles("gaze", gaze, tuple(GAZE_RANGE))
    for angle, (axis, limit) in zip((yaw, pitch), GAZE_RANGE.items(), strict=True):
        check_range(f"gaze {axis}", angle, -limit, limit, " degrees")
    return float(yaw), float(pitch)


def _read_angles(name: str, given: Any, axes: Sequence[str]) -> list[Any]:
    try:
        angles = [] if isinstance(given, str | bytes) else list(given)
    except TypeError:
        angles = []
    if angles and len(angles) != len(axes):
        raise TargetError(f"{name} must be {', '.join(axes)} in degrees, got {len(angles)} numbers")
    if not angles:
        raise TargetError(f"{name} must be {', '.join(axes)} in degrees, but is {given!r}")
    return angles
