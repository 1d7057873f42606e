"""Hair told from skin by the colours that both have nearby: light changes them from one side to the other."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.warp.image.colour import lab
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.settings import HairSegmentSettings


def compare_locally(
    colour: Array, hair: Array, skin: Array, where: Array, settings: HairSegmentSettings
) -> FloatArray:
    """How far each place has gone from the colour of the skin nearby, 0, to that of the hair nearby, 1.

    Both colours go on from where they are known. Skin and hair are followed from there, a little in each
    round, so that a cheek in the shade tells how a temple in the shade looks.

    Parameters
    ----------
    colour
        (H, W, 3) in [0, 255].
    hair, skin
        (H, W), where the picture surely shows them.
    where
        (H, W), where it may.
    settings
        How far they are followed.

    Returns
    -------
    FloatArray
        (H, W): less than 0 and more than 1 where a colour lies beyond both.
    """
    height, width = hair.shape
    scale = min(1.0, settings.coarse_side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    colours = lab(np.clip(colour, 0, 255).astype(np.uint8))
    colours[..., 0] *= settings.local_lightness
    small = cv2.resize(colours, size, interpolation=cv2.INTER_AREA)
    known_hair, known_skin, possible = (_shrink(mask, size) for mask in (hair, skin, where))
    found_hair, found_skin = known_hair, known_skin
    for _ in range(settings.rounds):
        hair_near, skin_near = _continue(small, found_hair), _continue(small, found_skin)
        gone = _gone(small, skin_near, hair_near)
        like_skin = np.linalg.norm(small - skin_near, axis=2) < settings.shade
        is_skin = possible & _beside(found_skin) & (gone < settings.sure_skin) & like_skin
        is_hair = possible & _beside(found_hair) & (gone > 1 - settings.sure_skin)
        found_hair = (found_hair | is_hair) & (gone > settings.sure_skin)
        found_skin = (found_skin | is_skin) & (known_skin | ~found_hair)
    fields = (cv2.resize(_continue(small, found), (width, height)) for found in (found_skin, found_hair))
    return _gone(colours, *fields)


def _shrink(mask: Array, size: tuple[int, int]) -> BoolArray:
    """Where a smaller picture shows nothing but what is in a mask."""
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.95)


def _continue(colours: Array, known: BoolArray) -> Array:
    return inpaint(colours, known.astype(np.float32))


def _beside(mask: BoolArray) -> BoolArray:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)


def _gone(colours: Array, begin: Array, end: Array) -> FloatArray:
    """Fraction of the way from one colour to another, (H, W)."""
    way = end - begin
    return np.asarray(
        ((colours - begin) * way).sum(axis=2) / np.maximum((way**2).sum(axis=2), 1.0), np.float32
    )
