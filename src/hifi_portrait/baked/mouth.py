"""The mouth of a baked head: mixed of the photos by how they hold it, and what is between its lips.

A texture has one mouth, but people smile. So what each photo shows about the mouth is kept beside the
texture, and mixed for a target as the warp mixes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from hifi_portrait.baked.atlas import Atlas
from hifi_portrait.baked.kernels import mix_photos
from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.head.eyeballs import EYES
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.raster import Raster
from hifi_portrait.head.windows import Window, box_around, window_around
from hifi_portrait.warp.canvas import LightCorrections
from hifi_portrait.warp.choose import mouth_weights, pose_fitness
from hifi_portrait.warp.face.lips import Lips
from hifi_portrait.warp.face.mouth import INSIDE, MouthPhoto, choose_lips, draw_between_lips, soften_edge
from hifi_portrait.warp.face.places import mouth_nearness
from hifi_portrait.warp.image.colour import measure_brightness
from hifi_portrait.warp.kernels import blend_on_mesh
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources

_MOST_PHOTOS = 4
"""Photos whose mouths are kept, at most."""

_ALIGNED = 16
"""Texels that windows begin and end at multiples of, so that smaller textures' windows are whole, too."""


@dataclass(frozen=True, eq=False)
class MouthWindow:
    """What M photos show about the mouth, in a window of one of the textures.

    Attributes
    ----------
    window
        First row and column.
    colours, seen
        (M, h, w, 3) and (M, h, w) uint8.
    near
        (h, w) uint8, 255 at the mouth, falling to 0 around.
    """

    window: tuple[int, int]
    colours: ByteArray
    seen: ByteArray
    near: ByteArray


@dataclass(frozen=True, eq=False)
class BakedMouth:
    """The mouth of a baked head.

    Attributes
    ----------
    heads, quality, likeness
        M photos' heads, (M,) how well each shows the face, and (M,) how well it may be seen at the mouth.
    main
        Which of them decides.
    windows
        What they show, for each size of texture.
    photos
        The same photos, for what is between their lips.
    brightness
        Of the skin, and of the white of the eyes, in [0, 255].
    """

    heads: tuple[HeadGeometry, ...]
    quality: FloatArray
    likeness: FloatArray
    main: int
    windows: tuple[MouthWindow, ...]
    photos: tuple[MouthPhoto, ...]
    brightness: tuple[float, float]

    def weigh(self, target: HeadGeometry, settings: WarpSettings) -> tuple[FloatArray, FloatArray]:
        """Weigh the photos for a target: (M,) away from the mouth and (M,) at it, as the warp does."""
        fitness = pose_fitness(self.heads, self.quality, target, settings.weights)
        on_head = settings.weights.other_weight * fitness
        on_head[self.main] = 1
        on_mouth = mouth_weights(fitness, self.heads, target, settings.weights) * self.likeness
        return on_head, np.asarray(on_mouth / on_mouth.max(), np.float32)

    def mix(self, texture: ByteArray, level: int, on_head: FloatArray, on_mouth: FloatArray) -> ByteArray:
        """Give a texture the mouth that photos show as a target holds it.

        Parameters
        ----------
        texture, level
            One of the head's textures (T, T, 4), and its number.
        on_head, on_mouth
            (M,) the photos' weights, from `weigh`.
        """
        if len(self.heads) == 1:
            return texture
        own = self.windows[level]
        mixed = texture.copy()
        height, width = own.near.shape
        box = np.s_[own.window[0] : own.window[0] + height, own.window[1] : own.window[1] + width]
        mix_photos(texture[box], own.colours, own.seen, own.near, on_head, on_mouth, mixed[box])
        return mixed

    def draw(
        self,
        colour: FloatArray,
        triangle: Array,
        pixels: Array,
        on_mouth: FloatArray,
        target: HeadGeometry,
        model: HeadModel,
        settings: WarpSettings,
    ) -> None:
        """Draw what is between the lips of a target into a picture (H, W, 3), in place.

        ``triangle`` (H, W) is what it shows of the mesh, ``pixels`` (V, 2) where its vertices are, and
        ``on_mouth`` (M,) are the photos' weights, from `weigh`.
        """
        height, edge = len(triangle), settings.mouth.edge_softness * len(triangle)
        about = box_around(pixels[part_vertices(model, *INSIDE)])
        found = np.isin(np.append(model.parts, 255)[triangle[about]], INSIDE)
        if not found.any():
            return
        window = rows, columns = _widen(about, window_around(found, margin=0), int(8 * edge) + 4)
        places = LandmarkModel.load(model).predict_pixels(target) / target.camera.height
        lips = Lips.of(places, target, height, model, settings)
        chosen = choose_lips([photo.lips for photo in self.photos], on_mouth, lips, settings)
        photo = None if chosen is None else self.photos[chosen]
        parts = np.append(model.parts, 255)[triangle[window]]
        inside = np.isin(parts, INSIDE)
        lips = replace(lips, corner=lips.corner - (columns.start, rows.start))
        drawn, _ = draw_between_lips(parts, lips, target.expression, self.brightness, photo, height, settings)
        near = colour[window].copy()
        near[inside] = drawn
        colour[window] = soften_edge(near, inside, edge)


def _widen(outer: Window, inner: Window, margin: int) -> Window:
    """Give a window inside another as one of the picture, so many pixels wider on each side."""
    rows, columns = (
        slice(max(whole.start + part.start - margin, 0), whole.start + part.stop + margin)
        for whole, part in zip(outer, inner, strict=True)
    )
    return rows, columns


