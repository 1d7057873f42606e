"""From meshes and lights to a linear picture and the person's matte."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.head import Camera
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.glasses import Tint, through_lens
from hifi_portrait.head.mesh import TOOTH_WIDTHS
from hifi_portrait.head.numerics import block_mean
from hifi_portrait.scenery.lights import Lights
from hifi_portrait.synthetic.body_mesh import BODY, CLOTH, EYE, FRAME, HAIR, LASH, MOUTH, SKIN, TEETH
from hifi_portrait.synthetic.depth_buffer import ambient_occlusion, draw_nearest, turned_discs
from hifi_portrait.synthetic.dyes import Dyes, dye_cloth
from hifi_portrait.synthetic.labels import merge_labels
from hifi_portrait.synthetic.mesh_collection import MeshCollection
from hifi_portrait.synthetic.shading import shade

SUPERSAMPLING = 2
SHADOW_EXTENT = 0.66
"""Width that a shadow map covers, metres."""
_OVERHEAD = 1e-6
"""Sine of the angle to the vertical below which a light stands straight above or below."""
_NO_SHADOW_DEPTH = -9.0
"""Nearness of an empty shadow map: farther than anything in a picture, metres."""


@dataclass(frozen=True)
class Camerawork:
    """How the renderer treats light beyond geometry; no unit where none is given."""

    shadow_spread: tuple[float, float] = (1.5, 13.0)
    """Radius of a hard light's penumbra in shadow-map texels, and how much larger a very soft light's is."""
    scatter: tuple[float, float, float] = (1.7, 0.8, 0.45)
    """How far red, green and blue light spreads under the skin, millimetres."""
    scattered: float = 0.65
    """Fraction of the light on skin that spreads."""
    unscattered: float = 0.35
    """Fraction that does not."""
    scatter_reach: float = 2.5
    """Where the spreading is cut off, standard deviations."""
    occlusion_radius: float = 0.055
    """Distance at which surfaces shade each other, as a fraction of the picture."""
    occlusion_blurs: float = 430
    """The picture's height divided by this is the blur of that shade."""
    occlusion_of_eyes: tuple[float, float] = (0.45, 0.55)
    """Least light on eyes, and what openness adds to it: lids would shade them too much."""
    occlusion_of_teeth: tuple[float, float] = (0.6, 0.4)
    """Least light on teeth, and what openness adds to it."""
    meter_percentile: float = 70
    """Which brightness of the face the exposure is for, per cent."""
    middle_tone: float = 0.34
    """Radiance that it is brought to."""
    meter_range: tuple[float, float] = (0.5, 2.2)
    """Bounds of the exposure's factor."""
    catch_light: tuple[float, float, float] = (0.0, -0.75, 0.22)
    """Direction near the camera that is mixed into the light that irises mirror."""
    catch_light_of_lamp: float = 0.55
    """How much of the first lamp's direction is in it."""
    opaque: float = 0.3
    """A lens that lets through less than this hides the eyes from the truth's visibility."""


CAMERAWORK = Camerawork()


@dataclass(frozen=True, kw_only=True)
class Detail:
    """How finely light is computed. A picture in which a head is small needs less of it than a portrait."""

    shadow_size: int = 384
    """Width of each light's shadow map, texels."""
    shadow_taps: int = 10
    """Texels of it that each place reads."""
    occlusion_samples: int = 12
    """Pairs of neighbours that may shade a place."""
    every_strand: int = 0
    """Every how manieth strand of hair is drawn, thicker; 0 decides by the picture's size."""


PORTRAIT = Detail()


@dataclass(frozen=True)
class Materials:
    """Colours of one person in one photo."""

    skin_texture: FloatArray
    eye_texture: FloatArray
    palette: NDArray[np.float64]
    """(9, 3)"""
    shine: float
    dyes: Dyes | None = None
    """Further colours of cloth; None when all of it has the palette's."""


@dataclass(frozen=True)
class Lens:
    """Lenses of glasses, in camera space."""

    vertices: FloatArray
    triangles: NDArray[np.int32]
    tint: Tint


@dataclass(frozen=True)
class Rendering:
    """A linear picture before tone mapping."""

    colour: FloatArray
    """(H, W, 3) the person, multiplied with coverage; exposed."""
    coverage: FloatArray
    """(H, W) in [0, 1]: the matte."""
    distance: FloatArray
    """(2H, 2W) distance of what is seen along the camera's axis; infinite where there is nothing."""
    exposure: float
    """Factor from light to ``colour``."""
    labels: NDArray[np.uint8]
    """(H, W) the `FaceLabel` of most of each pixel."""


