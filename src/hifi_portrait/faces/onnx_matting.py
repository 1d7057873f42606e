"""Matting networks in ONNX in place of the default one, such as IS-Net, MODNet, U2-Net and BiRefNet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hifi_portrait.errors import ModelError
from hifi_portrait.faces.onnx_file import open_onnx
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray

Channels = tuple[float, float, float]
"""A number for red, green and blue."""

_IMAGENET: tuple[Channels, Channels] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_NORMALISATIONS: dict[str, tuple[Channels, Channels]] = {
    "isnet": ((0.5,) * 3, (1.0,) * 3),
    "modnet": ((0.5,) * 3, (0.5,) * 3),
}
"""Mean and deviation that networks of known names were trained with; others mostly take ImageNet's."""

_MULTIPLE = 32
"""Sides of what a network without a fixed size takes are multiples of this."""

_TOLERANCE = 0.01
"""How far outside [0, 1] an alpha may lie. Further out values are logits."""


class OnnxMatting:
    """A matting network from an ONNX file, to be given as ``FaceAnalyser(matting=...)``.

    It takes one picture (1, 3, H, W), normalised, and its first output is a matte (1, 1, H, W): alpha in
    [0, 1], or logits. None is part of this package; look at the licence of the one you take. Put it into a
    ``RefinedMatting`` where strands of hair count: colours then correct its edge. Needs onnxruntime:
    ``pip install 'hifi-portrait[matting]'``.

    Parameters
    ----------
    file
        The ONNX file.
    side
        Pixels of the longer side of what the network sees, if it leaves that open.
    mean, std
        Red, green and blue in [0, 1] that are taken off, and divided by. If not given they are those of
        IS-Net or MODNet where the file is so called, and else those of ImageNet.

    Raises
    ------
    ModelError
        If the file is missing, damaged, or takes or gives something else.
    MissingExtraError
        If onnxruntime is not installed.

    Examples
    --------
    >>> from hifi_portrait.faces import FaceAnalyser, RefinedMatting
    >>> FaceAnalyser(matting=RefinedMatting(OnnxMatting("isnet.onnx")))  # doctest: +SKIP
    """

    def __init__(
        self,
        file: str | Path,
        *,
        side: int = 512,
        mean: Channels | None = None,
        std: Channels | None = None,
    ) -> None:
        self.file, self.side = Path(file), side
        self._session = open_onnx(self.file, kind="matting network", extra="matting")
        self._input, self._size = _read_input(self._session, self.file)
        known = (each for name, each in _NORMALISATIONS.items() if name in self.file.name.lower())
        usual = next(known, _IMAGENET)
        self.mean = np.asarray(usual[0] if mean is None else mean, np.float32)
        self.std = np.asarray(usual[1] if std is None else std, np.float32)

    def __call__(self, image: ByteArray) -> FloatArray:
        """Make the matte (H, W) in [0, 1], 1 on the person, of a uint8 RGB picture (H, W, 3)."""
        height, width = image.shape[:2]
        rows, columns = self._size or _fit_into(height, width, self.side)
        shrinks = rows * columns < height * width
        small = cv2.resize(
            image, (columns, rows), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        pixels = (small.astype(np.float32) / 255 - self.mean) / self.std
        dtype = np.float16 if "float16" in self._input.type else np.float32
        given = pixels.transpose(2, 0, 1)[None].astype(dtype)
        output = np.squeeze(np.asarray(self._session.run(None, {self._input.name: given})[0], np.float32))
        if output.ndim != 2:
            raise ModelError(f"{self.file} is no matting network: it gives {output.shape} for one picture")
        matte = cv2.resize(_to_alpha(output), (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.clip(matte, 0, 1), np.float32)


def _read_input(session: Any, file: Path) -> tuple[Any, tuple[int, int] | None]:
    """Find what a network takes, and its height and width; None if those are open."""
    taken = session.get_inputs()
    shape = taken[0].shape
    if len(taken) != 1 or len(shape) != 4 or shape[1] not in (3, None, "channels"):
        raise ModelError(
            f"{file} is no matting network: it takes {[each.shape for each in taken]} instead of (1, 3, H, W)"
        )
    height, width = shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        return taken[0], (height, width)
    return taken[0], None


def _fit_into(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width with a longer side of about ``side``, both multiples of `_MULTIPLE`."""
    scale = side / max(height, width)
    rows, columns = (max(round(each * scale / _MULTIPLE), 1) * _MULTIPLE for each in (height, width))
    return rows, columns


def _to_alpha(output: Array) -> Array:
    """Alpha (H, W) of what a network gives: that itself, or by the logistic function if it is logits."""
    if output.min() < -_TOLERANCE or output.max() > 1 + _TOLERANCE:
        return np.asarray(1 / (1 + np.exp(-output)), np.float32)
    return output
