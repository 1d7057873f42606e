"""``evaluate prompts``: whether portraits show what their prompts ask."""

from __future__ import annotations

from dataclasses import asdict

from hifi_portrait.cli.console import progress
from hifi_portrait.cli.evaluate.common import (
    Count,
    DrawingOptions,
    OutputOptions,
    RowOptions,
    ScoringOptions,
    Upscale,
    joined,
    photograph_people,
)
from hifi_portrait.cli.groups import takes_groups


@takes_groups
def prompts(
    *,
    count: Count = 30,
    upscale: Upscale = 1,
    output: OutputOptions,
    scoring: ScoringOptions,
    row: RowOptions,
    drawing: DrawingOptions,
) -> None:
    """Measure whether portraits of unseen synthetic people show what eight or nine prompts each ask."""
    output.check([scoring.scoring, row.folder])
    row.check()
    from hifi_portrait.evaluation.prompt_following import draw_prompts, make_prompt_drawer, score_prompts
    from hifi_portrait.evaluation.report.prompt_report import format_prompts

    sampling = drawing.sampling(upscale=upscale)
    cases = photograph_people(count, output.out, output.as_json)
    draw = None if row.warp_only else make_prompt_drawer(row.load(), sampling)
    with progress(output.as_json) as bar:
        task = bar.add_task("prompts", total=count)
        draw_prompts(cases, row.name, draw, output.out, lambda: bar.advance(task))
        bar.add_task("measuring", total=None)
        result = score_prompts(cases, output.out, scoring.recogniser())
    command = joined(
        f"hifi-portrait evaluate prompts --count {count}", scoring.words, "--out DIR", row.words(sampling)
    )
    section = format_prompts(command, result, scoring.recogniser_name)
    output.save("prompts", asdict(result), section)
