"""Many pictures of one person: frames of videos, and sheets."""

from typing import TYPE_CHECKING

from hifi_portrait.lazy import lazy_names

if TYPE_CHECKING:
    from hifi_portrait.animation.drawing import QUALITIES, make_drawer
    from hifi_portrait.animation.video import AnimationResult, animate
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "drawing": ("QUALITIES", "make_drawer"),
            "video": ("AnimationResult", "animate"),
        },
    )

__all__ = ["QUALITIES", "AnimationResult", "animate", "make_drawer"]
