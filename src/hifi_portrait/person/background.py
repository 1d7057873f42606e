"""What a picture shows behind the person: the photo's own background, or one of the user's choice."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal, Self, TypeAlias

import cv2
import numpy as np
from PIL import Image, ImageColor

from hifi_portrait.errors import DatasetError, ImageError, TargetError
from hifi_portrait.faces.image import load_image
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.io.names import printable
from hifi_portrait.prompts.background import KINDS_OF_WALL, find_named_background
from hifi_portrait.scenery.backdrop import PLACE_VIEWS, Backdrop, PlaceView
from hifi_portrait.scenery.studio import LightOnPerson, StudioLight
from hifi_portrait.scenery.tone import DISPLAY_GAMMA

BackgroundLike: TypeAlias = "Background | str | PathLike[str] | Image.Image | np.ndarray"
"""What `Background.of` takes."""

_KINDS = ("photo", "transparent", "blur")

_SHOULDER = 0.75
"""Linear light of a person above which what is made brighter approaches white instead of reaching it."""

_BLUR = 0.04
"""Standard deviation of the blurred background, as a fraction of the picture's height."""

_PANORAMAS = (".exr", ".hdr")

_COLOUR_WORD = re.compile(r"[A-Za-z][A-Za-z -]*|#[0-9A-Fa-f]*|(?:rgb|hsl|hsv)\(.*\)")
"""What can only be meant as a colour, a place, or a word of `_KINDS`: it names no file."""


