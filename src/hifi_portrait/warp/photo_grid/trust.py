"""How far a photo's own pixels are to be trusted in a target, place by place."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from scipy.spatial import cKDTree

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel, rotation_vector
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.face.places import mouth_nearness
from hifi_portrait.warp.photo_grid.grid import measure_stretch
from hifi_portrait.warp.photo_grid.space import PhotoSpace
from hifi_portrait.warp.settings.photo_grid import GridSettings


def measure_trust(
    space: PhotoSpace,
    pixels: Array,
    target: HeadGeometry,
    seen_by_others: Array,
    shares: Array,
    model: HeadModel,
    settings: GridSettings,
) -> tuple[FloatArray, float]:
    """Measure how far each place of a photo shows what the target is to show.

    Less where it is drawn out, about mouth and eyes where these are held otherwise, and where other photos
    count more.

    Parameters
    ----------
    space
        The photo's places.
    pixels
        (G, G, 2), where the target shows them.
    target
        The head to be drawn.
    seen_by_others
        (V,) in [0, 1], how well other photos see each vertex.
    shares
        (V,) in [0, 1], the photo's weight as a fraction of that of the one that counts most.
    model, settings
        The head model, and what counts as drawn out.

    Returns
    -------
    trust
        (G, G) in [0, 1].
    step
        Pixels of the target for a step on the grid where it is not drawn out.
    """
    stretch, front = measure_stretch(pixels)
    there = space.raster.mask if space.raster.mask.any() else np.ones_like(space.raster.mask)
    step = float(np.median(stretch[there]))
    drawn_out = cv2.GaussianBlur(stretch / step, (0, 0), len(stretch) / 160)
    changed = changed_places(space.geometry, target, model, settings)
    left_to_others = 1 - smoothstep(shares, *settings.share)
    attributes = np.stack([seen_by_others, np.maximum(changed, left_to_others)], axis=1)
    others, otherwise = np.moveaxis(space.raster.interpolate(attributes, model.triangles), -1, 0)
    alone, beaten, hair = (
        1 - smoothstep(drawn_out, *limits)
        for limits in (settings.stretch_skin, settings.stretch_seen, settings.stretch_hair)
    )
    skin = alone + others * (beaten - alone)
    trust = skin + space.looseness * (hair - skin)
    return np.asarray(trust * front * (1 - otherwise), np.float32), step


def changed_places(
    source: HeadGeometry, target: HeadGeometry, model: HeadModel, settings: GridSettings
) -> FloatArray:
    """For each vertex (V,) 1 about a mouth or eyes that are held otherwise, 0 elsewhere."""
    count = model.num_vertices
    heads = [_express(model, head)[:count] for head in (source, target)]
    moved = np.linalg.norm(heads[1] - heads[0], axis=1)
    changed = np.zeros(count, np.float32)
    mouth = mouth_nearness(model, *settings.mouth)
    regions = [(mouth, np.flatnonzero(mouth > 0.5))]
    for nearness, eyeball in zip(eye_nearness(model, *settings.eyes), model.eye_vertices, strict=True):
        regions += [(nearness, np.flatnonzero(nearness > 0.5)), (nearness, np.asarray(eyeball))]
    for nearness, compared in regions:
        most = np.percentile(moved[compared], 90)
        changed = np.maximum(changed, nearness * smoothstep(most, *settings.changed))
    return changed


@lru_cache(maxsize=8)
def _express(model: HeadModel, head: HeadGeometry) -> FloatArray:
    """Give a head's mesh (V + J, 3) its expression and gaze; that of a photo is asked for again and again."""
    return model.express(model.rest(head.identity), head.expression, head.gaze)


@lru_cache(maxsize=4)
def eye_nearness(model: HeadModel, inner: float, outer: float) -> tuple[FloatArray, FloatArray]:
    """For each vertex (V,) 1 about an eye, falling to 0 between so many metres; for both eyes."""
    mean = model.mean[: model.num_vertices]
    right, left = (
        np.clip((outer - cKDTree(mean[eye]).query(mean)[0]) / (outer - inner), 0, 1).astype(np.float32)
        for eye in model.eye_vertices
    )
    return right, left


def trust_emptiness(space: PhotoSpace, target: HeadGeometry, settings: GridSettings) -> FloatArray:
    """How far what is empty beside a person in the photo, (G, G), is empty in the target too.

    A turned head shows hair where there was none; a body does not turn.
    """
    degrees = turn_degrees(space.geometry, target)
    return np.asarray(np.exp(-((space.head_fraction * degrees / settings.empty_degrees) ** 2)), np.float32)


def aside_degrees(source: HeadGeometry, target: HeadGeometry) -> float:
    """Degrees between the ways that two heads look, whatever their tilt."""
    along = float(np.dot(source.rotation[:, 1].astype(np.float64), target.rotation[:, 1].astype(np.float64)))
    return float(np.degrees(np.arccos(np.clip(along, -1, 1))))


def turn_degrees(source: HeadGeometry, target: HeadGeometry) -> float:
    """Degrees of the turn from one head's pose to another's."""
    turn = target.rotation.astype(np.float64) @ source.rotation.T.astype(np.float64)
    return float(np.degrees(np.linalg.norm(rotation_vector(turn))))
