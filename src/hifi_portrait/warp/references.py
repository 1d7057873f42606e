"""The references of a target, read in three steps: registered, without glasses if need be, and weighed."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from hifi_portrait.head.arrays import Array, BoolArray, IntArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.person.references import References
from hifi_portrait.warp.glasses.detect import wears_glasses
from hifi_portrait.warp.glasses.remove import without_glasses
from hifi_portrait.warp.light import light_gains
from hifi_portrait.warp.registration import RegisteredPhotos, register_photos
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources
from hifi_portrait.warp.weights import weigh_references


def read_references(
    references: References,
    target: HeadGeometry,
    size: int,
    model: HeadModel,
    settings: WarpSettings,
    *,
    bare_eyes: bool = False,
) -> Sources:
    """Read references for a picture of a target.

    Parameters
    ----------
    references
        The person's analysed photos.
    target
        What is drawn.
    size
        Height of the picture in pixels.
    model
        The head model.
    settings
        Those of photos, registration, weights and light.
    bare_eyes
        Whether the references' own glasses are left out in any case; else most references decide. Where
        they are left out, they are removed from the photos.
    """
    photos = register_photos(references, size, model, settings)
    wearing = _wear_glasses(photos, model)
    requested = not bare_eyes and _most(wearing, photos.quality)
    if not requested:
        photos = _remove_glasses(photos, wearing, model)
    weights = weigh_references(photos, wearing, requested, target, model, settings)
    tables = np.concatenate([photos.xy, photos.visibility[..., None]], axis=2)
    gains = light_gains(photos.crops, photos.xy, photos.visibility, weights.on_head, model, settings.light)
    return Sources(
        crops=photos.crops,
        mattes=photos.mattes * photos.shown,
        shown=photos.shown,
        solid=photos.solid,
        xy=photos.xy,
        tables=np.concatenate([tables, tables[:, mirror_vertices(model)]]),
        landmarks=photos.landmarks,
        heads=photos.heads,
        gains=gains,
        weights=weights.on_vertices,
        mouth_weights=weights.on_mouth,
        main=weights.main,
        dress=weights.dress,
        roll=float(np.radians(photos.heads[weights.main].pose.roll - target.pose.roll)),
        hair=photos.hair[weights.main],
        painted_eyes=weights.painted_eyes,
    )


def _wear_glasses(photos: RegisteredPhotos, model: HeadModel) -> BoolArray:
    """Which of N photos (N,) show glasses."""
    of_photos = zip(photos.crops, photos.xy, photos.visibility, strict=True)
    return np.array([wears_glasses(*photo, model) for photo in of_photos])


def _most(wearing: BoolArray, quality: Array) -> bool:
    """Whether more of the quality (N,) is that of photos that show glasses (N,)."""
    return bool((quality * wearing).sum() > quality.sum() / 2)


def _remove_glasses(photos: RegisteredPhotos, wearing: BoolArray, model: HeadModel) -> RegisteredPhotos:
    """Photos without the glasses that some of them (N,) show."""
    of_photos = zip(photos.crops, wearing, photos.posed, photos.heads, strict=True)
    crops = [
        without_glasses(crop, points, head, model) if worn else crop for crop, worn, points, head in of_photos
    ]
    return replace(photos, crops=np.stack(crops))


@lru_cache(maxsize=4)
def mirror_vertices(model: HeadModel) -> IntArray:
    """For each vertex (V,) the one at its mirror image on the other side of the mean head."""
    mean = model.mean[: model.num_vertices]
    mirrored = cKDTree(mean).query(mean * np.array([-1, 1, 1]))[1]
    return np.asarray(mirrored, np.int64)
