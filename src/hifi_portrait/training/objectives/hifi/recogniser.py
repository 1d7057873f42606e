"""The recogniser by which the objective `hifi` judges whose face it is: that of the data."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from hifi_portrait.errors import ModelError
from hifi_portrait.faces.dlib_resnet import DlibResNet
from hifi_portrait.faces.onnx_network import OnnxNetwork
from hifi_portrait.training.data.prepared import Prepared
from hifi_portrait.training.objectives.hifi.config import HiFiLosses


def load_recogniser(losses: HiFiLosses) -> nn.Module | None:
    """Load the network that gives embeddings of aligned faces in [-1, 1]; None where nothing is judged by it.

    Raises
    ------
    ModelError
        It cannot be read.
    """
    if losses.identity <= 0:
        return None
    network = OnnxNetwork(losses.recogniser) if losses.recogniser else DlibResNet.from_dlib()
    return network.eval().requires_grad_(False)


def check_recogniser(losses: HiFiLosses, prepared: Prepared) -> None:
    """Check that faces are judged by the network whose embeddings the photos have.

    Raises
    ------
    ModelError
        They would be judged by another one.
    """
    if Path(losses.recogniser).name != prepared.recogniser:
        theirs = prepared.recogniser or "dlib"
        own = f"hifi.losses.recogniser to its file {theirs}" if prepared.recogniser else "it to nothing"
        raise ModelError(
            f"{prepared.folder} has embeddings of {theirs}, but hifi.losses.identity reads those of "
            f"{losses.recogniser or 'dlib'}: set {own}, or hifi.losses.identity to 0"
        )
