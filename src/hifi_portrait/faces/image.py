"""Any picture a user may hand in -> upright uint8 RGB."""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from functools import cache
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from hifi_portrait.errors import ImageError
from hifi_portrait.head.arrays import Array, ByteArray
from hifi_portrait.io.names import printable

ImageLike: TypeAlias = str | PathLike[str] | Image.Image | np.ndarray
"""What the library takes for a photo: a path, a PIL image, or an array."""

# fmt: off
IMAGE_SUFFIXES = frozenset({
    ".apng", ".avif", ".avifs", ".blp", ".bmp", ".bw", ".cur", ".dcx", ".dds", ".dib", ".fit", ".fits",
    ".flc",
    ".fli", ".ftc", ".ftu", ".gbr", ".gif", ".heic", ".heics", ".heif", ".heifs", ".hif", ".icb", ".icns",
    ".ico", ".im", ".j2c", ".j2k", ".jfif", ".jp2", ".jpc", ".jpe", ".jpeg", ".jpf", ".jpg", ".jpx", ".msp",
    ".pbm", ".pcd", ".pcx", ".pfm", ".pgm", ".png", ".pnm", ".ppm", ".psd", ".pxr", ".qoi", ".ras", ".rgb",
    ".rgba", ".sgi", ".tga", ".tif", ".tiff", ".vda", ".vst", ".webp", ".xbm", ".xpm",
})
# fmt: on
"""Endings of the names of files that a folder of photos is searched for: what Pillow and pi-heif decode."""

_NOT_DECODED = frozenset({"BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"})
"""Formats that Pillow recognises, but whose pixels it gets from other programs, or not at all."""

MAX_PIXELS = 256_000_000
"""Pixels above which a picture is refused unless said otherwise."""

MIN_SIDE = 32
"""Pixels of the shorter side below which a picture is refused unless said otherwise."""

_TRANSPARENCY_GROUND = (128, 128, 128)
"""Mid-grey, on which transparent pictures are composited."""

_DECODING_ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, AttributeError),
    *(OverflowError, RuntimeError, MemoryError, NotImplementedError, struct.error, zlib.error),
    Image.DecompressionBombError,
)
"""What Pillow's and pi-heif's decoders raise on damaged files, each as it happens."""


def load_image(photo: ImageLike, *, max_pixels: int = MAX_PIXELS, min_side: int = MIN_SIDE) -> ByteArray:
    """Read a photo as uint8 RGB (H, W, 3), turned upright.

    Parameters
    ----------
    photo
        A path; a PIL image of any mode; or an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8,
        uint16, bool, or floats in [0, 1].
    max_pixels
        Larger pictures are refused before they are decoded.
    min_side
        Pictures narrower or lower than this many pixels are refused.

    Notes
    -----
    EXIF orientation is applied, embedded colour profiles are converted to sRGB, transparency is composited
    on mid-grey, and the first frame of an animation is taken.

    Raises
    ------
    ImageError
        The file is missing, a folder, not a picture, truncated, or outside the limits; the array has a shape
        or range that is not a picture's.
    """
    name = source_name(photo)
    if isinstance(photo, np.ndarray):
        if photo.dtype == np.uint8 and photo.ndim == 3 and photo.shape[2] == 3 and photo.size:
            _check_size((photo.shape[1], photo.shape[0]), name, max_pixels, min_side)
            return np.array(photo, order="C")
        image = _image_from_array(photo, name)
    elif isinstance(photo, Image.Image):
        image = photo
    elif isinstance(photo, str | PathLike):
        return _load_file(Path(photo), max_pixels, min_side)
    else:
        raise ImageError(f"{name} is not a photo: give a path, a PIL image or a NumPy array")
    _check_size(image.size, name, max_pixels, min_side)
    return _decode(image, name)


def load_with_alpha(photo: ImageLike) -> tuple[ByteArray, ByteArray | None]:
    """Read a photo as `load_image`, but with what is transparent as it is rather than on mid-grey.

    Returns
    -------
    picture, alpha
        (H, W, 3), and (H, W), 255 where it is opaque; None for the alpha if all of it is.

    Raises
    ------
    ImageError
        As `load_image`.
    """
    flat = load_image(photo)
    if isinstance(photo, np.ndarray):
        transparent = photo.ndim == 3 and photo.shape[2] == 4
        image = _image_from_array(photo, source_name(photo)) if transparent else None
    elif isinstance(photo, Image.Image):
        image = photo
    else:
        with open_picture(Path(photo)) as opened:
            opened.load()
            image = opened.copy()
    if image is None or not image.has_transparency_data:
        return flat, None
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    alpha = np.array(upright.getchannel("A"))
    if (alpha == 255).all():
        return flat, None
    colours = np.array(_to_srgb(upright.convert("RGB"), image.info.get("icc_profile")).convert("RGB"))
    return colours, alpha


def decode_picture(data: bytes, name: str = "the picture") -> ByteArray:
    """Decode an encoded picture of any size as uint8 RGB (H, W, 3), turned upright, as `load_image` does.

    Parameters
    ----------
    data
        The bytes of a file.
    name
        What messages call it.

    Raises
    ------
    ImageError
        It is not a picture, or it is damaged.
    """
    with open_bytes(data, name) as image:
        return _decode(image, name)


