"""A contact sheet: rows of labelled pictures in one image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

MARGIN = 8
"""Around each picture, in pixels."""
LABEL_HEIGHT = 22
"""Of the line above a row, in pixels."""
BACKGROUND = (250, 250, 250)
"""RGB."""
INK = (40, 40, 40)
"""RGB of the labels."""


def contact_sheet(
    rows: Sequence[tuple[str, Sequence[np.ndarray]]], cell: int = 256, *, transparent: bool = False
) -> Image.Image:
    """Draw rows of pictures, each under its label.

    Parameters
    ----------
    rows
        ``(label, pictures)``; uint8 RGB or RGBA arrays of any size, fitted into squares.
    cell
        Side of the squares, in pixels.
    transparent
        Whether the sheet has alpha: pictures keep theirs, and there is nothing behind them.
    """
    columns = max(len(pictures) for _, pictures in rows)
    row_height = LABEL_HEIGHT + cell + MARGIN
    sides = MARGIN + columns * (cell + MARGIN), MARGIN + len(rows) * row_height
    sheet = Image.new("RGBA", sides) if transparent else Image.new("RGB", sides, BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=14)
    for number, (label, pictures) in enumerate(rows):
        top = MARGIN + number * row_height
        draw.text((MARGIN, top), label, fill=INK, font=font)
        for column, picture in enumerate(pictures):
            image = _fit(Image.fromarray(picture), cell)
            left = MARGIN + column * (cell + MARGIN) + (cell - image.width) // 2
            place = left, top + LABEL_HEIGHT + (cell - image.height) // 2
            sheet.paste(image, place, image if image.mode == "RGBA" and not transparent else None)
    return sheet


def _fit(image: Image.Image, cell: int) -> Image.Image:
    scale = cell / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
