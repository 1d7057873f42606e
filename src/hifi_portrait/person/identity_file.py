"""The file of a saved identity: named tensors and metadata in the safetensors format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from hifi_portrait.errors import IdentityError
from hifi_portrait.faces.geometry import wide_margin
from hifi_portrait.faces.image import IMAGE_SUFFIXES
from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.fitting.landmark_model import NUM_LANDMARKS
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.geometry import IDENTITY_COMPONENTS
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.io.names import printable

FORMAT = "hifi-portrait.identity"
"""Value of the metadata's ``format``, by which an identity is told from other safetensors files."""

FORMAT_VERSION = 2
"""Version of the format that is written. Files of version 1 have two more tensors, which are not read."""

_MOST: Mapping[str, float] = {
    "quality": 1.001,
    "embeddings": 1e3,
    "landmarks": 1e6,
    "identity": 1e2,
    "geometries.identity": 1e2,
    "geometries.expression": 1e1,
    "geometries.gaze": 1e3,
    "geometries.rotation": 1.01,
    "geometries.translation": 1e4,
    "geometries.camera": 1e6,
}
"""Tensor -> the largest magnitude that its numbers may have."""


def write_tensors(path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write an identity's file, atomically.

    Parameters
    ----------
    path
        The file, in a folder that exists.
    tensors, metadata
        What `read_tensors` gives back; format and version are added to the metadata.

    Raises
    ------
    IdentityError
        The file cannot be written.
    """
    if not path.name or path.suffix.lower() in IMAGE_SUFFIXES:
        raise IdentityError(f"{printable(path)}: an identity is saved as a .safetensors file: name one")
    contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    header = {"format": FORMAT, "version": str(FORMAT_VERSION), **metadata}
    try:
        with atomic_write(path, many_writers=True) as partial:
            save_file(contiguous, partial, header)
    except (OSError, SafetensorError) as error:
        raise IdentityError(f"{path}: the identity cannot be written: {error}") from error


def read_tensors(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """Read the tensors and the metadata of an identity's file.

    Raises
    ------
    IdentityError
        The file is missing, damaged, not an identity, or of a newer release's format.
    """
    if not path.is_file():
        raise IdentityError(f"{path} does not exist or is not a file; give an identity saved as .safetensors")
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise IdentityError(f"{path} is damaged or not a safetensors file: {error}") from error
    if metadata.get("format") != FORMAT:
        raise IdentityError(f"{path} is a safetensors file, but not a saved identity")
    version = metadata.get("version", "")
    if not version.isdigit() or int(version) > FORMAT_VERSION:
        raise IdentityError(
            f"{path} was written by a newer release (format {version or '?'}; this one reads"
            f" {FORMAT_VERSION}): update hifi-portrait, or make the identity again from photos"
        )
    return tensors, metadata


def check_shapes(tensors: Mapping[str, Array], count: int) -> None:
    """Check that the tensors of ``count`` photos fit together.

    Raises
    ------
    ValueError
        A tensor has another shape than the others ask for, or there is no photo.
    """
    size, width = tensors["crops"].shape[1], tensors["embeddings"].shape[1]
    expected = {
        "crops": (count, size, size, 3),
        "mattes": (count, size, size),
        "landmarks": (count, NUM_LANDMARKS, 3),
        "embeddings": (count, width),
        "quality": (count,),
        "identity": (IDENTITY_COMPONENTS,),
        "geometries.rotation": (count, 3, 3),
    }
    if "wide_crops" in tensors:
        wide = size + 2 * wide_margin(size)
        expected["wide_crops"], expected["wide_mattes"] = (count, wide, wide, 3), (count, wide, wide)
    if "label_maps" in tensors:
        expected["label_maps"] = (count, *tensors["label_maps"].shape[1:])
    for name, shape in expected.items():
        if count == 0 or tensors[name].shape != shape:
            raise ValueError(f"{name} has shape {tensors[name].shape}, expected {shape}")


def check_values(tensors: Mapping[str, Array]) -> None:
    """Check that the numbers of an identity are finite and in range, and that its heads face a camera.

    Raises
    ------
    ValueError
        A tensor has a number that is not finite or far out of range, a rotation is no rotation matrix, or a
        head is not before the camera.
    """
    for name, most in _MOST.items():
        values = np.asarray(tensors[name], np.float64)
        if not (np.abs(values) <= most).all():  # also false for NaN
            raise ValueError(f"{name} has numbers that are not finite, or beyond {most:g}")
    rotations = np.asarray(tensors["geometries.rotation"], np.float64)
    if not np.allclose(rotations @ rotations.transpose(0, 2, 1), np.eye(3), atol=0.01):
        raise ValueError("geometries.rotation has a matrix that is no rotation")
    if not (tensors["geometries.translation"][:, 1] > 0).all():
        raise ValueError("geometries.translation puts a head behind the camera")
    if (tensors["quality"] < 0).any():
        raise ValueError("quality has negative numbers")
    labels = tensors.get("label_maps")
    if labels is not None and labels.max(initial=0) > max(FaceLabel):
        raise ValueError(f"label_maps has numbers above {int(max(FaceLabel))}, which name nothing")
