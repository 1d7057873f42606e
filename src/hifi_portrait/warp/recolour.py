"""Hair and clothes of another colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hifi_portrait.warp.image.colour import tones

_GAMMA = 2.2
_DARK = 0.004  # linear brightness, added before a ratio is taken
_CONTRAST = 0.55  # deviation of logarithms of brightness that what is dyed has at most
_RANGE = (-1.3, 0.6)  # logarithms of brightness that it may have beside the usual
_PALEST = -0.9  # mean logarithm of linear brightness of the palest hair: white has no black shadows
_SAME = 8.0  # difference of `tones` up to which a colour may be the wished one
_LEAST = 40  # pixels

Colours = Mapping[str, tuple[int, int, int]]
Array = npt.NDArray[Any]


def dyed(
    colour: Array, share: Array, name: str, colours: Colours, *, translucent: bool = False
) -> npt.NDArray[np.float32]:
    """A picture (H, W, 3) in [0, 255] with one of several colours where it shows something (H, W) to dye.

    Strands and folds stay lighter and darker than each other as they are, within bounds: black hair's sheen
    would else be blinding in white. What has the colour already stays as it is. What is `translucent`, as
    hair is, is the more saturated the darker it is: its light has gone through more strands (Beer's law).
    """
    picture = np.asarray(colour, np.float32)
    there = share > 0.5
    if there.sum() < _LEAST or _has(np.median(picture[there], axis=0), name, colours):
        return picture
    linear = (np.clip(picture, 0, 255) / 255) ** _GAMMA
    bright = linear.mean(axis=2) + _DARK
    ratio = np.log(bright / np.median(bright[there]))
    spread = np.std(np.clip(ratio[there], *np.percentile(ratio[there], (5, 95))))
    ratio = np.clip(ratio * min(1.0, _CONTRAST / max(float(spread), 1e-6)), *_RANGE)
    # At its edge what is dyed is mixed with what is not, whose brightness is none of its own.
    ratio = np.minimum(ratio, _RANGE[1] * np.clip(2 * share - 1, 0, 1))[..., None]
    wished = (np.array(colours[name]) / 255) ** _GAMMA
    if translucent:
        lit = wished ** np.exp(ratio / min(np.average(np.log(wished), weights=wished), _PALEST))
    else:
        lit = np.clip(wished * np.exp(ratio), 0, 1)
    drawn = 255 * lit ** (1 / _GAMMA)
    return np.asarray(picture + share[..., None] * (drawn - picture), np.float32)


def _has(colour: Array, name: str, colours: Colours) -> bool:
    """Whether a colour (3,) in [0, 255] is the named one: near to it, and nearer than to the others."""
    names = list(colours)
    known = tones(np.array([[colour, *(colours[each] for each in names)]]).round().astype(np.uint8))[0]
    apart = np.linalg.norm(known[1:] - known[0], axis=1)
    return names[int(apart.argmin())] == name and float(apart.min()) < _SAME
