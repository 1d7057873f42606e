"""Finding heads with the head detector: the views of a panorama, and what they show together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hifi_portrait.head.arrays import Array
from mmrgaze360.network.detector import HEAD_SHAPE, STRIDE, HeadDetector
from mmrgaze360.panorama import Panorama
from mmrgaze360.sphere import angle_between, direction_to_lonlat, lonlat_to_direction
from mmrgaze360.sphere.torch_patches import patch_directions, read_directions, view_rotations

LEAST_SCORE = 0.7
"""Heads that the detector is less sure of are left out."""

_SAME_HEAD = 0.5
"""Heads nearer to each other than this multiple of their height are one."""
_DETAIL = 1.3
"""Pixels that a panorama keeps for one of the sharpest view's, before it is read."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """Tangent views of one angle and size, which cover the sphere and overlap."""

    fov: float
    """Degrees."""
    size: int
    """Pixels, a multiple of 16."""
    places: tuple[tuple[float, float], ...]
    """Longitudes and latitudes, degrees."""

    @property
    def focal(self) -> float:
        """Distance of the picture planes, in pixels."""
        return float(self.size / 2 / np.tan(np.radians(self.fov) / 2))


def _ring(latitude: float, count: int) -> tuple[tuple[float, float], ...]:
    return tuple((k * 360.0 / count - 180, latitude) for k in range(count))


LEVELS = (
    Level(fov=70.0, size=192, places=(*_ring(0, 8), *_ring(48, 6), *_ring(-48, 6))),
    Level(fov=100.0, size=96, places=(*_ring(0, 6), *_ring(60, 4), *_ring(-60, 4))),
)
"""Heads of 2.5 to 18 degrees, and of 10 to 60."""


@torch.no_grad()
def detect_heads(
    detector: HeadDetector, panorama: Panorama, least_score: float = LEAST_SCORE
) -> tuple[list[Array], list[float]]:
    """Find the heads of a panorama.

    Parameters
    ----------
    detector
        Trained.
    panorama
        Where.
    least_score
        Heads of a lower score are left out, 0 to 1.

    Returns
    -------
    boxes, scores
        Longitude and latitude of each middle, width and height (4,), degrees; the surest first.
    """
    detector.eval()
    boxes: list[Array] = []
    scores: list[float] = []
    for level in LEVELS:
        source = _as_tensor(panorama, level)
        rotations = view_rotations(torch.from_numpy(lonlat_to_direction(*np.transpose(level.places))).float())
        rays = patch_directions(rotations, level.fov, level.size)
        tall = rays.reshape(1, -1, level.size, 3)
        views = read_directions(source, tall).view(3, -1, level.size, level.size).transpose(0, 1)
        logits, places = detector(views.contiguous())
        for view, x, y, height, score in _peaks(logits.sigmoid(), places, least_score):
            if _is_whole(x, y, height, level):
                boxes.append(box_from_view(x, y, height, rotations[view].double().numpy(), level))
                scores.append(score)
    return keep_surest(boxes, scores)


def _as_tensor(panorama: Panorama, level: Level) -> Tensor:
    """Give a panorama as the detector takes it (1, 3, H, 2 H), not in more detail than a level shows."""
    picture: Any = panorama.pixels
    columns = 2 * round(_DETAIL * np.pi * level.focal)
    if panorama.width > columns:
        kind = np.uint8 if picture.dtype == np.uint8 else np.float32
        small = picture.astype(kind, copy=False)
        picture = cv2.resize(small, (columns, columns // 2), interpolation=cv2.INTER_AREA)
    scaled = torch.from_numpy(np.asarray(picture, np.float32) / 127.5 - 1)
    return scaled.permute(2, 0, 1)[None].contiguous()


def _peaks(
    scores: Tensor, places: Tensor, least_score: float
) -> list[tuple[int, float, float, float, float]]:
    """Give view, x, y, height (pixels) and score of each cell that is higher than those around it."""
    highest = F.max_pool2d(scores[:, None], 3, 1, 1)[:, 0]
    found = []
    for view, row, column in torch.nonzero((scores == highest) & (scores >= least_score)).tolist():
        right, down, log_height = places[view, :, row, column].tolist()
        x, y = (column + 0.5 + right) * STRIDE, (row + 0.5 + down) * STRIDE
        found.append((view, x, y, STRIDE * float(np.exp(log_height)), float(scores[view, row, column])))
    return found


def _is_whole(x: float, y: float, height: float, level: Level) -> bool:
    """Tell whether a head is not cut off by its view's edge; another view shows it whole then."""
    reach_across, reach_up = HEAD_SHAPE * height / 2, height / 2
    across = min(x, level.size - x) > reach_across * 0.8
    return across and min(y, level.size - y) > reach_up * 0.8


def box_from_view(x: float, y: float, height: float, rotation: Array, level: Level) -> Array:
    """Turn a head in a view into a box (4,) on the sphere, in degrees.

    Parameters
    ----------
    x, y, height
        Its middle and height, pixels.
    rotation
        (3, 3) of the view.
    level
        Tells angle and size of the view.
    """
    ends = np.array(((x, y), (x, y - height / 2), (x, y + height / 2))) - level.size / 2
    rays = np.stack([ends[:, 0], np.full(3, level.focal), -ends[:, 1]], -1) @ rotation.T
    up = float(np.degrees(angle_between(rays[1], rays[2])))
    return np.array((*direction_to_lonlat(rays[0]), HEAD_SHAPE * up, up))


def keep_surest(boxes: Sequence[Array], scores: Sequence[float]) -> tuple[list[Array], list[float]]:
    """Keep of boxes (4,) in degrees about one head the one of the highest score; the surest first."""
    kept: list[Array] = []
    kept_scores: list[float] = []
    for k in np.argsort(-np.asarray(scores), kind="stable"):
        box = boxes[k]
        middle = lonlat_to_direction(box[0], box[1])
        near = [
            np.degrees(angle_between(middle, lonlat_to_direction(other[0], other[1])))
            < _SAME_HEAD * max(box[3], other[3])
            for other in kept
        ]
        if not any(near):
            kept.append(box)
            kept_scores.append(float(scores[k]))
    return kept, kept_scores
