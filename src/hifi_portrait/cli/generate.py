"""``hifi-portrait generate``: portraits of a person from their photos."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hifi_portrait.cli import drawing_options, options
from hifi_portrait.cli.console import emit, progress
from hifi_portrait.cli.groups import takes_groups
from hifi_portrait.cli.inputs import (
    background_file,
    background_settings,
    frame,
    make_target,
    portrait_record,
    read_background,
)
from hifi_portrait.cli.models import check_networks, load_networks
from hifi_portrait.cli.outputs import beside, check_files, numbered, picture_path
from hifi_portrait.cli.references import References
from hifi_portrait.io.names import printable

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from hifi_portrait.person.identity import Identity
    from hifi_portrait.person.target import Target
    from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline

logger = logging.getLogger(__name__)

MAX_COUNT = 64
"""The most pictures of one call."""

MAX_SEED = 2**63 - 1 - MAX_COUNT
"""The largest first seed."""


@takes_groups
def generate(
    *,
    photos: options.Photos,
    prompt: Annotated[
        str, typer.Option(help="What else the picture shows: hair, clothes, glasses, place, light, style.")
    ] = "",
    negative: Annotated[str, typer.Option(help="What the picture should not show.")] = "",
    seed: Annotated[
        int, typer.Option(min=0, max=MAX_SEED, help="The first picture's seed; the next ones count up.")
    ] = 0,
    count: Annotated[int, typer.Option(min=1, max=MAX_COUNT, help="How many pictures.")] = 1,
    hifi_every: options.HiFiEvery = 1,
    face: options.Face = None,
    out: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="The picture to write, as .png, .jpg or .webp, or a folder to write it into; with --count, "
            "NAME-1.png, NAME-2.png, ...",
        ),
    ] = "portrait.png",
    sheet: Annotated[
        bool, typer.Option("--sheet", help="Also write NAME-sheet.png: references, landmarks, warp, results.")
    ] = False,
    background: options.Background = "photo",
    light: options.Light = "photo",
    style: options.Style = "photo",
    private: options.Private = False,
    as_json: options.Json = False,
    pose: options.PoseOptions,
    look: options.LookOptions,
    sampling: drawing_options.SamplingOptions,
    from_warp: drawing_options.WarpOptions,
    strength: drawing_options.StrengthOptions,
    picture_size: drawing_options.PictureSizeOptions,
    networks: options.ModelOptions,
) -> None:
    """Make portraits of one person with an expression, head pose and gaze of your choice."""
    started = time.perf_counter()
    sides = picture_size.arguments()
    references = References.find(photos, recogniser=networks.recogniser, face=face, matting=networks.matting)
    path = picture_path(out)
    paths = numbered(path, count)
    written = [*paths, beside(path, "sheet")] if sheet else list(paths)
    check_files(written, [*references.read, *pose.files, *networks.files, *background_file(background)])
    behind = read_background(background, paths)
    target = make_target(pose, look).with_prompt(prompt)
    check_networks(networks)
    identity = references.load()
    target = frame(target, pose, identity)
    pipe = load_networks(networks)

    from hifi_portrait.io.provenance import save_picture
    from hifi_portrait.pipeline.warp_start import steps_taken

    settings: dict[str, Any] = {
        "prompt": prompt,
        "negative_prompt": negative,
        **pipe.sampling(
            sampling.steps,
            sampling.guidance,
            sampling.warp_strength,
            from_warp.warp_grain,
            strength.upscale,
            sampling.prompt_scale,
            sampling.start,
        ),
        "warp_share": from_warp.warp_share,
        "prompt_rounds": sampling.prompt_rounds,
        "hifi_scale": strength.hifi_scale,
        "hifi_every": hifi_every,
        "face_scale": strength.face_scale,
        **{name: value for name, value in (("light", light), ("style", style)) if value != "photo"},
        **sides,
    }
    settings |= background_settings(background, behind, private)
    if sides and strength.upscale is None:
        del settings["upscale"]  # as the size needs it
    warn_of_equal_pictures(settings, count)
    taken = steps_taken(settings["num_inference_steps"], settings["warp_strength"])
    record = portrait_record(references.files, identity, target, settings, networks, private)
    results: list[np.ndarray] = []
    drawn_by = settings | {"background": behind}
    with progress(quiet=as_json) as bar:
        # The pipeline reports the steps of the first draw of each portrait only; a prompt takes more draws.
        task = bar.add_task("portrait", total=count * (taken + 1))
        for number, path in enumerate(paths):
            image = draw_portrait(pipe, identity, target, drawn_by, seed + number, lambda: bar.advance(task))
            bar.advance(task)
            save_picture(image, path, {**record, "seed": seed + number})
            results.append(image)
    if sheet:
        save_picture(portrait_sheet(identity, target, results), written[-1], {**record, "seed": seed})

    result = {
        "images": [
            {"path": str(path), "seed": seed + number, "size": [image.shape[1], image.shape[0]]}
            for number, (path, image) in enumerate(zip(paths, results, strict=True))
        ],
        "sheet": str(written[-1]) if sheet else None,
        "target": record["target"],
        "dropped": [printable(Path(photo.source).name) for photo in identity.dropped],
        "notices": list(identity.notices),
        "seconds": round(time.perf_counter() - started, 3),
    }
    emit(result, "\n".join(str(path) for path in written), as_json)


def warn_of_equal_pictures(settings: dict[str, Any], count: int) -> None:
    """Say that pictures of several seeds are the same where nothing depends on a seed."""
    if count > 1 and settings["warp_strength"] < 1 and settings["warp_grain"] == 0:
        logger.warning(
            "the %d pictures are the same, for a seed changes nothing at --warp-grain 0 (the model's own):"
            " give --warp-grain 1 and a larger --warp-strength for different ones",
            count,
        )


def draw_portrait(
    pipe: HiFiPortraitPipeline,
    identity: Identity,
    target: Target,
    settings: dict[str, Any],
    seed: int,
    on_step: Callable[[], None],
) -> np.ndarray:
    """Draw one portrait.

    Parameters
    ----------
    settings
        Further keywords of the pipeline's call.
    seed
        Of the generator of all noise.
    on_step
        Called after each denoising step.

    Returns
    -------
    The picture as uint8 RGB (H, W, 3), or RGBA (H, W, 4) if its background is transparent.
    """
    import numpy as np
    import torch

    def after_step(_pipe: Any, _step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        on_step()
        return tensors

    generator = torch.Generator("cpu").manual_seed(seed)
    output: Any = pipe(identity, target, generator=generator, callback_on_step_end=after_step, **settings)
    return np.asarray(output.images[0])


def portrait_sheet(identity: Identity, target: Target, results: list[np.ndarray]) -> Image.Image:
    """Put the references, the landmark image, the plain warp and the portraits on one sheet."""
    from hifi_portrait.cli.sheet import contact_sheet
    from hifi_portrait.landmarks import LandmarkGenerator
    from hifi_portrait.person.own_expressions import use_own_expressions

    size = results[0].shape[0]
    own = use_own_expressions(target, identity.geometries)
    landmarks = LandmarkGenerator.load()(identity.identity, own, size).image
    rows = [
        ("references", list(identity.crops)),
        (
            "requested: landmarks, and the plain warp of the references",
            [landmarks, identity.warp(target, size)],
        ),
        ("portrait", results),
    ]
    return contact_sheet(rows, cell=size)
