"""Where a picture of a person shows clothes."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.face.places import cheek_vertices
from hifi_portrait.warp.image.colour import colour_distance, drop_lightness, weighted_lab
from hifi_portrait.warp.image.morphology import disc, distance_to, touching
from hifi_portrait.warp.settings import WarpSettings


def segment_clothes(
    colour: Array, loose: Array, hair: Array, raster: Raster, model: HeadModel, settings: WarpSettings
) -> FloatArray:
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
    own, side = settings.clothes_segment, len(colour)
    rows = np.arange(side)[:, None]
    parts = np.where(raster.triangle >= 0, model.parts[raster.triangle], 255)
    body, head = parts == Part.SHOULDERS, (parts != Part.SHOULDERS) & (parts != 255)
    if not body.any():
        return np.zeros(body.shape, np.float32)
    colours = weighted_lab(np.clip(colour, 0, 255).astype(np.uint8), settings.colour)
    on_cheeks = np.isin(np.arange(model.num_vertices), cheek_vertices(model))[:, None]
    cheek = raster.interpolate(on_cheeks, model.triangles)[..., 0] > 0.9
    from_skin = colour_distance(colours, colours[cheek], settings.colour)
    low = body & (rows > np.percentile(np.nonzero(body)[0], own.low_percent)) & (hair < 0.5)
    unlike = np.zeros(body.shape, bool)
    if low.any() and np.isfinite(from_skin).all():
        unlike = low & (from_skin > max(np.percentile(from_skin[low], own.unlike_percent), own.skin_distance))
    person = (body | (loose > own.loose_alpha)) & (hair < 0.5)
    if unlike.sum() < max(own.min_fraction * body.size, own.min_pixels):
        worn = person & (distance_to(head) > own.collar * side)
    else:
        hue = drop_lightness(colours)
        from_hue, from_skins = (
            colour_distance(hue, hue[unlike], settings.colour),
            colour_distance(hue, hue[cheek], settings.colour),
        )
        alike = (colour_distance(colours, colours[unlike], settings.colour) < from_skin) | (
            from_hue < own.shaded_fraction * from_skins
        )
        worn = person & alike & (from_skins >= own.lit_fraction * from_hue)
    worn = cv2.morphologyEx(worn.astype(np.uint8), cv2.MORPH_OPEN, disc(own.sheen * side)).astype(bool)
    worn = touching(worn, low & (rows >= np.nonzero(body)[0].max() - 2))
    bare = person & ~worn
    worn |= touching(bare & ~touching(bare, head), body)  # shade, which is like skin
    soft = cv2.GaussianBlur(worn.astype(np.float32), (0, 0), max(0.6, own.softness * side))
    return np.asarray(soft * np.where(body, 1, loose), np.float32)
