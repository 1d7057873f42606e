"""Cutting the graph of a heap's most similar faces into parts that are small enough for average linkage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from hifi_portrait.dataset.curate.matching import LOWEST_MARGIN, Matcher
from hifi_portrait.dataset.curate.neighbours import nearest
from hifi_portrait.dataset.curate.rows import Rows, rows_by_label
from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.compiled import compiled

_NEIGHBOURS = 16

_LARGEST_COMMUNITY = 4000
"""Faces above which a community is cut by a greater margin: linkage needs memory for all pairs."""

_STEP = 0.5
"""How much greater."""

_MOST_ROUNDS = 100
"""Rounds of whispers after which labels are taken as they are; most graphs need ten."""


def find_communities(matcher: Matcher, rows: Rows, least: float = 0.0) -> list[Rows]:
    """Find the faces that are linked by neighbours alike, in parts that are not too large.

    Parameters
    ----------
    matcher
        How alike faces are.
    rows
        (N,) indices of the faces.
    least
        Margin from which on neighbours are linked.

    Returns
    -------
    list of (M,) ndarray
        Those of each community of two or more.
    """
    if len(rows) < 2:
        return []
    neighbours, _ = nearest(matcher.search_vectors(rows), _NEIGHBOURS)
    margins = matcher.margins_of_pairs(rows, rows[neighbours])
    found: list[Rows] = []
    for part in rows_by_label(chinese_whispers(neighbours, margins - LOWEST_MARGIN, least - LOWEST_MARGIN)):
        if len(part) > _LARGEST_COMMUNITY:
            found += find_communities(matcher, rows[part], least + _STEP)
        elif len(part) > 1:
            found.append(rows[part])
    return found


def chinese_whispers(neighbours: npt.NDArray[np.int64], weights: FloatArray, threshold: float) -> Rows:
    """Label the nodes of a graph so that each has the label which weighs most among its neighbours.

    Chinese Whispers (Biemann, TextGraphs 2006), always in the same order. dlib's is the same, but visits each
    node a hundred times, whether anything still changes or not.

    Parameters
    ----------
    neighbours, weights
        (N, K) the nodes linked to each node, and their weights.
    threshold
        Weight below which there is no link.

    Returns
    -------
    ndarray
        (N,) labels.
    """
    number = len(neighbours)
    linked = weights >= threshold
    starts = np.concatenate([[0], np.cumsum(linked.sum(axis=1))])
    links = csr_array((weights[linked], neighbours[linked], starts), shape=(number, number))
    graph = (links + links.T).tocsr()  # who is a neighbour both ways is linked twice as strongly
    order = np.random.default_rng(0).permutation(number)
    return _whisper(
        graph.indptr.astype(np.int64), graph.indices.astype(np.int64), graph.data, order, _MOST_ROUNDS
    )


@compiled()
def _whisper(starts: Rows, nodes: Rows, weights: FloatArray, order: Rows, rounds: int) -> Rows:
    labels = np.arange(len(order))
    heard = np.zeros(len(order))
    for _ in range(rounds):
        changed = False
        for node in order:
            heard[labels[node]] = 1.0  # its own label weighs as much as one equal neighbour
            links = range(starts[node], starts[node + 1])
            for link in links:
                heard[labels[nodes[link]]] += weights[link]
            best = labels[node]
            for link in links:
                label = labels[nodes[link]]
                if heard[label] > heard[best] or (heard[label] == heard[best] and label < best):
                    best = label
            heard[labels[node]] = 0.0
            for link in links:
                heard[labels[nodes[link]]] = 0.0
            if best != labels[node]:
                labels[node] = best
                changed = True
        if not changed:
            break
    return labels
