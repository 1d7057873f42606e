"""``evaluate autoencoder``: whether people are recognised through the autoencoder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from hifi_portrait.cli import options
from hifi_portrait.cli.console import progress
from hifi_portrait.cli.evaluate.common import (
    Count,
    OutputOptions,
    ScoringOptions,
    joined,
    photograph_people,
)
from hifi_portrait.cli.groups import takes_groups
from hifi_portrait.cli.models import load_pipeline

if TYPE_CHECKING:
    from diffusers import AutoencoderKL


@takes_groups
def autoencoder(
    *,
    count: Count = 60,
    model: options.SavedModel = None,
    device: options.Device = None,
    output: OutputOptions,
    scoring: ScoringOptions,
) -> None:
    """Measure whether people are recognised after encoding and decoding.

    --model may also be the folder of an autoencoder alone.
    """
    output.check([scoring.scoring, Path(model) if model else None])
    from hifi_portrait.evaluation.autoencoder import evaluate_autoencoder
    from hifi_portrait.evaluation.report.report import format_autoencoder
    from hifi_portrait.faces import load_image

    network = _load_autoencoder(model, device)
    cases = photograph_people(count, output.out, output.as_json)
    queries = [[load_image(request.truth) for request in case.requests if request.truth] for case in cases]
    gallery = [load_image(case.gallery[0]) for case in cases]
    with progress(output.as_json) as bar:
        task = bar.add_task("autoencoder", total=count)
        figures = evaluate_autoencoder(
            network,
            queries,
            gallery,
            scoring.recogniser(),
            lambda: bar.advance(task),
        )
    command = joined(f"hifi-portrait evaluate autoencoder --count {count}", scoring.words, "--out DIR")
    output.save(
        "autoencoder",
        asdict(figures) | {"share_kept": figures.share_kept},
        format_autoencoder(command, figures, scoring.recogniser_name),
    )


def _load_autoencoder(model: str | None, device: str | None) -> AutoencoderKL:
    """Load the pipeline's autoencoder, or the one saved by itself in the folder `model`."""
    if model is not None and (Path(model) / "config.json").is_file():
        from hifi_portrait.models.patched_autoencoder import load_autoencoder

        return load_autoencoder(model).eval().to(device or "cpu")
    return load_pipeline(model, device).vae
