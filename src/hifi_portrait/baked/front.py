"""A head from the front as the warp draws it: what the shoulders of a baked head are, where photos end."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.landmarks.generator import LandmarkImage
from hifi_portrait.warp.body_outline import cut_shoulders
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.hair.raised import raise_hair
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.light import correct_light
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources
from hifi_portrait.warp.surface import blend_surface, fill_unseen

_STAGES = (raise_hair, cut_shoulders, correct_light, blend_surface, fill_unseen)

_EDGE = 0.8
"""Standard deviation in pixels of the blur of the person's edge."""


@dataclass(frozen=True, eq=False)
class FrontView:
    """A head from the front.

    Attributes
    ----------
    colour
        (S, S, 3) in [0, 255], going on beyond the person.
    person
        (S, S) in [0, 1], 0 where shoulders of the mesh are cut off because the person has none there.
    body
        (S, S) in [0, 1], where shoulders and neck are seen.
    xy
        (V, 2) places of the vertices, as fractions of the side.
    """

    colour: FloatArray
    person: FloatArray
    body: FloatArray
    xy: FloatArray


def draw_front_view(
    sources: Sources, drawing: LandmarkImage, model: HeadModel, settings: WarpSettings
) -> FrontView:
    """Draw the mesh of a head, without the photos' own pixels beside it."""
    context = WarpContext(sources, drawing, model, settings)
    canvas = Canvas.blank(context)
    for stage in _STAGES:
        canvas = stage(context, canvas)
    person = canvas.raster.mask.astype(np.float32)
    body = context.parts(canvas.raster) == Part.SHOULDERS
    cut = (drawing.raster.mask & ~canvas.raster.mask).astype(np.float32)
    inside = cv2.erode(body.astype(np.float32), np.ones((3, 3), np.uint8))
    height, width = person.shape
    pixels = drawing.geometry.camera.project(drawing.vertices)
    return FrontView(
        colour=np.asarray(inpaint(canvas.colour, person), np.float32),
        person=np.asarray(1 - cv2.GaussianBlur(cut, (0, 0), _EDGE), np.float32),
        body=np.asarray(inside, np.float32),
        xy=np.asarray(pixels / (width, height), np.float32),
    )
