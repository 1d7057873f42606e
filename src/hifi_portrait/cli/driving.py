"""``--drive``: from a word or a file to a motion."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from hifi_portrait.errors import MotionError, TargetError
from hifi_portrait.io.names import printable

if TYPE_CHECKING:
    from hifi_portrait.motion import Motion
    from hifi_portrait.person.identity import Identity
    from hifi_portrait.person.target import Target

IDLE = "idle"
"""The drive that needs no file."""

USUAL_RATE = 25.0
"""Frames a second where neither a clip nor an option says."""

MOST_RATE = 120.0
"""Frames a second at most."""

PARTS = ("pose", "eyes", "mouth", "face")
"""As `hifi_portrait.motion.PARTS`, which is not imported for help texts."""


@dataclass(frozen=True)
class DriveOptions:
    """What moves the head, and how it is read."""

    PANEL: ClassVar[str] = "Motion"

    drive: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="A video with a face; a motion (.json) that was saved; a table of ARKit coefficients "
            '(.csv), as apps for face capture write it; key frames, such as "neutral@0 smile/yaw=25@1"; or '
            "idle: the person blinks, sways and looks about.",
        ),
    ] = IDLE
    parts: Annotated[
        str,
        typer.Option(
            metavar="PARTS",
            help=f"What is taken of the motion, of {', '.join(PARTS)}, with commas between.",
            show_default="all",
        ),
    ] = ",".join(PARTS)
    relative: Annotated[
        bool,
        typer.Option(
            "--relative/--absolute",
            help="Add the motion's changes against its most neutral moment to the pose and expression that "
            "are asked for, or take it as it is.",
        ),
    ] = False
    drive_face: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Which face of the video moves the head: face N of the first frame with so many, counted "
            "from the largest, 0.",
            show_default="the largest",
        ),
    ] = None
    drive_person: Annotated[
        bool, typer.Option("--drive-person", help="Follow the person of the photos in the video.")
    ] = False
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Exchange left and right of the motion, as in a mirror.")
    ] = False
    smoothing: Annotated[
        float, typer.Option(min=0, max=10, help="Strength with which a video's motion is smoothed; 0: none.")
    ] = 1.0
    seconds: Annotated[float, typer.Option(min=0.04, max=600, help="Length of an idle motion.")] = 5.0
    rate: Annotated[
        float | None,
        typer.Option(min=1, max=MOST_RATE, help="Frames a second.", show_default="the clip's, or 25"),
    ] = None
    save_motion: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Also write the motion, as .json, or into a folder.", show_default=False
        ),
    ] = None

    @property
    def chosen_parts(self) -> list[str]:
        """The parts by name."""
        return [part.strip() for part in self.parts.split(",") if part.strip()]

    @property
    def files(self) -> list[Path]:
        """The files that are read."""
        return [] if self.drive == IDLE or self.has_keys else [Path(self.drive)]

    @property
    def has_keys(self) -> bool:
        """Whether the motion is given as key frames."""
        return "@" in self.drive and not os.path.exists(self.drive)  # where a path may be too long for a name

    @property
    def is_video(self) -> bool:
        """Whether a video is followed."""
        from hifi_portrait.io.video import VIDEO_SUFFIXES

        return bool(self.files) and Path(self.drive).suffix.lower() in VIDEO_SUFFIXES


def check_drive(options: DriveOptions) -> None:
    """Check what can be known of a drive before any photo is analysed.

    Raises
    ------
    MotionError
        There is no such file, it is of no kind that is read, or a part is unknown.
    """
    wrong = [part for part in options.chosen_parts if part not in PARTS]
    if wrong or not options.chosen_parts:
        raise MotionError(f"--parts {options.parts!r}: give some of {', '.join(PARTS)}, with commas between")
    if options.has_keys:
        parse_keys(options.drive)
    if not options.files:
        return
    path = Path(options.drive)
    if not os.path.isfile(path):
        what = "is no file" if os.path.exists(path) else "does not exist"
        raise MotionError(
            f"--drive {printable(path)} {what}: give a video, a motion .json, an ARKit .csv, or idle"
        )
    if path.suffix.lower() not in (".json", ".csv") and not options.is_video:
        raise MotionError(
            f"--drive {printable(path)}: give a video, a motion as .json, ARKit coefficients as .csv, or idle"
        )
    if options.drive_person and options.drive_face is not None:
        raise MotionError("--drive-person and --drive-face contradict each other: give one of them")


def parse_keys(text: str) -> list[tuple[float, Target]]:
    """Read key frames: an expression, angles if any, and seconds each, "smile:0.5/yaw=25/gaze=-10@1.5".

    Raises
    ------
    MotionError
        A part cannot be read; the message names it.
    """
    from hifi_portrait.person.target import Target

    keys = []
    for part in text.split():
        what, _, seconds = part.rpartition("@")
        expression, *angles = what.split("/")
        try:
            given = {name: float(value) for name, _, value in (each.partition("=") for each in angles)}
            gaze = (given.pop("gaze", 0.0), 0.0)
            target = Target(expression=expression or "neutral", pose=given, gaze=gaze)
            keys.append((float(seconds), target))
        except (ValueError, TargetError) as error:
            raise MotionError(
                f"--drive {part!r} is no key frame such as smile@0.5 or smile:0.5/yaw=25@1.5: {error}"
            ) from error
    return keys


def read_drive(
    options: DriveOptions,
    identity: Identity,
    seed: int,
    on_frame: Callable[[float], None],
    most_rate: float = MOST_RATE,
) -> tuple[Motion, float]:
    """Read the motion at the frame rate of the video that is to be made.

    Parameters
    ----------
    options
        What is read; see `check_drive`.
    identity
        Who is followed in a video, if that was asked for.
    seed
        Of an idle motion.
    on_frame
        Called with the time of each frame of a video that was looked at, in seconds.
    most_rate
        Frames a second at most, where the clip says how many.

    Returns
    -------
    motion, rate
        One moment a frame, and frames a second.
    """
    from hifi_portrait.io.video import read_info
    from hifi_portrait.motion import Motion, TrackOptions, idle, key_frames, read_arkit, track_video
    from hifi_portrait.motion.arkit import mirror

    rate = options.rate or USUAL_RATE
    path = Path(options.drive)
    if options.drive == IDLE:
        motion = idle(options.seconds, rate=rate, seed=seed)
    elif options.has_keys:
        motion = key_frames(parse_keys(options.drive), rate)
    elif options.is_video:
        rate = options.rate or min(read_info(path).frame_rate or USUAL_RATE, most_rate)
        motion = track_video(
            path,
            identity=identity if options.drive_person else None,
            face=options.drive_face,
            options=TrackOptions(smoothing=options.smoothing),
            on_frame=on_frame,
        )
    elif path.suffix.lower() == ".json":
        motion = Motion.load(path)
    else:
        motion = read_arkit(path)
    return (mirror(motion) if options.mirror else motion).at_rate(rate), rate
