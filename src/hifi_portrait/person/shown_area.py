"""How far down photos show a person: tight crops have no shoulders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.head.geometry import DEFAULT_FACE_SHARE
from hifi_portrait.person.target import Framing

SHOULDERS = 0.86
"""Place in a portrait crop, from 0 at its top to 1 at its bottom, down to which shoulders take at least."""

_LEAST_SHOWN = 0.6
"""Place that a tighter framing keeps in the picture in any case: just under the chin."""

_LEVELS = 1
"""Levels of 255 by which rows beyond a photo's edge, which repeat its last one, differ at most."""


def find_shown_bottom(crops: Array | Sequence[Array]) -> float:
    """Find the place in portrait crops, in [0, 1] from the top, down to which any of the photos reaches.

    Parameters
    ----------
    crops
        (S, S, 3) each; beyond a photo its last row is repeated.
    """
    return max(_find_bottom(crop) for crop in crops)


def _find_bottom(crop: Array) -> float:
    difference = np.abs(crop[:-1].astype(np.int16) - crop[-1].astype(np.int16)).max(axis=(1, 2))
    other = np.flatnonzero(difference > _LEVELS)
    return float(other[-1] + 2) / len(crop) if len(other) else 1.0


def frame_what_is_shown(bottom: float) -> Framing:
    """Frame a head as portrait crops do, or closer, so that the picture ends where photos end.

    Parameters
    ----------
    bottom
        As of `find_shown_bottom`.
    """
    if bottom >= SHOULDERS:
        return Framing()
    kept = max(bottom, _LEAST_SHOWN)
    return Framing(scale=DEFAULT_FACE_SHARE / kept, y=Framing().y / kept)
