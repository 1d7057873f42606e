"""Faces of too poor a photo, each with the measure that decided."""

from __future__ import annotations

from dataclasses import dataclass

from hifi_portrait.dataset.curate.detect import MEASURES
from hifi_portrait.dataset.curate.faces import Faces
from hifi_portrait.dataset.curate.reasons import Rejection


@dataclass(frozen=True, kw_only=True)
class QualityOptions:
    """Least values, in [0, 1], of what `hifi_portrait.faces.FaceQuality` measures."""

    sharpness: float = 0.5
    """Below it a face is blurred: by 3 of 256 pixels, .2 to .5; sharp renderings had .86 and more."""
    size: float = 0.3
    """Below it a face is small: .3 are 77 pixels for head and shoulders."""
    exposure: float = 0.5
    """Below it a face is badly exposed: at 15 % of its brightness .24 to .42; well exposed ones had .9."""
    pose: float = 0.05
    """Below it a face is turned away: .05 are 72 degrees."""
    visibility: float = 0.1
    """Below it a face is hidden in part, as the detector's confidence tells."""
    grain: float = 0.15
    """Below it a face is noisy."""
    compression: float = 0.1
    """Below it a face is strongly compressed."""


_REASONS = {
    "sharpness": "blurred",
    "size": "small_face",
    "exposure": "badly_exposed",
    "pose": "turned_away",
    "visibility": "hidden",
    "grain": "noisy",
    "compression": "compressed",
}


def find_poor(faces: Faces, options: QualityOptions) -> dict[int, Rejection]:
    """Find the faces that are below a limit, each by the measure that is farthest below its own."""
    rejected = {}
    for index, values in enumerate(faces.measures):
        shortfalls = {
            name: float(value) / getattr(options, name)
            for name, value in zip(MEASURES, values, strict=True)
            if value < getattr(options, name)
        }
        if shortfalls:
            name = min(shortfalls, key=lambda each: shortfalls[each])
            limit = getattr(options, name)
            rejected[index] = Rejection(
                reason=_REASONS[name], value=shortfalls[name] * limit, threshold=limit
            )
    return rejected
