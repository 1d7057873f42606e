"""A prepared folder: a data set packed once into memory-mapped arrays, so that training decodes no picture.

Arrays, one row a usable photo, ordered by identity; pictures are portrait crops of ``size`` pixels::

    crops       (P, S, S, 3) uint8        mattes       (P, S, S) uint8
    embeddings  (P, E) float32            quality      (P,) float32
    fit, truth  (P, 151) float32          landmarks    (P, 478, 2) float32, in crop pixels
    chips       (P, 3, 3) float32, crop pixels -> pixels of the recogniser's chip
    identity    (P,) int32                split        (P,) uint8, place in ``SPLITS``
    sitting     (P,) int64, -1: unknown   has_truth    (P,) bool
    named       (P,) bool, whether the caption names what changes within the sitting
    latents     (P, C, h, w) float16, scaled; ``mirrored``, where there is one, of the crops' mirror images

Embeddings of another recogniser than the data set's are in an array named after it.

Beside them are ``captions.json`` and the model folders that the arrays go with: ``vae``, ``tokenizer``,
``tokenizer_2``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import CLIPTokenizer

from hifi_portrait.dataset.format import SPLITS, IDDataset
from hifi_portrait.errors import DatasetError
from hifi_portrait.head import HeadGeometry
from hifi_portrait.head.geometry import GEOMETRY_SHAPES
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.person.references import References
from hifi_portrait.training.data.tokenizer import load_tokenizer

GeometryKind = Literal["fit", "truth"]
"""Where a head comes from: the fit on detected landmarks, or the synthetic truth."""

PREPARED_VERSION = 4
"""Version of the format that is written, and the only one that is read."""

GEOMETRY_SIZE = sum(math.prod(shape) for shape in GEOMETRY_SHAPES.values())
"""Numbers of a head as `HeadGeometry.to_vector` packs it: 151."""

ARRAYS: dict[str, tuple[str, tuple[int | str, ...]]] = {
    "crops": ("uint8", ("size", "size", 3)),
    "mattes": ("uint8", ("size", "size")),
    "embeddings": ("float32", (128,)),
    "quality": ("float32", ()),
    "fit": ("float32", (GEOMETRY_SIZE,)),
    "truth": ("float32", (GEOMETRY_SIZE,)),
    "has_truth": ("bool", ()),
    "landmarks": ("float32", (478, 2)),
    "chips": ("float32", (3, 3)),
    "identity": ("int32", ()),
    "sitting": ("int64", ()),
    "named": ("bool", ()),
    "split": ("uint8", ()),
}
"""Name -> type and shape of a row; latents come later, when there is an autoencoder."""

_ENCODED = {
    "latents": "prepare it again, with an autoencoder",
    "mirrored": "prepare it again, with an autoencoder and mirrored",
}
"""Arrays of latents -> how to make them."""


class _MappedArrays(dict[str, Any]):
    """Arrays of a folder by name, each mapped into memory when it is first asked for."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        super().__init__()
        self._folder, self._files = folder, files

    def __missing__(self, name: str) -> Any:
        path = self._folder / f"{self._files.get(name, name)}.npy"
        if not path.exists():
            if name not in (*ARRAYS, *_ENCODED):
                raise KeyError(name)
            way = _ENCODED.get(name, "it was packed without")
            raise DatasetError(f"{self._folder} has no {name}: {way}")
        self[name] = np.load(path, mmap_mode="r")
        return self[name]


