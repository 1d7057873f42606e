"""Warps of samples, drawn once and kept as files, for runs that look at the same samples many times."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from functools import cache
from pathlib import Path

import cv2
import numpy as np

import hifi_portrait
from hifi_portrait.errors import DatasetError
from hifi_portrait.head import HeadModel
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.landmarks.generator import LandmarkImage
from hifi_portrait.person.references import References
from hifi_portrait.warp.draw import warp_picture

_CODE_OF_WARPS = ("faces", "fitting", "head", "landmarks", "person", "prompts", "scenery", "warp")
"""Packages whose code decides how a warp looks."""

Warp = tuple[ByteArray, FloatArray]
"""Picture (H, W, 3) and coverage (H, W) in [0, 1], as `hifi_portrait.warp.warp_picture` gives them."""


class KeptWarps:
    """Warps in a folder ``warps-<digest>`` of a prepared folder: PNGs whose alpha channel is the coverage.

    The folder's digest is of the code that draws warps, a file's name that of the references and the target.
    So runs share what they have in common, whether one after the other or at the same time, and so do all
    processes of a run.

    Parameters
    ----------
    prepared
        The prepared folder.
    model
        The head model.
    """

    def __init__(self, prepared: Path, model: HeadModel) -> None:
        self.folder = prepared / f"warps-{_code()}"
        self.model = model

    def __call__(self, references: References, target: LandmarkImage) -> Warp:
        """Give the warp of a target, which is drawn and kept if it is not there yet.

        The coverage is rounded to 255 levels even when it is new, so that a sample is always the same.

        Raises
        ------
        DatasetError
            The kept file cannot be read.
        """
        extent = target.raster.triangle.shape
        path = self.folder / f"{_digest(references, target)}.png"
        if path.exists():
            return _read(path, extent)
        picture, coverage = warp_picture(references, target, model=self.model)
        levels = np.rint(coverage * 255).astype(np.uint8)
        self.folder.mkdir(exist_ok=True)
        with atomic_write(path, many_writers=True) as partial:
            partial.write_bytes(_encode(picture, levels))
        return picture, _coverage(levels)


@cache
def _code() -> str:
    """Give a digest of the code by which warps are drawn."""
    package, digest = Path(hifi_portrait.__file__).parent, hashlib.sha256()
    for name in _CODE_OF_WARPS:
        for file in sorted((package / name).rglob("*.py")):
            digest.update(file.relative_to(package).as_posix().encode() + b"\n" + file.read_bytes())
    return digest.hexdigest()[:12]


def _digest(references: References, target: LandmarkImage) -> str:
    """Give a digest of all that a warp is drawn from."""
    digest = hashlib.blake2b(repr(target.raster.triangle.shape).encode(), digest_size=12)
    for name in (field.name for field in fields(references)):
        value = getattr(references, name)
        if name == "geometries":
            value = np.stack([geometry.to_vector() for geometry in value])
        if value is not None:
            digest.update(name.encode() + np.ascontiguousarray(value).tobytes())
    digest.update(target.geometry.to_vector().tobytes())
    return digest.hexdigest()


def _encode(picture: ByteArray, levels: ByteArray) -> bytes:
    pixels = np.dstack([picture[..., ::-1], levels])
    _, encoded = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()


def _read(path: Path, extent: tuple[int, ...]) -> Warp:
    data = np.frombuffer(path.read_bytes(), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if pixels is None or pixels.shape != (*extent, 4):
        raise DatasetError(f"{path} is no warp that training kept: delete it, and it is drawn again")
    return np.ascontiguousarray(pixels[..., 2::-1]), _coverage(pixels[..., 3])


def _coverage(levels: Array) -> FloatArray:
    return np.divide(levels, 255, dtype=np.float32)
