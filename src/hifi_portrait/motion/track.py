"""The motion of a face in a video: one shape for the whole clip, expression, pose and gaze in each frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from hifi_portrait.errors import MotionError
from hifi_portrait.faces.analyser import FaceAnalyser, default_analyser, read_face_number
from hifi_portrait.fitting import fit
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.io.names import printable
from hifi_portrait.motion.follow import FIT_SIZE, FaceFollower, spread_over, to_crop
from hifi_portrait.motion.motion import Motion
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target


@dataclass(frozen=True, kw_only=True)
class TrackOptions:
    """How a face is tracked."""

    smoothing: float = 1.0
    """Strength of the One-Euro filter; 0 leaves the motion as it was measured."""
    longest_gap: float = 0.5
    """Seconds without the face that are bridged without a word; longer gaps are bridged and reported."""
    shape_frames: int = 12
    """Frames, spread over the poses of the clip, from which the head's shape is found."""
    longest: float = 600.0
    """Seconds beyond which a video is refused."""


def track_video(
    path: str | Path,
    *,
    identity: Identity | None = None,
    face: int | None = None,
    options: TrackOptions | None = None,
    analyser: FaceAnalyser | None = None,
    on_frame: Callable[[float], None] | None = None,
) -> Motion:
    """Track one face through a video.

    Parameters
    ----------
    path
        The video.
    identity
        Whose face is followed; with it, ``face`` is not needed.
    face
        Which face of the first frame that shows so many, counted from the largest (0); the largest one if not
        given.
    options
        How it is tracked.
    analyser
        The parts that find, measure and recognise faces; the default ones if not given.
    on_frame
        Called with the time of each frame, in seconds, once it has been looked at.

    Raises
    ------
    MotionError
        There is no face, or not the one that was asked for.
    NoFaceError
        `face` is no whole number of 0 or more.
    VideoError
        The file is no video, or damaged.
    MissingExtraError
        PyAV, the extra ``video``, is not installed.
    """
    from hifi_portrait.io.video import read_frames, read_info

    name, options = printable(Path(path).name), options or TrackOptions()
    duration = read_info(path).duration
    if duration is not None and duration > options.longest:
        raise MotionError(
            f"{name} is {duration:.0f} s long, and at most {options.longest:.0f} s are tracked: cut out"
            " what is meant"
        )
    with closing(read_frames(path)) as frames:
        return track_frames(
            ((frame.time, frame.pixels()) for frame in frames),
            name=name,
            identity=identity,
            face=face,
            options=options,
            analyser=analyser,
            on_frame=on_frame,
        )


def track_frames(
    frames: Iterable[tuple[float, ByteArray]],
    *,
    name: str = "the video",
    identity: Identity | None = None,
    face: int | None = None,
    options: TrackOptions | None = None,
    analyser: FaceAnalyser | None = None,
    on_frame: Callable[[float], None] | None = None,
) -> Motion:
    """Track one face through frames, each with its time in seconds; see `track_video`.

    Frames are taken one by one and not kept.
    """
    face = None if face is None else read_face_number(face, name)
    options, analyser = options or TrackOptions(), analyser or default_analyser()
    follower = FaceFollower(analyser, face=face)
    if identity is not None:
        follower.vectors = np.asarray(identity.embeddings, np.float32)
    times, found, landmarks = list[float](), list[int](), list[FloatArray]()
    for time, image in frames:
        if times and time <= times[-1]:
            continue
        seen = follower(time, image)
        if seen is not None:
            found.append(len(times))
            landmarks.append(to_crop(seen))
        times.append(time)
        if on_frame is not None:
            on_frame(time)
        if time - times[0] > options.longest:
            raise MotionError(
                f"{name} is longer than {options.longest:.0f} s: cut out the part that is meant"
            )
    if not found:
        raise MotionError(_describe_missing(name, follower, identity, face))
    motion = _fit_motion(np.array(times), found, landmarks, options)
    told = (*_describe_choice(name, follower, identity, face), *_describe_gaps(times, found, options))
    return replace(motion, notices=told)


def _fit_motion(
    times: Array, found: Sequence[int], landmarks: Sequence[FloatArray], options: TrackOptions
) -> Motion:
    """Fit one head to all frames, then give each frame its expression, pose and gaze."""
    turned = np.array([_turn_of(points) for points in landmarks])
    chosen = spread_over(turned, options.shape_frames)
    size = (FIT_SIZE, FIT_SIZE)
    shape = fit([landmarks[place] for place in chosen], [size] * len(chosen)).identity
    geometries = fit(landmarks, [size] * len(landmarks), identity=shape).geometries
    targets = [Target.from_geometry(geometry, clip=True) for geometry in geometries]
    start = times[0]
    seen = Motion.of(times[list(found)] - start, targets).smoothed(options.smoothing)
    return seen.at(times - start)


def _turn_of(landmarks: FloatArray) -> float:
    """How far a face is turned sideways, by where its nose is between its sides; 0 in the middle."""
    left, right, nose = landmarks[234, 0], landmarks[454, 0], landmarks[1, 0]
    return float((2 * nose - left - right) / max(right - left, 1e-6))


def _describe_missing(name: str, follower: FaceFollower, identity: Identity | None, face: int | None) -> str:
    if follower.most_faces == 0:
        return f"{name}: no face was found in any frame: use a video in which one is seen"
    if identity is not None:
        return (
            f"{name}: none of its faces is the person's: leave the person out, or choose a face (face=0,"
            " --face 0)"
        )
    return (
        f"{name}: no frame has a face {face}: they are counted from 0 (the largest), and there are"
        f" {follower.most_faces} at most"
    )


def _describe_choice(
    name: str, follower: FaceFollower, identity: Identity | None, face: int | None
) -> list[str]:
    if identity is not None or face is not None or follower.most_faces < 2:
        return []
    return [
        f"{name} shows {follower.most_faces} faces: the largest of the first frame that has any is followed;"
        " choose with face=1, --drive-face 1"
    ]


def _describe_gaps(times: Sequence[float], found: Sequence[int], options: TrackOptions) -> list[str]:
    """Say when the face was not seen for long."""
    start = times[0]
    seen = [times[place] - start for place in found]
    edges = [0.0, *seen, times[-1] - start]
    gaps = [(a, b) for a, b in pairwise(edges) if b - a > options.longest_gap]
    return [f"the face is not seen from {a:.2f} to {b:.2f} s: the motion there is a guess" for a, b in gaps]
