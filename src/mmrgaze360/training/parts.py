"""A network as the trainer wants its parts: with ``save_pretrained``."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from mmrgaze360.network.model import save_network


class PartFolder(nn.Module):
    """Holds one network.

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
