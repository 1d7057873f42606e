"""The faces most alike to each face, by faiss: exactly for few faces, by a graph for many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from hifi_portrait.errors import needs_extra
from hifi_portrait.head.arrays import FloatArray

with needs_extra("curate"):
    import faiss

EXACT_BELOW = 20_000
"""Faces below which all pairs are compared. Of 100,000 an HNSW graph finds .999 of the ten nearest."""

_LINKS, _BUILD_DEPTH, _SEARCH_DEPTH = 24, 40, 32

_CELL_SIZE, _MOST_CELLS = 200, 1000
"""Faces of a cell in the mean, and cells at most, where only some neighbourhoods are looked at."""


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
    with _one_thread():
        index = faiss.IndexFlatIP(width) if number < EXACT_BELOW else _graph(width)
        index.add(vectors)
        similarities, found = index.search(vectors, count + 1)
    return _without_itself(found, similarities, count)


def choose_neighbourhoods(vectors: FloatArray, count: int) -> npt.NDArray[np.int64]:
    """Choose vectors most of whose neighbours are chosen too: those of some cells of k-means.

    Parameters
    ----------
    vectors
        (N, E) unit vectors, at least as many as are to be chosen.
    count
        How many at most.

    Returns
    -------
    ndarray
        (M,) indices, in order; as many cells as hold no more than ``count``.
    """
    vectors = np.ascontiguousarray(vectors, np.float32)
    number, width = vectors.shape
    cells = min(number // _CELL_SIZE, _MOST_CELLS)
    with _one_thread():
        means = faiss.Kmeans(width, cells, niter=5, seed=0, spherical=True, min_points_per_centroid=1)
        means.train(vectors)
        cell = means.index.search(vectors, 1)[1][:, 0]
    order = np.random.default_rng(0).permutation(cells)
    sizes = np.cumsum(np.bincount(cell, minlength=cells)[order])
    return np.flatnonzero(np.isin(cell, order[sizes <= count]))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let faiss compute on one thread: with several, an HNSW graph is another each time."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


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
