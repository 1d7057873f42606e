"""ArcFace networks in ONNX as the recogniser, such as the ones InstantID and IP-Adapter FaceID read."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from hifi_portrait.errors import ModelError
from hifi_portrait.faces.geometry import cut_out, similarity
from hifi_portrait.faces.onnx_file import open_onnx
from hifi_portrait.fitting.keypoints import KEYPOINTS
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray

logger = logging.getLogger(__name__)

CHIP_SIZE = 112
"""Side in pixels of the aligned view of a face."""

# Where ArcFace's training (arXiv 1801.07698) puts pupils, tip of the nose and mouth corners, in pixels of the
# chip; half a pixel is added because pixel centres lie at +0.5 here.
_CHIP_KEYPOINTS = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


class ArcFaceRecogniser:
    """A recogniser from an ONNX file that takes aligned RGB faces (B, 3, 112, 112) in [-1, 1].

    `glintr100.onnx` of the pack antelopev2 and `w600k_r50.onnx` of buffalo_l are such files. They are not
    part of this package: InsightFace publishes them for non-commercial research only, and a warning says so.
    Needs onnxruntime: `pip install 'hifi-portrait[arcface]'`.

    Parameters
    ----------
    file
        The ONNX file.

    Raises
    ------
    ModelError
        If the file is missing, damaged, or takes or gives something else.
    MissingExtraError
        If onnxruntime is not installed.
    """

    same_person = 0.3
    """Embeddings with a smaller cosine belong to two people."""

    def __init__(self, file: str | Path) -> None:
        self.file = Path(file)
        self._session = _open(self.file)
        self._input = self._session.get_inputs()[0].name
        logger.warning(
            "%s: weights of ArcFace networks are mostly published for non-commercial research only; "
            "check their licence before you use what they help to make",
            self.file,
        )

    def align(self, image: ByteArray, landmarks: FloatArray) -> ByteArray:
        """Cut out the aligned uint8 RGB view (112, 112, 3) of a face with landmarks (478, 3)."""
        return cut_out(image, arcface_transform(landmarks), CHIP_SIZE)

    def __call__(self, chips: ByteArray) -> FloatArray:
        """Embed aligned uint8 RGB chips (B, 112, 112, 3) as (B, E) float32, not normalised."""
        pixels = (np.asarray(chips, np.float32) / 127.5 - 1).transpose(0, 3, 1, 2)
        rows = [self._session.run(None, {self._input: pixel[None]})[0][0] for pixel in pixels]
        return np.stack(rows).astype(np.float32)


def arcface_transform(landmarks: FloatArray) -> Array:
    """Find the similarity (3, 3) from the pixels of landmarks (478, 2 or 3) to those of the aligned view."""
    return similarity(landmarks[list(KEYPOINTS.values()), :2], _CHIP_KEYPOINTS + 0.5)


def _open(file: Path) -> Any:
    session = open_onnx(file, kind="recogniser", extra="arcface")
    taken, given = session.get_inputs(), session.get_outputs()
    if len(taken) != 1 or taken[0].shape[1:] != [3, CHIP_SIZE, CHIP_SIZE] or len(given[0].shape) != 2:
        raise ModelError(
            f"{file} is no ArcFace network: it takes {[each.shape for each in taken]} and gives "
            f"{given[0].shape} instead of (B, 3, {CHIP_SIZE}, {CHIP_SIZE}) and (B, D)"
        )
    return session
