"""``evaluate people`` and ``evaluate real``: identity, control and picture quality."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hifi_portrait.cli.console import progress
from hifi_portrait.cli.evaluate.common import (
    REFERENCES,
    Count,
    DrawingOptions,
    OutputOptions,
    Prompt,
    RowOptions,
    ScoringOptions,
    Upscale,
    joined,
    photograph_people,
)
from hifi_portrait.cli.groups import takes_groups
from hifi_portrait.cli.outputs import parse_path

if TYPE_CHECKING:
    from hifi_portrait.evaluation.protocol import Case
    from hifi_portrait.evaluation.runner import Sampling


@dataclass(frozen=True)
class SeveralSeedsOptions(RowOptions):
    """The model's row, how often it is drawn, and the row that its control is compared with."""

    seeds: Annotated[
        int, typer.Option(min=1, max=20, help="Portraits drawn for each request, each from other noise.")
    ] = 1
    against: Annotated[
        str | None,
        typer.Option(metavar="ROW", help="Row that control is compared with.", show_default="plain warp"),
    ] = None

    def words(self, sampling: Sampling) -> str:
        """Give the options that were given, as the report shows them."""
        seeds = "" if self.seeds == 1 else f"--seeds {self.seeds}"
        against = "" if self.against is None else f"--against {shlex.quote(self.against)}"
        return joined(seeds, against, super().words(sampling))


@dataclass(frozen=True)
class CaseList:
    """A list of people to draw, as the report and the files name it."""

    cases: list[Case]
    key: str
    """Name of the figures' files and of the section in the report."""
    title: str
    """Heading of the section."""
    source: str
    """Kept in the folder of pictures, so that those of two lists are never mixed."""
    command: str
    """The subcommand with what chooses the people."""


@takes_groups
def people(
    *,
    count: Count = 60,
    references: Annotated[int, typer.Option(min=1, max=8, help="Reference photos of each.")] = REFERENCES,
    prompt: Prompt = "",
    upscale: Upscale = 1,
    output: OutputOptions,
    scoring: ScoringOptions,
    row: SeveralSeedsOptions,
    drawing: DrawingOptions,
) -> None:
    """Measure identity, expression, head pose and picture quality on unseen synthetic people.

    Each has 4 targets with the true photo of each, and one more true photo to be recognised by.
    """
    output.check([scoring.scoring, row.folder])
    row.check()
    cases = photograph_people(count, output.out, output.as_json, references)
    other = "" if references == REFERENCES else f"--references {references}"
    case_list = CaseList(
        cases,
        key="synthetic",
        title=f"{count} unseen synthetic people",
        source=joined(f"synthetic {count}", other),
        command=joined(f"people --count {count}", other),
    )
    _measure(case_list, output, scoring, row, drawing.sampling(prompt, upscale))


@takes_groups
def real(
    *,
    photos: Annotated[
        Path,
        typer.Argument(
            parser=parse_path, metavar="DIR", help="Real photos: one sub-folder a person.", show_default=False
        ),
    ],
    prompt: Prompt = "",
    upscale: Upscale = 1,
    output: OutputOptions,
    scoring: ScoringOptions,
    row: SeveralSeedsOptions,
    drawing: DrawingOptions,
) -> None:
    """Measure the same on real people: all their photos are references, and they are recognised by them."""
    output.check([photos, scoring.scoring, row.folder])
    row.check()
    from hifi_portrait.evaluation.protocol import list_real_cases

    cases = list_real_cases(photos)
    case_list = CaseList(
        cases,
        key="photos",
        title=f"{len(cases)} real people",
        source="photos PHOTOS",
        command="real PHOTOS",
    )
    _measure(case_list, output, scoring, row, drawing.sampling(prompt, upscale))


def _measure(
    people: CaseList,
    output: OutputOptions,
    scoring: ScoringOptions,
    row: SeveralSeedsOptions,
    sampling: Sampling,
) -> None:
    """Draw what is missing, score all rows, and write sheets, figures and the section."""
    from hifi_portrait.evaluation import runner
    from hifi_portrait.evaluation.benchmark import WARP_ROW, score
    from hifi_portrait.evaluation.protocol import CALIBRATION_PEOPLE, SIZE
    from hifi_portrait.evaluation.report.report import format_benchmark

    if scoring.scoring is not None:
        sys.stderr.write(
            f"the scorers are calibrated on {CALIBRATION_PEOPLE} further people, whatever the count\n"
        )
    out, cases = output.out, people.cases
    runner.check_same_run(out, f"{people.source}, {len(cases)} people")
    with progress(output.as_json) as bar:
        task = bar.add_task("portraits", total=len(cases))
        runner.draw_rows(cases, {WARP_ROW: runner.make_warp_row(SIZE)}, out)
        if not row.warp_only:
            rows = {row.name: runner.make_pipeline_row(row.load(), sampling, SIZE)}
            runner.draw_rows(cases, rows, out, seeds=row.seeds, on_done=lambda: bar.advance(task))
        calibration = bar.add_task("photographing to calibrate", total=CALIBRATION_PEOPLE, visible=False)
        bar.add_task("measuring", total=None)
        result = score(
            cases,
            runner.list_rows(out),
            out,
            scoring.scoring,
            seeds=row.seeds,
            against=row.against or WARP_ROW,
            on_calibration_person=lambda: bar.update(calibration, advance=1, visible=True),
        )
    _write_sheets(cases, runner.list_rows(out), out)
    command = joined(
        "hifi-portrait evaluate", people.command, scoring.words, "--out DIR", row.words(sampling)
    )
    output.save(people.key, result.to_dict(), format_benchmark(people.title, command, result))


def _write_sheets(cases: list[Case], rows: list[str], out: Path) -> None:
    """Write ``sheets/rows.jpg``, all rows above each other, and a sheet of each row with all its targets."""
    from hifi_portrait.cli.sheet import contact_sheet
    from hifi_portrait.evaluation.report.sheets import line_up_rows, line_up_targets

    folder = out / "sheets"
    folder.mkdir(exist_ok=True)
    contact_sheet(line_up_rows(cases, rows, out), cell=144).save(folder / "rows.jpg", quality=90)
    for row in rows:
        contact_sheet(line_up_targets(cases, row, out)).save(folder / f"row-{row}.jpg", quality=90)