def open_bytes(data: bytes, name: str = "the picture") -> Image.Image:
    """Open an encoded picture without decoding it; ``name`` is what messages call it.

    Raises
    ------
    ImageError
        It is not a picture that can be read.
    """
    return _open_checked(BytesIO(data), name)


def source_name(photo: Any) -> str:
    """Name a photo in messages: by its path, or its kind and size."""
    if isinstance(photo, str | PathLike):
        return printable(Path(photo))
    if isinstance(photo, Image.Image):
        return str(getattr(photo, "filename", "")) or f"<image {photo.width}x{photo.height}>"
    if isinstance(photo, np.ndarray):
        return f"<array {'x'.join(map(str, photo.shape))}>"
    return f"<{type(photo).__name__}>"


def _load_file(path: Path, max_pixels: int, min_side: int) -> ByteArray:
    name = printable(path)
    if path.is_dir():
        raise ImageError(f"{name} is a folder; give the path of a picture in it")
    with open_picture(path) as image:
        _check_size(image.size, name, max_pixels, min_side)
        return _decode(image, name)


def open_picture(path: Path) -> Image.Image:
    """Open a picture's file without decoding it, HEIC among others.

    Raises
    ------
    ImageError
        The file does not exist or is not a picture.
    """
    name = printable(path)
    if not path.exists():
        raise ImageError(f"{name} does not exist")
    if not path.is_file():
        raise ImageError(f"{name} is no plain file")
    return _open_checked(path, name)


def _open_checked(file: Path | BytesIO, name: str) -> Image.Image:
    try:
        image = _open(file)
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is not a picture that can be read (JPEG, PNG, HEIC, AVIF, WebP, TIFF, ...)"
        ) from error
    except _DECODING_ERRORS as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ImageError(f"{name} cannot be read: {what}") from error
    if image.format in _NOT_DECODED:
        image.close()
        raise ImageError(f"{name} is not a picture that can be read: its format is {image.format}")
    return image


def is_picture(path: Path) -> bool:
    """Tell whether a file is a picture by its contents, whatever its name."""
    try:
        open_picture(path).close()
    except ImageError:
        return False
    return True


def _open(file: Path | BytesIO) -> Image.Image:
    if isinstance(file, BytesIO):
        start = file.getvalue()[:12]
    else:
        with open(file, "rb") as opened:
            start = opened.read(12)
    if start[4:8] == b"ftyp":
        _read_heic()
    # Pillow's own limit is lower than ours, which is checked on what is opened here.
    with _bomb_limit, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


_bomb_limit = threading.Lock()


@cache
def _read_heic() -> None:
    """Teach Pillow to read the HEIC files of phones."""
    from pi_heif import register_heif_opener

    register_heif_opener()


def _check_size(size: tuple[int, int], name: str, max_pixels: int, min_side: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageError(
            f"{name} is too large: {width}x{height} is more than the limit of"
            f" {max_pixels / 1e6:g} megapixels; shrink it first"
        )
    if min(width, height) < min_side:
        raise ImageError(f"{name} is too small: {width}x{height}, need at least {min_side} pixels a side")


def _decode(image: Image.Image, name: str) -> ByteArray:
    try:
        image.load()
        is_upright = image.getexif().get(ExifTags.Base.Orientation, 1) == 1
        upright = image if is_upright else ImageOps.exif_transpose(image)  # it copies in any case
        return np.array(_to_rgb(upright), dtype=np.uint8)
    except _DECODING_ERRORS as error:
        raise ImageError(f"{name} is damaged or truncated: {error}") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _from_high_range(image).convert("RGB")
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        alpha = picture.getchannel("A")
        ground = Image.new("RGB", picture.size, _TRANSPARENCY_GROUND)
        ground.paste(_to_srgb(picture.convert("RGB"), image.info.get("icc_profile")), mask=alpha)
        return ground
    if image.mode == "CMYK":
        return _to_srgb(image, image.info.get("icc_profile")).convert("RGB")
    if image.mode in {"L", "1"}:
        return image.convert("RGB")
    picture = image if image.mode == "RGB" else image.convert("RGB")
    return _to_srgb(picture, image.info.get("icc_profile"))


def _from_high_range(image: Image.Image) -> Image.Image:
    """Turn 16-bit integers and floats (0 to 1, or 0 to 65535) into 8 bits."""
    values = np.asarray(image).astype(np.float32)
    top = float(values.max(initial=0.0))
    if image.mode == "F" and top <= 1.0:
        values = values * 255.0
    elif top > 255.0 or image.mode.startswith("I;16"):
        values = values / 257.0
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert from an embedded colour profile; a profile that cannot be used is ignored, as viewers do."""
    if not profile or b"sRGB" in profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted or image


def _image_from_array(array: Array, name: str) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[2] in (3, 4)):
        raise ImageError(f"{name} is not a picture: expected (H, W), (H, W, 3) or (H, W, 4)")
    if array.size == 0:
        raise ImageError(f"{name} is empty")
    if array.dtype == np.uint16:
        array = array / np.float32(65535)
    if array.dtype == np.bool_:
        array = array.astype(np.float32)
    if np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
            raise ImageError(f"{name}: floats must lie in [0, 1]; for 0 to 255 give uint8")
        array = np.rint(array * 255).astype(np.uint8)
    if array.dtype != np.uint8:
        raise ImageError(f"{name} has type {array.dtype}; give uint8, uint16, bool, or floats in [0, 1]")
    return Image.fromarray(np.ascontiguousarray(array))
