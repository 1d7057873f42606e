"""Glasses put onto a picture of a head: frame, lenses, and the shade that they throw on the skin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.base_shape import Fitting
from hifi_portrait.head.geometry import Camera, HeadGeometry
from hifi_portrait.head.glasses import CLEAR, DARK, FRAMES, Glasses, Tint, fit_glasses, through_lens
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.numerics import block_mean
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.head.tubes import tube
from hifi_portrait.scenery.tone import DISPLAY_GAMMA
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.image.inpaint import blur_wide
from hifi_portrait.warp.settings import GlassesDrawingSettings


def put_on_glasses(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: draw the glasses that the target names, if it names any. What they hide counts as seen."""
    target, raster = context.target, canvas.raster
    if target.glasses not in FRAMES:
        return canvas
    loose, settings = np.where(raster.mask, 0, canvas.alpha), context.settings.glasses_drawing
    colour, drawn = draw_glasses(
        canvas.colour, target.glasses, raster, loose, target.geometry, context.model, settings
    )
    on_bald = target.raster.mask & raster.mask
    coverage = np.maximum(canvas.coverage, drawn * np.where(on_bald, 1, 0.5))
    return replace(canvas, colour=colour, coverage=coverage)


def draw_glasses(
    picture: Array,
    kind: str,
    raster: Raster,
    loose: Array,
    geometry: HeadGeometry,
    model: HeadModel,
    settings: GlassesDrawingSettings,
) -> tuple[FloatArray, FloatArray]:
    """Put glasses on a drawn head.

    Parameters
    ----------
    picture
        (H, W, 3) in [0, 255].
    kind
        One of `FRAMES`.
    raster
        Of the head with its hair, of the picture's size.
    loose
        (H, W) in [0, 1], alpha of what of the person is off the mesh.
    geometry
        Of the head.
    model
        The head model.
    settings
        Materials and light.

    Returns
    -------
    picture
        (H, W, 3) with the glasses.
    hidden
        (H, W) in [0, 1], how far each pixel is hidden by the frame, or by lenses if they are dark.
    """
    height, width = raster.triangle.shape
    picture = np.clip(
        np.asarray(picture, np.float32), 0, 255
    )  # dark hair in the background may be below black
    geometry = geometry.scaled_to((width, height))
    glasses = _fit_to_head(kind, geometry, model)
    hidden = np.zeros((height, width), np.float32)
    window = _Window.around(glasses, geometry.camera, settings.min_side)
    if window is None:
        return np.asarray(picture, np.float32), hidden
    depth = window.magnify(raster.depth)
    tint = DARK if kind == "sunglasses" else CLEAR
    light = window.magnify(_measure_light(picture, raster, model, settings))
    covered = window.magnify(loose) > settings.covering_alpha
    frame, colour = _draw_frame(glasses, window, depth, covered, light, settings)
    kept, glow = _draw_lenses(glasses, tint, window, depth, light, settings)
    dark = (kept.max(axis=-1) < 0.5).astype(np.float32)
    kept *= _cast_shadow(frame, height * window.fine, np.isfinite(depth), settings)[..., None]
    bare = 1 - frame[..., None]
    place = window.place
    linear = (picture / 255) ** DISPLAY_GAMMA
    linear[place] = linear[place] * window.shrink(kept * bare) + window.shrink(glow * bare + colour)
    hidden[place] = window.shrink(np.maximum(frame, dark))
    return np.asarray(255 * np.clip(linear, 0, 1) ** (1 / DISPLAY_GAMMA), np.float32), hidden


def _fit_to_head(kind: str, geometry: HeadGeometry, model: HeadModel) -> Glasses:
    """Glasses in camera space, on the head."""
    rest = model.rest(geometry.identity)
    head = np.eye(4)
    head[:3, :3] = geometry.rotation
    head[:3, 3] = geometry.translation - geometry.rotation @ rest[model.joint("head")]
    # Not to the ears' tips: the bars lie along the head.
    skin = np.setdiff1d(part_vertices(model, Part.SKIN), np.concatenate(ear_vertices(model)))
    return fit_glasses(kind, rest, skin, Fitting.from_rest(rest, model)).moved(head)


