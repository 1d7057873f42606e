"""Five keypoints as a control image: coloured limbs and dots on black, as InstantID draws them.

(arXiv 2401.07519; the sizes and colours are those of its published preprocessing.)
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from hifi_portrait.head.arrays import ByteArray, FloatArray

_LIMBS = ((0, 2), (1, 2), (3, 2), (4, 2))
"""From both eyes and both mouth corners to the nose, by place in `head.keypoints.KEYPOINTS`."""

_COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255))
_LIMB_BRIGHTNESS = 0.6
_LIMB_WIDTH, _DOT_RADIUS = 4, 10
"""Half a limb's width and a dot's radius, in pixels of a picture of `_DRAWN_FOR` pixels or more."""
_DRAWN_FOR = 1024


def draw_keypoints(keypoints: Tensor, size: tuple[int, int]) -> Tensor:
    """Draw control images (B, 3, H, W) in [0, 1] of keypoints (B, 5, 2), fractions of width and height.

    A limb has the colour of the keypoint it comes from, dimmed. Limbs and dots are finer in small pictures.
    """
    height, width = size
    pixels = keypoints.detach().float().cpu().numpy() * np.array([width, height], np.float32)
    drawn = np.stack([_draw_picture(points, height, width) for points in pixels])
    return torch.from_numpy(drawn).to(keypoints.device).permute(0, 3, 1, 2).float() / 255


def _draw_picture(points: FloatArray, height: int, width: int) -> ByteArray:
    scale = min(1.0, max(height, width) / _DRAWN_FOR)
    half_width, radius = (max(1, round(length * scale)) for length in (_LIMB_WIDTH, _DOT_RADIUS))
    image = np.zeros((height, width, 3), np.uint8)
    for start, end in _LIMBS:
        across, down = points[start] - points[end]
        centre = ((points[start] + points[end]) / 2).astype(int)
        axes = (int(math.hypot(across, down) / 2), half_width)
        angle = int(math.degrees(math.atan2(down, across)))
        outline = cv2.ellipse2Poly((int(centre[0]), int(centre[1])), axes, angle, 0, 360, 1)
        cv2.fillConvexPoly(image, np.asarray(outline), _COLOURS[start])
    image = (image * _LIMB_BRIGHTNESS).astype(np.uint8)
    for (x, y), colour in zip(points, _COLOURS, strict=True):
        cv2.circle(image, (int(x), int(y)), radius, colour, -1)
    return image
