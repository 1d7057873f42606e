"""Motion of a head: expression, pose and gaze over time, from videos, files, key frames, or made up."""

from typing import TYPE_CHECKING

from hifi_portrait.lazy import lazy_names

if TYPE_CHECKING:
    from hifi_portrait.motion.arkit import read_arkit
    from hifi_portrait.motion.keys import key_frames
    from hifi_portrait.motion.motion import PARTS, Motion
    from hifi_portrait.motion.smoothing import OneEuroFilter
    from hifi_portrait.motion.track import TrackOptions, track_video
    from hifi_portrait.motion.waiting import idle
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "arkit": ("read_arkit",),
            "waiting": ("idle",),
            "keys": ("key_frames",),
            "motion": ("PARTS", "Motion"),
            "smoothing": ("OneEuroFilter",),
            "track": ("TrackOptions", "track_video"),
        },
    )

__all__ = [
    "PARTS",
    "Motion",
    "OneEuroFilter",
    "TrackOptions",
    "idle",
    "key_frames",
    "read_arkit",
    "track_video",
]
