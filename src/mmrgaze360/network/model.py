"""All of MMRGaze360's weights, in a folder or with the package."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from hifi_portrait.errors import ModelError
from hifi_portrait.io.atomic import atomic_write
from mmrgaze360.network.detector import HeadDetector
from mmrgaze360.network.head import HeadNetwork
from mmrgaze360.network.scene import SceneNetwork

BUNDLED = Path(__file__).parents[1] / "assets" / "model"
"""Folder of the weights that come with the package."""
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
_Network = TypeVar("_Network", bound=nn.Module)


def save_network(network: nn.Module, folder: Path) -> None:
    """Save a network's settings (``config``, a dataclass) and its weights, in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    settings: Any = network.config
    with atomic_write(folder / _CONFIG) as partial:
        partial.write_text(json.dumps(asdict(settings), indent=2) + "\n")
    half = {
        name: value.detach().to(torch.float16).contiguous() for name, value in network.state_dict().items()
    }
    with atomic_write(folder / _WEIGHTS) as partial:
        save_file(half, partial)


def load_network(kind: type[_Network], folder: Path) -> _Network:
    """Load what `save_network` saved, in single precision, ready for use.

    Parameters
    ----------
    kind
        Class of the network, with the class of its settings as ``config_class``.
    folder
        Where.

    Raises
    ------
    ModelError
        A file is missing, damaged, or of another kind of network.
    """
    try:
        settings = json.loads((folder / _CONFIG).read_text())
        config_class: Any = kind.config_class  # type: ignore[attr-defined]  # each of ours has one
        known = {field.name for field in fields(config_class)}
        if unknown := set(settings) - known:
            raise KeyError(f"unknown settings {', '.join(sorted(unknown))}")
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
        network = kind(config_class(**plain))
        network.load_state_dict({k: v.float() for k, v in load_file(folder / _WEIGHTS).items()})
    except FileNotFoundError as error:
        raise ModelError(f"no weights in {folder}: {Path(str(error.filename)).name} is missing") from error
    except Exception as error:  # json, safetensors and torch raise many kinds for a damaged file
        raise ModelError(f"the weights in {folder} are damaged or of another kind: {error}") from error
    return network.eval()


class MMRGaze360(nn.Module):
    """The head network, the scene network, and the detector of heads.

    Parameters
    ----------
    head, scene
        The two networks that follow a gaze.
    detector
        Finds the heads; None where there is none, so that only faces can be found.
    """

    def __init__(self, head: HeadNetwork, scene: SceneNetwork, detector: HeadDetector | None = None) -> None:
        super().__init__()
        self.head, self.scene, self.detector = head, scene, detector

    def save_pretrained(self, folder: str | Path) -> None:
        """Save the networks in ``folder/head``, ``folder/scene`` and ``folder/detector``."""
        save_network(self.head, Path(folder) / "head")
        save_network(self.scene, Path(folder) / "scene")
        if self.detector is not None:
            save_network(self.detector, Path(folder) / "detector")

    @classmethod
    def from_pretrained(cls, folder: str | Path | None = None) -> MMRGaze360:
        """Load the networks from a folder, or those that come with the package.

        Parameters
        ----------
        folder
            What `save_pretrained` made; None for the package's own. It need not hold a detector.

        Raises
        ------
        ModelError
            There are none there, or they are damaged.
        """
        root = BUNDLED if folder is None else Path(folder)
        if not root.is_dir():
            raise ModelError(f"no folder {root} to take weights from")
        head, scene = load_network(HeadNetwork, root / "head"), load_network(SceneNetwork, root / "scene")
        found = (root / "detector").is_dir()
        return cls(head, scene, load_network(HeadDetector, root / "detector") if found else None).eval()
