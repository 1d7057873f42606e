"""``hifi-portrait redraw``: a given picture with one face redrawn as a person's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit
from hifi_portrait.cli.inputs import (
    check_model,
    load_identity,
    load_pipeline,
    parse_expression,
    portrait_record,
    reference_files,
)
from hifi_portrait.errors import ImageError


def redraw(
    picture: Annotated[Path, typer.Argument(help="The picture to change.", show_default=False)],
    photos: options.Photos,
    face: Annotated[
        int, typer.Option(min=0, help="Which face of the picture, counted from the largest.")
    ] = 0,
    prompt: Annotated[str, typer.Option(help="What the redrawn part shows.")] = "",
    expression: options.Expression = None,
    glasses: options.Glasses = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    steps: options.Steps = None,
    guidance: options.Guidance = None,
    warp_strength: options.WarpStrength = None,
    prompt_scale: options.PromptScale = 1.0,
    prompt_rounds: options.PromptRounds = 2,
    hifi_scale: options.HiFiScale = 1.0,
    face_scale: options.FaceScale = 1.0,
    upscale: options.Upscale = None,
    out: Annotated[Path, typer.Option(help="The PNG to write, as large as the picture.")] = Path(
        "redrawn.png"
    ),
    model: options.Model = None,
    hifi: options.HiFi = None,
    recogniser: options.RecogniserFile = None,
    dtype: options.DType = None,
    device: options.Device = None,
    as_json: options.Json = False,
) -> None:
    """Redraw one face of a picture as a person's: pose, expression and framing are the picture's."""
    files = reference_files(photos)
    out = out.with_suffix(".png")
    if out.resolve() in (picture.resolve(), *(file.resolve() for file in files)):
        raise ImageError(f"--out {out} would replace a picture that was given: name another file")
    check_model(model, hifi)
    import numpy as np
    import torch

    from hifi_portrait.io.provenance import file_sha256, save_png
    from hifi_portrait.pipeline.scene import Scene

    scene = Scene.from_photo(picture, face=face)
    target = scene.target.replace(glasses=glasses).with_prompt(prompt)
    if expression is not None:
        target = target.replace(expression=parse_expression(expression))
    identity = load_identity(photos, recogniser)
    pipe = load_pipeline(model, device, hifi=hifi, dtype=dtype)
    settings: dict[str, Any] = {
        "prompt": prompt,
        **pipe.sampling(steps, guidance, warp_strength, upscale=upscale),
        "prompt_scale": prompt_scale,
        "prompt_rounds": prompt_rounds,
        "hifi_scale": hifi_scale,
        "face_scale": face_scale,
    }
    generator = torch.Generator("cpu").manual_seed(seed)
    drawn = pipe.redraw(identity, scene, target=target, generator=generator, **settings)[0]
    shown = target.replace(hair=None, clothes=None)  # the picture's own
    record = portrait_record(files, identity, shown, settings, model, hifi) | {
        "picture": {"name": picture.name, "sha256": file_sha256(picture), "face": face},
        "seed": seed,
    }
    save_png(np.asarray(drawn), out, record)
    result = {"path": str(out), "size": list(drawn.size), "target": record["target"]}
    emit(result, str(out), as_json)
