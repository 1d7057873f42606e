"""``hifi-portrait baselines``: published designs and our own, trained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit, show_log
from hifi_portrait.cli.outputs import check_folder, parse_path


def baselines(
    data: Annotated[Path, typer.Option(parser=parse_path, metavar="PATH", help="The prepared folder.")],
    out: Annotated[
        Path,
        typer.Option(
            parser=parse_path, metavar="PATH", help="Folder of runs and models; an unfinished one goes on."
        ),
    ],
    designs: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Which designs.", show_default="all")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Training steps of each.", show_default="the recipe's")
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="DIR",
            help="Base model, which stays frozen.",
            show_default="the bundled one",
        ),
    ] = None,
    draw_steps: Annotated[int, typer.Option(min=1, max=1000, help="Denoising steps of the models.")] = 20,
    guidance: Annotated[float, typer.Option(min=0, max=50, help="Guidance scale of the models.")] = 2.0,
    overrides: options.Overrides = None,
    as_json: options.Json = False,
) -> None:
    """Train every design alike over one frozen base model, and print the commands that measure them."""
    check_folder(out, [data, *([base] if base else [])])
    show_log()
    from hifi_portrait.evaluation.baselines import Comparison
    from hifi_portrait.models.designs import DESIGNS
    from hifi_portrait.models.files import BUNDLED

    comparison = Comparison(
        data=data,
        out=out,
        designs=tuple(DESIGNS) if designs is None else tuple(name.strip() for name in designs.split(",")),
        base=BUNDLED if base is None else base,
        overrides=(*([] if steps is None else [f"trainer.max_steps={steps}"]), *(overrides or [])),
        steps=draw_steps,
        guidance=guidance,
    )
    comparison.train()
    commands = comparison.evaluation_commands()
    emit({"out": str(out), "commands": commands}, "\n".join(commands), as_json)
