"""One light over colours that come from several references: as bright on the whole, and without edges.

Differences of light are natural logarithms of ratios of brightness.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.canvas import Canvas, LightCorrections, WarpContext
from hifi_portrait.warp.choose import Choice
from hifi_portrait.warp.face.places import mouth_nearness
from hifi_portrait.warp.image.inpaint import blur_wide, inpaint
from hifi_portrait.warp.kernels import blend_on_mesh
from hifi_portrait.warp.registration import RegisteredPhotos
from hifi_portrait.warp.settings import LightSettings, WarpSettings


def compare_light(
    photos: RegisteredPhotos, choice: Choice, model: HeadModel, settings: WarpSettings
) -> tuple[FloatArray, FloatArray]:
    """Compare the light of N references.

    Returns
    -------
    gains
        (N, 3) that bring them to a common brightness.
    likeness
        (N,) in [0, 1], whether light falls on the mouth as in the main one.
    """
    seen = photos.crops, photos.xy, photos.visibility
    mouth = np.flatnonzero(mouth_nearness(model, *settings.weights.mouth_reach) > 0.5)
    likeness = light_likeness(*seen, choice.main, mouth, settings.light)
    return light_gains(*seen, choice.on_head, model, settings.light), likeness


def light_gains(
    crops: Array, xy: Array, visibility: Array, weights: Array, model: HeadModel, settings: LightSettings
) -> FloatArray:
    """Gains (N, 3) that bring each reference's skin to the references' common brightness.

    Parameters
    ----------
    crops
        (N, S, S, 3) uint8.
    xy, visibility
        (N, V, 2) places of the vertices as fractions of the side, and (N, V) how well each is seen.
    weights
        (N,) of each reference in the common brightness.
    model
        Whose vertices they are.
    settings
        Largest gain, and what counts as seen.
    """
    skin = part_vertices(model, Part.SKIN)
    levels = _levels(crops, xy[:, skin], settings)
    seen = (visibility[:, skin] > settings.min_visibility) * weights[:, None] * 1.0
    total = seen.sum(axis=0)
    common = (levels * seen[..., None]).sum(axis=0) / np.maximum(total, 1e-6)[:, None]
    compared = seen * (total > seen * 1.001)  # seen by some other reference too
    count = compared.sum(axis=1)
    shift = ((common - levels) * compared[..., None]).sum(axis=1) / np.maximum(count, 1e-6)[:, None]
    return np.asarray(np.exp(np.clip(shift, -settings.max_gain, settings.max_gain)).astype(np.float32))


def light_likeness(
    crops: Array, xy: Array, visibility: Array, main: int, vertices: Array, settings: LightSettings
) -> FloatArray:
    """Whether light falls on vertices (P,) as in the main photo, however bright, (N,) in [0, 1]."""
    levels = _levels(crops, xy[:, vertices], settings).mean(axis=-1)
    weights = visibility[:, vertices] * visibility[main, vertices] + 1e-6
    apart = levels - levels[main]
    apart -= np.average(apart, axis=1, weights=weights)[:, None]
    differences = np.average(np.abs(apart), axis=1, weights=weights)
    least, most = settings.other_light
    return np.clip((most - differences) / (most - least), 0, 1).astype(np.float32)


def correct_light(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: correct the light of all references to that of the main one."""
    sources = context.sources
    light = measure_light(
        canvas.raster, sources.tables, sources.photos, sources.main, context.model, context.settings
    )
    return replace(canvas, light=light)


