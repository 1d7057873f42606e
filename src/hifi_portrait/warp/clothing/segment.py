"""Where a picture of a person shows clothes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.image.colour import colour_distance, drop_lightness, weighted_lab
from hifi_portrait.warp.image.morphology import disc, distance_to, touching
from hifi_portrait.warp.off_mesh.cutout import cheeks
from hifi_portrait.warp.settings import WarpSettings

_LOW = 50  # percent of a body, from the top, below which clothes are told
_UNLIKE = 60  # percent of that which may be skin
_SKIN_TONE = 12.0  # difference of `weighted_lab` up to which something may be skin
_LEAST = 0.0015  # share of the picture that must be told to be clothes
_LIT = 0.6  # of the difference of hue from clothes up to which something is skin, in another light
_SHADED = 0.35  # of the difference of hue from skin up to which something is clothes, in another light
_SHEEN = 0.03  # share of the side below which what is like clothes is sheen on skin
_COLLAR = 0.1  # share of the side below the head where skin may show, if clothes have its colour

Array = npt.NDArray[Any]


def clothes_share(
    colour: Array, loose: Array, hair: Array, raster: Raster, model: HeadModel, settings: WarpSettings
) -> npt.NDArray[np.float32]:
    """How far a drawn person shows clothes at each place, (H, W) in [0, 1].

    Clothes of the skin's own colour are told by their place alone.

    Parameters
    ----------
    colour
        (H, W, 3) in [0, 255].
    loose
        (H, W) in [0, 1], alpha of what goes with the shoulders off the mesh.
    hair
        (H, W) in [0, 1], where hair is shown.
    raster, model
        Of the person.
    settings
        Those of clothes and of comparing colours.
    """
    side = len(colour)
    parts = np.where(raster.triangle >= 0, model.parts[raster.triangle], 255)
    body, head = parts == Part.SHOULDERS, (parts != Part.SHOULDERS) & (parts != 255)
    if not body.any():
        return np.zeros(body.shape, np.float32)
    colours = weighted_lab(np.clip(colour, 0, 255).astype(np.uint8), settings.colour)
    on_cheeks = np.isin(np.arange(model.num_vertices), cheeks(model))[:, None]
    cheek = raster.interpolate(on_cheeks, model.triangles)[..., 0] > 0.9
    from_skin = colour_distance(colours, colours[cheek], settings.colour)
    low = body & (np.arange(side)[:, None] > np.percentile(np.nonzero(body)[0], _LOW)) & (hair < 0.5)
    unlike = np.zeros(body.shape, bool)
    if low.any() and np.isfinite(from_skin).all():
        unlike = low & (from_skin > max(np.percentile(from_skin[low], _UNLIKE), _SKIN_TONE))
    person = (body | (loose > 0.3)) & (hair < 0.5)
    if unlike.sum() < max(_LEAST * body.size, 40):
        worn = person & (distance_to(head) > _COLLAR * side)
    else:
        hue = drop_lightness(colours)
        from_hue, from_skins = (
            colour_distance(hue, hue[unlike], settings.colour),
            colour_distance(hue, hue[cheek], settings.colour),
        )
        alike = (colour_distance(colours, colours[unlike], settings.colour) < from_skin) | (
            from_hue < _SHADED * from_skins
        )
        worn = person & alike & (from_skins >= _LIT * from_hue)
    worn = cv2.morphologyEx(worn.astype(np.uint8), cv2.MORPH_OPEN, disc(_SHEEN * side)).astype(bool)
    worn = touching(worn, low & (np.arange(side)[:, None] >= np.nonzero(body)[0].max() - 2))
    bare = person & ~worn
    worn |= touching(bare & ~touching(bare, head), body)  # shade, which is like skin
    soft = cv2.GaussianBlur(worn.astype(np.float32), (0, 0), max(0.6, 0.003 * side))
    return np.asarray(soft * np.where(body, 1, loose), np.float32)