@dataclass(frozen=True)
class _Window:
    """Rows and columns of a picture, drawn `fine` times as fine as the picture; `camera` is that view's."""

    place: tuple[slice, slice]
    fine: int
    camera: Camera

    @classmethod
    def around(cls, glasses: Glasses, camera: Camera, min_side: int) -> Self | None:
        """About the glasses, so fine that a picture has ``min_side``; None if they are not in the picture."""
        points = camera.project(np.concatenate([*glasses.rims, *glasses.bars]))
        margin = 0.02 * camera.height
        size = np.array([camera.width, camera.height])
        left, top = np.clip(np.floor(points.min(axis=0) - margin), 0, size).astype(int)
        right, bottom = np.clip(np.ceil(points.max(axis=0) + margin), 0, size).astype(int)
        if right <= left or bottom <= top:
            return None
        fine = max(2, -(-min_side // camera.height))
        view = Camera(
            camera.focal * fine,
            (camera.cx - left) * fine,
            (camera.cy - top) * fine,
            int(right - left) * fine,
            int(bottom - top) * fine,
        )
        return cls((slice(top, bottom), slice(left, right)), fine, view)

    def magnify(self, values: Array) -> Array:
        """Values (H, W) of the picture, in this view."""
        return values[self.place].repeat(self.fine, axis=0).repeat(self.fine, axis=1)

    def shrink(self, values: Array) -> Array:
        """Means of values of this view, (h, w) or (h, w, 3), at the picture's own pixels."""
        return block_mean(values, self.fine)

    def rasterise(self, points: Array, triangles: Array) -> Raster:
        """Raster of camera-space points (P, 3)."""
        camera = self.camera
        return rasterise(camera.project(points), 1 / points[:, 1], triangles, camera.height, camera.width)


def _draw_frame(
    glasses: Glasses,
    window: _Window,
    depth: Array,
    covered: Array,
    light: Array,
    settings: GlassesDrawingSettings,
) -> tuple[FloatArray, FloatArray]:
    """Where the frame is seen, (h, w), and its linear colour there, (h, w, 3); 0 elsewhere."""
    bridge, *temples = (tube(bar, np.full(len(bar), glasses.bar_radius), sides=8) for bar in glasses.bars)
    rims = [tube(rim, glasses.rim_radius, closed=True, sides=8) for rim in glasses.rims]
    shown = np.zeros(depth.shape, np.float32)
    colour = np.zeros((*depth.shape, 3), np.float32)
    for parts, nearest in ((temples, np.where(covered, 0, depth)), ([bridge, *rims], depth)):
        points, normals, triangles = _join(parts)
        raster = window.rasterise(points, triangles)
        here = raster.depth < nearest + settings.depth_tolerance
        facing = raster.interpolate(normals, triangles)[here]
        shown[here] = 1
        colour[here] = _shade_frame(facing, light[here], settings)
    return shown, colour


def _join(meshes: Sequence[tuple[Array, Array, Array]]) -> tuple[Array, Array, Array]:
    """Points, normals and triangles of several meshes as one."""
    first = np.cumsum([0, *(len(points) for points, _, _ in meshes[:-1])])
    triangles = [triangles + start for (_, _, triangles), start in zip(meshes, first, strict=True)]
    return (
        np.concatenate([points for points, _, _ in meshes]),
        np.concatenate([normals for _, normals, _ in meshes]),
        np.concatenate(triangles),
    )


def _shade_frame(normals: Array, light: Array, settings: GlassesDrawingSettings) -> Array:
    """Linear colours (P, 3) of a glossy black frame with normals (P, 3) in light (P,)."""
    lamp = np.array(settings.lamp)
    lamp = lamp / np.linalg.norm(lamp)
    half = lamp - np.array([0, 1, 0])
    half /= np.linalg.norm(half)
    diffuse = settings.frame_brightness * (0.5 + 0.8 * np.clip(normals @ lamp, 0, 1))
    gloss = settings.shine * np.clip(normals @ half, 0, 1) ** settings.gloss
    return np.repeat((light * (diffuse + gloss))[:, None], 3, axis=1)


def _draw_lenses(
    glasses: Glasses,
    tint: Tint,
    window: _Window,
    depth: Array,
    light: Array,
    settings: GlassesDrawingSettings,
) -> tuple[FloatArray, FloatArray]:
    """Find what lenses leave of what is behind them, and the linear light they mirror; both (h, w, 3)."""
    kept = np.ones((*depth.shape, 3), np.float32)
    glow = np.zeros_like(kept)
    lenses = window.rasterise(*glasses.lenses()).depth
    rows, columns = np.nonzero(lenses < depth + settings.depth_tolerance)
    if len(rows):
        behind = np.zeros((len(rows), 3), np.float32)
        kept[rows, columns] = tint.factor
        sky = np.full(3, settings.sky_brightness * light[rows, columns].mean(), np.float32)
        glow[rows, columns] = through_lens(behind, rows, columns, tint, sky)
    return kept, glow


def _cast_shadow(frame: Array, side: int, on_skin: Array, settings: GlassesDrawingSettings) -> FloatArray:
    """Find what the frame's shadow leaves of the light on the skin, (h, w)."""
    down = round(settings.shadow_offset * side)
    below = np.zeros_like(frame)
    below[down:] = frame[:-down]
    soft = cv2.GaussianBlur(below, (0, 0), settings.shadow_softness * side)
    return np.asarray(1 - settings.shadow_depth * soft * on_skin, np.float32)


def _measure_light(
    picture: Array, raster: Raster, model: HeadModel, settings: GlassesDrawingSettings
) -> FloatArray:
    """How much light falls on the face about each pixel (H, W): 1 is enough for skin of a middle tone."""
    on_face = ((raster.triangle >= 0) & (model.parts == Part.SKIN)[raster.triangle]).astype(np.float32)
    linear = (np.asarray(picture, np.float32).mean(axis=2) / 255) ** DISPLAY_GAMMA
    sigma = settings.light_reach * len(picture)
    total, weight = (blur_wide(each, sigma) for each in (linear * on_face, on_face))
    return np.asarray(total / np.maximum(weight, 1e-3) / settings.skin_brightness, np.float32)
