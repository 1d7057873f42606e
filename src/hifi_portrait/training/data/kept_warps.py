"""Warps of samples, drawn once and kept as files, for runs that look at the same samples many times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import hifi_portrait
from hifi_portrait.errors import DatasetError
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.io.atomic import atomic_write

_ROOMS = ("faces", "fitting", "head", "landmarks", "person", "warp")
"""Packages whose code decides how a warp looks."""

Warp = tuple[ByteArray, FloatArray]
"""Picture (H, W, 3) and coverage (H, W) in [0, 1], as `hifi_portrait.warp.warp_picture` gives them."""


class KeptWarps:
    """Warps by the number of their sample, each a PNG in a folder ``warps-<digest>`` of a prepared folder.

    The picture's alpha channel is the coverage. Runs that draw the same samples share a folder, whether one
    after the other or at the same time, and so do all processes of a run.

    Parameters
    ----------
    prepared
        The prepared folder.
    settings
        All that decides which references and target a number stands for. Other settings have a folder of
        their own, and so has any other code of the warp. It must fit into JSON.
    """

    def __init__(self, prepared: Path, settings: Mapping[str, Any]) -> None:
        text = json.dumps({"code": _code(), **settings}, sort_keys=True, indent=1)
        self.folder = prepared / f"warps-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        self.folder.mkdir(exist_ok=True)
        if not (self.folder / "settings.json").exists():
            with atomic_write(self.folder / "settings.json", many_writers=True) as partial:
                partial.write_text(text + "\n")

    def __call__(self, number: int, extent: tuple[int, int], draw: Callable[[], Warp]) -> Warp:
        """Give the warp of sample ``number``, which is drawn and kept if it is not there yet.

        The coverage is rounded to 255 levels even when it is new, so that a sample is always the same.

        Raises
        ------
        DatasetError
            The kept file cannot be read, or has another height and width than ``extent``.
        """
        path = self.folder / f"{number:08d}.png"
        if path.exists():
            return _read(path, extent)
        picture, coverage = draw()
        levels = np.rint(coverage * 255).astype(np.uint8)
        self.folder.mkdir(exist_ok=True)  # somebody may have deleted it to have its space
        with atomic_write(path, many_writers=True) as partial:
            partial.write_bytes(_encode(picture, levels))
        return picture, _coverage(levels)


@cache
def _code() -> str:
    """Give a digest of the code by which warps are drawn."""
    package, digest = Path(hifi_portrait.__file__).parent, hashlib.sha256()
    for room in _ROOMS:
        for file in sorted((package / room).rglob("*.py")):
            digest.update(file.relative_to(package).as_posix().encode() + b"\n" + file.read_bytes())
    return digest.hexdigest()[:12]


def _encode(picture: ByteArray, levels: ByteArray) -> bytes:
    pixels = np.dstack([picture[..., ::-1], levels])
    _, encoded = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()


def _read(path: Path, extent: tuple[int, int]) -> Warp:
    data = np.frombuffer(path.read_bytes(), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if pixels is None or pixels.shape != (*extent, 4):
        raise DatasetError(f"{path} is no warp that training kept: delete it, and it is drawn again")
    return np.ascontiguousarray(pixels[..., 2::-1]), _coverage(pixels[..., 3])


def _coverage(levels: Array) -> FloatArray:
    return np.divide(levels, 255, dtype=np.float32)
