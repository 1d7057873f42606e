"""Glasses put onto a picture of a head: frame, lenses, and the shade that they throw on the skin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.base_shape import Fitting
from hifi_portrait.head.geometry import Camera, HeadGeometry
from hifi_portrait.head.glasses import CLEAR, DARK, FRAMES, Glasses, Tint, fit_glasses, through_lens
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.head.tubes import tube
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.face.ears import ear_vertices
from hifi_portrait.warp.image.inpaint import blur_wide

_DRAWN = 1024  # side in pixels at which glasses are drawn, at least
_GAMMA = 2.2
_FRAME = 0.02  # linear brightness of black acetate
_SHINE, _GLOSS = 0.45, 20.0  # of the frame: strength, and how narrow
_LAMP = np.array([0.25, -0.72, 0.65])  # where the light on the frame comes from, in camera space
_SKY = 0.25  # brightness of what lenses mirror, in full light
_SKIN = 0.35  # linear brightness of skin in full light
_LIT_OVER = 0.08  # share of the side over which the light on the face is told
_TOLERANCE = 0.003  # metres behind the skin at which a frame is still seen
_COVERED = 0.5  # alpha of hair off the mesh from which on it hides a temple
_SHADE, _SHADE_OVER, _SHADE_BELOW = 0.4, 0.006, 0.008  # that the frame throws: depth, and shares of the side

Array = npt.NDArray[Any]


def put_on_glasses(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: draw the glasses that the target names, if it names any. What they hide counts as seen."""
    target, raster = context.target, canvas.raster
    if target.glasses not in FRAMES:
        return canvas
    loose = np.where(raster.mask, 0, canvas.alpha)
    colour, drawn = draw_glasses(canvas.colour, target.glasses, raster, loose, target.geometry, context.model)
    on_bald = target.raster.mask & raster.mask
    coverage = np.maximum(canvas.coverage, drawn * np.where(on_bald, 1, 0.5))
    return replace(canvas, colour=colour, coverage=coverage)


