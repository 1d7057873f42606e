"""The figures of prompt following as Markdown."""

from __future__ import annotations

from hifi_portrait.evaluation.attributes import HEADS
from hifi_portrait.evaluation.benchmark import TRUE_ROW, WARP_ROW
from hifi_portrait.evaluation.prompt_following import Appearance, PromptFollowing, RowFollowing
from hifi_portrait.evaluation.report.tables import ABSENT, interval, markdown_table

BAR = 0.85
"""Fraction of the asked attributes that portraits are to show."""


def format_prompts(command: str, result: PromptFollowing, recogniser: str) -> str:
    """Make the section: a line for each attribute, a column for each way of making the pictures."""
    header = ["asked", "times", *(row.name for row in result.rows)]
    lines: list[list[str]] = []
    for kind in ("changed", "kept"):
        for name in (*(head.name for head in HEADS), "all"):
            lines += _line(kind, name, result.rows)
    similarity = [interval(row.similarity) for row in result.rows]
    lines.append(["identity similarity", str(result.prompts), *similarity])
    table = markdown_table(header, lines)
    notes = [
        f"{result.people} people, {result.prompts} prompts, one picture each: the fraction of asked "
        f"attributes that the picture shows, wanted {BAR:.2f} of all. Brackets: 95 % interval over people. "
        "Changed: no reference shows it. Kept: the one that most references show; of equally frequent ones "
        f"the first. `{TRUE_ROW}`: the people rendered as asked, which is the classifier's ceiling. "
        f"`{WARP_ROW}`: the prompt is not read, which is the floor.",
        f"Read by the package's attribute classifier; read as one: {_merged()}. Identity similarity: with a "
        f"true photo that the model did not get, a picture without a face counting 0; {recogniser}.",
    ]
    return "\n\n".join(["## Prompt following", f"```\n{command}\n```", table, *notes]) + "\n"


def _line(kind: str, name: str, rows: tuple[RowFollowing, ...]) -> list[list[str]]:
    """Make the attribute's line of the table, or none where it was never asked."""
    appearances: list[Appearance | None] = [getattr(row, kind).get(name) for row in rows]
    asked = [one.asked for one in appearances if one is not None]
    if not asked:
        return []
    cells = [ABSENT if one is None else interval(one.appears) for one in appearances]
    return [[f"{kind}: {name}", str(asked[0]), *cells]]


def _merged() -> str:
    groups = [f"{' and '.join(group)} ({head.name})" for head in HEADS for group in head.merged]
    return ", ".join(groups) or "no two classes"
