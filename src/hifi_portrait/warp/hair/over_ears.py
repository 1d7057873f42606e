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
    hair = None if space.parsed is None else space.parsed[..., 0]
    return _covered_by(hair, space, xy, model, settings)


def cover_over_ears(space: PhotoSpace, xy: Array, model: HeadModel, settings: OverEarsSettings) -> FloatArray:
    """Find where hair, headwear, clothes or a hand hide the skin about the ears, as `hair_over_ears` does."""
    return _covered_by(space.cover, space, xy, model, settings)


def _covered_by(
    cover: Array | None, space: PhotoSpace, xy: Array, model: HeadModel, settings: OverEarsSettings
) -> FloatArray:
    """Find which vertices (V,) about the ears are hidden by what a photo shows in (G, G)."""
    covered = np.zeros(model.num_vertices, np.float32)
    if cover is None:
        return covered
    around = _around_ears(model, settings)
    at = xy[around.vertices][None]
    behind = space.vertices[around.vertices, 1] - look_up(space.front[..., 1], at)[0]
    close = (behind < settings.depth).astype(np.float32)
    hidden = look_up(cover, at)[0]
    shown = (around.nearness @ (close * hidden)) / np.maximum(around.nearness @ close, settings.least_seen)
    covered[around.vertices] = around.share * smoothstep(shown, *settings.covered)
    return covered


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
