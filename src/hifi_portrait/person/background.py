"""What a picture shows behind the person: the photo's own background, or one of the user's choice."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from os import PathLike
from typing import Literal, Self, TypeAlias

import cv2
import numpy as np
from PIL import Image, ImageColor

from hifi_portrait.errors import TargetError
from hifi_portrait.faces.image import load_image
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.io.names import printable

BackgroundLike: TypeAlias = "Background | str | PathLike[str] | Image.Image | np.ndarray"
"""What `Background.of` takes."""

_KINDS = ("photo", "transparent", "blur")

_BLUR = 0.04
"""Standard deviation of the blurred background, as a fraction of the picture's height."""

_COLOUR_WORD = re.compile(r"[A-Za-z]+|#[0-9A-Fa-f]*|(?:rgb|hsl|hsv)\(.*\)")
"""What can only be meant as a colour, or as a word of `_KINDS`."""


@dataclass(frozen=True, eq=False)
class Background:
    """What is behind the person."""

    kind: Literal["photo", "transparent", "blur", "colour", "picture"] = "photo"
    """The background of the photo that decides the look, as it is or blurred; nothing; or what is given."""
    colour: tuple[int, int, int] | None = None
    """RGB of the colour, in [0, 255]."""
    picture: ByteArray | None = None
    """(H, W, 3) RGB. It fills the whole background: what has another shape is cut at the edges."""

    @classmethod
    def of(cls, given: BackgroundLike) -> Self:
        """Read a background.

        Parameters
        ----------
        given
            "photo", "transparent" or "blur"; a colour as CSS writes it ("teal", "#204060",
            "rgb(32, 64, 96)"); or a picture: its path, a PIL image or an array, as for photos.

        Raises
        ------
        TargetError
            A word is none of these.
        ImageError
            The picture cannot be read.
        """
        if isinstance(given, Background):
            return cls(given.kind, given.colour, given.picture)
        if isinstance(given, str):
            word = given.strip().lower()
            if word in _KINDS:
                return cls(word)  # type: ignore[arg-type]
            colour = _read_colour(word)
            if colour is not None:
                return cls("colour", colour=colour)
            if not given.strip() or (_COLOUR_WORD.fullmatch(given.strip()) and not os.path.exists(given)):
                raise TargetError(
                    f"the background {printable(given)!r} is not known: give {', '.join(_KINDS)}, a colour"
                    " such as teal or #204060, or the path of a picture"
                )
        return cls("picture", picture=load_image(given))

    @property
    def is_transparent(self) -> bool:
        """Whether pictures have an alpha channel."""
        return self.kind == "transparent"

    def replace_in(self, picture: Array, alpha: FloatArray, behind: FloatArray) -> ByteArray:
        """Put it behind the person of a finished picture, in the place of what is there.

        Parameters
        ----------
        picture
            (H, W, 3) in [0, 255]: the person before ``behind``.
        alpha
            (H, W) in [0, 1], how much of each pixel is the person.
        behind
            (H, W, 3) in [0, 255], the background that the picture has.

        Returns
        -------
        ndarray
            (H, W, 3) uint8; (H, W, 4) with straight alpha if it is transparent.
        """
        if self.kind == "photo":
            return _to_bytes(picture)
        person = alpha[..., None]
        # What is left of a pixel without its background, at most all of the person's part of it: this bounds
        # what is taken for the person where the old background is not known exactly.
        own = np.clip(picture - (1 - person) * behind, 0, 255 * person)
        if self.kind == "transparent":
            straight = np.divide(own, person, out=np.zeros_like(own), where=person > 0)
            return np.dstack([_to_bytes(straight), _to_bytes(255 * alpha)])
        return _to_bytes(own + (1 - person) * self._fill(behind))

    def put_behind(self, cutout: ByteArray, behind: FloatArray) -> ByteArray:
        """Put it behind a person who was drawn without one.

        Parameters
        ----------
        cutout
            (H, W, 4) RGB with straight alpha.
        behind
            (H, W, 3) in [0, 255], the background of the photo that decides the look.

        Returns
        -------
        ndarray
            (H, W, 3) uint8; the cut-out itself if it is transparent.
        """
        if self.kind == "transparent":
            return cutout
        alpha = cutout[..., 3:] / np.float32(255)
        return _to_bytes(alpha * cutout[..., :3] + (1 - alpha) * self._fill(behind))

    def _fill(self, behind: FloatArray) -> Array:
        """Make the new background, as large as the old one."""
        height, width = behind.shape[:2]
        if self.kind == "photo":
            return behind
        if self.colour is not None:
            return np.array(self.colour, np.float32)
        if self.picture is None:
            return np.asarray(cv2.GaussianBlur(behind, (0, 0), _BLUR * height))
        return _cover(self.picture, height, width)


def _read_colour(word: str) -> tuple[int, int, int] | None:
    try:
        red, green, blue = ImageColor.getrgb(word)[:3]
    except ValueError:
        return None
    return red, green, blue


def _cover(picture: ByteArray, height: int, width: int) -> Array:
    """Scale a picture until it covers (height, width), and cut it there, about its middle."""
    scale = max(height / picture.shape[0], width / picture.shape[1])
    tall, wide = max(height, round(scale * picture.shape[0])), max(width, round(scale * picture.shape[1]))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(picture, (wide, tall), interpolation=way)
    top, left = (tall - height) // 2, (wide - width) // 2
    return np.asarray(scaled[top : top + height, left : left + width], np.float32)


def _to_bytes(values: Array) -> ByteArray:
    return np.clip(np.asarray(values) + 0.5, 0, 255).astype(np.uint8)
