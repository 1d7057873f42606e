"""The default recogniser: dlib's ResNet in PyTorch, on chips aligned by the eye corners and the nose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from hifi_portrait.faces.dlib_resnet import CHIP_SIZE, DlibResNet
from hifi_portrait.faces.geometry import cut_out, similarity
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray

# Where dlib's five-point predictor and ``get_face_chip(size=150, padding=0.25)`` put these landmarks, in the
# median over frontal faces: outer and inner eye corners from image-left to right, then below the nose.
_CHIP_LANDMARKS = [33, 133, 362, 263, 2]
_CHIP_PLACES = np.array([[36.0, 46.6], [59.6, 48.0], [89.0, 48.0], [112.6, 46.6], [74.3, 85.3]])


def align_chip(image: ByteArray, landmarks: FloatArray) -> ByteArray:
    """Cut out dlib's view of a face, uint8 RGB (150, 150, 3), from a picture and its landmarks (478, 3)."""
    return cut_out(image, chip_transform(landmarks), CHIP_SIZE)


def chip_transform(landmarks: FloatArray) -> Array:
    """Find the similarity (3, 3) from the landmarks' pixels to the recogniser's chip."""
    return similarity(landmarks[_CHIP_LANDMARKS, :2], _CHIP_PLACES)


class DlibRecogniser:
    """Unit embeddings (128 numbers) by dlib's network; weights are read on first use."""

    name = "dlib"
    """What data sets call it."""

    same_person = 0.915
    """Embeddings with a smaller cosine belong to two people: dlib's distance of 0.6, on unit vectors."""

    def __init__(self, weights: str | Path | None = None, device: str | torch.device = "cpu") -> None:
        self.weights = weights
        self.device = device
        self._network: DlibResNet | None = None

    @property
    def network(self) -> DlibResNet:
        """The network itself, for use as a differentiable identity loss."""
        if self._network is None:
            self._network = DlibResNet.from_dlib(self.weights).to(self.device)
        return self._network

    def align(self, image: ByteArray, landmarks: FloatArray) -> ByteArray:
        """See :func:`align_chip`."""
        return align_chip(image, landmarks)

    def __call__(self, chips: ByteArray) -> FloatArray:
        """Embed aligned uint8 RGB chips (B, 150, 150, 3) as unit vectors (B, 128) float32."""
        batch = torch.from_numpy(np.array(chips)).to(self.device).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.inference_mode():
            embeddings = torch.nn.functional.normalize(self.network(batch), dim=1)
        return embeddings.cpu().numpy()
