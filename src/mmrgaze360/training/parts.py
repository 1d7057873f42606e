"""A network as the trainer wants its parts: with ``save_pretrained``."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from mmrgaze360.network.head import HeadNetwork
from mmrgaze360.network.model import save_network
from mmrgaze360.network.scene import SceneNetwork


class PartFolder(nn.Module):
    """Holds one network.

    Parameters
    ----------
    network
        Which.
    """

    def __init__(self, network: HeadNetwork | SceneNetwork) -> None:
        super().__init__()
        self.network = network

    def save_pretrained(self, folder: str | Path) -> None:
        """Save it, as `mmrgaze360.network.model.load_network` loads it."""
        save_network(self.network, Path(folder))
