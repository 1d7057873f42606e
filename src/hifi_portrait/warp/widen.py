"""References as the warp reads them: with what photos show about their portrait crops.

A head that turns stays in the middle of the picture, and its body moves: shoulders and background come into
the picture that the portrait crop of the photo cuts off.
"""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.head.arrays import Array, ByteArray
from hifi_portrait.head.geometry import Camera, HeadGeometry
from hifi_portrait.person.references import References
from hifi_portrait.warp.image.morphology import nearest_of

_widened: WeakKeyDictionary[References, References] = WeakKeyDictionary()
"""References by those that they were made of, so that what is prepared of them is prepared once."""


def widen(references: References) -> References:
    """Give references whose crops are the wide ones; the same where there are none."""
    wide_crops, wide_mattes = references.wide_crops, references.wide_mattes
    if wide_crops is None or wide_mattes is None:
        return references
    if references not in _widened:
        margin = margin_of(references)
        shift = np.zeros(references.landmarks.shape[-1], np.float32)
        shift[:2] = margin
        maps = references.label_maps
        _widened[references] = References(
            crops=wide_crops,
            mattes=wide_mattes,
            landmarks=references.landmarks + shift,
            embeddings=references.embeddings,
            quality=references.quality,
            geometries=[_shift(geometry, margin) for geometry in references.geometries],
            covered=references.covered,
            label_maps=None if maps is None else _continue_labels(maps, wide_mattes, margin),
        )
    return _widened[references]


def margin_of(references: References) -> int:
    """Pixels of wide crops on each side of the portrait crop; 0 where there are none."""
    wide = references.wide_crops
    return 0 if wide is None else (wide.shape[1] - references.crops.shape[1]) // 2


def _shift(geometry: HeadGeometry, margin: int) -> HeadGeometry:
    """Give a head as a crop shows it that has a margin more on each side."""
    camera = geometry.camera
    width, height = camera.width + 2 * margin, camera.height + 2 * margin
    moved = Camera(camera.focal, camera.cx + margin, camera.cy + margin, width, height)
    return replace(geometry, camera=moved)


def _continue_labels(maps: Array, mattes: Array, margin: int) -> ByteArray:
    """Continue label maps (N, P, P) over wide crops: the person is what it is at the crop's edge."""
    inner = maps.shape[1]
    pad = round(inner * margin / (mattes.shape[1] - 2 * margin))
    wide = []
    for labels, matte in zip(maps, mattes, strict=True):
        there = np.zeros((inner + 2 * pad,) * 2, np.bool_)
        there[pad:-pad, pad:-pad] = True
        person = cv2.resize(matte, there.shape, interpolation=cv2.INTER_AREA) > 0.5
        padded = np.pad(labels, pad)
        known = there & (padded != FaceLabel.BACKGROUND)
        outside = nearest_of(padded, known) if known.any() else padded
        wide.append(np.where(there, padded, np.where(person, outside, FaceLabel.BACKGROUND)))
    return np.stack(wide).astype(np.uint8)
