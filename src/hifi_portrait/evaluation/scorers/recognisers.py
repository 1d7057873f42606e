"""Face recognisers that only score. The pipeline is conditioned on neither of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from hifi_portrait.evaluation.scorers.tfjs import GraphModel
from hifi_portrait.head.arrays import Array, ByteArray

DETECTOR_FILE = "face_detection_yunet_2023mar.onnx"
SFACE_FILE = "face_recognition_sface_2021dec.onnx"
FACERES_FILES = ("faceres.json", "faceres.bin")

SFACE = "SFace"
FACERES = "HSE-FaceRes"

FACE_CONFIDENCE = 0.7
"""From which score of the detector on something is a face."""

_FACERES_OUTPUT = "global_pooling/Mean"
_FACERES_SIZE = 224
# Taken off blue, green and red: ImageNet's means, with which the network was trained.
_FACERES_MEAN = (103.939, 116.779, 123.68)
# Where eyes, nose and mouth corners (image left, image right) go, as fractions of the crop's side: as for
# ArcFace.
_FACERES_POINTS = np.array(
    [(0.3419, 0.4616), (0.6565, 0.4599), (0.5002, 0.6405), (0.3709, 0.8247), (0.6315, 0.8232)]
)


class FaceFinder:
    """YuNet (OpenCV Zoo, MIT)."""

    def __init__(self, folder: Path) -> None:
        self._detector = cv2.FaceDetectorYN.create(
            str(folder / DETECTOR_FILE), "", (320, 320), score_threshold=FACE_CONFIDENCE
        )

    def find(self, picture: ByteArray) -> Array | None:
        """Find the largest face of a BGR picture: box (4), five points (10) and score, in pixels."""
        self._detector.setInputSize((picture.shape[1], picture.shape[0]))
        _, faces = self._detector.detect(picture)
        if faces is None or not len(faces):
            return None
        largest: Array = faces[np.argmax(faces[:, 2] * faces[:, 3])]
        return largest


class SFaceRecogniser:
    """SFace (OpenCV Zoo, Apache-2.0)."""

    def __init__(self, folder: Path) -> None:
        self._finder = FaceFinder(folder)
        self._recogniser = cv2.FaceRecognizerSF.create(str(folder / SFACE_FILE), "")

    def read(self, image: ByteArray) -> dict[str, Any]:
        """Give the embedding (128,) and the detector's score of the largest face; empty if there is none."""
        picture = _to_bgr(image)
        face = self._finder.find(picture)
        if face is None:
            return {}
        embedding = self._recogniser.feature(self._recogniser.alignCrop(picture, face))[0]
        return {"embeddings": {SFACE: embedding.astype(np.float64)}, "face_score": float(face[-1])}


class FaceResRecogniser:
    """HSE-FaceRes (A. Savchenko, Apache-2.0): a MobileNet trained on VGGFace2, as a TensorFlow.js graph."""

    def __init__(self, folder: Path) -> None:
        self._finder = FaceFinder(folder)
        self._network = GraphModel.load(folder / FACERES_FILES[0], _FACERES_OUTPUT)

    def read(self, image: ByteArray) -> dict[str, Any]:
        """Give the embedding (1024,) and the detector's score of the largest face; empty if there is none."""
        picture = _to_bgr(image)
        face = self._finder.find(picture)
        if face is None:
            return {}
        crop = align(picture, face[4:14].reshape(5, 2), _FACERES_POINTS * _FACERES_SIZE, _FACERES_SIZE)
        embedding = self._network(torch.tensor((crop - np.array(_FACERES_MEAN)).astype(np.float32))[None])[0]
        return {"embeddings": {FACERES: embedding.numpy().astype(np.float64)}, "face_score": float(face[-1])}


def align(picture: ByteArray, points: Array, wanted: Array, size: int) -> Array:
    """Crop a picture so that `points` (N, 2) come closest to `wanted` (N, 2), in pixels.

    It is turned, scaled and moved by least squares (Umeyama, 1991); beyond the picture its edge is repeated.
    """
    a, b = points - points.mean(0), wanted - wanted.mean(0)
    cosine = (a * b).sum() / (a**2).sum()
    sine = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / (a**2).sum()
    turn = np.array([[cosine, -sine], [sine, cosine]])
    transform = np.column_stack([turn, wanted.mean(0) - turn @ points.mean(0)])
    return cv2.warpAffine(picture, transform, (size, size), borderMode=cv2.BORDER_REPLICATE)


def _to_bgr(image: ByteArray) -> Array:
    return np.ascontiguousarray(image[..., ::-1])
