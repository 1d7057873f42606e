"""How a picture was made, carried inside its own PNG file."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from hifi_portrait.errors import ImageError

KEY = "hifi-portrait"
_LIBRARIES = ("diffusers", "numpy", "torch", "transformers")


def versions() -> dict[str, str]:
    """Versions of this package and of the libraries that decide how a picture comes out."""
    return {name: version(name) for name in (KEY, *_LIBRARIES)}


def file_sha256(path: Path | str) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_png(image: np.ndarray | Image.Image, path: Path | str, record: dict[str, Any]) -> None:
    """Write a uint8 RGB picture as a PNG whose iTXt field "hifi-portrait" holds `record` as JSON."""
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    info = PngInfo()
    info.add_itxt(KEY, json.dumps(record, ensure_ascii=False, sort_keys=True))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    image.save(path, format="PNG", pnginfo=info)


def read_png(path: Path | str) -> dict[str, Any]:
    """The record that `save_png` put into a file.

    Raises
    ------
    ImageError
        If the file carries no such record.
    """
    with Image.open(path) as image:
        text = getattr(image, "text", {}).get(KEY)
    if text is None:
        raise ImageError(f"{path} does not say how it was made: it has no PNG text field named {KEY!r}")
    return json.loads(text)
