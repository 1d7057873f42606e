"""The head asset on disk: tensors of one safetensors file, with shapes kept sparse and quantised.

A set of shapes (K, V, 3) is stored as int8 steps of a scale per shape and vertex block (head, body), in one
layer, or in two where one would be too coarse. ``scripts/export_head.py`` writes the asset.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from hifi_portrait.errors import ModelError
from hifi_portrait.head.arrays import Array, FloatArray

ASSET_VERSION = "1"
DEFAULT_ASSET = Path(__file__).parent.parent / "assets" / "head.safetensors"

Tensors = dict[str, Array]


def pack_shapes(name: str, shapes: Array, block: Array, coarsest: float, threshold: float = 2e-6) -> Tensors:
    """Pack shapes (K, V, 3) in metres as tensors whose names begin with ``name``.

    Parameters
    ----------
    name
        Prefix of the tensors.
    shapes
        Displacements.
    block
        (V,) block of each vertex; each has a scale of its own.
    coarsest
        Largest step, in metres, that block 0 takes in one int8 layer; coarser shapes get a second.
    threshold
        Displacements below this are dropped.
    """
    kept = np.abs(shapes).max(axis=2) > threshold
    shape_index, vertex = np.nonzero(kept)
    values = shapes[kept].astype(np.float64)
    scale = np.zeros((len(shapes), int(block.max()) + 1))
    np.maximum.at(scale, (shape_index, block[vertex]), np.abs(values).max(axis=1) / 127)
    step = np.maximum(scale, 1e-12)[shape_index, block[vertex]][:, None]
    layer = np.rint(values / step)
    fine_shapes = np.flatnonzero(scale[:, 0] > coarsest)
    in_fine = np.isin(shape_index, fine_shapes)
    fine = np.rint((values - layer * step)[in_fine] / (step[in_fine] / 254))
    return {
        f"{name}.count": np.bincount(shape_index, minlength=len(shapes)).astype(np.int32),
        f"{name}.vertex": np.zeros(0, np.uint16) if kept.all() else vertex.astype(np.uint16),
        f"{name}.scale": scale.astype(np.float32),
        f"{name}.value": layer.astype(np.int8),
        f"{name}.fine": fine.astype(np.int8),
        f"{name}.fine_shapes": fine_shapes.astype(np.int32),
    }


def unpack_shapes(tensors: Mapping[str, Array], name: str, block: Array) -> FloatArray:
    """Unpack shapes (K, V, 3) in metres that `pack_shapes` packed, given the block (V,) of each vertex."""
    count, scale = tensors[f"{name}.count"], tensors[f"{name}.scale"]
    values = tensors[f"{name}.value"].astype(np.float32)
    shape_index = np.repeat(np.arange(len(count)), count)
    in_fine = np.repeat(np.isin(np.arange(len(count)), tensors[f"{name}.fine_shapes"]), count)
    values[in_fine] += tensors[f"{name}.fine"].astype(np.float32) / 254
    if len(tensors[f"{name}.vertex"]) == 0:
        dense = values.reshape(len(count), len(block), 3)
        dense *= scale[:, block][:, :, None]
        return dense
    vertex = tensors[f"{name}.vertex"]
    shapes = np.zeros((len(count), len(block), 3), np.float32)
    shapes[shape_index, vertex] = values * scale[shape_index, block[vertex]][:, None]
    return shapes


def save_asset(path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write a head asset; ``metadata`` holds lists of names, separated by commas."""
    contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    save_file(contiguous, str(path), metadata={**metadata, "version": ASSET_VERSION})


def read_asset(path: str | Path | None = None) -> tuple[Tensors, dict[str, str]]:
    """Read tensors and metadata of a head asset, the package's own by default; kept after the first call.

    Raises
    ------
    ModelError
        The file is missing, damaged, or of another version.
    """
    return _read(str(path or DEFAULT_ASSET))


@cache
def _read(path: str) -> tuple[Tensors, dict[str, str]]:
    if not Path(path).is_file():
        raise ModelError(f"no head asset at {path}: reinstall the package, or run scripts/export_head.py")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path} is not a readable head asset ({error}); run scripts/export_head.py"
        ) from error
    if metadata.get("version") != ASSET_VERSION:
        raise ModelError(
            f"{path} is a head asset of version {metadata.get('version')}; this release reads {ASSET_VERSION}"
        )
    for value in tensors.values():
        value.setflags(write=False)
    return tensors, metadata
