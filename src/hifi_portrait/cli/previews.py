"""``identity``, ``landmarks`` and ``warp``: what can be had at once, without the diffusion model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit
from hifi_portrait.cli.groups import takes_groups
from hifi_portrait.cli.inputs import find_photos, load_identity, make_target, reference_files
from hifi_portrait.errors import IdentityError


def identity(
    photos: options.Photos,
    out: Annotated[Path, typer.Option(help="The .safetensors file to write.")],
    recogniser: options.RecogniserFile = None,
    as_json: options.Json = False,
) -> None:
    """Analyse photos once and save the person as one file, to be given in their place."""
    if out.suffix != ".safetensors":
        raise IdentityError(f"--out {out}: an identity is saved as a .safetensors file")
    find_photos(photos)
    person = load_identity(photos, recogniser)
    out.parent.mkdir(parents=True, exist_ok=True)
    person.save(out)
    dropped = [{"source": photo.source, "reason": photo.reason} for photo in person.dropped]
    result = {
        "path": str(out),
        "photos": len(person.crops),
        "quality": [round(float(value), 3) for value in person.quality],
        "dropped": dropped,
    }
    emit(result, f"{out}: {len(person.crops)} photos", as_json)


@takes_groups
def landmarks(
    *,
    photos: options.Photos,
    out: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("landmarks.png"),
    size: options.Size = 512,
    as_json: options.Json = False,
    pose: options.PoseOptions,
) -> None:
    """Draw the landmark image: this person's own head with the requested expression and pose."""
    from hifi_portrait.io.provenance import save_png
    from hifi_portrait.landmarks import LandmarkGenerator

    reference_files(photos)
    target = make_target(pose)
    person = load_identity(photos)
    save_png(LandmarkGenerator()(person.identity, target, size).image, out, {"picture": "landmark image"})
    emit({"path": str(out), "size": [size, size]}, str(out), as_json)


@takes_groups
def warp(
    *,
    photos: options.Photos,
    out: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("warp.png"),
    size: options.Size = 512,
    as_json: options.Json = False,
    pose: options.PoseOptions,
    look: options.LookOptions,
) -> None:
    """Carry the photos through the fitted head into the requested pose, with nothing learnt."""
    from hifi_portrait.io.provenance import save_png

    reference_files(photos)
    target = make_target(pose, look)
    person = load_identity(photos)
    save_png(person.warp(target, size), out, {"picture": "plain warp of the references"})
    emit({"path": str(out), "size": [size, size]}, str(out), as_json)
