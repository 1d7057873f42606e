"""How a picture was made, carried inside its own PNG file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from hifi_portrait.errors import ImageError

KEY = "hifi-portrait"
"""Name of the PNG text field that holds the record, and of this package."""

_LIBRARIES = ("diffusers", "numpy", "torch", "transformers")


def versions() -> dict[str, str]:
    """Give the versions of this package and of the libraries that decide how a picture comes out."""
    return {name: version(name) for name in (KEY, *_LIBRARIES)}


def file_sha256(path: Path | str) -> str:
    """Compute the SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_png(image: npt.NDArray[np.uint8] | Image.Image, path: Path | str, record: Mapping[str, Any]) -> None:
    """Write a picture as a PNG that carries a record of how it was made.

    Parameters
    ----------
    image
        An RGB picture: an array (H, W, 3), or Pillow's.
    path
        The file to write; its folder is made where it does not exist.
    record
        Anything that JSON can hold. It goes into the iTXt field ``hifi-portrait``.
    """
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    info = PngInfo()
    info.add_itxt(KEY, json.dumps(dict(record), ensure_ascii=False, sort_keys=True))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    image.save(path, format="PNG", pnginfo=info)


def read_png(path: Path | str) -> dict[str, Any]:
    """Read the record that `save_png` put into a file.

    Raises
    ------
    ImageError
        The file carries no such record.
    """
    with Image.open(path) as image:
        text = getattr(image, "text", {}).get(KEY)
    if text is None:
        raise ImageError(f"{path} does not say how it was made: it has no PNG text field named {KEY!r}")
    record: dict[str, Any] = json.loads(text)
    return record
