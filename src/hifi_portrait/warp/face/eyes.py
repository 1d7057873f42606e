"""Eyes that look another way than in any photo: eyeballs painted with the person's own iris and white.

A photo shows of an eyeball what its lids leave free. Where a target looks elsewhere, most of what it shows
was hidden, and mirrored lights would turn with the eye; so beyond a few degrees the eye is painted anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.eyeballs import EYES, eyeball_places
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.face.eye_colours import EyeColours
from hifi_portrait.warp.image.colour import measure_brightness
from hifi_portrait.warp.image.morphology import disc
from hifi_portrait.warp.settings import EyePaintingSettings, GazeSettings


def gaze_likeness(heads: Sequence[HeadGeometry], target: HeadGeometry, settings: GazeSettings) -> FloatArray:
    """How nearly the eyes of N heads look as a target's do, (N, 2) in (0, 1]: the left and the right eye."""
    requested = HeadModel.eye_gaze(target.expression, target.gaze)
    gazes = np.stack([HeadModel.eye_gaze(head.expression, head.gaze) for head in heads])
    apart = np.linalg.norm(gazes - requested, axis=2)
    return np.asarray(np.exp(-((apart / settings.gaze_scale) ** 2)).astype(np.float32))


def painted_fractions(likeness: Array, weights: Array, settings: GazeSettings) -> FloatArray:
    """How far each eye is painted, (2,) in [0, 1], by `gaze_likeness` (N, 2) and weights (N, 2) of photos."""
    own = (likeness * weights).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-9)
    begin, alone = settings.own_likeness
    return np.asarray(np.clip((alone - own) / (alone - begin), 0, 1).astype(np.float32))


def paint_eyes(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: paint the eyes that no reference shows looking as the target does."""
    sources, model, settings = context.sources, context.model, context.settings
    if not sources.painted_eyes.any():
        return canvas
    parts, rows = context.parts(canvas.raster), context.vertex_rows()
    radius = max(float(np.ptp(rows[vertices])) for vertices in model.eye_vertices) / 2
    usual = settings.colour.usual_skin_brightness
    skin = measure_brightness(canvas.colour, parts == Part.SKIN, usual)
    tables = sources.tables[: len(sources.crops)]
    eyes = EyeColours.read(sources.crops, tables, sources.gains, skin, model, settings.eye_reading)
    if eyes.covered:
        return canvas
    colour = draw_eyeballs(
        canvas.colour, sources.painted_eyes, eyes, canvas.raster, radius, model, settings.eye_painting
    )
    coverage = canvas.coverage.copy()
    for part, fraction in zip(EYES, sources.painted_eyes, strict=True):
        coverage[parts == part] = np.maximum(coverage[parts == part], fraction)
    return replace(canvas, colour=colour, coverage=coverage)


def draw_eyeballs(
    colour: Array,
    fractions: Array,
    eyes: EyeColours,
    raster: Raster,
    pixels: float,
    model: HeadModel,
    settings: EyePaintingSettings,
) -> Array:
    """Draw eyeballs over a picture's eyes.

    Parameters
    ----------
    colour
        (H, W, 3) in [0, 255].
    fractions
        (2,) in [0, 1], how far each eye is drawn.
    eyes
        What they look like.
    raster, model
        What the picture shows.
    pixels
        The radius of an eyeball.
    settings
        How eyeballs are drawn.

    Returns
    -------
    Array
        (H, W, 3).
    """
    parts = np.where(raster.triangle >= 0, model.parts[raster.triangle], 255)
    skin = parts == Part.SKIN
    if not skin.any():
        return colour
    light = colour.mean(axis=2)
    usual = np.median(light[skin])
    place = raster.interpolate(eyeball_places(model), model.triangles)
    colour = colour.copy()
    for part, fraction in zip(EYES, fractions, strict=True):
        shown = parts == part
        if fraction <= 0 or not shown.any():
            continue
        about = disc(2 * settings.light_reach * pixels)
        near = cv2.dilate(shown.astype(np.uint8), about).astype(bool) & skin
        gain = np.clip(np.median(light[near]) / usual, *settings.light_range) if near.any() else 1.0
        shade = (gain * _shade(shown, pixels, settings)[shown])[:, None]
        eye = colour_eyeball(place[shown], eyes, pixels, settings) * shade
        eye += _mirror_light(place[shown], pixels, settings)[:, None] * eyes.white * gain
        blurred = cv2.GaussianBlur(shown.astype(np.float32), (0, 0), settings.edge_softness)
        soft = np.minimum(settings.edge_gain * blurred, 1)[shown]
        colour[shown] += fraction * soft[:, None] * (np.minimum(eye, 255) - colour[shown])
    return colour


def colour_eyeball(place: Array, eyes: EyeColours, pixels: float, settings: EyePaintingSettings) -> Array:
    """Colours (P, 3) of places (P, 2) on an eyeball."""
    distance = np.linalg.norm(place, axis=1)
    in_radii = distance / eyes.radius
    in_iris, in_pupil = (
        np.clip((edge * eyes.radius - distance) * pixels + 0.5, 0, 1)[:, None]
        for edge in (1.0, settings.pupil_radius)
    )
    to_rim = np.clip((in_radii - settings.rim_from) / (1 - settings.rim_from), 0, 1)
    rim = 1 - (1 - settings.rim_brightness) * to_rim**2
    iris = eyes.iris * (rim * (settings.iris_middle - settings.iris_fall * in_radii))[:, None]
    iris = iris + in_pupil * (eyes.iris * settings.pupil_brightness - iris)
    return np.asarray(eyes.white + in_iris * (iris - eyes.white), np.float64)


def _shade(shown: Array, pixels: float, settings: EyePaintingSettings) -> FloatArray:
    """Light (H, W) on an eye, less below its upper lid and in its corners."""
    below_lid = np.cumsum(shown, axis=0) / max(settings.lid_shadow * pixels, 1.0)
    lid = settings.lid_light + (1 - settings.lid_light) * np.clip(below_lid, 0, 1)
    around = cv2.GaussianBlur(shown.astype(np.float32), (0, 0), max(settings.corner_shadow * pixels, 0.5))
    return np.asarray(lid * np.clip(1.5 * around, settings.corner_light, 1), np.float32)


def _mirror_light(place: Array, pixels: float, settings: EyePaintingSettings) -> Array:
    """Light (P,) that places (P, 2) on an eyeball mirror."""
    distance = np.linalg.norm(place - np.array(settings.spark_place), axis=1)
    return np.asarray(
        settings.spark_strength * np.clip((settings.spark_radius - distance) * pixels + 0.5, 0, 1)
    )
