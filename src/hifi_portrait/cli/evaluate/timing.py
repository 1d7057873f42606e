"""``evaluate time``: how long one portrait takes, and how much memory."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.evaluate.common import DrawingOptions, OutputOptions, Prompt, joined
from hifi_portrait.cli.groups import given_options, takes_groups
from hifi_portrait.cli.models import check_device, check_model, load_pipeline
from hifi_portrait.cli.references import find_photos


@takes_groups
def timing(
    *,
    photos: options.Photos,
    model: options.SavedModel = None,
    device: options.Device = None,
    prompt: Prompt = "",
    upscale: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=8,
            help="How many times as high and wide as the networks draw it.",
            show_default="the model's",
        ),
    ] = None,
    output: OutputOptions,
    drawing: DrawingOptions,
) -> None:
    """Measure time and memory of the photos' analysis, one portrait and one plain warp, all loaded."""
    files = find_photos(photos)
    output.check([*photos, *files])
    check_model(model)
    check_device(device)
    from hifi_portrait.evaluation.report.report import format_timing
    from hifi_portrait.evaluation.timing import time_portrait

    result = time_portrait(load_pipeline(model, device), files, drawing.sampling(prompt, upscale))
    given = joined(
        "" if model is None else "--model DIR",
        given_options(drawing),
        "" if upscale is None else f"--upscale {upscale}",
    )
    command = joined("hifi-portrait evaluate time PHOTOS --out DIR", given)
    output.save("time", asdict(result), format_timing(command, result))