def render(
    meshes: MeshCollection,
    camera: Camera,
    focus: Array,
    lights: Lights,
    materials: Materials,
    lens: Lens | None = None,
    detail: Detail = PORTRAIT,
) -> Rendering:
    """Draw meshes under their lights.

    Parameters
    ----------
    meshes
        In camera space.
    camera
        Of the picture.
    focus
        (3,) the head's middle: what the shadow maps are centred on.
    lights, materials, lens
        What lights it, what it is made of, what is in front of the eyes.
    detail
        How finely light is computed.
    """
    sharp = camera.scaled_to(camera.height * SUPERSAMPLING)
    height, width = sharp.height, sharp.width
    vertices, normals, attributes, tones, keeps, triangles, material = meshes.arrays()
    inverse_depth = (1 / vertices[:, 1]).astype(np.float32)
    xy = sharp.project(vertices).astype(np.float32)
    depth = np.zeros((height, width), np.float32)
    triangle_id = np.full((height, width), -1, np.int32)
    weights = np.zeros((height, width, 2), np.float32)
    draw_nearest(xy, inverse_depth, keeps, triangles, depth, triangle_id, weights)

    transform, shadows = _shadow_maps(lights, focus, vertices, keeps, triangles, detail.shadow_size)
    hard_spread, soft_spread = CAMERAWORK.shadow_spread
    texels = detail.shadow_size / PORTRAIT.shadow_size
    irradiance, albedo, specular = (np.zeros((height, width, 3), np.float32) for _ in range(3))
    shade(
        triangle_id,
        weights,
        inverse_depth,
        triangles,
        material,
        vertices,
        normals,
        attributes,
        tones,
        materials.skin_texture,
        materials.eye_texture,
        materials.palette,
        materials.shine,
        lights.direction,
        lights.rgb,
        transform,
        shadows,
        texels * (hard_spread + soft_spread * lights.softness),
        _shadow_taps(detail.shadow_taps),
        lights.sky,
        lights.ground,
        _catch_light(lights),
        TOOTH_WIDTHS,
        irradiance,
        albedo,
        specular,
        lights.ambient,
    )

    seen = np.where(triangle_id >= 0, material[triangle_id], -1)
    labels = np.where(triangle_id >= 0, meshes.labels()[triangle_id], np.uint8(FaceLabel.BACKGROUND))
    distance = np.where(depth > 0, 1 / np.maximum(depth, 1e-9), 99).astype(np.float32)
    _occlude(irradiance, specular, distance, seen, sharp, detail.occlusion_samples)
    _scatter_in_skin(irradiance, seen, sharp.focal / float(focus[1]))
    if materials.dyes is not None:
        r, g, b = materials.palette[CLOTH]
        dye_cloth(
            albedo,
            materials.dyes,
            (r, g, b),
            meshes.dyes(),
            triangle_id,
            material,
            triangles,
            weights,
            inverse_depth,
            attributes,
        )
    colour = albedo * irradiance + specular
    exposure = _exposure(colour, seen, lights)
    colour *= exposure
    if lens is not None:
        front = _lay_lens(colour, depth, lens, sharp, lights)
        if max(lens.tint.factor) < CAMERAWORK.opaque:
            distance = np.where(front > depth, 1 / np.maximum(front, 1e-9), distance)
            labels = np.where(front > depth, np.uint8(FaceLabel.GLASSES), labels)
    s = SUPERSAMPLING
    covered = (triangle_id >= 0).astype(np.float32)
    return Rendering(
        block_mean(colour * covered[..., None], s),
        block_mean(covered, s),
        np.where(depth > 0, distance, np.inf),
        exposure,
        merge_labels(labels, s),
    )


@cache
def _shadow_taps(count: int) -> NDArray[np.float64]:
    """Spread the taps evenly over the disc's area."""
    discs = turned_discs(count)
    return discs / np.sqrt(discs[..., 2:])


def _shadow_maps(
    lights: Lights,
    focus: Array,
    vertices: FloatArray,
    keeps: FloatArray,
    triangles: NDArray[np.int32],
    size: int,
) -> tuple[NDArray[np.float64], FloatArray]:
    count = len(lights.direction)
    transform = np.zeros((count, 3, 4))
    shadows = np.full((count, size, size), _NO_SHADOW_DEPTH, np.float32)
    scale = size / SHADOW_EXTENT
    for k, direction in enumerate(lights.direction):
        right = np.cross(direction, (0.0, 0.0, 1.0))
        if np.linalg.norm(right) < _OVERHEAD:
            right = np.array((1.0, 0.0, 0.0))
        right /= np.linalg.norm(right)
        up = np.cross(right, direction)
        transform[k, 0, :3], transform[k, 1, :3], transform[k, 2, :3] = right * scale, up * scale, direction
        transform[k, :, 3] = (
            size / 2 - scale * right @ focus,
            size / 2 - scale * up @ focus,
            -direction @ focus,
        )
        projected = vertices @ transform[k, :, :3].T.astype(np.float32) + transform[k, :, 3].astype(
            np.float32
        )
        xy, nearness = np.ascontiguousarray(projected[:, :2]), np.ascontiguousarray(projected[:, 2])
        draw_nearest(xy, nearness, keeps, triangles, shadows[k])
    return transform, shadows