def draw_glasses(
    picture: Array, kind: str, raster: Raster, loose: Array, geometry: HeadGeometry, model: HeadModel
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
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

    Returns
    -------
    picture
        (H, W, 3) with the glasses.
    share
        (H, W) in [0, 1], of the frame, and of lenses if they are dark.
    """
    height, width = raster.triangle.shape
    geometry = geometry.scaled_to((width, height))
    glasses = _worn(kind, geometry, model)
    share = np.zeros((height, width), np.float32)
    window = _Window.around(glasses, geometry.camera)
    if window is None:
        return np.asarray(picture, np.float32), share
    depth = window.magnified(raster.depth)
    tint = DARK if kind == "sunglasses" else CLEAR
    light = window.magnified(_light(picture, raster, model))
    frame, colour = _frame(glasses, window, depth, window.magnified(loose) > _COVERED, light)
    kept, glow = _lenses(glasses, tint, window, depth, light)
    dark = (kept.max(axis=-1) < 0.5).astype(np.float32)
    kept *= _shade(frame, height * window.fine, np.isfinite(depth))[..., None]
    bare = 1 - frame[..., None]
    place = window.place
    linear = (np.asarray(picture, np.float32) / 255) ** _GAMMA
    linear[place] = linear[place] * window.shrunk(kept * bare) + window.shrunk(glow * bare + colour)
    share[place] = window.shrunk(np.maximum(frame, dark))
    return np.asarray(255 * np.clip(linear, 0, 1) ** (1 / _GAMMA), np.float32), share


def _worn(kind: str, geometry: HeadGeometry, model: HeadModel) -> Glasses:
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
    def around(cls, glasses: Glasses, camera: Camera) -> Self | None:
        """About the glasses; None if they are not in the picture."""
        points = camera.project(np.concatenate([*glasses.rims, *glasses.bars]))
        margin = 0.02 * camera.height
        size = np.array([camera.width, camera.height])
        left, top = np.clip(np.floor(points.min(axis=0) - margin), 0, size).astype(int)
        right, bottom = np.clip(np.ceil(points.max(axis=0) + margin), 0, size).astype(int)
        if right <= left or bottom <= top:
            return None
        fine = max(2, -(-_DRAWN // camera.height))
        view = Camera(
            camera.focal * fine,
            (camera.cx - left) * fine,
            (camera.cy - top) * fine,
            int(right - left) * fine,
            int(bottom - top) * fine,
        )
        return cls((slice(top, bottom), slice(left, right)), fine, view)

    def magnified(self, values: Array) -> Array:
        """Values (H, W) of the picture, in this view."""
        return values[self.place].repeat(self.fine, axis=0).repeat(self.fine, axis=1)

    def shrunk(self, values: Array) -> Array:
        """Means of values of this view, (h, w) or (h, w, 3), at the picture's own pixels."""
        height, width = self.camera.height // self.fine, self.camera.width // self.fine
        return values.reshape(height, self.fine, width, self.fine, *values.shape[2:]).mean(axis=(1, 3))

    def drawn(self, points: Array, triangles: Array) -> Raster:
        """Raster of camera-space points (P, 3)."""
        camera = self.camera
        return rasterise(camera.project(points), 1 / points[:, 1], triangles, camera.height, camera.width)


def _frame(
    glasses: Glasses, window: _Window, depth: Array, covered: Array, light: Array
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Where the frame is seen, (h, w), and its linear colour there, (h, w, 3); 0 elsewhere."""
    bridge, *temples = (tube(bar, np.full(len(bar), glasses.bar_radius), sides=8) for bar in glasses.bars)
    rims = [tube(rim, glasses.rim_radius, closed=True, sides=8) for rim in glasses.rims]
    shown = np.zeros(depth.shape, np.float32)
    colour = np.zeros((*depth.shape, 3), np.float32)
    for parts, nearest in ((temples, np.where(covered, 0, depth)), ([bridge, *rims], depth)):
        points, normals, triangles = _joined(parts)
        raster = window.drawn(points, triangles)
        here = raster.depth < nearest + _TOLERANCE
        facing = raster.interpolate(normals, triangles)[here]
        shown[here] = 1
        colour[here] = _lit(facing, light[here])
    return shown, colour


def _joined(meshes: Sequence[tuple[Array, Array, Array]]) -> tuple[Array, Array, Array]:
    """Points, normals and triangles of several meshes as one."""
    first = np.cumsum([0, *(len(points) for points, _, _ in meshes[:-1])])
    triangles = [triangles + start for (_, _, triangles), start in zip(meshes, first, strict=True)]
    return (
        np.concatenate([points for points, _, _ in meshes]),
        np.concatenate([normals for _, normals, _ in meshes]),
        np.concatenate(triangles),
    )


def _lit(normals: Array, light: Array) -> Array:
    """Linear colours (P, 3) of a glossy black frame with normals (P, 3) in light (P,)."""
    lamp = _LAMP / np.linalg.norm(_LAMP)
    half = lamp - np.array([0, 1, 0])
    half /= np.linalg.norm(half)
    diffuse = _FRAME * (0.5 + 0.8 * np.clip(normals @ lamp, 0, 1))
    gloss = _SHINE * np.clip(normals @ half, 0, 1) ** _GLOSS
    return np.repeat((light * (diffuse + gloss))[:, None], 3, axis=1)


def _lenses(
    glasses: Glasses, tint: Tint, window: _Window, depth: Array, light: Array
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """What lenses leave of what is behind them, and the linear light that they mirror; (h, w, 3) both."""
    kept = np.ones((*depth.shape, 3), np.float32)
    glow = np.zeros_like(kept)
    rows, columns = np.nonzero(window.drawn(*glasses.lenses()).depth < depth + _TOLERANCE)
    if len(rows):
        behind = np.zeros((len(rows), 3), np.float32)
        kept[rows, columns] = tint.factor
        sky = np.full(3, _SKY * light[rows, columns].mean(), np.float32)
        glow[rows, columns] = through_lens(behind, rows, columns, tint, sky)
    return kept, glow


def _shade(frame: Array, side: int, on_skin: Array) -> npt.NDArray[np.float32]:
    """What the frame's shade leaves of the light on the skin, (h, w)."""
    down = round(_SHADE_BELOW * side)
    below = np.zeros_like(frame)
    below[down:] = frame[:-down]
    soft = cv2.GaussianBlur(below, (0, 0), _SHADE_OVER * side)
    return np.asarray(1 - _SHADE * soft * on_skin, np.float32)


def _light(picture: Array, raster: Raster, model: HeadModel) -> npt.NDArray[np.float32]:
    """How much light falls on the face about each pixel (H, W): 1 is enough for skin of a middle tone."""
    on_face = ((raster.triangle >= 0) & (model.parts == Part.SKIN)[raster.triangle]).astype(np.float32)
    linear = (np.asarray(picture, np.float32).mean(axis=2) / 255) ** _GAMMA
    sigma = _LIT_OVER * len(picture)
    total, weight = (blur_wide(each, sigma) for each in (linear * on_face, on_face))
    return np.asarray(total / np.maximum(weight, 1e-3) / _SKIN, np.float32)
