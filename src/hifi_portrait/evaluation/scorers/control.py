"""Does the portrait show what was asked for? Errors of head pose, expression and gaze, and correlations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.metrics import Interval
from hifi_portrait.head import EXPRESSION_NAMES
from hifi_portrait.head.arrays import Array
from hifi_portrait.person.target import Target

POSE = ("yaw", "pitch", "roll")
EXPRESSION = ("smile", "jaw", "blink", "brow")
GAZE = ("gaze_yaw",)
GROUPS: Mapping[str, tuple[str, ...]] = {"pose": POSE, "expression": EXPRESSION, "gaze": GAZE}
"""A group's error is the mean of its quantities' errors."""

_COEFFICIENTS: Mapping[str, tuple[str, ...]] = {
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "jaw": ("jawOpen",),
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "brow": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
}

Quantities = Mapping[str, Array]
"""Yaw, pitch, roll and gaze yaw in degrees; smile, jaw opening, blink and brow raise as coefficients."""


@dataclass(frozen=True)
class ControlFigures:
    """How far a row is from what was requested."""

    errors: Mapping[str, Interval]
    """Mean absolute error of each quantity and of each group of them (`GROUPS`)."""
    requested_correlation: Mapping[str, Interval]
    """Of each expression coefficient and of the gaze with what was requested."""
    photo_correlation: Mapping[str, Interval]
    """Of each with what is read of the true photo of the request; empty without true photos."""
    score: Interval | None = None
    """Mean of the three groups' errors, each as a fraction of another row's; below 1 is better than that."""


def read_requested_quantities(targets: Sequence[Sequence[Target]]) -> dict[str, Array]:
    """Read what was requested off targets, people by requests: (P, R) each."""
    expression = np.array([[target.expression_vector() for target in row] for row in targets])
    requested = {axis: np.array([[getattr(t.pose, axis) for t in row] for row in targets]) for axis in POSE}
    for name, coefficients in _COEFFICIENTS.items():
        requested[name] = expression[..., [EXPRESSION_NAMES.index(one) for one in coefficients]].mean(-1)
    requested["gaze_yaw"] = np.array([[target.gaze[0] for target in row] for row in targets])
    return requested


def compute_control_figures(
    read: Quantities,
    requested: Quantities,
    *,
    photo: Quantities | None = None,
    against: Quantities | None = None,
) -> ControlFigures:
    """Compute the figures of a row.

    Parameters
    ----------
    read:
        Of the row's pictures, (P, S * R) each: the requests, once for each seed; NaN where no face was read.
    requested:
        What was asked for, (P, R).
    photo:
        What is read of the true photos of the requests, (P, R).
    against:
        What is read of the row to compare with.
    """
    people = len(next(iter(read.values())))
    wrong = _errors(read, requested)
    errors = {name: _mean_interval(values) for name, values in wrong.items()}
    score = None
    if against is not None:
        base = _errors(against, requested)
        score = metrics.bootstrap_over_people(
            lambda drawn: float(np.mean([_mean(wrong[g][drawn]) / _mean(base[g][drawn]) for g in GROUPS])),
            people,
        )
    return ControlFigures(
        errors, _correlations(read, requested), {} if photo is None else _correlations(read, photo), score
    )


def _errors(read: Quantities, requested: Quantities) -> dict[str, Array]:
    """Compute the absolute errors (P, S * R) of each quantity, and their means over each group."""
    wrong = {name: np.abs(values - _repeated(requested[name], values)) for name, values in read.items()}
    return wrong | {
        group: np.mean([wrong[name] for name in names], axis=0) for group, names in GROUPS.items()
    }


def _correlations(read: Quantities, true: Quantities) -> dict[str, Interval]:
    found = {}
    for name in (*EXPRESSION, *GAZE):
        a, b = _repeated(true[name], read[name]), read[name]

        def correlation(drawn: Array, a: Array = a, b: Array = b) -> float:
            return metrics.correlation(a[drawn].ravel(), b[drawn].ravel())

        found[name] = metrics.bootstrap_over_people(correlation, len(b))
    return found


def _repeated(requested: Array, like: Array) -> Array:
    return np.tile(requested, (1, like.shape[1] // requested.shape[1]))


def _mean_interval(values: Array) -> Interval:
    return metrics.bootstrap_over_people(lambda drawn: _mean(values[drawn]), len(values))


def _mean(values: Array) -> float:
    """Average what was read; NaN where nothing was."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
