"""``hifi-portrait attributes``: the classifier that reads whether a portrait shows what its prompt asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit, progress, show_log
from hifi_portrait.cli.outputs import check_files, check_folder, parse_path, saved_path


def train(
    data: Annotated[
        list[Path],
        typer.Argument(parser=parse_path, metavar="DATA...", help="Data sets of synthetic people."),
    ],
    out: Annotated[str, typer.Option(metavar="FILE", help="The classifier's .safetensors file.")],
    test: Annotated[
        list[Path] | None,
        typer.Option(
            parser=parse_path, metavar="DIR", help="A data set of other people to test on; may be repeated."
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="How often every photo is seen.")] = 12,
    as_json: options.Json = False,
) -> None:
    """Train the classifier, and test it on the data sets' held-out people and on those of --test."""
    path = saved_path(out, "the classifier", "attributes.safetensors")
    check_files([path], [*data, *(test or [])])
    show_log()
    from hifi_portrait.evaluation.attributes.testing import accuracy, train_and_test
    from hifi_portrait.evaluation.attributes.training import TrainingSettings

    tests = train_and_test(data, test or [], path, TrainingSettings(epochs=epochs))
    result = {
        "path": str(path),
        "accuracy": {
            one.folder: {name: accuracy(matrix) for name, matrix in one.confusion.items()} for one in tests
        },
    }
    emit(result, "\n".join([str(path), *(one.to_text() for one in tests)]), as_json)


def photos(
    out: options.DataSetOut,
    count: Annotated[int, typer.Option(min=1, max=options.MOST_PEOPLE, help="How many people.")] = 400,
    photos: Annotated[int, typer.Option(min=1, max=64, help="How many photos of each.")] = 3,
    seed: Annotated[
        int,
        typer.Option(
            min=0, max=options.LARGEST_SEED, help="The first person's seed; the next ones count up."
        ),
    ] = 8_000_000,
    as_json: options.Json = False,
) -> None:
    """Photograph people whose hair colour, glasses and clothes are drawn evenly, to train or test on."""
    from hifi_portrait.evaluation.attributes.recoloured import write_recoloured

    check_folder(out, [])
    with progress(quiet=as_json) as bar:
        task = bar.add_task("people", total=count)
        write_recoloured(out, count, photos, seed, on_done=lambda: bar.advance(task))
    emit({"path": str(out), "people": count, "photos": count * photos}, str(out), as_json)
