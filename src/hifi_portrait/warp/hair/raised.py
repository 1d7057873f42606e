"""Stage: hair as a second surface over the target's bald head."""

from __future__ import annotations

from dataclasses import replace

from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.hair.shell import draw_scalp, raise_scalp, scalp


def raise_hair(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: draw the main reference's hair on the target's bald head, as a second surface."""
    geometry, model = context.target.geometry, context.model
    hair = scalp(model, context.settings.scalp)
    points = raise_scalp(context.target.vertices, context.sources.hair, hair, model)
    return replace(canvas, raster=draw_scalp(canvas.raster, points, geometry, hair, model))
