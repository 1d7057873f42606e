"""Measures of many people: means with intervals, and by strata."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from hifi_portrait.head.arrays import Array
from mmrgaze360.dataset.records import GazeRecord
from mmrgaze360.measures.heat_maps import auc_64, auc_point, auc_sphere, great_circle_distance
from mmrgaze360.sphere import angle_between, direction_to_lonlat

MEASURES: dict[str, Callable[[Array, Array], float]] = {
    "distance": great_circle_distance,
    "auc_64": auc_64,
    "auc_point": auc_point,
    "auc_sphere": auc_sphere,
}
WITHIN = 10.0
"""Degrees within which a target counts as found."""
_RESAMPLES = 1000


def measure(heat: Array, target: Array) -> dict[str, float]:
    """Measure one heat map (h, 2 h), a density, against one target (3,)."""
    return {name: function(heat, target) for name, function in MEASURES.items()}


def summarise(rows: Sequence[Mapping[str, float]], scenes: Sequence[str]) -> dict[str, float]:
    """Sum up the measures of people who look at something in view.

    Parameters
    ----------
    rows
        Of `measure`, one a person.
    scenes
        The panorama of each: people of one are drawn together for the interval.

    Returns
    -------
    dict
        Means by name; ``degrees_median``, ``within_10`` and the 95 % interval of the mean distance,
        ``distance_low`` and ``distance_high``. Empty for no rows.
    """
    if not rows:
        return {}
    found = {name: float(np.mean([row[name] for row in rows])) for name in MEASURES}
    distance = np.array([row["distance"] for row in rows])
    low, high = bootstrap_interval(distance, scenes)
    return found | {
        "people": float(len(rows)),
        "degrees_median": float(np.degrees(np.median(distance))),
        "within_10": float((np.degrees(distance) < WITHIN).mean()),
        "distance_low": low,
        "distance_high": high,
    }


def bootstrap_interval(values: Array, groups: Sequence[str], seed: int = 0) -> tuple[float, float]:
    """Give the 95 % interval of a mean, drawing whole groups (scenes) again and again.

    Parameters
    ----------
    values
        (N,)
    groups
        N names; values of one name are drawn together.
    seed
        Of the draws.
    """
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(place, values, len(names))
    counts = np.bincount(place, minlength=len(names))
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(names), (_RESAMPLES, len(names)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def average_precision(scores: Array, truth: Array) -> float:
    """Give the average precision of scores (N,) for truths (N,): the mean precision at each true one.

    Equal scores are taken together. NaN without a true one.
    """
    s, y = np.asarray(scores, np.float64), np.asarray(truth, bool)
    if not y.any():
        return float("nan")
    order = np.argsort(-s, kind="stable")
    s, y = s[order], y[order]
    ends = np.concatenate([np.nonzero(np.diff(s))[0], [len(s) - 1]])
    hits = np.cumsum(y)[ends]
    precision = hits / (ends + 1)
    recall_steps = np.diff(np.concatenate([[0], hits])) / y.sum()
    return float((precision * recall_steps).sum())


def strata_of(record: GazeRecord) -> list[str]:
    """Name the strata that a person with a target belongs to."""
    assert record.target is not None
    head, target = record.head, record.target
    apart = float(np.degrees(angle_between(head, target)))
    bounds = (0, 40, 80, 120, 180.1)
    low, high = next((a, b) for a, b in pairwise(bounds) if a <= apart < b)
    names = [f"eye-target {low:.0f}-{min(high, 180):.0f} degrees"]
    (lon_a, lat_a), (lon_b, lat_b) = direction_to_lonlat([head, target])
    names.append("across the seam" if abs(lon_a - lon_b) > 180 else "not across the seam")
    names.append("target beyond 35 degrees latitude" if abs(lat_b) > 35 else "target within 35 degrees")
    if abs(lat_a) > 35:
        names.append("head beyond 35 degrees latitude")
    if record.head_direction is not None:
        names.append("face seen" if float(record.head_direction @ head) < 0 else "face not seen")
    if record.kind:
        names.append(f"looks at: {record.kind}")
    return names
