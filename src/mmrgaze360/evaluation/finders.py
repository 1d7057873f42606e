"""Ways to find heads, measured on the same panoramas: our detector, and faces alone."""

from __future__ import annotations

from hifi_portrait.errors import ModelError
from hifi_portrait.head.arrays import Array
from mmrgaze360.detect_heads import detect_heads
from mmrgaze360.find_people import find_faces
from mmrgaze360.network.detector import HeadDetector
from mmrgaze360.panorama import Panorama

HEADS, FACES = "heads found", "faces found"
FINDERS = (HEADS, FACES)
"""By the name that a table shows."""


def find(name: str, panorama: Panorama, detector: HeadDetector | None) -> list[Array]:
    """Find heads in one of the ways `FINDERS`: boxes (4,) in degrees, the surest first.

    Raises
    ------
    ModelError
        The detector is asked for, and there is none.
    """
    if name == FACES:
        return find_faces(panorama)
    if detector is None:
        raise ModelError(f"row {name!r} needs a head detector: train it (mmrgaze360 train detector)")
    return detect_heads(detector, panorama)[0]


def format_found(found: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """Write recall and precision by stratum as lines of a Markdown table."""
    if not found:
        return []
    lines = ["", "| | heads | recall | precision |", "| --- | --- | --- | --- |"]
    for name, strata in found.items():
        for stratum, values in strata.items():
            title = name if stratum == "all" else f"{name}: {stratum}"
            precision = f"{values['precision']:.3f}" if "precision" in values else ""
            lines.append(f"| {title} | {values['people']:.0f} | {values['recall']:.3f} | {precision} |")
    return lines
