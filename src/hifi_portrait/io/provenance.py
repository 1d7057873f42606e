"""How a picture was made, carried inside its own file."""

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

from hifi_portrait.errors import ImageError, OutputError
from hifi_portrait.io.atomic import write_output
from hifi_portrait.io.names import PICTURE_FORMATS

KEY = "hifi-portrait"
"""Name of the PNG text field that holds the record, and of this package."""

_LIBRARIES = ("diffusers", "numpy", "torch", "transformers")

_QUALITY = 95
"""Of JPEG and WebP, of 100."""

DESCRIPTION = 0x010E
"""EXIF's field ImageDescription, which holds the record in JPEG and WebP files, after ``hifi-portrait:``."""

_LONGESTDESCRIPTION = 60_000
"""Characters of a record that fit beside the rest into a JPEG's EXIF, which has 64 KB."""


def versions() -> dict[str, str]:
    """Give the versions of this package and of the libraries that decide how a picture comes out."""
    return {name: version(name) for name in (KEY, *_LIBRARIES)}


def file_sha256(path: Path | str) -> str:
    """Compute the SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_picture(
    image: npt.NDArray[np.uint8] | Image.Image, path: Path | str, record: Mapping[str, Any]
) -> None:
    """Write a picture that carries a record of how it was made; the file is complete or not there.

    Parameters
    ----------
    image
        An RGB or RGBA picture: an array (H, W, C), or Pillow's.
    path
        The file to write, in one of `PICTURE_FORMATS` by its ending; its folder is made where it does not
        exist.
    record
        Anything that JSON can hold. It goes into the iTXt field ``hifi-portrait`` of a PNG, and into the EXIF
        description of a JPEG or WebP.

    Raises
    ------
    OutputError
        The ending is none of these, a JPEG was asked for of a transparent picture, or the file cannot be
        written.
    """
    path = Path(path)
    kind = PICTURE_FORMATS.get(path.suffix.lower())
    if kind is None:
        raise OutputError(f"{path}: pictures are written as {', '.join(PICTURE_FORMATS)}")
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    if kind == "JPEG" and image.mode == "RGBA":
        raise OutputError(f"{path}: the picture is transparent in part, which JPEG cannot hold: use .png")
    options: dict[str, Any] = {"quality": _QUALITY}
    if kind == "PNG":
        info = PngInfo()
        info.add_itxt(KEY, json.dumps(_clean(record), ensure_ascii=False, sort_keys=True))
        options = {"pnginfo": info}
    else:
        exif = Image.Exif()
        exif[DESCRIPTION] = text_of_record(record)
        options["exif"] = exif
        if kind == "JPEG":
            options["subsampling"] = 0
        elif image.mode == "RGBA":  # what lies under transparent pixels, too, stays as it is
            options |= {"lossless": True, "exact": True}
    with write_output(path) as partial:
        image.save(partial, format=kind, **options)


def read_record(path: Path | str) -> dict[str, Any]:
    """Read the record that `save_picture` put into a file.

    Raises
    ------
    ImageError
        The file carries no such record.
    """
    with Image.open(path) as image:
        record = find_record(image)
    if record is None:
        raise ImageError(f"{path} does not say how it was made: it has no field named {KEY!r}")
    return record


def find_record(image: Image.Image) -> dict[str, Any] | None:
    """Find the record in an opened picture, without decoding it; None if it carries none."""
    text = image.info.get(KEY)
    if text is None and image.format in ("JPEG", "WEBP"):
        described = image.getexif().get(DESCRIPTION)
        return record_of_text(described) if isinstance(described, str) else None
    return record_of_text(f"{KEY}:{text}") if isinstance(text, str) else None


def record_of_text(text: str) -> dict[str, Any] | None:
    """Read a record that `text_of_record` wrote; None from any other text."""
    if not text.startswith(f"{KEY}:"):
        return None
    try:
        record = json.loads(text[len(KEY) + 1 :])
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def text_of_record(record: Mapping[str, Any]) -> str:
    """Write a record in ASCII, as files keep it that have one field of text only.

    The longest entries are left out where it would be longer than 60,000 characters.
    """
    kept = dict(_clean(record))
    while True:
        text = f"{KEY}:{json.dumps(kept, sort_keys=True)}"
        if len(text) <= _LONGESTDESCRIPTION or not kept:
            return text
        del kept[max(kept, key=lambda name: len(json.dumps(kept[name])))]


def _clean(value: Any) -> Any:
    """Make every text in a record printable."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {_clean(name): _clean(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(entry) for entry in value]
    return value
