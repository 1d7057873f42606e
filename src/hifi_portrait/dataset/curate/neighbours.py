"""The faces most alike to each face, by faiss: exactly for few faces, by a graph for many."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hifi_portrait.errors import needs_extra
from hifi_portrait.head.arrays import FloatArray

with needs_extra("curate"):
    import faiss

EXACT_BELOW = 20_000
"""Faces below which all pairs are compared. Above it an HNSW graph finds .998 of the neighbours."""

_LINKS, _BUILD_DEPTH, _SEARCH_DEPTH = 24, 80, 64


def nearest(vectors: FloatArray, count: int = 16) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Find the nearest neighbours of each vector, itself excluded, on one thread: always the same ones.

    Parameters
    ----------
    vectors
        (N, E) unit vectors.
    count
        How many, K; fewer where there are fewer vectors.

    Returns
    -------
    neighbours, similarities
        (N, K) indices, and their cosines, greatest first.
    """
    vectors = np.ascontiguousarray(vectors, np.float32)
    number, width = vectors.shape
    count = min(count, number - 1)
    if count < 1:
        return np.zeros((number, 0), np.int64), np.zeros((number, 0), np.float32)
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        index = faiss.IndexFlatIP(width) if number < EXACT_BELOW else _graph(width)
        index.add(vectors)
        similarities, found = index.search(vectors, count + 1)
    finally:
        faiss.omp_set_num_threads(threads)
    return _without_itself(found, similarities, count)


def _graph(width: int) -> Any:
    index = faiss.IndexHNSWFlat(width, _LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = _BUILD_DEPTH, _SEARCH_DEPTH
    return index


def _without_itself(
    found: npt.NDArray[np.int64], similarities: FloatArray, count: int
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    itself = found == np.arange(len(found))[:, None]
    itself[~itself.any(axis=1), -1] = True  # where equal vectors push it out, the last one goes
    keep = ~itself
    return found[keep].reshape(-1, count), similarities[keep].reshape(-1, count)
