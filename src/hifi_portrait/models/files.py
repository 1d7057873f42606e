"""Model folders on disk: where the bundled one is, and whether a folder is complete before it is loaded."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError, safe_open

from hifi_portrait.errors import ModelError
from hifi_portrait.io.names import BUNDLED_MODEL, is_utf8, printable

BUNDLED = BUNDLED_MODEL
"""Folder of the model that comes with the package."""

HIFI_PARTS = ("hifi_net", "face_encoder", "face_refiner", "face_attention")
"""The parts beside an SDXL base model."""


def check_name(path: str | Path) -> None:
    """Check that the libraries that read weights can open a path.

    Raises
    ------
    ModelError
        Its name is not UTF-8.
    """
    if not is_utf8(path):
        raise ModelError(f"{printable(path)}: the name of a model must be UTF-8: rename the folder or file")


def check_folder(folder: str | Path, *, beside: Collection[str] = ()) -> None:
    """Check that a saved pipeline is complete: its index, and every part's weights.

    Parameters
    ----------
    folder
        A pipeline folder with `model_index.json`.
    beside
        Parts that come from elsewhere.

    Raises
    ------
    ModelError
        If a file is missing or damaged; the message names it.
    """
    folder = Path(folder)
    check_name(folder)
    index = folder / "model_index.json"
    if not index.is_file():
        if folder == BUNDLED:
            raise ModelError(
                f"the bundled model is not installed: there is no {index}. Reinstall the package, or name a "
                "model folder"
            )
        raise ModelError(f"{folder} is not a model folder: it has no model_index.json")
    try:
        parts = json.loads(index.read_text())
    except ValueError as error:
        raise ModelError(f"{index} is damaged: {error}") from error
    for part, entry in parts.items():
        if part in beside or not isinstance(entry, list) or entry[0] is None:
            continue
        if not (folder / part).is_dir():
            raise ModelError(f"{folder} is incomplete: it has no folder {part}/")
        if (folder / part / "config.json").is_file():
            check_weights(folder / part)
    missing = [part for part in HIFI_PARTS if part not in parts and part not in beside]
    if missing:
        raise ModelError(
            f"{folder} is a base model without {', '.join(missing)}: give the folder that has them as `hifi`"
        )


def check_weights(folder: Path) -> None:
    """Check that one model's safetensors files are there and can be opened.

    Files of PyTorch's own format may stand in their place; diffusers reads no code from them.

    Raises
    ------
    ModelError
        If there is none, or one is damaged.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files and not any(folder.glob("*.bin")):
        raise ModelError(f"{folder} has no weights: a file ending in .safetensors is missing")
    for file in files:
        try:
            with safe_open(file, framework="pt"):
                pass
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{file} is damaged or incomplete ({error}): get the file anew") from error


@contextmanager
def reading(source: str | Path) -> Iterator[None]:
    """Turn what diffusers and transformers raise on a bad model into a `ModelError` that names it."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise ModelError(f"the model {source} cannot be loaded: {error}") from error
