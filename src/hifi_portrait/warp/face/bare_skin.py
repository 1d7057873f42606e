"""Where a drawn head shows bare skin, and how far that has turned to the camera since the photos."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.photo_grid.trust import aside_degrees


@dataclass(frozen=True, eq=False)
class BareSkin:
    """The skin of a drawn head.

    Attributes
    ----------
    share
        (H, W) in [0, 1], where it is bare.
    ears
        (H, W) in [0, 1], where the mesh has ears.
    facing
        (H, W), cosine between its normal and the way to the camera.
    place
        (H, W, 2) on the mean head seen from the side, in metres.
    """

    share: FloatArray
    ears: FloatArray
    facing: Array
    place: Array


def find_bare_skin(context: WarpContext, canvas: Canvas) -> BareSkin:
    """Find where a canvas shows bare skin."""
    model, settings, raster = context.model, context.settings, canvas.raster
    vertices = context.target.vertices
    towards = -vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    attributes = np.zeros((model.num_vertices, 5), np.float32)
    attributes[:, 0] = scalp(model, settings.scalp).fullness_of(model.num_vertices)
    attributes[np.concatenate(ear_vertices(model)), 1] = 1
    attributes[:, 2] = np.einsum("vi,vi->v", model.normals(vertices), towards)
    attributes[:, 3:] = model.mean[: model.num_vertices, 1:]
    fullness, ears, facing, *place = np.moveaxis(raster.interpolate(attributes, model.triangles), -1, 0)
    skin = (context.parts(raster) == Part.SKIN) & (fullness < settings.unseen.skin_fullness)
    skin = skin * (canvas.alpha > settings.skin.solid_alpha) * (1 - canvas.hair_on_mesh)
    if canvas.parsed is not None:
        skin = skin * np.clip(1 - canvas.parsed, 0, 1).prod(axis=-1)
    share = cv2.erode(np.asarray(skin, np.float32), np.ones((3, 3), np.uint8))
    return BareSkin(np.asarray(share), np.asarray(ears), facing, np.stack(place, axis=-1))


def turned_share(
    context: WarpContext,
    canvas: Canvas,
    facing: Array,
    turned: tuple[float, float],
    own_degrees: float,
) -> FloatArray:
    """Find how far surface (H, W) has turned to the camera since the photos, in [0, 1].

    Parameters
    ----------
    context, canvas
        What is drawn.
    facing
        (H, W), cosine between the surface's normal and the way to the camera.
    turned
        Times that the surface faces the camera more than in the photos, between which it comes to count.
    own_degrees
        Degrees that the head looks aside of the photo's way up to which nothing counts, to 1 / e. A mere tilt
        shows nothing else.
    """
    sources = context.sources
    degrees = aside_degrees(sources.heads[sources.main], context.target.geometry)
    as_photo = np.exp(-((degrees / own_degrees) ** 2))
    times = facing / np.maximum(canvas.seen, context.settings.skin.least_seen)
    return np.asarray((1 - as_photo) * smoothstep(times, *turned), np.float32)


def mean_within(colour: Array, mask: Array, sigma: float) -> Array:
    """Blur colours (H, W, 3) within a mask (H, W) by a Gaussian of so many pixels."""
    total = cv2.GaussianBlur(np.asarray(colour * mask[..., None], np.float32), (0, 0), sigma)
    near = cv2.GaussianBlur(np.asarray(mask, np.float32), (0, 0), sigma)
    return np.asarray(total / np.maximum(near, 1e-3)[..., None])
