"""Stage: the photo that decides, drawn again from its own pixels, over what the mesh shows.

At the photo's own pose and expression the person is that of the photo. The more the head turns, the more of
the mesh comes into view behind; where pixels are drawn out they fade, so that nothing jumps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.hair.shell import raise_scalp, scalp
from hifi_portrait.warp.photo_grid.below import extend_below
from hifi_portrait.warp.photo_grid.beside import extend_beside
from hifi_portrait.warp.photo_grid.compose import carve_head, put_hair, put_photo
from hifi_portrait.warp.photo_grid.layer import PhotoLayer, draw_back, draw_front
from hifi_portrait.warp.photo_grid.motion import move_places
from hifi_portrait.warp.settings.photo_grid import GridSettings


def draw_photo(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: draw the main reference from its own pixels over what the mesh shows.

    Its body is left out where the clothes of another reference are worn: then it is that one's.
    """
    sources, model, settings = context.sources, context.model, context.settings
    target = context.target.geometry
    vertices = raise_scalp(context.target.vertices, sources.hair, scalp(model, settings.scalp), model)
    height, width = canvas.alpha.shape
    camera = target.camera.scaled_to((width, height))
    canvas = carve_head(canvas, context)
    space = sources.spaces[sources.main]
    front, back = move_places(space, target, vertices, model)
    everything = np.ones(space.matte.shape, np.bool_)
    if sources.dress != sources.main:
        worn = sources.spaces[sources.dress]
        places, _ = move_places(worn, target, vertices, model)
        body = worn.head_fraction < 0.5
        layer = draw_front(worn, places, context, camera, sources.dress, body)
        layer = replace(layer, colour=layer.colour * sources.gains[sources.dress])
        layer = _extend_body(layer, sources.shown[sources.dress], settings.grid)
        canvas = put_photo(canvas, layer, settings.grid)
        everything = space.head_fraction >= 0.5
    if space.hair_back is not None and back is not None:
        layer = draw_back(space.hair_back, back, context, camera)
        canvas = put_hair(canvas, layer, model, settings.grid)
    layer = draw_front(space, front, context, camera, sources.main, everything)
    if sources.dress == sources.main:
        layer = _extend_body(layer, sources.shown[sources.main], settings.grid)
    return put_photo(canvas, layer, settings.grid)


def _extend_body(layer: PhotoLayer, shown: Array, settings: GridSettings) -> PhotoLayer:
    """Let a body go on beside and below the photo that cuts it off."""
    return extend_below(extend_beside(layer, shown, settings), settings)
