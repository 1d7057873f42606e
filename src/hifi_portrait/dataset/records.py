"""One photo of an ID data set, what perception found in it, and the split that its identity is in."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Self

from PIL import Image

from hifi_portrait.errors import DatasetError, ImageError
from hifi_portrait.faces.image import decode_picture, open_bytes
from hifi_portrait.head import HeadGeometry
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray

SPLITS = {"train": 0.96, "validation": 0.02, "test": 0.02}
"""Splits, and the fraction of all identities in each. Prepared folders store a split by its place here."""


@dataclass(frozen=True, kw_only=True)
class PhotoAnalysis:
    """What perception found in one photo."""

    found: bool
    """Whether there is a usable face. Where there is none, only ``reason`` is set."""

    reason: str = ""
    """Why there is no usable face."""

    landmarks: Array | None = None
    """(478, 3) MediaPipe landmarks in photo pixels."""

    crop_transform: Array | None = None
    """(3, 3) transform from photo pixels to pixels of the portrait crop."""

    crop_size: int = 0
    """Side of the portrait crop, in pixels."""

    embedding: Array | None = None
    """(E,) recogniser embedding; (128,) of unit norm by the default one."""

    recogniser: str = ""
    """Name of the recogniser of the embedding; empty where it is not known."""

    quality: float = 0.0
    """How well the photo shows the face, in [0, 1]."""

    matte: FloatArray | None = None
    """(crop_size, crop_size) in [0, 1], 1 on the person; stored in 8 bits."""

    fit: HeadGeometry | None = None
    """The head in crop pixels, from one joint fit of all photos of the identity."""

    residual: float = 0.0
    """Mean distance of the landmarks from the fitted head's, as a fraction of the distance of the eyes."""


@dataclass(frozen=True, kw_only=True)
class PhotoRecord:
    """One photo of a data set."""

    identity_id: str
    """Name of the person, unique in the data set."""

    photo_id: str
    """Name of the photo, unique among the person's."""

    image: bytes = field(repr=False)
    """The encoded file, of any format that `hifi_portrait.faces.load_image` reads."""

    caption: str = ""
    """What the photo shows, as clauses between commas."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Anything JSON can hold, such as what a synthetic person was made of."""

    truth: HeadGeometry | None = None
    """The true head in photo pixels, where it is known: of synthetic people."""

    analysis: PhotoAnalysis | None = None
    """What perception found; None where the photo was not analysed yet."""

    width: int = 0
    """Width in pixels; read from ``image`` when left at 0."""

    height: int = 0
    """Height in pixels, upright; read from ``image`` when left at 0."""

    face: int = 0
    """Which of the picture's faces is the person's, counted from the largest."""

    box: Array | None = None
    """(4,) left, top, right, bottom of that face in photo pixels; None where it is not known."""

    sha256: str = ""
    """SHA-256 of ``image`` in hexadecimal digits; computed when left empty."""

    source: str = ""
    """Name of the source that the photo comes from: a row of the table of sources."""

    original: str = ""
    """Name of the file as it was given."""

    frame: float | None = None
    """Seconds from the start of the video that the picture is a frame of; None for a photo."""

    sitting: int | None = None
    """Photos of a person with the same number share light, clothes and background; None: not known."""

    @classmethod
    def from_pixels(cls, pixels: ByteArray, *, jpeg_quality: int | None = None, **fields: Any) -> Self:
        """Encode a picture as a record.

        Parameters
        ----------
        pixels
            (H, W, 3) RGB.
        jpeg_quality
            Quality of the JPEG file, in [1, 95]; None for PNG, which loses nothing.
        **fields
            The record's other fields.
        """
        stream = io.BytesIO()
        if jpeg_quality is None:
            Image.fromarray(pixels).save(stream, "PNG", compress_level=2)
        else:
            Image.fromarray(pixels).save(stream, "JPEG", quality=jpeg_quality, subsampling=0)
        height, width = pixels.shape[:2]
        return cls(image=stream.getvalue(), width=width, height=height, **fields)

    def pixels(self) -> ByteArray:
        """Decode the picture, (H, W, 3) RGB, turned upright as `hifi_portrait.faces.load_image` does.

        Raises
        ------
        DatasetError
            It cannot be decoded.
        """
        try:
            return decode_picture(self.image)
        except ImageError as error:
            name = f"{self.identity_id}/{self.photo_id}"
            raise DatasetError(f"photo {name} cannot be decoded: {error}. Write its shard anew") from error


_SUFFIXES = {"JPEG": "jpg", "MPO": "jpg", "TIFF": "tif", "JPEG2000": "jp2", "HEIF": "heic"}


def true_suffix(image: bytes) -> str:
    """Tell the ending of an encoded picture's name by its contents: ``jpg``, ``png``, ``webp``, ``avif``, ...

    Raises
    ------
    ImageError
        It is not a picture that can be read.
    """
    with open_bytes(image) as picture:
        kind = picture.format or "PNG"
    return _SUFFIXES.get(kind, kind.lower())


def split_of(identity_id: str) -> str:
    """Tell the split of an identity: "train", "validation" or "test".

    It follows from a hash of the id, so that it is the same in every process, release and data set: nobody
    who was trained on is ever tested on. Python's own ``hash`` is salted anew in each process.
    """
    place = int.from_bytes(blake2b(identity_id.encode(), digest_size=8).digest(), "big") / 2**64
    for name, fraction in SPLITS.items():
        if place < fraction:
            return name
        place -= fraction
    return name
