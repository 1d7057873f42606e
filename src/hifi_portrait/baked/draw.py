"""A baked head drawn: the mesh with its texture, and the cards of hair and clothes before and behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from hifi_portrait.baked.atlas import Atlas
from hifi_portrait.baked.kernels import (
    close_thin,
    draw_nearest,
    put_card,
    shade,
    weigh_triangles,
)
from hifi_portrait.baked.mouth import BakedMouth
from hifi_portrait.baked.parts import Card, HeadMesh
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.head.eyeballs import EYES
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.windows import box_around
from hifi_portrait.landmarks.generator import SLIT_MM, LandmarkGenerator
from hifi_portrait.warp.face.mouth import INSIDE
from hifi_portrait.warp.face.places import ear_vertices, mouth_nearness
from hifi_portrait.warp.photo_grid.motion import move_places
from hifi_portrait.warp.photo_grid.trust import turn_degrees
from hifi_portrait.warp.settings import WarpSettings

_TEXELS_A_PIXEL = 1.8
"""Texels a pixel from which on a smaller texture is taken: it would alias."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A head as far as it is drawn.

    Attributes
    ----------
    colour
        (H, W, 3) float32 in [0, 255].
    alpha
        (H, W) float32 in [0, 1].
    depth
        (H, W) float32, 1 / metre; 0 where there is nothing.
    triangle
        (H, W) int32, number of the mesh's triangle; -1 where there is none.
    vertices
        (V, 3) the mesh's vertices in camera space.
    """

    colour: FloatArray
    alpha: FloatArray
    depth: FloatArray
    triangle: Array
    vertices: FloatArray


def draw_mesh(
    mesh: HeadMesh,
    mouth: BakedMouth,
    geometry: HeadGeometry,
    known: float,
    model: HeadModel,
    settings: WarpSettings,
) -> Frame:
    """Draw a head's mesh.

    Parameters
    ----------
    mesh, mouth
        The head, and its mouth.
    geometry
        Expression, gaze, pose and camera.
    known
        In [0, 1], how far the head ends where the photo that decides shows its person to end.
    model, settings
        The head model, and those of the warp.
    """
    camera = geometry.camera
    expressed = model.express(mesh.rest, geometry.expression, geometry.gaze)
    vertices = model.bend(expressed, geometry.rotation, geometry.translation)
    generator = LandmarkGenerator.load(model)
    points = (
        np.asarray(camera.project(vertices), np.float32),
        np.asarray(1 / (vertices[:, 1] + generator.depth_shift), np.float32),
        model.triangles,
    )
    nearest, triangle = drawn = _empty_layer(camera.height, camera.width)
    draw_nearest(*points, mesh.atlas.shown, nearest, triangle)
    atlas, distance = mesh.atlas, float(np.median(vertices[:, 1]))
    level = _choose_level(mesh.levels, atlas, camera.focal / distance, model)
    on_head, on_mouth = mouth.weigh(geometry, settings)
    texture = mouth.mix(mesh.levels[level], level, on_head, on_mouth)
    colour = np.zeros((camera.height, camera.width, 3), np.float32)
    alpha = np.zeros(nearest.shape, np.float32)
    skin = (atlas.uv, atlas.triangles, _is_body(model), texture)
    shade(points, skin, known, drawn, colour, alpha)
    side = int(SLIT_MM * 1e-3 * camera.focal / distance) + 1
    box = box_around(points[0][part_vertices(model, *EYES, *INSIDE)])
    close_thin(triangle[box], generator.slit_parts, side, colour[box])
    mouth.draw(colour, triangle, points[0], on_mouth, geometry, model, settings)
    return Frame(colour, soften_edges(alpha, settings), nearest, triangle, vertices)


@lru_cache(maxsize=4)
def _is_body(model: HeadModel) -> ByteArray:
    return np.asarray(model.parts == Part.SHOULDERS, np.uint8)


def _choose_level(levels: tuple[Array, ...], atlas: Atlas, pixels: float, model: HeadModel) -> int:
    """Choose the number of the largest texture that does not alias at so many pixels a metre."""
    texels = skin_texels(atlas, model) * np.array([len(level) for level in levels])
    return int(np.append(np.flatnonzero(texels <= _TEXELS_A_PIXEL * pixels), len(levels) - 1)[0])


@lru_cache(maxsize=4)
def skin_texels(atlas: Atlas, model: HeadModel) -> float:
    """Measure the sides of textures that a metre of the face takes in an atlas."""
    number = (mouth_nearness(model, 0.06, 0.1)[model.triangles] > 0).all(axis=1) & (model.parts == Part.SKIN)
    uv, places = atlas.uv[atlas.triangles[number]], model.mean[model.triangles[number]]
    one, other = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    flat = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).sum()
    solid = np.linalg.norm(np.cross(places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]), axis=1).sum()
    return float(np.sqrt(flat / solid))


def put_cards(
    frame: Frame, cards: Sequence[Card], geometry: HeadGeometry, model: HeadModel, settings: WarpSettings
) -> None:
    """Put hair and clothes before and behind a head, in place."""
    for card in cards:
        _put_card(frame, card, geometry, model, settings)


def _put_card(
    frame: Frame, card: Card, geometry: HeadGeometry, model: HeadModel, settings: WarpSettings
) -> None:
    camera, grid = geometry.camera, settings.grid
    places, _ = move_places(card.space, geometry, frame.vertices, model)
    points = (
        np.asarray(camera.project(places[0]), np.float32),
        np.asarray(1 / places[0, :, 1], np.float32),
        card.triangles,
    )
    photo = card.space.geometry
    shrunk = photo.translation[1] / photo.camera.focal * photo.camera.height
    step = card.step * shrunk * camera.focal / geometry.translation[1]
    kept, weights = np.empty(len(card.triangles), np.bool_), np.empty(len(card.fade), np.float32)
    weigh_triangles(points[0], card.triangles, float(step), np.array(grid.stretch_hair), kept, weights)
    weights *= card.fade
    nearest, triangle = drawn = _empty_layer(camera.height, camera.width)
    draw_nearest(*points, kept, nearest, triangle)
    emptiness = 0.0
    if not card.is_back:
        turned = turn_degrees(photo, geometry)
        emptiness = float(np.exp(-((turned / grid.empty_degrees) ** 2)))
    behind, on_nape = (0.0, grid.behind_hair) if card.is_back else (grid.behind, grid.behind)
    put_card(
        points,
        (card.xy, weights, card.picture),
        drawn,
        (frame.triangle, _is_nape(model)),
        (behind, on_nape, emptiness, *grid.rim),
        frame.colour,
        frame.alpha,
        frame.depth,
    )


@lru_cache(maxsize=4)
def _is_nape(model: HeadModel) -> ByteArray:
    """Tell which triangles (F,) lie behind the ears, on nape and neck."""
    mean = model.mean[: model.num_vertices]
    ears = np.median(mean[np.concatenate(ear_vertices(model)), 1])
    behind = (mean[:, 1] > ears)[model.triangles].all(axis=1)
    return np.asarray(behind & (model.parts != Part.SHOULDERS), np.uint8)


def soften_edges(alpha: Array, settings: WarpSettings) -> FloatArray:
    """Make the edge of the mesh as soft as a photo's, as `add_background` does."""
    background = settings.background
    blurred = cv2.GaussianBlur(alpha, (0, 0), max(background.edge_softness * len(alpha) / 256, 0.3))
    return np.asarray(np.minimum(alpha, blurred * background.edge_gain), np.float32)


def _empty_layer(height: int, width: int) -> tuple[FloatArray, Array]:
    """Make what `draw_nearest` fills: nothing is there, and no triangle."""
    return np.zeros((height, width), np.float32), np.full((height, width), -1, np.int32)