def measure_light(
    raster: Raster,
    tables: Array,
    photos: tuple[Array, Array, Array],
    main: int,
    model: HeadModel,
    settings: WarpSettings,
) -> LightCorrections:
    """Find what brings the colours of M tables to the light of the main photo.

    Coarsely, the factor is the ratio of both where both see the head, and goes on smoothly from there, so
    that no edge shows where one takes over from the other. The tables after those of the N references are of
    their mirror images, on which light falls from the other side.

    Parameters
    ----------
    raster
        Of the target.
    tables
        (M, V, 3): x, y and visibility of each vertex.
    photos
        Crops (N, S, S, 3) uint8, mattes (N, S, S) and gains (N, 3).
    main
        The photo whose light is kept.
    model
        Whose vertices they are.
    settings
        Those of the light, and of how a reference is looked up.
    """
    light = settings.light
    colours, seen, head = _look_up_coarsely(raster, tables, photos, model, settings)
    side, is_photo = len(head), np.arange(len(tables)) < len(photos[0])
    levels = np.log(colours + light.dark_offset)
    known = np.clip(seen / light.well_seen, 0, 1)
    both = known * known[main]
    both *= _by_light((levels[main] - levels).mean(axis=-1), both, light)
    smooth = _smooth_differences(levels[main] - levels, both, light.transition * side)
    brightness = np.mean(smooth, axis=-1, keepdims=True)
    near = np.stack([blur_wide(weight, light.tint_reach * side) for weight in both])[..., None]
    tint = np.clip(smooth - brightness, -light.max_tint, light.max_tint) * np.clip(2 * near, 0, 1)
    most = np.where(is_photo, light.max_correction, light.max_mirror_brightening)[:, None, None, None]
    dark = np.maximum(brightness - most, 0)[:, head, 0].mean(axis=1) if head.any() else np.zeros(len(tables))
    mirrored = np.maximum(np.exp(-dark / light.shade_scale), light.min_mirror_weight)
    factors = np.exp(np.clip(brightness, -light.max_correction, most) + tint)
    weights = np.where(is_photo, 1, mirrored)
    return LightCorrections(factors.astype(np.float32), weights.astype(np.float32))


def _look_up_coarsely(
    raster: Raster,
    tables: Array,
    photos: tuple[Array, Array, Array],
    model: HeadModel,
    settings: WarpSettings,
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Colours (M, h, w, 3) that each table has for the head, how well it sees them, and the head (h, w)."""
    step = max(1, raster.triangle.shape[0] // settings.light.coarse_side)
    triangle = np.ascontiguousarray(raster.triangle[step // 2 :: step, step // 2 :: step])
    barycentric = np.ascontiguousarray(raster.barycentric[step // 2 :: step, step // 2 :: step])
    head = (triangle >= 0) & (model.parts != Part.SHOULDERS)[triangle]
    triangle = np.where(head, triangle, -1)
    looked_up = []
    for number in range(len(tables)):
        n = number % len(photos[0])
        crops, mattes, gains = (values[n : n + 1] for values in photos)
        drawn = blend_on_mesh(
            triangle,
            barycentric,
            model.triangles,
            model.parts == Part.SHOULDERS,
            tables[number : number + 1],
            (crops, mattes, gains),
            np.ones((1, 2, 2, 3), np.float32),
            np.ones((1, tables.shape[1]), np.float32),
            settings.surface,
        )
        looked_up.append(drawn)
    colours, seen, _ = (np.stack(each) for each in zip(*looked_up, strict=True))
    return colours, seen, head


def _smooth_differences(differences: Array, weights: Array, sigma: float) -> Array:
    """Differences (M, h, w, 3) where they are known (M, h, w), and around them as they end there."""
    around = np.stack([cv2.GaussianBlur(weight, (0, 0), sigma) for weight in weights])
    summed = [cv2.GaussianBlur(values, (0, 0), sigma) for values in weights[..., None] * differences]
    return np.stack(
        [
            inpaint(values / np.maximum(weight, 1e-3)[..., None], np.clip(weight, 0, 1))
            for values, weight in zip(summed, around, strict=True)
        ]
    )


def _levels(crops: Array, places: Array, settings: LightSettings) -> FloatArray:
    """Logarithms of photos' colours (N, P, 3) at places (N, P, 2), fractions of their side."""
    side = crops.shape[1]
    pixels = np.clip((places * side).astype(np.int64), 0, side - 1)
    colours = crops[np.arange(len(crops))[:, None], pixels[..., 1], pixels[..., 0]]
    return np.asarray(np.log(colours.astype(np.float32) + settings.dark_offset), np.float32)


def _by_light(darker: Array, both: Array, settings: LightSettings) -> FloatArray:
    """Where photos (M, h, w) may be darker than the main one by light: 0 where hair hides the skin in them.

    ``darker`` is the difference, ``both`` how well a photo and the main one see a place. Light changes
    slowly; so a place is compared with the median of its photo.
    """
    usual = [
        np.median(here[seen > 0.5]) if (seen > 0.5).any() else 0.0
        for here, seen in zip(darker, both, strict=True)
    ]
    apart = darker - np.array(usual)[:, None, None]
    least, most = settings.hidden_by_hair
    return np.asarray(np.clip((most - apart) / (most - least), 0, 1).astype(np.float32))
