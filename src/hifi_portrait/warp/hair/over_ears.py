"""Hair, or anything else, over the ears, where the head model has bare skin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from hifi_portrait.head.arrays import Array, FloatArray, IntArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.photo_grid.grid import look_up
from hifi_portrait.warp.photo_grid.space import PhotoSpace
from hifi_portrait.warp.settings import OverEarsSettings


@dataclass(frozen=True, eq=False)
class _AroundEars:
    """The skin of a head model at and about its ears.

    Attributes
    ----------
    vertices
        (E,) indices.
    nearness
        (E, E) weights by which what a photo shows at one vertex counts at another; each row adds up to 1.
    share
        (E,) in [0, 1], 1 near the ears and above their lower ends, 0 far away.
    """

    vertices: IntArray
    nearness: FloatArray
    share: FloatArray


def hair_over_ears(space: PhotoSpace, xy: Array, model: HeadModel, settings: OverEarsSettings) -> FloatArray:
    """Find where hair hides the skin about the ears, (V,) in [0, 1]; 0 elsewhere.

    What a photo shows close before an ear is at the same height and about as far out as the ear: it tells
    what covers the ear seen from the side, too.

    Parameters
    ----------
    space
        A photo.
    xy
        (V, 2) where it shows the model's vertices, as fractions of its side.
    model
        Whose vertices they are.
    settings
        What belongs to an ear's surroundings, and what counts as covered.
    """
    covered = np.zeros(model.num_vertices, np.float32)
    if space.parsed is None:
        return covered
    around = _around_ears(model, settings)
    close, hair = _before_ears(space, xy, around, space.parsed[..., 0], settings)
    shown = (around.nearness @ (close * hair)) / np.maximum(around.nearness @ close, settings.least_seen)
    covered[around.vertices] = around.share * smoothstep(shown, *settings.covered)
    return covered


def bare_ears(space: PhotoSpace, xy: Array, model: HeadModel, settings: OverEarsSettings) -> FloatArray:
    """Find where nothing hides the skin about the ears, (V,) in [0, 1]; 1 elsewhere.

    An ear is bare where the photo shows an ear rather than hair, headwear, clothes or a hand, and no hair
    stands off the head beside it, which would hide it from the side. Where the photo shows neither, as behind
    the head, it is as the other ear. Parameters are those of `hair_over_ears`.
    """
    bare = np.ones(model.num_vertices, np.float32)
    if space.ears is None:
        return bare
    around = _around_ears(model, settings)
    close, shown = _before_ears(space, xy, around, space.ears, settings)
    ears, cover = np.moveaxis(around.nearness @ (close[:, None] * shown), -1, 0)
    known = np.clip((ears + cover) / settings.least_seen, 0, 1)
    found = smoothstep(ears / np.maximum(ears + cover, 1e-6), *settings.bare)
    right = model.mean[around.vertices, 0] < 0
    beside = _hair_beside(space)
    row = np.clip((xy[around.vertices, 1] * len(space.matte)).astype(np.int64), 0, len(space.matte) - 1)
    for here in (right, ~right):
        on_left = xy[around.vertices[here], 0].mean() < xy[around.vertices, 0].mean()
        found[here] *= 1 - smoothstep(beside[0 if on_left else 1, row[here]], *settings.hiding)
    of_other = np.ones_like(found)
    for here, there in ((right, ~right), (~right, right)):
        weight = known[there] * around.share[there]
        if weight.sum() > 0:
            of_other[here] = np.average(found[there], weights=weight)
    bare[around.vertices] = known * found + (1 - known) * of_other
    return bare


def _hair_beside(space: PhotoSpace) -> FloatArray:
    """Measure how much of each row to the left and right of the head hides ears, (2, G) in metres."""
    assert space.ears is not None
    head = space.raster.mask & (space.head_fraction > 0.5)
    hiding = (space.ears[..., 1] > 0.5) & ~space.raster.mask
    side = len(head)
    metre = float(np.median(space.front[..., 1][head])) / space.geometry.camera.scaled_to(side).focal
    columns = np.arange(side)
    first = np.where(head.any(axis=1), head.argmax(axis=1), 0)
    last = np.where(head.any(axis=1), side - 1 - head[:, ::-1].argmax(axis=1), side)
    outside = np.stack([columns < first[:, None], columns > last[:, None]])
    return np.asarray((hiding & outside).sum(axis=2) * metre, np.float32)


def _before_ears(
    space: PhotoSpace, xy: Array, around: _AroundEars, shown: Array, settings: OverEarsSettings
) -> tuple[FloatArray, Array]:
    """Find which vertices (E,) a photo shows something close before, and what a map (G, G, ...) has there."""
    at = xy[around.vertices][None]
    behind = space.vertices[around.vertices, 1] - look_up(space.front[..., 1], at)[0]
    return (behind < settings.depth).astype(np.float32), look_up(shown, at)[0]


@lru_cache(maxsize=4)
def _around_ears(model: HeadModel, settings: OverEarsSettings) -> _AroundEars:
    mean = model.mean[: model.num_vertices]
    skin = part_vertices(model, Part.SKIN)
    ears = mean[np.concatenate(ear_vertices(model))]
    away, _ = cKDTree(ears).query(mean[skin])
    near = away < settings.reach
    vertices, away = skin[near], away[near]
    places = mean[vertices]
    squared = ((places[:, None] - places[None]) ** 2).sum(axis=2)
    weights = np.exp(-squared / (2 * settings.smoothing**2))
    share = 1 - smoothstep(away, settings.reach / 2, settings.reach)
    share = share * smoothstep(places[:, 2] - ears[:, 2].min(), 0, settings.fade)
    nearness = weights / weights.sum(axis=1, keepdims=True)
    return _AroundEars(vertices, nearness.astype(np.float32), np.asarray(share, np.float32))
