"""``hifi-portrait redraw``: a given picture with one face redrawn as a person's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hifi_portrait.cli import drawing_options, options
from hifi_portrait.cli.console import emit
from hifi_portrait.cli.groups import takes_groups
from hifi_portrait.cli.inputs import (
    portrait_record,
)
from hifi_portrait.cli.models import check_networks, load_networks
from hifi_portrait.cli.outputs import check_files, parse_path, picture_path
from hifi_portrait.cli.references import References
from hifi_portrait.errors import OutputError
from hifi_portrait.io.names import JPEG_SUFFIXES


@takes_groups
def redraw(
    *,
    picture: Annotated[
        Path,
        typer.Argument(parser=parse_path, metavar="PATH", help="The picture to change.", show_default=False),
    ],
    photos: options.Photos,
    face: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Which face of the picture, counted from the largest, 0.",
            show_default="the largest",
        ),
    ] = None,
    photo_face: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Whose face is put there, where the photos show several people: as --face of `generate`.",
            show_default="who is in most photos",
        ),
    ] = None,
    prompt: Annotated[str, typer.Option(help="What the redrawn part shows.")] = "",
    expression: Annotated[
        str | None,
        typer.Option(
            help="Presets or ARKit coefficients, as for `generate`.",
            show_default="the picture's",
        ),
    ] = None,
    glasses: Annotated[
        str | None,
        typer.Option(
            help="Glasses as for `generate`.",
            show_default="what the prompt says, or else own",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Of the noise.")] = 0,
    out: options.PictureOut = "redrawn.png",
    private: options.Private = False,
    as_json: options.Json = False,
    sampling: drawing_options.SamplingOptions,
    strength: drawing_options.StrengthOptions,
    networks: options.ModelOptions,
) -> None:
    """Redraw one face of a picture as a person's: pose, expression and framing are the picture's."""
    references = References.find(
        photos, recogniser=networks.recogniser, face=photo_face, matting=networks.matting
    )
    path = picture_path(out, "redrawn.png")
    check_files([path], [picture, *references.read, *networks.files])
    check_networks(networks)
    import numpy as np
    import torch

    from hifi_portrait.io.provenance import file_sha256, save_picture
    from hifi_portrait.pipeline.scene import Scene

    scene = Scene.from_photo(picture, face=face)
    if scene.alpha is not None and path.suffix.lower() in JPEG_SUFFIXES:
        raise OutputError(f"--out {path}: the picture is transparent in part, which JPEG cannot hold")
    target = scene.target.replace(glasses=glasses).with_prompt(prompt)
    if expression is not None:
        target = target.replace(expression=expression)
    identity = references.load()
    pipe = load_networks(networks)
    settings: dict[str, Any] = {
        "prompt": prompt,
        **pipe.sampling(
            sampling.steps,
            sampling.guidance,
            sampling.warp_strength,
            upscale=strength.upscale,
            prompt_scale=sampling.prompt_scale,
            start=sampling.start,
        ),
        "prompt_rounds": sampling.prompt_rounds,
        "hifi_scale": strength.hifi_scale,
        "face_scale": strength.face_scale,
    }
    generator = torch.Generator("cpu").manual_seed(seed)
    drawn = pipe.redraw(identity, scene, target=target, generator=generator, **settings)[0]
    shown = target.replace(hair=None, clothes=None)  # a redrawn face keeps the picture's own
    record = portrait_record(references.files, identity, shown, settings, networks, private) | {"seed": seed}
    if not private:
        record["picture"] = {"name": picture.name, "sha256": file_sha256(picture), "face": face or 0}
    save_picture(np.asarray(drawn), path, record)
    result = {"path": str(path), "size": list(drawn.size), "target": record["target"]}
    emit(result, str(path), as_json)
