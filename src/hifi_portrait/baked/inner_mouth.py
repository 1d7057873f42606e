"""The inside of a mouth in a texture: teeth, tongue and the dark, painted as the warp paints them."""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.mesh import TOOTH_WIDTHS, Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.settings import WarpSettings


def paint_inner_mouth(
    colour: Array, raster: Raster, parts: Array, skin: float, model: HeadModel, settings: WarpSettings
) -> FloatArray:
    """Paint what is behind the lips into a texture's colours (T, T, 3).

    Parameters
    ----------
    colour, raster, parts
        What the texture holds, and what of the mesh it shows; (T, T) number of the `Part`, 255 where none.
    skin
        Brightness of the skin in [0, 255].
    model, settings
        The head model, and those of the warp.
    """
    own = settings.teeth
    painted = np.asarray(colour, np.float32).copy()
    mean = model.mean[: model.num_vertices]
    place = raster.interpolate(mean, model.triangles)
    dark = np.array(own.dark) * skin
    painted[parts == Part.MOUTH_CAVITY] = dark
    painted[parts == Part.TONGUE] = dark + own.tongue_light * (np.array(own.tongue) * skin - dark)
    front = float(mean[part_vertices(model, Part.UPPER_TEETH), 1].min())
    for part, tint, brightness in (
        (Part.UPPER_TEETH, own.enamel, min(settings.mouth.tooth_to_skin * skin, own.max_brightness)),
        (Part.LOWER_TEETH, own.lower_teeth, own.lower_teeth_light * skin),
    ):
        here = parts == part
        across, back = np.abs(place[here][:, 0]) * 1e3, (place[here][:, 1] - front) * 1e3
        along = own.arch_radius * np.arcsin(np.minimum(across / own.arch_radius, 0.98))
        ends = np.cumsum(TOOTH_WIDTHS)
        tooth = np.minimum(np.searchsorted(ends, along), len(ends) - 1)
        to_gap = np.minimum(along - (ends - TOOTH_WIDTHS)[tooth], ends[tooth] - along)
        light = own.gap_brightness + (1 - own.gap_brightness) * smoothstep(to_gap / own.gap_width)
        light = light * (1 - own.corner_darkening * smoothstep(back / own.arch_radius))
        painted[here] = np.array(tint) * brightness * light[:, None]
    return painted
