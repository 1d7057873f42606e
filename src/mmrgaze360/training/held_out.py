"""What the objectives have in common: one network that learns, measured and shown on held-out data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import nn

from hifi_portrait.head.arrays import Array, ByteArray
from hifi_portrait.training.engine.objective import Objective
from mmrgaze360.network.model import save_network


class PartFolder(nn.Module):
    """A network as the trainer wants its parts: with ``save_pretrained``.

    Parameters
    ----------
    network
        Which, with its settings as ``config``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def save_pretrained(self, folder: str | Path) -> None:
        """Save it, as `mmrgaze360.network.model.load_network` loads it."""
        save_network(self.network, Path(folder))


class NetworkObjective(Objective):
    """Teaches one network.

    Parameters
    ----------
    name
        Of the network, as it is saved.
    network
        What learns.
    shown
        Held-out pictures that a sheet shows at most.
    columns
        Pictures in a row of a sheet.
    """

    def __init__(self, name: str, network: nn.Module, *, shown: int, columns: int = 1) -> None:
        super().__init__({name: PartFolder(network)}, [name])
        self.name, self._shown, self._columns = name, shown, columns

    @property
    def network(self) -> Any:
        """The network that learns."""
        return self.part(self.name).network

    def metrics(self) -> dict[str, float]:
        """Measure the network on held-out data; nothing where there is none."""
        return self._measure() if self._count_held_out() else {}

    def sheet(self) -> ByteArray:
        """Show what the network finds in held-out data; a small black picture where there is none."""
        count = min(self._shown, self._count_held_out())
        return _in_rows(self._draw(count), self._columns) if count else np.zeros((8, 8, 3), np.uint8)

    @abstractmethod
    def _count_held_out(self) -> int:
        """Count what is held out."""

    @abstractmethod
    def _measure(self) -> dict[str, float]:
        """Measure on all of it."""

    @abstractmethod
    def _draw(self, count: int) -> list[NDArray[np.uint8]]:
        """Draw pictures of one size of the first ``count``."""


def _in_rows(pictures: Sequence[NDArray[np.uint8]], columns: int) -> ByteArray:
    """Put pictures of one size into rows; the last one is filled up in black."""
    filled = [*pictures, *[np.zeros_like(pictures[0])] * (-len(pictures) % columns)]
    rows = [np.concatenate(filled[k : k + columns], 1) for k in range(0, len(filled), columns)]
    return np.asarray(np.concatenate(rows), np.uint8)


def lay_heat_map(picture: NDArray[np.uint8], heat: Array) -> NDArray[np.uint8]:
    """Lay a heat map of any size over a picture (H, W, 3), in orange."""
    height, width = picture.shape[:2]
    above = heat - heat.min()
    strength = np.sqrt(above / max(float(above.max()), 1e-9))
    over = 0.6 * cv2.resize(np.asarray(strength, np.float32), (width, height))[..., None]
    return np.asarray(picture * (1 - over) + over * np.array((255, 60, 0)), np.uint8)
