"""The default face parsing: the package's small network, checked against the crop's own colours and edges."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from hifi_portrait.faces.parsing_colours import ColourSettings, weigh_colours
from hifi_portrait.faces.parsing_inputs import parsing_inputs
from hifi_portrait.faces.parsing_network import WEIGHTS_FILE, ParsingNetwork
from hifi_portrait.head.arrays import Array, ByteArray

PACKAGE_WEIGHTS = Path(__file__).parent.parent / "assets" / WEIGHTS_FILE
"""The weights that come with the package."""

LABEL_MAP_SIZE = 256
"""Side in pixels of a label map, whatever the crop's size."""

DEFAULT_COLOURS = ColourSettings()


class NetworkParsing:
    """Label maps by the package's network, whose weights are read on first use.

    Parameters
    ----------
    weights
        A file that training gave; the package's own by default.
    colours
        How far the photo's colours may change what the network finds.
    """

    def __init__(
        self, weights: str | Path = PACKAGE_WEIGHTS, colours: ColourSettings = DEFAULT_COLOURS
    ) -> None:
        self.weights = weights
        self.colours = colours
        self._network: ParsingNetwork | None = None

    def __call__(self, crop: ByteArray, matte: Array, landmarks: Array) -> ByteArray:
        """Label each pixel of a portrait crop; see `hifi_portrait.faces.protocols.Parsing`."""
        if self._network is None:
            self._network = ParsingNetwork.from_file(self.weights)
        inputs = torch.from_numpy(parsing_inputs(crop, matte, landmarks))[None]
        with torch.inference_mode():
            shares = self._network(inputs).softmax(dim=1)[0].numpy()
        size = (LABEL_MAP_SIZE, LABEL_MAP_SIZE)
        picture = np.asarray(
            cv2.resize(np.ascontiguousarray(crop), size, interpolation=cv2.INTER_AREA), np.uint8
        )
        weighed = weigh_colours(np.ascontiguousarray(shares.transpose(1, 2, 0)), picture, self.colours)
        return np.asarray(weighed.argmax(axis=2), np.uint8)

    def __getstate__(self) -> dict[str, Any]:
        return {"weights": self.weights, "colours": self.colours}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


@cache
def default_parsing() -> NetworkParsing:
    """Give the parsing that is used where none is given; its weights are loaded once a process."""
    return NetworkParsing()
