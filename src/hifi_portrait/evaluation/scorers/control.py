"""Does the portrait show what was asked for? Errors of head pose, expression and gaze, and correlations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.metrics import Interval
from hifi_portrait.head import EXPRESSION_NAMES
from hifi_portrait.person.target import Target

POSE = ("yaw", "pitch", "roll")
EXPRESSION = ("smile", "jaw", "blink", "brow")
GAZE = ("gaze_yaw",)
GROUPS: Mapping[str, tuple[str, ...]] = {"pose": POSE, "expression": EXPRESSION, "gaze": GAZE}

_COEFFICIENTS: Mapping[str, tuple[str, ...]] = {
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "jaw": ("jawOpen",),
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "brow": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
}

Quantities = Mapping[str, np.ndarray]
"""Yaw, pitch, roll and gaze yaw in degrees; smile, jaw opening, blink and brow raise as coefficients."""


@dataclass(frozen=True)
class ControlFigures:
    """How far a row is from what was asked for.

    Attributes
    ----------
    errors
        Mean absolute error of each quantity, and of the groups ``pose`` (the mean of its three angles),
        ``expression`` (the mean of its four coefficients) and ``gaze``.
    requested_correlation
        Of each expression coefficient and of the gaze with what was asked for.
    photo_correlation
        Of each with what is read of the true photo of the request; empty without true photos.
    score
        Mean of the three groups' errors, each as a share of another row's; below 1 is better than that row.
    """

    errors: Mapping[str, Interval]
    requested_correlation: Mapping[str, Interval]
    photo_correlation: Mapping[str, Interval]
    score: Interval | None = None


def requested_quantities(targets: Sequence[Sequence[Target]]) -> dict[str, np.ndarray]:
    """What was asked for: (P, W) each, of targets in people by requests."""
    expression = np.array([[target.expression_vector() for target in row] for row in targets])
    requested = {axis: np.array([[getattr(t.pose, axis) for t in row] for row in targets]) for axis in POSE}
    for name, coefficients in _COEFFICIENTS.items():
        requested[name] = expression[..., [EXPRESSION_NAMES.index(one) for one in coefficients]].mean(-1)
    requested["gaze_yaw"] = np.array([[target.gaze[0] for target in row] for row in targets])
    return requested


def control_figures(
    read: Quantities,
    requested: Quantities,
    *,
    photo: Quantities | None = None,
    against: Quantities | None = None,
) -> ControlFigures:
    """The figures of a row.

    Parameters
    ----------
    read:
        Of the row's pictures, (P, S * W) each: the requests, once for each seed; NaN where no face was read.
    requested:
        What was asked for, (P, W).
    photo:
        What is read of the true photos of the requests, (P, W).
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


def _errors(read: Quantities, requested: Quantities) -> dict[str, np.ndarray]:
    """Absolute errors (P, S * W) of each quantity, and their means over each group."""
    wrong = {name: np.abs(values - _repeated(requested[name], values)) for name, values in read.items()}
    return wrong | {
        group: np.mean([wrong[name] for name in names], axis=0) for group, names in GROUPS.items()
    }


def _correlations(read: Quantities, true: Quantities) -> dict[str, Interval]:
    found = {}
    for name in (*EXPRESSION, *GAZE):
        a, b = _repeated(true[name], read[name]), read[name]

        def correlation(drawn: np.ndarray, a: np.ndarray = a, b: np.ndarray = b) -> float:
            return metrics.correlation(a[drawn].ravel(), b[drawn].ravel())

        found[name] = metrics.bootstrap_over_people(correlation, len(b))
    return found


def _repeated(requested: np.ndarray, like: np.ndarray) -> np.ndarray:
    return np.tile(requested, (1, like.shape[1] // requested.shape[1]))


def _mean_interval(values: np.ndarray) -> Interval:
    return metrics.bootstrap_over_people(lambda drawn: _mean(values[drawn]), len(values))


def _mean(values: np.ndarray) -> float:
    """The mean over what was read; NaN where nothing was."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
