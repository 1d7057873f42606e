"""``identity``, ``landmarks`` and ``warp``: what can be had at once, without the diffusion model."""

from __future__ import annotations

from typing import Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit
from hifi_portrait.cli.groups import takes_groups
from hifi_portrait.cli.inputs import (
    background_file,
    frame,
    make_target,
    preview_record,
    read_background,
)
from hifi_portrait.cli.outputs import check_files, picture_path, saved_path
from hifi_portrait.cli.references import References

IDENTITY_BYTES = 5_000_000
"""Room that an analysed photo may take at most."""


def identity(
    photos: options.Photos,
    out: Annotated[str, typer.Option(metavar="FILE", help="The .safetensors file to write, or a folder.")],
    recogniser: options.RecogniserFile = None,
    matting: options.MattingFile = None,
    face: options.Face = None,
    as_json: options.Json = False,
) -> None:
    """Analyse photos once and save the person as one file, to be given in their place."""
    path = saved_path(out, "an identity", "identity.safetensors")
    references = References.find(photos, recogniser=recogniser, face=face, matting=matting)
    networks = [file for file in (recogniser, matting) if file]
    check_files([path], [*references.read, *networks], IDENTITY_BYTES * len(references.files))
    person = references.load()
    path.parent.mkdir(parents=True, exist_ok=True)
    person.save(path)
    dropped = [{"source": photo.source, "reason": photo.reason} for photo in person.dropped]
    result = {
        "path": str(path),
        "photos": len(person.crops),
        "quality": [round(float(value), 3) for value in person.quality],
        "dropped": dropped,
        "notices": list(person.notices),
    }
    emit(result, f"{path}: {len(person.crops)} photos", as_json)


@takes_groups
def landmarks(
    *,
    photos: options.Photos,
    out: options.PictureOut = "landmarks.png",
    size: options.Size = 512,
    face: options.Face = None,
    as_json: options.Json = False,
    pose: options.PoseOptions,
) -> None:
    """Draw the landmark image: this person's own head with the requested expression and pose."""
    path = picture_path(out, "landmarks.png")
    references = References.find(photos, face=face)
    check_files([path], [*references.read, *pose.files])
    from hifi_portrait.io.provenance import save_picture
    from hifi_portrait.landmarks import LandmarkGenerator
    from hifi_portrait.person.own_expressions import use_own_expressions

    target = make_target(pose)
    person = references.load()
    target = use_own_expressions(frame(target, pose, person), person.geometries)
    drawn = LandmarkGenerator.load()(person.identity, target, size).image
    save_picture(drawn, path, preview_record("landmark image", target))
    emit({"path": str(path), "size": [size, size]}, str(path), as_json)


@takes_groups
def warp(
    *,
    photos: options.Photos,
    out: options.PictureOut = "warp.png",
    size: options.Size = 512,
    face: options.Face = None,
    background: options.Background = "photo",
    light: options.Light = "photo",
    as_json: options.Json = False,
    pose: options.PoseOptions,
    look: options.LookOptions,
) -> None:
    """Carry the photos through the fitted head into the requested pose, with nothing learnt."""
    path = picture_path(out, "warp.png")
    references = References.find(photos, face=face)
    check_files([path], [*references.read, *pose.files, *background_file(background)])
    behind = read_background(background, [path])
    from hifi_portrait.io.provenance import save_picture

    target = make_target(pose, look)
    person = references.load()
    target = frame(target, pose, person)
    drawn = person.warp(target, size, background=behind, light=light)
    save_picture(drawn, path, preview_record("plain warp of the photos", target))
    emit({"path": str(path), "size": [size, size]}, str(path), as_json)
