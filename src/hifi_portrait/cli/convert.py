"""``hifi-portrait convert``: published weights of other projects as HiFi weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hifi_portrait.cli import options
from hifi_portrait.cli.console import emit
from hifi_portrait.cli.outputs import check_files, check_folder, parse_path
from hifi_portrait.errors import ModelError


def instantid(
    controlnet: Annotated[
        Path,
        typer.Option(
            parser=parse_path, metavar="PATH", help="Folder of InstantID's ControlNet.", show_default=False
        ),
    ],
    adapter: Annotated[
        Path, typer.Option(parser=parse_path, metavar="PATH", help="Its ip-adapter.bin.", show_default=False)
    ],
    out: Annotated[
        Path,
        typer.Option(
            parser=parse_path,
            metavar="PATH",
            help="Folder to write, or one file if the name ends in .safetensors.",
            show_default=False,
        ),
    ],
    dtype: options.DType = None,
    as_json: options.Json = False,
) -> None:
    """Make HiFi weights of InstantID's: give them to `generate` as --hifi, beside an SDXL --model."""
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise ModelError(f"--out {out} is there already: name a new folder or file")
    if out.suffix == ".safetensors":
        check_files([out], [controlnet, adapter])
    else:
        check_folder(out, [controlnet, adapter])
    from hifi_portrait.models import load_instantid, save_hifi_parts

    parts = load_instantid(controlnet, adapter)
    chosen = options.torch_dtype(dtype)
    out.parent.mkdir(parents=True, exist_ok=True)
    save_hifi_parts({name: part.to(chosen) for name, part in parts.items()}, out)
    tokens = parts["face_refiner"].config
    result = {
        "path": str(out),
        "recogniser_dim": parts["face_encoder"].config.recogniser_dim,
        "tokens": [tokens.num_tokens, tokens.token_dim],
        "layers": len(parts["face_attention"].config.hidden_sizes),
    }
    emit(result, str(out), as_json)
