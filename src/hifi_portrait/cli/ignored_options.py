"""Options of a command that change nothing beside the others that were given: a sentence each."""

from __future__ import annotations

from hifi_portrait.cli.driving import IDLE, DriveOptions
from hifi_portrait.cli.options import ModelOptions, PoseOptions

_OF_VIDEOS = ("drive_face", "drive_person", "smoothing")
"""Options that say how a video is followed."""

_MOVED = {
    "yaw": ("pose",),
    "pitch": ("pose",),
    "roll": ("pose",),
    "gaze": ("eyes",),
    "expression": ("eyes", "mouth", "face"),
}
"""Option -> the parts of a motion that take its place."""

_OF_NETWORKS = ("model", "hifi", "lora", "dtype", "device")


def ignored_by_motion(driving: DriveOptions, pose: PoseOptions) -> list[str]:
    """Find options of a motion, and of the pose that it moves, that change nothing."""
    usual = DriveOptions()
    lines = []
    if not driving.is_video:
        lines += [
            f"{_option(name)} has no effect: it is for a video as --drive"
            for name in _OF_VIDEOS
            if getattr(driving, name) != getattr(usual, name)
        ]
    if driving.drive != IDLE and driving.seconds != usual.seconds:
        lines.append("--seconds has no effect: it is for --drive idle; others have a length of their own")
    if driving.drive != IDLE and not driving.relative:
        lines += [
            f"{_option(name)} has no effect, for the motion takes its place: give --relative to add the"
            " motion to it, or leave that out of --parts"
            for name, parts in _MOVED.items()
            if getattr(pose, name) is not None and set(parts) <= set(driving.chosen_parts)
        ]
    return lines


def ignored_without_networks(quality: str, networks: ModelOptions, prompt: str, seed: int) -> list[str]:
    """Find options of the networks, where these do not draw."""
    if quality == "model":
        return []
    given = [name for name in _OF_NETWORKS if getattr(networks, name)]
    given += [name for name, value in (("prompt", prompt), ("seed", seed)) if value]
    return [f"{_option(name)} has no effect: it is for --quality model" for name in given]


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
