"""Cells and tables of the Markdown report."""

from __future__ import annotations

from collections.abc import Sequence

from hifi_portrait.evaluation.metrics import Interval

ABSENT = "–"
"""In the place of a value that there is not."""


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table without the columns that no row has a value for; empty if one is left."""
    used = [i for i in range(len(header)) if any(row[i] != ABSENT for row in rows)]
    if len(used) < 2:
        return ""
    lines = [[line[i] for i in used] for line in (header, ["---"] * len(header), *rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float | None, digits: int = 3) -> str:
    """Write a number, or a dash for none."""
    return ABSENT if value is None else f"{value:.{digits}f}"


def interval(value: Interval | None, digits: int = 3) -> str:
    """Write a value with its interval in brackets, or a dash for none."""
    if value is None:
        return ABSENT
    return f"{value.value:.{digits}f} [{value.low:.{digits}f}, {value.high:.{digits}f}]"