@dataclass(frozen=True, eq=False)
class Background:
    """What is behind the person."""

    kind: Literal["photo", "transparent", "blur", "colour", "picture", "backdrop"] = "photo"
    """The background of the photo that decides the look, as it is or blurred; nothing; or what is given."""
    colour: tuple[int, int, int] | None = None
    """RGB of the colour, in [0, 255]."""
    picture: ByteArray | None = None
    """(H, W, 3) RGB. It fills the whole background: what has another shape is cut at the edges."""
    backdrop: Backdrop | None = None
    """A place, whose light falls on the person too, a wall or a studio's backdrop."""

    @classmethod
    def of(cls, given: BackgroundLike) -> Self:
        """Read a background.

        Parameters
        ----------
        given
            "photo", "transparent" or "blur"; a colour as CSS writes it ("teal", "#204060",
            "rgb(32, 64, 96)"); words for a place, a wall or a studio's backdrop ("park", "in a city at
            night", "brick wall", "grey backdrop"; see `prompts.background`); or a picture: its path, a PIL
            image or an array, as for photos. A path of a panorama, ``.exr`` or ``.hdr``, is a place too.

        Raises
        ------
        TargetError
            A word is none of these.
        ImageError
            The picture cannot be read.
        """
        if isinstance(given, Background):
            return cls(given.kind, given.colour, given.picture, given.backdrop)
        if isinstance(given, str):
            word = given.strip().lower()
            if word in _KINDS:
                return cls(word)  # type: ignore[arg-type]
            colour = _read_colour(word)
            if colour is not None:
                return cls("colour", colour=colour)
            if not os.path.isfile(given) and (named := find_named_background(word)) is not None:
                return cls.named(named)
            if not given.strip() or (_COLOUR_WORD.fullmatch(given.strip()) and not os.path.exists(given)):
                raise TargetError(
                    f"the background {printable(given)!r} is not known: give {', '.join(_KINDS)}, a colour"
                    f" such as teal or #204060, the path of a picture, or a place or wall:"
                    f" {', '.join((*PLACE_VIEWS, *KINDS_OF_WALL))}"
                )
        if not isinstance(given, str | PathLike | Image.Image | np.ndarray):
            raise TargetError(
                f"the background must be words, a colour such as 'teal' or '#204060', or a picture (path, PIL"
                f" image or array), but is {given!r:.80}"
            )
        if isinstance(given, str | PathLike) and Path(given).suffix.lower() in _PANORAMAS:
            return cls("backdrop", backdrop=_read_place(Path(given)))
        return cls("picture", picture=load_image(given))

    @classmethod
    def named(cls, name: str) -> Self:
        """Make a background of what `prompts.background.find_background` answers.

        Raises
        ------
        TargetError
            It is none of these names.
        """
        if name in _KINDS:
            return cls(name)  # type: ignore[arg-type]
        backdrop = Backdrop.named(name)
        if backdrop is None:
            raise TargetError(f"there is no background {name!r}")
        return cls("backdrop", backdrop=backdrop)

    @property
    def light(self) -> StudioLight | None:
        """The light that falls on the person there; None where the photo's own light stays."""
        return None if self.backdrop is None else self.backdrop.light

    @property
    def is_transparent(self) -> bool:
        """Whether pictures have an alpha channel."""
        return self.kind == "transparent"

    def replace_in(
        self, picture: Array, alpha: FloatArray, behind: FloatArray, light: LightOnPerson | None = None
    ) -> ByteArray:
        """Put it behind the person of a finished picture, in the place of what is there.

        Parameters
        ----------
        picture
            (H, W, 3) in [0, 255]: the person before ``behind``.
        alpha
            (H, W) in [0, 1], how much of each pixel is the person.
        behind
            (H, W, 3) in [0, 255], the background that the picture has.
        light
            What falls on the person, and on the photo's own background; see `warp.new_light`.

        Returns
        -------
        ndarray
            (H, W, 3) uint8; (H, W, 4) with straight alpha if it is transparent.
        """
        if self.kind == "photo" and light is None:
            return _to_bytes(picture)
        person = alpha[..., None]
        # What is left of a pixel without its background, at most all of the person's part of it: this bounds
        # what is taken for the person where the old background is not known exactly.
        own = np.clip(picture - (1 - person) * behind, 0, 255 * person)
        if self.kind != "transparent" and light is None:
            return _to_bytes(own + (1 - person) * self._fill(behind))
        straight = np.divide(own, person, out=np.zeros_like(own), where=person > 0)
        lit = straight if light is None else _light(straight, light.factors)
        if self.kind == "transparent":
            return np.dstack([_to_bytes(lit), _to_bytes(255 * alpha)])
        placed = person * lit + (1 - person) * self._fill(behind, light)
        if self.kind == "photo" and light is not None:  # single hairs are in neither
            hairs = picture - own - (1 - person) * behind
            placed = placed + hairs * light.behind ** (1 / DISPLAY_GAMMA)
        return _to_bytes(placed)

    def put_behind(
        self, cutout: ByteArray, behind: FloatArray, light: LightOnPerson | None = None
    ) -> ByteArray:
        """Put it behind a person who was drawn without one.

        Parameters
        ----------
        cutout
            (H, W, 4) RGB with straight alpha.
        behind
            (H, W, 3) in [0, 255], the background of the photo that decides the look.
        light
            As for `replace_in`.

        Returns
        -------
        ndarray
            (H, W, 3) uint8; the cut-out itself if it is transparent.
        """
        alpha, person = cutout[..., 3:] / np.float32(255), cutout[..., :3]
        lit = person if light is None else _light(person.astype(np.float32), light.factors)
        if self.kind == "transparent":
            return np.dstack([_to_bytes(lit), cutout[..., 3]])
        return _to_bytes(alpha * lit + (1 - alpha) * self._fill(behind, light))

    def _fill(self, behind: FloatArray, light: LightOnPerson | None = None) -> Array:
        """Make the new background, as large as the old one; the photo's own is lit as the person is."""
        height, width = behind.shape[:2]
        if light is not None and self.kind in ("photo", "blur"):
            behind = np.asarray(_light(behind, light.behind), np.float32)
        if self.kind == "photo":
            return behind
        if self.colour is not None:
            return np.array(self.colour, np.float32)
        if self.backdrop is not None:
            return self.backdrop.paint(height, width)
        if self.picture is None:
            return np.asarray(cv2.GaussianBlur(behind, (0, 0), _BLUR * height))
        return _cover(self.picture, height, width)


def _read_colour(word: str) -> tuple[int, int, int] | None:
    try:
        red, green, blue = ImageColor.getrgb(word)[:3]
    except ValueError:
        return None
    return red, green, blue


def _light(colours: Array, factors: Array) -> Array:
    """Multiply the linear light of colours (H, W, 3) in [0, 255]; what becomes white does so gently."""
    linear = (np.clip(colours, 0, 255) / 255) ** DISPLAY_GAMMA
    lit = linear * factors
    over, room = np.maximum(lit - _SHOULDER, 0), 1 - _SHOULDER
    bright = np.maximum(linear, _SHOULDER + room * np.tanh(over / room))
    return np.asarray(255 * np.where(over > 0, np.minimum(lit, bright), lit) ** (1 / DISPLAY_GAMMA))


def _read_place(panorama: Path) -> Backdrop:
    place = Backdrop(place=PlaceView(panorama))
    try:
        place.paint(16, 16)
    except (DatasetError, OSError) as error:
        raise ImageError(f"the panorama {printable(panorama)} cannot be used: {error}") from error
    return place


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
