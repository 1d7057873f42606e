"""Close-ups of heads as the head network takes them, in training and in use."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hifi_portrait.head.arrays import Array, FloatArray
from mmrgaze360.dataset.records import GazeRecord
from mmrgaze360.scenes.render import close_up_fov
from mmrgaze360.sphere import TangentPatch, rotation_of_view


def close_up_patch(record: GazeRecord, size: int) -> TangentPatch:
    """Give the tangent patch of a head, from its box alone."""
    fov = close_up_fov(float(np.clip(record.head_box[3], 0.5, 100.0)))
    return TangentPatch(rotation=rotation_of_view(record.head), fov=fov, size=size)


def read_close_up(record: GazeRecord, panorama: Array | None, size: int) -> NDArray[np.uint8]:
    """Give the close-up (size, size, 3) of a head: the record's own where there is one, of the same patch."""
    if record.close_up is not None:
        with Image.open(io.BytesIO(record.close_up)) as opened:
            own = np.asarray(opened.convert("RGB"))
        return np.asarray(cv2.resize(own, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    assert panorama is not None
    read = close_up_patch(record, size).read(panorama)
    return np.asarray(np.clip(np.rint(read), 0, 255), np.uint8)


def vary_close_up(
    close_up: NDArray[np.uint8], gaze: Array, rng: np.random.Generator
) -> tuple[FloatArray, Array]:
    """Vary a close-up (S, S, 3) and its gaze (3,) in the patch's frame, as other cameras and boxes would.

    Returns
    -------
    picture, gaze
        (S, S, 3) in [0, 1], and (3,).
    """
    size = len(close_up)
    zoom, turn = rng.uniform(0.8, 1.2), np.radians(rng.normal(0, 4))
    c, s = zoom * np.cos(turn), zoom * np.sin(turn)
    shift = rng.normal(0, 0.03, 2) * size
    middle = size / 2 - 0.5
    linear = np.array(((c, -s), (s, c)))
    matrix = np.concatenate([linear, (middle - linear.sum(1) * middle + shift)[:, None]], 1)
    moved = cv2.warpAffine(close_up, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
    # A turn of the picture, clockwise as rows count downwards, turns the gaze about the line of sight.
    a, b = np.cos(turn), np.sin(turn)
    gaze = np.array((a * gaze[0] + b * gaze[2], gaze[1], -b * gaze[0] + a * gaze[2]))
    if rng.random() < 0.5:
        moved, gaze = moved[:, ::-1], gaze * (-1, 1, 1)
    if rng.random() < 0.5:  # as of a smaller picture
        small = int(rng.uniform(0.25, 0.9) * size)
        moved = cv2.resize(moved, (small, small), interpolation=cv2.INTER_AREA)
        moved = cv2.resize(moved, (size, size), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.2:
        moved = cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.4, 1.3))
    picture = moved.astype(np.float64) / 255
    picture = picture ** np.exp(rng.normal(0, 0.25)) * np.exp(rng.normal(0, 0.1, 3))
    noisy = picture + rng.normal(0, 0.02 * rng.random(), picture.shape)
    return np.asarray(np.clip(noisy, 0, 1), np.float32), gaze
