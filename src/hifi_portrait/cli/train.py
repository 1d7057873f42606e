"""``prepare``, ``train`` and ``export``: from a data set to a model of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit, show_log
from hifi_portrait.cli.outputs import check_folder, parse_path
from hifi_portrait.errors import DatasetError, find_installed, needs_extra
from hifi_portrait.io.names import printable

_AS_IN_PIPELINE = "as in the first pipeline with such a UNet"


def prepare(
    data: Annotated[Path, typer.Option(parser=parse_path, metavar="PATH", help="The ID data set.")],
    out: Annotated[
        Path,
        typer.Option(
            parser=parse_path,
            metavar="PATH",
            help="The prepared folder; an unfinished one is taken up again.",
        ),
    ],
    vae: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="DIR",
            help="Autoencoder: its folder or its run, or `bundled`. Without it no latents are made.",
        ),
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="DIR",
            help="Pipeline or prepared folder whose tokenizer is taken, or `bundled`.",
            show_default="one trained on the captions",
        ),
    ] = None,
    recogniser: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="FILE",
            help="An ArcFace network in ONNX, whose embeddings replace the default ones.",
        ),
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="DIR",
            help="Pipeline folder whose text encoders embed the captions once for all, or `bundled`.",
        ),
    ] = None,
    buckets: Annotated[
        str | None,
        typer.Option(
            metavar="HEIGHTxWIDTH,...",
            help="Further shapes of targets beside the square, such as 1152x896,896x1152.",
            show_default=False,
        ),
    ] = None,
    mirrored: Annotated[
        bool,
        typer.Option(
            "--mirrored", help="Make latents of mirror images, too, for training with base.mirrored_share."
        ),
    ] = False,
    size: options.ModelSize = "bundled",
    image_size: Annotated[
        int | None,
        typer.Option(min=8, help="Side of the crops in pixels.", show_default="the model size's"),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    as_json: options.Json = False,
) -> None:
    """Analyse a data set and pack it for training."""
    shapes = parse_shapes(buckets)
    _check_data(data)
    check_folder(out, [path for path in (data, vae, tokenizer, recogniser, text) if path])
    show_log()
    from hifi_portrait.training.data.prepare import prepare as prepare_data

    prepared = prepare_data(
        data,
        out,
        model_size=size,
        image_size=image_size,
        vae=vae,
        tokenizer=tokenizer,
        recogniser=recogniser,
        text=text,
        buckets=shapes,
        mirrored=mirrored,
        workers=workers,
        progress=not as_json,
    )
    result = {"path": str(out), "photos": len(prepared), "latents": vae is not None}
    emit(result, f"{out}: {len(prepared)} photos", as_json)


def _check_data(data: Path) -> None:
    if not data.is_dir():
        what = "is no folder" if data.exists() else "does not exist"
        raise DatasetError(
            f"--data {printable(data)} {what}: give a data set, such as `hifi-portrait people --out DIR`"
            " writes, or for training what `hifi-portrait prepare` made of one"
        )


def parse_shapes(text: str | None) -> list[tuple[int, int]]:
    """Read shapes such as ``1152x896,896x1152`` as (height, width) each; none for None.

    Raises
    ------
    typer.BadParameter
        If a part is not two numbers with an x between them.
    """
    shapes = []
    for part in [] if text is None else text.split(","):
        height, _, width = part.strip().lower().partition("x")
        if not (height.isdecimal() and width.isdecimal()):
            raise typer.BadParameter(f"--buckets: {part!r} is no HEIGHTxWIDTH, such as 1152x896")
        shapes.append((int(height), int(width)))
    return shapes


def train(
    recipe: Annotated[
        str,
        typer.Argument(help="A recipe by its name, see `hifi-portrait recipes list`, or a .toml file."),
    ],
    data: Annotated[
        Path,
        typer.Option(
            parser=parse_path, metavar="PATH", help="The ID data set (autoencoder), or the prepared folder."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            parser=parse_path, metavar="PATH", help="The run's folder; an unfinished run there goes on."
        ),
    ],
    overrides: options.Overrides = None,
    as_json: options.Json = False,
) -> None:
    """Train as a recipe says, taking up an unfinished run where it stopped.

    On several devices: accelerate launch -m hifi_portrait.training RECIPE ..., with the same options.
    """
    from hifi_portrait.training.recipes.reading import read_recipe

    with needs_extra("train"):
        find_installed("accelerate")
    read_recipe(recipe, overrides or [])
    _check_data(data)
    check_folder(out, [data])
    show_log()
    from accelerate import PartialState

    from hifi_portrait.training.run import train as train_recipe

    train_recipe(recipe, data, out, overrides=overrides or [])
    if PartialState().is_main_process:
        emit({"recipe": recipe, "out": str(out)}, f"trained {recipe} into {out}", as_json)


def export(
    folders: Annotated[
        list[Path],
        typer.Argument(
            parser=parse_path,
            metavar="FOLDER...",
            help="Runs, prepared folders and pipelines (`bundled`: the package's own); each part is taken "
            "from the first that has it.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option(parser=parse_path, metavar="PATH", help="The pipeline folder to write.")
    ],
    size: options.ModelSize = "bundled",
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, max=1000, help="Default denoising steps of the model.", show_default=_AS_IN_PIPELINE
        ),
    ] = None,
    guidance: Annotated[
        float | None,
        typer.Option(min=0, max=50, help="Its default prompt guidance scale.", show_default=_AS_IN_PIPELINE),
    ] = None,
    warp_strength: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            max=1,
            help="How far the warp that it starts from is noised; 1: from noise.",
            show_default=_AS_IN_PIPELINE,
        ),
    ] = None,
    warp_grain: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Fraction of that noise that is added.", show_default=_AS_IN_PIPELINE
        ),
    ] = None,
    upscale: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=8,
            help="How many times as large as drawn its pictures are.",
            show_default=_AS_IN_PIPELINE,
        ),
    ] = None,
    prompt_scale: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=10,
            help="How much of what its networks make of prompts is added to a start from the warp.",
            show_default=_AS_IN_PIPELINE,
        ),
    ] = None,
    imagined_steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            help="Default denoising steps where a start from noise is asked for.",
            show_default=_AS_IN_PIPELINE,
        ),
    ] = None,
    imagined_guidance: Annotated[
        float | None,
        typer.Option(
            min=0, max=50, help="The same of the prompt guidance scale.", show_default=_AS_IN_PIPELINE
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Gather what was trained into one pipeline folder, to be given as --model."""
    check_folder(out, folders)
    show_log()
    from hifi_portrait.training.export import export_pipeline

    export_pipeline(
        folders,
        out,
        size=size,
        steps=steps,
        guidance=guidance,
        warp_strength=warp_strength,
        warp_grain=warp_grain,
        upscale=upscale,
        prompt_scale=prompt_scale,
        imagined_steps=imagined_steps,
        imagined_guidance=imagined_guidance,
    )
    emit({"path": str(out), "folders": [str(folder) for folder in folders]}, str(out), as_json)
