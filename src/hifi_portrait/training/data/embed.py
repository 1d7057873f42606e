"""Embeddings of a prepared folder's photos by another recogniser than the data set was analysed with."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hifi_portrait.faces import ArcFaceRecogniser
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.training.data.prepared import Prepared, write_header


def embed_photos(
    data: str | Path, folder: str | Path, recogniser: str | Path, *, progress: bool = False
) -> Prepared:
    """Give a prepared folder the embeddings of an ArcFace network, in place of the data set's.

    They are kept as the network gives them, as an identity keeps them. A network that the folder has
    embeddings of already, by the content of its file, is not run again.

    Parameters
    ----------
    data
        The data set that the folder was prepared from.
    folder
        The prepared folder.
    recogniser
        ONNX file of the network.
    progress
        Whether to show a progress bar.

    Raises
    ------
    DatasetError
        The data set has changed since.
    ModelError
        ``recogniser`` is not an ONNX file of an ArcFace network.
    """
    prepared, network, file = Prepared(folder), ArcFaceRecogniser(recogniser), Path(recogniser)
    name = f"embeddings-{sha256(file.read_bytes()).hexdigest()[:16]}"
    place = prepared.folder / f"{name}.npy"
    if not place.exists():
        photos, chosen = prepared.source(data)
        found = []
        for index in tqdm(chosen, desc="embed", unit="photo", disable=not progress):
            photo = photos[int(index)]
            assert photo.analysis is not None and photo.analysis.landmarks is not None
            found.append(network(network.align(photo.pixels(), photo.analysis.landmarks)[None])[0])
        with atomic_write(place) as partial, partial.open("wb") as array:
            np.save(array, np.stack(found).astype(np.float32))
    write_header(prepared.folder, prepared.size, complete=True, recogniser=file.name, embeddings=name)
    return Prepared(folder)
