"""Furniture of a library of Sweet Home 3D (``.sh3f``), made ready for rays to be cast at.

Such a file is a zip with a list of properties, ``PluginFurnitureCatalog.properties``, and the models that it
names, in Wavefront OBJ with their textures.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.errors import DatasetError, needs_extra
from hifi_portrait.head.arrays import Array
from mmrgaze360.scenes.triangle_tree import TriangleTree

_CATALOGUE = "PluginFurnitureCatalog.properties"
_PROPERTY = re.compile(r"^(\w+)#(\d+)=(.*?)\s*$", re.MULTILINE)
_INDOORS = ("Living room", "Bedroom", "Kitchen", "Office")
"""Categories whose pieces are used."""
_LOWEST, _SMALLEST, _LARGEST = 0.3, 0.45, 2.4
"""Pieces are used that are so high, and so long at least and at most, metres."""
_CELLS = 96
"""Details smaller than this part of a piece are left out."""
_GREY = (163, 163, 163)
"""Of what has no material; sRGB."""


@dataclass(frozen=True, kw_only=True)
class FurnitureModel:
    """One piece of a library, read when it is first drawn."""

    library: Path
    file: str
    """The model's name in the library."""
    name: str
    size: tuple[float, float, float]
    """Width, depth and height, metres."""
    top: float
    """Height at which things may stand on it; 0 for nowhere."""

    @cached_property
    def tree(self) -> TriangleTree:
        """Its triangles about the middle of its box, its front along -y."""
        return _read_model(self)


@dataclass(frozen=True)
class _Files(Mapping[str, bytes]):
    """Textures and materials beside a model in a zip, by name, as trimesh asks for them."""

    archive: zipfile.ZipFile
    folder: str

    def __getitem__(self, name: str) -> bytes:
        return self.archive.read(f"{self.folder}/{name.strip()}")

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.archive.namelist() if name.startswith(f"{self.folder}/"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@lru_cache(maxsize=2)
def read_library(path: Path) -> tuple[FurnitureModel, ...]:
    """List the pieces of a library that may stand in a room: on the floor, neither doors nor tiny.

    Raises
    ------
    DatasetError
        The file is no such library, or has no such piece.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read(_CATALOGUE).decode("latin-1")
            held = set(archive.namelist())
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path} is no furniture library of Sweet Home 3D (.sh3f): {error}") from error
    pieces: dict[int, dict[str, str]] = {}
    for key, number, value in _PROPERTY.findall(text):
        pieces.setdefault(int(number), {})[key] = value
    found = tuple(_usable(path, held, [pieces[number] for number in sorted(pieces)]))
    if not found:
        raise DatasetError(f"{path} lists no piece of furniture that stands on the floor of a room")
    return found


def _usable(path: Path, held: set[str], pieces: list[dict[str, str]]) -> Iterator[FurnitureModel]:
    for piece in pieces:
        file = piece.get("model", "").lstrip("/")
        odd = piece.get("doorOrWindow") == "true" or "elevation" in piece or "modelRotation" in piece
        if odd or file not in held or not file.endswith(".obj"):
            continue
        if piece.get("category") not in _INDOORS:
            continue
        width, depth, height = (float(piece.get(key, 0)) / 100 for key in ("width", "depth", "height"))
        longest = max(width, depth, height)
        if height < _LOWEST or not _SMALLEST <= longest <= _LARGEST or min(width, depth) <= 0:
            continue
        yield FurnitureModel(
            library=path,
            file=file,
            name=piece.get("name", file),
            size=(width, depth, height),
            top=float(piece.get("dropOnTopElevation", 0)) / 100,
        )


def _read_model(model: FurnitureModel) -> TriangleTree:
    with needs_extra("data"):
        import trimesh
    with zipfile.ZipFile(model.library) as archive:
        try:
            scene = trimesh.load_scene(
                trimesh.util.wrap_as_stream(archive.read(model.file)),
                file_type="obj",
                resolver=_Files(archive, model.file.rpartition("/")[0]),
            )
            parts = [part for part in scene.geometry.values() if len(part.faces)]
            corners = np.concatenate([part.vertices[part.faces] for part in parts])
            colours = np.concatenate([_colours(part) for part in parts])
        except (ValueError, KeyError, IndexError, OSError) as error:
            raise DatasetError(f"{model.file} in {model.library} cannot be read: {error}") from error
    low, high = corners.min((0, 1)), corners.max((0, 1))
    # OBJ files of these libraries have y up and the front along z.
    width, depth, height = model.size
    unit = (corners - (low + high) / 2) / np.maximum(high - low, 1e-9)
    placed = np.stack([unit[..., 0] * width, -unit[..., 2] * depth, unit[..., 1] * height], -1)
    return TriangleTree.build(*_simplify(placed, colours, max(model.size) / _CELLS))


def _colours(part: Any) -> NDArray[np.float64]:
    """Give the linear colour (F, 3) of each triangle: of a texture, the mean of a few places in it."""
    material = getattr(part.visual, "material", None)
    flat = np.asarray(_GREY if material is None else material.diffuse[:3], np.float64)
    image, places = getattr(material, "image", None), getattr(part.visual, "uv", None)
    if image is None or places is None:
        srgb = np.broadcast_to(flat, (len(part.faces), 3))
    else:
        pixels = np.asarray(image.convert("RGB").resize((64, 64)), np.float64)
        spread = np.array(((1, 1, 1), (4, 1, 1), (1, 4, 1), (1, 1, 4))) / ((3,), (6,), (6,), (6,))
        uv = np.einsum("sk,fkd->sfd", spread, places[part.faces]) % 1.0
        column, row = (uv[..., 0] * 63.999).astype(int), ((1 - uv[..., 1]) * 63.999).astype(int)
        srgb = pixels[np.clip(row, 0, 63), np.clip(column, 0, 63)].mean(0)
    return np.asarray((srgb / 255) ** 2.2)


def _simplify(corners: Array, colours: Array, cell: float) -> tuple[Array, Array]:
    """Join corners of the same cell, and leave out triangles that then have no area, or are there twice."""
    keys = np.round(corners / cell).astype(np.int64)
    _, index = np.unique(keys.reshape(-1, 3), axis=0, return_inverse=True)
    index = index.reshape(-1)
    count = np.bincount(index).astype(np.float64)
    flat = corners.reshape(-1, 3)
    middle = np.stack([np.bincount(index, flat[:, k]) / count for k in range(3)], 1)
    triangles = index.reshape(-1, 3)
    a, b, c = triangles.T
    kept = np.nonzero((a != b) & (b != c) & (c != a))[0]
    _, first = np.unique(np.sort(triangles[kept], axis=1), axis=0, return_index=True)
    kept = kept[np.sort(first)]
    return middle[triangles[kept]], colours[kept]
