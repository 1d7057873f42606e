"""The trained networks that rows ask: those of a folder, each loaded when a row first needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch.nn import functional as F

from hifi_portrait.errors import ModelError
from hifi_portrait.head.arrays import Array
from mmrgaze360.baselines import DualPathway, GazeLLE
from mmrgaze360.baselines.inputs import CLOSE_UP_SIZE, make_inputs
from mmrgaze360.dataset.format import SceneRecord
from mmrgaze360.dataset.records import GazeRecord
from mmrgaze360.follower import GazeFollower
from mmrgaze360.network.inputs import shrink
from mmrgaze360.network.model import MMRGaze360, load_network
from mmrgaze360.network.scene import MAP_SIZE, SceneNetwork
from mmrgaze360.training.crops import read_close_up

OWN = "scene"
"""Name of the whole system's network."""
BASELINES: dict[str, Any] = {"dual_pathway": DualPathway, "gaze_lle": GazeLLE}
"""Compared networks by the name of their folder."""


class TrainedNetworks:
    """Networks by the name of the recipe that trains them.

    Parameters
    ----------
    follower
        The whole system; None where no row needs it.
    folder
        Holds a folder for each further network; None where there is none.
    """

    def __init__(self, follower: GazeFollower | None, folder: str | Path | None = None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._followers = {} if follower is None else {OWN: follower}
        self._baselines: dict[str, Any] = {}

    def has(self, name: str) -> bool:
        """Tell whether a network is there."""
        return name in self._followers or (self._folder is not None and (self._folder / name).is_dir())

    def follower(self, name: str) -> GazeFollower:
        """Give the whole system with the scene network of a name.

        Raises
        ------
        ModelError
            It is not there, or damaged.
        """
        if name not in self._followers:
            scene = load_network(SceneNetwork, self._path(name))
            self._followers[name] = GazeFollower(MMRGaze360(self._followers[OWN].model.head, scene))
        return self._followers[name]

    def heat_map(self, name: str, scene: SceneRecord, person: GazeRecord) -> Array:
        """Ask a compared network: a heat map (64, 128).

        Raises
        ------
        ModelError
            It is not there, or damaged.
        """
        if name not in self._baselines:
            self._baselines[name] = load_network(BASELINES[name], self._path(name))
        picture = scene.picture()
        close_up = read_close_up(person, picture, CLOSE_UP_SIZE)
        inputs = make_inputs(shrink(picture), person.head_box, close_up)
        heat = self._baselines[name].heat_map({key: value[None] for key, value in inputs.items()})
        large = F.interpolate(heat[:, None], size=MAP_SIZE[::-1], mode="bilinear", align_corners=False)
        heat_map: Array = large[0, 0].double().numpy()
        return heat_map

    def _path(self, name: str) -> Path:
        if self._folder is None or not self.has(name):
            place = "no folder" if self._folder is None else str(self._folder / name)
            raise ModelError(f"no network {name!r} in {place}: train it (mmrgaze360 train {name})")
        return self._folder / name
