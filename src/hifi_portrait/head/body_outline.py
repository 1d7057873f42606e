"""Where a person's shoulders end: not always where the fitted mesh's do.

A head is fitted to a face's landmarks; its shoulders are those of a mean body. Where they would stand out of
the person in the photo whose clothes are worn, they are left out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster

_OUTSIDE = 0.5  # matte below which a place is none of the person's

Array = npt.NDArray[Any]


def within_outline(raster: Raster, xy: Array, matte: Array, shown: Array, model: HeadModel) -> Raster:
    """A raster without those places of its shoulders that a photo shows to be beside the person.

    Beyond a photo's edge the person's outline goes on straight.

    Parameters
    ----------
    raster
        Of the target.
    xy
        (V, 2), places of the vertices in the photo, as shares of its side.
    matte, shown
        (S, S) in [0, 1], the person in the photo, and where the crop shows it.
    model
        Whose vertices they are.
    """
    body = raster.mask & (model.parts == Part.SHOULDERS)[raster.triangle]
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    place = raster.interpolate(xy, model.faces) * np.float32(len(matte)) - np.float32(0.5)
    x, y = place[..., 0].clip(columns[0], columns[-1]), place[..., 1].clip(rows[0], rows[-1])
    person = cv2.remap(matte, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    beside = body & (person < _OUTSIDE)
    return replace(
        raster,
        triangle=np.where(beside, -1, raster.triangle).astype(np.int32),
        barycentric=np.where(beside[..., None], 0, raster.barycentric).astype(np.float32),
        depth=np.where(beside, np.inf, raster.depth).astype(np.float32),
    )
