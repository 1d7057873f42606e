"""``identity``, ``landmarks`` and ``warp``: what can be had at once, without the diffusion model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit
from hifi_portrait.cli.inputs import TargetWords, find_photos, load_identity, make_target, reference_files
from hifi_portrait.errors import IdentityError

if TYPE_CHECKING:
    from hifi_portrait.person.identity import Identity
    from hifi_portrait.person.target import Target

Size = Annotated[int, typer.Option(min=64, max=2048, help="Width and height of the picture.")]


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


def landmarks(
    photos: options.Photos,
    out: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("landmarks.png"),
    expression: options.Expression = None,
    yaw: options.Yaw = None,
    pitch: options.Pitch = None,
    roll: options.Roll = None,
    gaze: options.Gaze = None,
    like: options.Like = None,
    size: Size = 512,
    as_json: options.Json = False,
) -> None:
    """Draw the landmark image: this person's own head with the wished expression and pose."""
    from hifi_portrait.io.provenance import save_png
    from hifi_portrait.landmarks import LandmarkGenerator

    person, target = _wished(photos, TargetWords(expression, yaw, pitch, roll, gaze, like))
    save_png(LandmarkGenerator()(person.identity, target, size).image, out, {"picture": "landmark image"})
    emit({"path": str(out), "size": [size, size]}, str(out), as_json)


def warp(
    photos: options.Photos,
    out: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("warp.png"),
    expression: options.Expression = None,
    yaw: options.Yaw = None,
    pitch: options.Pitch = None,
    roll: options.Roll = None,
    gaze: options.Gaze = None,
    like: options.Like = None,
    glasses: options.Glasses = None,
    hair: options.Hair = None,
    clothes: options.Clothes = None,
    size: Size = 512,
    as_json: options.Json = False,
) -> None:
    """Carry the photos through the fitted head into the wished expression and pose, with nothing learnt."""
    from hifi_portrait.io.provenance import save_png

    person, target = _wished(
        photos, TargetWords(expression, yaw, pitch, roll, gaze, like, glasses, hair, clothes)
    )
    save_png(person.warp(target, size), out, {"picture": "plain warp of the references"})
    emit({"path": str(out), "size": [size, size]}, str(out), as_json)


def _wished(photos: list[Path], words: TargetWords) -> tuple[Identity, Target]:
    """The person and the target, the quick checks of what was given first."""
    reference_files(photos)
    target = make_target(words)
    return load_identity(photos), target