class Prepared:
    """Reads a prepared folder.

    Attributes
    ----------
    size : int
        Side of the crops in pixels.
    arrays : dict of str to numpy.ndarray
        The arrays by name, mapped into memory. Those that `scripts/pack_prepared.py` leaves out raise a
        DatasetError when they are asked for.
    recogniser : str
        File name of the network that the embeddings are of; empty for the data set's.
    captions : list of str
        The photos' captions.

    Raises
    ------
    DatasetError
        It is no prepared folder, unfinished, or of another version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        header = read_header(self.folder)
        if not header["complete"]:
            raise DatasetError(
                f"{self.folder} is not completely prepared: run the preparation again, it continues"
            )
        self.size: int = header["size"]
        self.arrays = _MappedArrays(self.folder, {"embeddings": header["embeddings"]})
        self.recogniser: str = header["recogniser"]
        self.captions: list[str] = json.loads((self.folder / "captions.json").read_text())

    def __len__(self) -> int:
        return len(self.captions)

    def source(self, data: str | Path) -> tuple[IDDataset, npt.NDArray[np.int64]]:
        """Open the data set it was prepared from, and tell which of its photos each row is of.

        Raises
        ------
        DatasetError
            The data set has changed since.
        """
        photos, chosen = IDDataset(data), np.load(self.folder / "chosen.npy")
        known = len(photos) > chosen.max() and all(
            photos.entry(int(index)).caption == caption
            for index, caption in zip(chosen, self.captions, strict=True)
        )
        if not known:
            raise DatasetError(f"{data} has changed since {self.folder} was prepared: prepare a new folder")
        return photos, chosen

    @property
    def embedding_size(self) -> int:
        """Numbers E in an embedding."""
        return int(self.arrays["embeddings"].shape[1])

    def photos(self, split: str) -> npt.NDArray[np.int64]:
        """Give the indices of a split's photos."""
        return np.flatnonzero(self.arrays["split"] == list(SPLITS).index(split))

    def identities(self, split: str) -> list[npt.NDArray[np.int64]]:
        """Give the indices of the photos of each identity of a split that has two photos or more."""
        photos = self.photos(split)
        starts = np.flatnonzero(np.diff(self.arrays["identity"][photos])) + 1
        return [group for group in np.split(photos, starts) if len(group) >= 2]

    def in_one_sitting(self, photos: Sequence[int]) -> bool:
        """Tell whether photos of one person are known to share light, clothes, background and style."""
        sittings = self.arrays["sitting"][list(photos)]
        return bool(sittings[0] >= 0 and (sittings == sittings[0]).all())

    def latents(self, index: int, *, mirrored: bool = False) -> Tensor:
        """Give the scaled latents (C, h, w) of a photo or of its mirror image, in float32.

        Raises
        ------
        DatasetError
            The folder was prepared without an autoencoder, or without mirror images.
        """
        encoded = self.arrays["mirrored" if mirrored else "latents"]
        return torch.from_numpy(encoded[index].astype(np.float32))

    def geometry(self, index: int, kind: GeometryKind) -> HeadGeometry:
        """Give the fitted or the true head, in crop pixels; the fitted one where there is no truth."""
        if kind == "truth" and not self.arrays["has_truth"][index]:
            kind = "fit"
        return HeadGeometry.from_vector(self.arrays[kind][index])

    def references(self, photos: Sequence[int], kinds: Sequence[GeometryKind]) -> References:
        """Give photos as references, each with the fitted or the true geometry.

        The landmarks are NaN where the geometry is the true one, which needs none of their guidance.
        """
        rows = list(photos)
        true = [kind == "truth" and self.arrays["has_truth"][i] for i, kind in zip(rows, kinds, strict=True)]
        landmarks = self.arrays["landmarks"][rows]
        landmarks[true] = np.nan  # a true head needs no landmarks to correct it
        return References(
            crops=self.arrays["crops"][rows],
            mattes=self.arrays["mattes"][rows].astype(np.float32) / 255,
            embeddings=self.arrays["embeddings"][rows],
            quality=self.arrays["quality"][rows],
            geometries=[self.geometry(i, kind) for i, kind in zip(photos, kinds, strict=True)],
            landmarks=landmarks,
        )

    def tokenizer(self) -> CLIPTokenizer:
        """Load the tokenizer of its text encoders."""
        return load_tokenizer(self.folder)

    def second_padding(self) -> tuple[int, int] | None:
        """Tell the token that ends a text, and what the second text encoder reads behind it.

        None where both encoders read the same. SDXL's own differ in this.
        """
        first, second = self.tokenizer(), load_tokenizer(self.folder, "tokenizer_2")
        if first.pad_token_id == second.pad_token_id:
            return None
        return int(first.eos_token_id), int(second.pad_token_id)


def read_header(folder: Path) -> dict[str, Any]:
    """Read ``prepared.json`` of a folder.

    Raises
    ------
    DatasetError
        It is missing, damaged or of another version.
    """
    try:
        header: dict[str, Any] = json.loads((folder / "prepared.json").read_text())
    except (OSError, ValueError) as error:
        raise DatasetError(f"{folder} is not a prepared folder: {error}") from error
    if header.get("version") != PREPARED_VERSION:
        version = header.get("version")
        raise DatasetError(f"{folder} is of version {version}, not {PREPARED_VERSION}: prepare it anew")
    return {"recogniser": "", "embeddings": "embeddings", **header}


def write_header(folder: Path, size: int, *, complete: bool, **recognised: str) -> None:
    """Write ``prepared.json`` of a folder atomically.

    Parameters
    ----------
    folder
        The prepared folder.
    size
        Side of the crops in pixels.
    complete
        Whether all arrays are filled.
    **recognised
        The ``recogniser`` and the name of the array of its ``embeddings``, where these are not the data
        set's.
    """
    header = {"version": PREPARED_VERSION, "size": size, "complete": complete, **recognised}
    with atomic_write(folder / "prepared.json") as partial:
        partial.write_text(json.dumps(header) + "\n")