def bake_mouth(
    sources: Sources,
    quality: Array,
    light: LightCorrections,
    texture: tuple[ByteArray, ...],
    atlas: Atlas,
    seen: FloatArray,
    ahead: HeadGeometry,
    model: HeadModel,
    settings: WarpSettings,
) -> BakedMouth:
    """Keep what photos show about the mouth.

    Parameters
    ----------
    sources, quality
        The N photos, and (N,) how well each shows the face.
    light
        What brings them to one light in the texture.
    texture
        The head's textures, the largest first.
    atlas, seen
        Where parts lie in it, and (T, T) how well photos see each place.
    ahead
        The head that the photos were weighed for.
    model, settings
        The head model, and those of the warp.
    """
    numbers = _choose_photos(sources)
    raster = atlas.raster(len(texture[0]))
    nearness = mouth_nearness(model, *settings.weights.mouth_reach)[:, None]
    parts = np.where(raster.mask, model.parts[raster.triangle], 255)
    near = np.where(parts == Part.SKIN, raster.interpolate(nearness, model.triangles)[..., 0], 0)
    rows, columns = window_around(near > 0)
    top, left = rows.start // _ALIGNED * _ALIGNED, columns.start // _ALIGNED * _ALIGNED
    box = np.s_[top : -(-rows.stop // _ALIGNED) * _ALIGNED, left : -(-columns.stop // _ALIGNED) * _ALIGNED]
    here = Raster(np.where(near > 0, raster.triangle, -1).astype(np.int32), raster.barycentric, raster.depth)
    read = [_read_photo(number, here, sources, light, model, settings) for number in numbers]
    colours, shown = (np.stack([each[kind][box] for each in read]) for kind in (0, 1))
    windows = [
        MouthWindow((top, left), *(_as_bytes(each) for each in (colours, shown * 255, near[box] * 255)))
    ]
    for _ in texture[1:]:
        windows.append(_halve(windows[-1]))
    heads = tuple(sources.heads[number] for number in numbers)
    side, own = sources.crops.shape[1], np.asarray(quality, np.float32)[numbers]
    photos = [
        MouthPhoto(
            sources.crops[number],
            Lips.of(sources.landmarks[number], sources.heads[number], side, model, settings),
            sources.gains[number] * _light_at(light.factors[number], near > 0.9),
        )
        for number in numbers
    ]
    unweighed = mouth_weights(
        pose_fitness(heads, own, ahead, settings.weights), heads, ahead, settings.weights
    )
    skin, eyes = (parts == Part.SKIN) & (seen > 0.5), np.isin(parts, EYES) & (seen > settings.mouth.well_seen)
    picture = texture[0][..., :3]
    return BakedMouth(
        heads=heads,
        quality=own,
        likeness=np.asarray(sources.mouth_weights[numbers] / np.maximum(unweighed, 1e-6), np.float32),
        main=numbers.index(sources.main),
        windows=tuple(windows),
        photos=tuple(photos),
        brightness=(
            measure_brightness(picture, skin, settings.colour.usual_skin_brightness),
            measure_brightness(picture, eyes, 0, settings.mouth.white_percent),
        ),
    )


def _choose_photos(sources: Sources) -> list[int]:
    """Choose the photo that decides, and those whose expressions are least like those chosen before."""
    expressions = np.stack([head.expression for head in sources.heads])
    chosen = [sources.main]
    while len(chosen) < min(_MOST_PHOTOS, len(expressions)):
        apart = np.linalg.norm(expressions[:, None] - expressions[chosen], axis=2).min(axis=1)
        apart[chosen] = -1
        chosen.append(int(apart.argmax()))
    return chosen


def _read_photo(
    number: int,
    raster: Raster,
    sources: Sources,
    light: LightCorrections,
    model: HeadModel,
    settings: WarpSettings,
) -> tuple[FloatArray, FloatArray]:
    """Read one photo at the places of a texture: colours (T, T, 3), and how well it sees them (T, T)."""
    crops, mattes, gains = (values[number : number + 1] for values in sources.photos)
    colour, seen, _ = blend_on_mesh(
        raster.triangle,
        raster.barycentric,
        model.triangles,
        model.parts == Part.SHOULDERS,
        sources.tables[number : number + 1],
        (crops, mattes, gains),
        light.factors[number : number + 1],
        np.ones((1, model.num_vertices), np.float32),
        settings.surface,
    )
    return colour, seen


def _as_bytes(values: Array) -> ByteArray:
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)


def _halve(window: MouthWindow) -> MouthWindow:
    """Shrink a window to that of a texture half as large."""
    height, width = window.near.shape

    def shrink(values: ByteArray) -> ByteArray:
        return np.asarray(
            cv2.resize(values, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8
        )

    first = window.window[0] // 2, window.window[1] // 2
    colours, seen = (np.stack([shrink(one) for one in each]) for each in (window.colours, window.seen))
    return MouthWindow(first, colours, seen, shrink(window.near))


def _light_at(factors: Array, where: Array) -> Array:
    """Mean factors (3,) of a coarse field (h, w, 3) at places (T, T)."""
    weight = cv2.resize(where.astype(np.float32), factors.shape[1::-1], interpolation=cv2.INTER_AREA)
    return np.asarray((factors * weight[..., None]).sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6))
