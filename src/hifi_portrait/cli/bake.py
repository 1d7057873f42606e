"""``bake``: a person's head as a textured mesh in one file."""

from __future__ import annotations

from typing import Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit
from hifi_portrait.cli.outputs import check_files, saved_path
from hifi_portrait.cli.references import References
from hifi_portrait.errors import needs_extra

GLB_BYTES = 6_000_000
"""Room that a head's file may take, which is asked for before it is made."""


def bake(
    photos: options.Photos,
    out: Annotated[
        str, typer.Option(metavar="FILE", help="The .glb file to write, or a folder.")
    ] = "head.glb",
    texture: Annotated[int, typer.Option(min=64, max=4096, help="Side of the texture, in texels.")] = 1024,
    look: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Number, from 0, of the photo that decides hair, clothes and light.",
            show_default="the one that suits a head best that looks ahead",
        ),
    ] = None,
    face: options.Face = None,
    private: options.Private = False,
    as_json: options.Json = False,
) -> None:
    """Write a person's head as a GLB file for browsers, Blender and game engines."""
    path = saved_path(out, "a head", "head.glb")
    references = References.find(photos, face=face)
    check_files([path], references.read, GLB_BYTES)
    with needs_extra("avatar"):
        import pygltflib  # noqa: F401

    from hifi_portrait.baked import BakedHead
    from hifi_portrait.io.provenance import file_sha256

    person = references.load()
    head = BakedHead.bake(person, "auto" if look is None else look, texture)
    files = [{"name": file.name, "sha256": file_sha256(file)} for file in references.files]
    head.save(path, {} if private else {"references": files})
    result = {"path": str(path), "look": head.look, "texture": texture, "bytes": path.stat().st_size}
    emit(result, f"{path}: {path.stat().st_size / 1e6:.1f} MB, look {head.look}", as_json)
