"""Embeddings of a prepared folder's photos by another recogniser than the data set was analysed with."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.faces.protocols import Recogniser
from hifi_portrait.training.prepared import Prepared


def embed_photos(
    data: str | Path, folder: str | Path, recogniser: Recogniser, *, progress: bool = False
) -> None:
    """Replace the embeddings in ``folder``, prepared from the data set ``data``, by a recogniser's.

    They are kept as the recogniser gives them, as an identity keeps them.
    """
    prepared, photos = Prepared(folder), IDDataset(data)
    found = []
    for index in tqdm(prepared.chosen, desc="embed", unit="photo", disable=not progress):
        photo = photos[int(index)]
        assert photo.analysis is not None and photo.analysis.landmarks is not None
        chip = recogniser.align(photo.pixels(), photo.analysis.landmarks)
        found.append(recogniser(chip[None])[0])
    partial = prepared.folder / "embeddings.partial.npy"
    np.save(partial, np.stack(found).astype(np.float32))
    os.replace(partial, prepared.folder / "embeddings.npy")
