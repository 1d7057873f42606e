"""Names of files: what can be printed of them, and the formats in which pictures are written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

JPEG_SUFFIXES = (".jpg", ".jpeg")
"""Endings of pictures that cannot be transparent."""

PICTURE_FORMATS: Mapping[str, str] = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Ending of the name of a picture that can be written -> Pillow's name of its format."""


BUNDLED_MODEL = Path(__file__).parents[1] / "assets" / "bundled"
"""Folder of the model that comes with the package."""


def model_folder(name: str | Path) -> Path:
    """Give the folder of a model: "bundled" is the one that comes with the package.

    A folder of that name in the working folder goes before it.
    """
    folder = Path(name)
    return BUNDLED_MODEL if folder == Path("bundled") and not folder.exists() else folder


def printable(name: str | Path) -> str:
    """Give a file's name as text that can be printed and saved anywhere; what is not UTF-8 becomes U+FFFD."""
    return os.fspath(name).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def is_utf8(name: str | Path) -> bool:
    """Tell whether a name is UTF-8, which libraries that read and write weights and tables need."""
    return not any("\udc80" <= letter <= "\udcff" for letter in os.fspath(name))


def name_of(path: Path | None) -> str | None:
    """Give the name of a file or folder for a record of settings: the same wherever it lies."""
    return None if path is None else printable(path.resolve().name)


def is_address(words: str) -> bool:
    """Tell whether words are an address, such as https://example.com/a.jpg, and no file's name."""
    return re.match(r"[a-z][a-z0-9+.-]+://", words, re.IGNORECASE) is not None