def _catch_light(lights: Lights) -> NDArray[np.float64]:
    """Between the first lamp and the camera, so that the iris mirrors it whatever the lamp's place."""
    direction = CAMERAWORK.catch_light_of_lamp * lights.direction[0] + np.array(CAMERAWORK.catch_light)
    return np.asarray(direction / np.linalg.norm(direction))


def _occlude(
    irradiance: FloatArray,
    specular: FloatArray,
    distance: FloatArray,
    seen: Array,
    camera: Camera,
    samples: int,
) -> None:
    openness = np.ones(distance.shape, np.float32)
    radius = camera.height * CAMERAWORK.occlusion_radius
    ambient_occlusion(distance, radius, turned_discs(samples), openness)
    openness = gaussian_filter(openness, camera.height / CAMERAWORK.occlusion_blurs)
    for material, (least, more) in (
        (EYE, CAMERAWORK.occlusion_of_eyes),
        (TEETH, CAMERAWORK.occlusion_of_teeth),
    ):
        openness = np.where(seen == material, least + more * openness, openness)
    openness = openness[..., None]
    irradiance *= openness
    specular *= np.where((seen == EYE)[..., None], 1.0, openness)


def _scatter_in_skin(irradiance: FloatArray, seen: Array, pixels_per_metre: float) -> None:
    """Light spreads under the skin, red the farthest."""
    skin = ((seen == SKIN) | (seen == BODY)).astype(np.float32)
    rows, columns = np.nonzero(skin.any(1))[0], np.nonzero(skin.any(0))[0]
    if not len(rows):
        return
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    mask = skin[box]
    for channel, millimetres in enumerate(CAMERAWORK.scatter):
        sigma = millimetres * 1e-3 * pixels_per_metre
        plane = irradiance[box][..., channel]
        fraction = gaussian_filter(mask, sigma, truncate=CAMERAWORK.scatter_reach)
        spread = gaussian_filter(plane * mask, sigma, truncate=CAMERAWORK.scatter_reach)
        spread /= np.maximum(fraction, 1e-4)
        mixed = CAMERAWORK.unscattered * plane + CAMERAWORK.scattered * spread
        plane[...] = np.where(mask > 0, mixed, plane)


def _exposure(colour: FloatArray, seen: Array, lights: Lights) -> float:
    """Do what a camera's meter does: bring the face to a middle tone, dark skin less than fully."""
    face = colour[seen == SKIN]
    if not len(face):
        return lights.exposure
    level = float(np.percentile(face.mean(-1), CAMERAWORK.meter_percentile)) + 1e-4
    factor = (CAMERAWORK.middle_tone / level) ** lights.metering
    return lights.exposure * float(np.clip(factor, *CAMERAWORK.meter_range))


def _lay_lens(
    colour: FloatArray, depth: FloatArray, lens: Lens, camera: Camera, lights: Lights
) -> FloatArray:
    """Tint what is behind the lenses; returns the inverse depth with the lenses in it."""
    inverse_depth = (1 / lens.vertices[:, 1]).astype(np.float32)
    xy = camera.project(lens.vertices).astype(np.float32)
    front = depth.copy()
    hit = np.full(depth.shape, -1, np.int32)
    weights = np.zeros((*depth.shape, 2), np.float32)
    draw_nearest(xy, inverse_depth, np.ones(len(xy), np.float32), lens.triangles, front, hit, weights)
    rows, columns = np.nonzero(hit >= 0)
    if not len(rows):
        return front
    colour[rows, columns] = through_lens(colour[rows, columns], rows, columns, lens.tint, lights.sky)
    return front


def palette(skin: Array, cloth: Array, hair: Array, frame: Array) -> NDArray[np.float64]:
    """Tabulate base colours (9, 3) by material."""
    table = np.zeros((9, 3))
    table[SKIN] = table[BODY] = skin
    table[EYE], table[TEETH] = (0.8, 0.78, 0.74), (0.75, 0.7, 0.6)
    table[MOUTH] = (0.30, 0.085, 0.075)
    table[LASH] = np.asarray(skin) * 0.05 + 0.006
    table[CLOTH], table[HAIR], table[FRAME] = cloth, hair, frame
    return table
