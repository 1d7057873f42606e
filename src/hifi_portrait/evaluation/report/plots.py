"""Plots of what `evaluate` writes as JSON and training logs. They need matplotlib: the extra ``eval``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from hifi_portrait.errors import DatasetError, needs_extra
from hifi_portrait.evaluation.scorers.control import GROUPS
from hifi_portrait.training.engine.curves import Curve, smooth

Figures = Mapping[str, Any]
"""A `Benchmark` as plain values."""

Point = tuple[int, Mapping[str, float]]
"""A number of references, and an `Interval` as plain values."""

_SMOOTHED = 0.1
"""Fraction of a curve's values that one point is the mean of."""
_NOT_LOSSES = ("loss", "learning_rate", "samples_per_second", "gradient_norm")

UNITS = {"pose": "degrees", "expression": "coefficient", "gaze": "degrees"}
"""Of the errors of each group."""


def read_figures(path: Path) -> Figures:
    """Read the figures of one evaluation.

    Raises
    ------
    DatasetError
        If the file does not hold any.
    """
    try:
        figures: Figures = json.loads(path.read_text())
        if not isinstance(figures["rows"], list) or len(figures["references"]) != 2:
            raise ValueError("no rows")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{path} holds no figures: give synthetic.json of `hifi-portrait evaluate people` or photos.json "
            "of `hifi-portrait evaluate real`"
        ) from error
    return figures


def collect_identity_lines(evaluations: Sequence[Figures]) -> dict[tuple[str, str], list[Point]]:
    """Collect the fraction of a true photo's similarity by number of references, by row and recogniser."""
    lines: dict[tuple[str, str], list[Point]] = {}
    for figures in sorted(evaluations, key=lambda one: one["references"][1]):
        for row in figures["rows"]:
            for recogniser, identity in row["identity"].items():
                fraction = identity["share_of_true"]
                if fraction is not None:
                    point = (figures["references"][1], fraction)
                    lines.setdefault((row["name"], recogniser), []).append(point)
    return lines


def collect_control_bars(figures: Figures) -> dict[str, dict[str, Mapping[str, float]]]:
    """Collect the errors of pose, expression and gaze, each by row."""
    measured = {row["name"]: row["control"]["errors"] for row in figures["rows"] if row["control"]}
    return {group: {name: errors[group] for name, errors in measured.items()} for group in GROUPS}


def draw_identity(evaluations: Sequence[Figures], path: Path) -> None:
    """Plot `collect_identity_lines` into a PNG or SVG file."""
    figure, axes = _figure(1)
    counts: set[int] = set()
    for (row, recogniser), points in collect_identity_lines(evaluations).items():
        numbers = [number for number, _ in points]
        values = [fraction["value"] for _, fraction in points]
        reach = [
            [fraction["value"] - fraction["low"] for _, fraction in points],
            [fraction["high"] - fraction["value"] for _, fraction in points],
        ]
        axes[0].errorbar(numbers, values, yerr=reach, marker="o", capsize=3, label=f"{row}, {recogniser}")
        counts |= set(numbers)
    axes[0].set(xlabel="references", ylabel="fraction of a true photo's similarity", xticks=sorted(counts))
    axes[0].legend()
    figure.savefig(path)


def draw_control(figures: Figures, path: Path) -> None:
    """Plot `collect_control_bars` into a PNG or SVG file."""
    bars = collect_control_bars(figures)
    figure, axes = _figure(len(bars))
    for place, (group, rows) in zip(axes, bars.items(), strict=True):
        values = [error["value"] for error in rows.values()]
        reach = [
            [error["value"] - error["low"] for error in rows.values()],
            [error["high"] - error["value"] for error in rows.values()],
        ]
        place.bar(list(rows), values, yerr=reach, capsize=3)
        place.set(title=f"{group} error", ylabel=UNITS[group])
        place.tick_params("x", rotation=30)
    figure.savefig(path)


def draw_training(runs: Mapping[str, Mapping[str, Curve]], path: Path) -> None:
    """Plot runs' curves (`read_curves`), a panel for each name, into a PNG or SVG file."""
    names = [name for name in dict.fromkeys(chain(*runs.values())) if name not in _NOT_LOSSES]
    figure, axes = _figure(len(names))
    for place, name in zip(axes, names, strict=True):
        for number, (run, curves) in enumerate(runs.items()):
            if name in curves:
                steps, values = curves[name]
                window = max(1, round(_SMOOTHED * len(values)))
                place.plot(steps, smooth(values, window), label=run, color=f"C{number}")
        place.set(title=name, xlabel="step")
    axes[0].legend()
    figure.savefig(path)


def _figure(panels: int) -> tuple[Any, list[Any]]:
    """Make a figure with panels side by side, drawn without a display."""
    with needs_extra("eval"):
        from matplotlib.figure import Figure
    figure = Figure(figsize=(5 * panels, 4), dpi=150, layout="constrained")
    return figure, list(figure.subplots(1, panels, squeeze=False)[0])
