"""Reading attributes off pictures with the trained classifier, which comes with the package."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from hifi_portrait.errors import ModelError
from hifi_portrait.evaluation.attributes.classes import HEADS, Head
from hifi_portrait.evaluation.attributes.network import AttributeNet, scale_pictures
from hifi_portrait.head.arrays import Array, ByteArray

ASSET = "attributes.safetensors"
"""Below the package's ``assets``."""


class AttributeReader:
    """Reads which class of each head a picture shows; classes of one group count together."""

    def __init__(self, network: AttributeNet) -> None:
        self.network = network.eval()

    @classmethod
    def load(cls, path: str | Path | None = None) -> AttributeReader:
        """Load the classifier from a file that `save` wrote, or the one that comes with the package.

        Raises
        ------
        ModelError
            If the file is missing, damaged, or of other classes than this version's.
        """
        if path is None:
            with resources.as_file(resources.files("hifi_portrait") / "assets" / ASSET) as packaged:
                return cls.load(packaged)
        network = _untrained()
        try:
            with safe_open(str(path), "pt") as file:
                classes = json.loads((file.metadata() or {}).get("classes", "null"))
                tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, json.JSONDecodeError) as error:
            raise ModelError(f"attribute classifier {path} cannot be read: {error}") from error
        if classes != _class_names():
            raise ModelError(
                f"{path} is not an attribute classifier of this version's classes: "
                "train one with `hifi-portrait attributes train`"
            )
        try:
            network.load_state_dict(tensors)
        except RuntimeError as error:
            raise ModelError(f"attribute classifier {path} is of another network: {error}") from error
        return cls(network)

    def save(self, path: str | Path) -> None:
        """Write weights, in half precision, and the names of the classes."""
        tensors = {
            name: tensor.half().contiguous() if tensor.is_floating_point() else tensor
            for name, tensor in self.network.state_dict().items()
        }
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, str(path), {"classes": json.dumps(_class_names())})

    @torch.no_grad()
    def probabilities(self, pictures: ByteArray) -> dict[str, Array]:
        """Give the probability of each class, (B, classes) by head, for uint8 RGB pictures (B, H, W, 3)."""
        logits = self.network(scale_pictures(pictures))
        return {
            head.name: values.softmax(-1).numpy().astype(np.float64)
            for head, values in zip(HEADS, logits, strict=True)
        }

    def read(self, picture: ByteArray) -> dict[str, str]:
        """Read the likeliest class of the likeliest group of each head off a uint8 RGB picture (H, W, 3)."""
        probabilities = self.probabilities(picture[None])
        return {head.name: _likeliest(head, probabilities[head.name][0]) for head in HEADS}


def _likeliest(head: Head, probabilities: Array) -> str:
    group = head.groups[int((probabilities @ head.grouping()).argmax())]
    return max(group, key=lambda name: float(probabilities[head.classes.index(name)]))


def _untrained() -> AttributeNet:
    return AttributeNet([len(head.classes) for head in HEADS])


def _class_names() -> dict[str, list[str]]:
    return {head.name: list(head.classes) for head in HEADS}
