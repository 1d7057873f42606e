"""Opening a data set of panoramas: this project's own, or GazeFollow360 in its authors' layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol

from mmrgaze360.dataset.format import SceneDataset, SceneRecord, scenes_of_split
from mmrgaze360.dataset.gazefollow360 import GazeFollow360, is_gazefollow360
from mmrgaze360.dataset.records import SPLITS


class Scenes(Protocol):
    """Panoramas in an order."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> SceneRecord: ...

    def __iter__(self) -> Iterator[SceneRecord]: ...


class _Joined:
    """Several data sets, one after the other."""

    def __init__(self, parts: Sequence[Scenes]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __getitem__(self, index: int) -> SceneRecord:
        for part in self._parts:
            if index < len(part):
                return part[index]
            index -= len(part)
        raise IndexError(index)

    def __iter__(self) -> Iterator[SceneRecord]:
        return chain.from_iterable(self._parts)


def open_scenes(path: str | Path) -> Scenes:
    """Open all panoramas of a data set, of either layout.

    Raises
    ------
    DatasetError
        There is no data set, or it is damaged.
    """
    if is_gazefollow360(path):
        return _Joined([GazeFollow360(path, split) for split in SPLITS])
    return SceneDataset(path)


def open_split(path: str | Path, split: str) -> Iterable[SceneRecord]:
    """Open the panoramas of a split, which may be empty, of a data set of either layout.

    Raises
    ------
    DatasetError
        There is no data set, or it is damaged, or it has no panorama of any split.
    """
    return GazeFollow360(path, split) if is_gazefollow360(path) else scenes_of_split(path, split)
