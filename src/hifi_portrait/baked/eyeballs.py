"""Eyeballs in a texture: what one photo shows of each, and painted where its lids hide it."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.eyeballs import EYES, eyeball_places
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.face.eye_colours import EyeColours
from hifi_portrait.warp.face.eyes import colour_eyeball
from hifi_portrait.warp.photo_grid.grid import look_up
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources

_OWN = (0.05, 0.3)
"""Visibility of an eyeball between which a photo's own pixels take the place of painted ones."""


def bake_eyeballs(
    colour: Array,
    raster: Raster,
    parts: Array,
    sources: Sources,
    skin: float,
    model: HeadModel,
    settings: WarpSettings,
) -> FloatArray:
    """Lay eyeballs down in a texture's colours (T, T, 3).

    Parameters
    ----------
    colour, raster, parts
        What the texture holds, and what of the mesh it shows; (T, T) number of the `Part`, 255 where none.
    sources
        The photos.
    skin
        Brightness of the skin in [0, 255].
    model, settings
        The head model, and those of the warp.
    """
    count = len(sources.crops)
    eyes = EyeColours.read(
        sources.crops, sources.tables[:count], sources.gains, skin, model, settings.eye_reading
    )
    places = raster.interpolate(eyeball_places(model), model.triangles)
    baked = np.asarray(colour, np.float32).copy()
    for part, vertices in zip(EYES, model.eye_vertices, strict=True):
        here = parts == part
        photo = int((sources.weights[:, vertices] * sources.tables[:count, vertices, 2] ** 3).sum(1).argmax())
        shown = raster.interpolate(sources.tables[photo], model.triangles)
        radius = float(np.sqrt(here.sum() / np.pi))
        painted = colour_eyeball(places[here], eyes, radius, settings.eye_painting)
        own = look_up(sources.crops[photo], shown[..., :2], cv2.INTER_CUBIC)[here] * sources.gains[photo]
        visible = cv2.GaussianBlur(np.where(here, shown[..., 2], 0).astype(np.float32), (0, 0), radius / 20)
        share = smoothstep(visible[here], *_OWN)[:, None] * (not eyes.covered)
        baked[here] = painted + share * (own - painted)
    return baked
