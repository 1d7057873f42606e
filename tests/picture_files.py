"""What pictures on disk are."""

from __future__ import annotations

from pathlib import Path

from PIL import Image


def size_of(path: Path | str) -> tuple[int, int]:
    """Width and height of a picture; its file is closed again."""
    with Image.open(path) as picture:
        return picture.size
