"""Where a person's shoulders end: not always where the fitted mesh's do.

A head is fitted to a face's landmarks; its shoulders are those of a mean body. Where they would stand out of
the person in the photo, they are left out.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.image.morphology import disc, distance_to, touching
from hifi_portrait.warp.settings import OutlineSettings


def cut_shoulders(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: end the mesh's shoulders where the references show the person's to end."""
    sources = context.sources
    raster = clip_to_person(
        canvas.raster,
        sources.xy,
        sources.mattes,
        sources.shown,
        sources.dress,
        context.model,
        context.settings.outline,
    )
    return replace(canvas, raster=raster)


def clip_to_person(
    raster: Raster,
    xy: Array,
    mattes: Array,
    shown: Array,
    dress: int,
    model: HeadModel,
    settings: OutlineSettings,
) -> Raster:
    """Remove those places of a raster's shoulders that a photo shows to be beside the person.

    The photo whose clothes are worn decides, unless it lacks a large part that others show: mattes have
    holes. Below a photo's end the person grows wider, as shoulders do, up to the mesh's outline.

    Parameters
    ----------
    raster
        Of the target.
    xy
        (N, V, 2), places of the vertices in each photo, as fractions of its side.
    mattes, shown
        (N, S, S) in [0, 1], the person in each photo, and where the crop shows it.
    dress
        The photo whose clothes are worn.
    model
        Whose vertices they are.
    settings
        What counts as beside the person.
    """
    body = raster.mask & (model.parts == Part.SHOULDERS)[raster.triangle]
    photos = zip(xy, mattes, shown, strict=True)
    at_places = np.stack([_matte_at(raster, *photo, model, settings) for photo in photos])
    persons = at_places > settings.person_matte
    beside = body & ~persons[dress]
    lacking = beside & persons.any(axis=0)
    core = cv2.erode(lacking.astype(np.uint8), disc(settings.matte_hole * len(lacking)), borderValue=0) > 0
    beside &= ~touching(lacking, core)
    # The neck above is the mesh's: from it on the outline moves to the person's without a step.
    from_head = distance_to(raster.mask & ~body)
    beside &= distance_to(body & ~beside) > settings.neck_transition * len(body) - from_head
    return replace(
        raster,
        triangle=np.where(beside, -1, raster.triangle).astype(np.int32),
        barycentric=np.where(beside[..., None], 0, raster.barycentric).astype(np.float32),
        depth=np.where(beside, np.inf, raster.depth).astype(np.float32),
    )


def _matte_at(
    raster: Raster, xy: Array, matte: Array, shown: Array, model: HeadModel, settings: OutlineSettings
) -> Array:
    """Read a photo's matte (H, W) at the places of a raster."""
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    x, y = np.moveaxis(raster.interpolate(xy, model.triangles) * len(matte) - 0.5, -1, 0)
    inside = settings.frame_margin * len(matte)
    below = np.maximum(y - (rows[-1] - inside), 0)
    middle = _middle(matte[int(rows[-1] - inside)])
    x = middle + np.sign(x - middle) * np.maximum(np.abs(x - middle) - settings.widening * below, 0)
    x = x.clip(columns[0] + inside, columns[-1] - inside)
    y = y.clip(rows[0], rows[-1] - inside)
    return cv2.remap(matte, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)


def _middle(person: Array) -> float:
    """Middle of what a row (S,) of a matte shows of a person; the row's, if it shows nothing."""
    return float((person * np.arange(len(person))).sum() / person.sum()) if person.any() else len(person) / 2
