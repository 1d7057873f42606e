"""Measures of finding heads: which boxes match, and recall and precision by strata."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hifi_portrait.head.arrays import Array
from mmrgaze360.dataset.records import GazeRecord
from mmrgaze360.sphere import lonlat_to_direction, rotation_of_view

OVERLAP = 0.5
"""Boxes that overlap at least this much (intersection over union) match."""
_SIZES = (6.0, 10.0)
"""Bounds, in degrees, of small, middling and large heads."""


def box_overlap(first: Array, second: Array) -> float:
    """Measure the intersection over union of two boxes (4,) in degrees, in the plane that touches between."""
    middles = lonlat_to_direction(*np.transpose([first[:2], second[:2]]))
    if middles[0] @ middles[1] < 0.5:
        return 0.0
    local = middles @ rotation_of_view(middles.sum(0))
    place = np.degrees(np.arctan(local[:, [0, 2]] / local[:, 1:2]))
    half = np.array((first[2:], second[2:])) / 2
    low, high = place - half, place + half
    both = np.clip(high.min(0) - low.max(0), 0, None).prod()
    return float(both / ((2 * half).prod(1).sum() - both))


def match_boxes(found: Sequence[Array], truth: Sequence[Array]) -> list[int]:
    """Match boxes (4,) that were found, the surest first, with true ones, each at most once.

    Returns
    -------
    list of int
        For each found box the place of its true one; -1 where there is none.
    """
    free = set(range(len(truth)))
    matches = []
    for box in found:
        overlaps = {k: box_overlap(box, truth[k]) for k in free}
        best = max(overlaps, key=lambda k: overlaps[k], default=-1)
        if best >= 0 and overlaps[best] >= OVERLAP:
            free.discard(best)
        else:
            best = -1
        matches.append(best)
    return matches


def count_found(found: Sequence[Array], truth: Sequence[Array]) -> int:
    """Count the true boxes that are matched."""
    return sum(match >= 0 for match in match_boxes(found, truth))


def finding_strata(record: GazeRecord) -> list[str]:
    """Name the strata that a head belongs to."""
    names = []
    if record.head_direction is not None:
        names.append("face seen" if float(record.head_direction @ record.head) < 0 else "turned away")
    height = float(record.head_box[3])
    low, high = _SIZES
    if height < low:
        names.append(f"below {low:.0f} degrees high")
    else:
        names.append(
            f"{low:.0f} to {high:.0f} degrees high" if height < high else f"above {high:.0f} degrees high"
        )
    return names


class FoundHeads:
    """Counts of heads that are there, found, and found rightly, over panoramas."""

    def __init__(self) -> None:
        self.there: dict[str, int] = {}
        self.hit: dict[str, int] = {}
        self.found = 0

    def add(self, found: Sequence[Array], people: Sequence[GazeRecord]) -> None:
        """Count one panorama: boxes (4,) that were found, the surest first, and who is there."""
        matched = set(match_boxes(found, [person.head_box for person in people]))
        self.found += len(found)
        for k, person in enumerate(people):
            for name in ("all", *finding_strata(person)):
                self.there[name] = self.there.get(name, 0) + 1
                self.hit[name] = self.hit.get(name, 0) + (k in matched)

    def result(self) -> dict[str, dict[str, float]]:
        """Give ``recall`` and ``people`` by stratum, and ``precision`` of "all"."""
        result = {
            name: {"recall": self.hit[name] / count, "people": float(count)}
            for name, count in sorted(self.there.items())
        }
        if "all" in result and self.found:
            result["all"]["precision"] = self.hit["all"] / self.found
        return result
