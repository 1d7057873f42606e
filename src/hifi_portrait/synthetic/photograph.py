"""Taking the photo: person and photo in, picture and exact truth out."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head import Camera, HeadGeometry, HeadModel, Part
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.framing import FACE_HEIGHT
from hifi_portrait.head.model import part_vertices
from hifi_portrait.scenery.backdrops import COLOURED, backdrop
from hifi_portrait.scenery.environment import (
    WORLD_METERING,
    camera_rotation,
    expose_background,
    light_from,
    view,
)
from hifi_portrait.scenery.lights import arrange
from hifi_portrait.scenery.walls import COLOURED_WALLS, WALLS, paint_wall
from hifi_portrait.synthetic import colours
from hifi_portrait.synthetic.body_mesh import body_mesh
from hifi_portrait.synthetic.caption import caption
from hifi_portrait.synthetic.finish import develop, stylise
from hifi_portrait.synthetic.garments import dress
from hifi_portrait.synthetic.headwear import (
    COVERS_HAIR,
    HIDDEN_IN_HOOD,
    fit_headwear,
    put_on_headwear,
    tuck_hair,
)
from hifi_portrait.synthetic.mesh_collection import MeshCollection
from hifi_portrait.synthetic.outfits import dress_in
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.photo_setup import PhotoSetup
from hifi_portrait.synthetic.render import Rendering, render
from hifi_portrait.synthetic.sitter import (
    add_body,
    add_glasses,
    add_strands,
    body_normals,
    hair_step,
    make_materials,
    make_sitter,
)
from hifi_portrait.synthetic.wide_caption import wide_caption

FACE_MIDDLE = np.array((0.0, -0.100, 0.000))
"""The point of the base shape that framing is about: between eyes and mouth."""
BELOW_MIDDLE = 0.03
"""How far the face's middle lies below the picture's, as a fraction of the picture."""


@dataclass(frozen=True, eq=False)
class PhotoTruth:
    """What is exactly known of a synthetic photo."""

    vertices: FloatArray
    """(V, 3) camera space, metres, in the order of ``HeadModel``."""
    geometry: HeadGeometry
    """The nearest head of the head model; its rotation is the face's true one."""
    visibility: FloatArray
    """(V,) in [0, 1]: facing the camera, hidden by nothing (hair, glasses), inside the picture."""
    matte: FloatArray
    """(H, W) in [0, 1]: the person, hair included."""
    labels: NDArray[np.uint8]
    """(H, W) what each pixel shows, as `hifi_portrait.faces.FaceLabel`."""
    caption: str
    attributes: dict[str, Any]

    @property
    def expression(self) -> FloatArray:
        """(52,) ARKit coefficients in [0, 1]."""
        return np.asarray(self.geometry.expression, np.float32)

    @property
    def gaze(self) -> FloatArray:
        """(2,) degrees, yaw and pitch relative to the head."""
        return np.asarray(self.geometry.gaze, np.float32)

    @property
    def landmarks(self) -> FloatArray:
        """(V, 2) pixels: where each vertex is in the picture."""
        return self.geometry.camera.project(self.vertices).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Photograph:
    """A picture and its truth."""

    image: NDArray[np.uint8]
    """(size, size, 3) RGB."""
    truth: PhotoTruth


@lru_cache(maxsize=16)
def _with_beard(person: Person, beard: str) -> Person:
    return replace(person, beard=beard)


def photograph(person: Person, setup: PhotoSetup, size: int = 256) -> Photograph:
    """Take a photo.

    Parameters
    ----------
    person, photo
        Who, and how.
    size
        Width and height in pixels.

    Raises
    ------
    ValueError
        When ``size`` is below 32.
    """
    if size < 32:
        raise ValueError(f"size must be 32 or more, not {size}")
    wide = setup.wide
    if wide is not None and wide.beard is not None:
        person = _with_beard(person, wide.beard)
    sitter, model, mesh = make_sitter(person, wide is not None), HeadModel.load(), body_mesh()
    rng = np.random.default_rng([91, setup.sitting, person.seed])
    camera = Camera.from_fov(size, setup.fov)
    rotation = setup.pose.matrix()
    translation = _place(setup, rotation, sitter.fitting.to_person(FACE_MIDDLE))
    gaze = np.asarray(setup.gaze, np.float32)
    expressed = model.express(sitter.rest, setup.expression, gaze)
    vertices = model.bend(expressed, rotation, translation)
    head = np.eye(4)
    head[:3, :3], head[:3, 3] = rotation, translation

    normals = body_normals(vertices)
    attributes = describe(person, setup)
    meshes = MeshCollection()
    headwear = None
    if wide is not None and wide.headwear != "none":
        base = sitter.fitting.to_base(sitter.rest[: mesh.num_vertices])
        headwear = fit_headwear(wide.headwear, sitter.shield, base)
        shoulders = part_vertices(model, Part.SHOULDERS)
        shift = np.median(vertices[shoulders] - sitter.rest[shoulders], axis=0)
        put_on_headwear(meshes, headwear, sitter.fitting, head, shift)
    add_body(meshes, person, setup, vertices, normals, rotation[:, 1] * 0.005, headwear)
    (dress if wide is None else dress_in)(meshes, setup.clothing, vertices, normals)
    hair = (
        sitter.hair if headwear is None or wide is None else tuck_hair(sitter.hair, headwear, wide.headwear)
    )
    add_strands(meshes, sitter, hair, vertices, head, person, hair_step(size))
    lens = add_glasses(meshes, sitter, attributes["glasses"], head, person)
    materials = make_materials(sitter, person, setup, None if wide is None else wide.dyes())
    focus = translation + rotation @ np.array((0.0, -0.02, 0.0)) + (0, 0, -0.02)
    if wide is not None and wide.environment is not None:
        turned = camera_rotation(wide.camera_yaw, wide.camera_pitch)
        around = light_from(wide.environment, turned, float(np.exp(rng.normal(0, 0.08))))
        rendering = render(meshes, camera, focus, around.lights, materials, lens)
        seen = view(wide.environment, turned, wide.background_fov, size, wide.blur)
        brightness = wide.environment.place.brightness
        behind = expose_background(seen, around.scale * rendering.exposure, brightness)
    else:
        lamps = arrange(setup.light, rng)
        if wide is not None:
            lamps = replace(lamps, metering=WORLD_METERING)
        rendering = render(meshes, camera, focus, lamps, materials, lens)
        painter = paint_wall if setup.background in WALLS else backdrop
        behind = painter(setup.background, setup.background_rgb, size, rng)
        if setup.light == "low-key light":
            behind = behind * 0.45
    linear = rendering.colour + behind * (1 - rendering.coverage[..., None])
    picture = stylise(develop(linear, rng), setup.style, rng, wide is not None)
    geometry = sitter.alignment.geometry(rotation, translation, setup.expression, gaze, camera)
    truth = PhotoTruth(
        vertices=vertices[: mesh.num_vertices],
        geometry=geometry,
        visibility=_visibility(vertices, normals, camera, rendering),
        matte=rendering.coverage,
        labels=rendering.labels,
        caption=(caption if wide is None else wide_caption)(attributes, rng, named=setup.named),
        attributes=attributes,
    )
    return Photograph((picture * 255 + 0.5).astype(np.uint8), truth)


def _place(setup: PhotoSetup, rotation: Array, face: Array) -> NDArray[np.float64]:
    """Head joint in camera space: as far away as ``face_share`` asks, the face about the middle."""
    height = FACE_HEIGHT / setup.face_share
    distance = height / 2 / np.tan(np.radians(setup.fov) / 2)
    across, up = setup.centre
    middle = np.array((across * height, distance, (up - BELOW_MIDDLE) * height))
    # The frame follows the turning face in part only, as a photographer's does.
    return middle - 0.75 * (rotation @ face) - 0.25 * face * (0, 1, 1)


def _visibility(vertices: Array, normals: Array, camera: Camera, rendering: Rendering) -> FloatArray:
    sharp = camera.scaled_to(rendering.distance.shape[0])
    pixels = sharp.project(vertices)
    column, row = np.floor(pixels).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < sharp.width) & (row < sharp.height)
    row, column = np.clip(row, 0, sharp.height - 1), np.clip(column, 0, sharp.width - 1)
    towards = -vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    facing = np.clip((normals * towards).sum(1), 0, 1)
    hidden = np.clip((vertices[:, 1] - rendering.distance[row, column] - 0.002) / 0.004, 0, 1)
    return np.asarray(facing * inside * (1 - hidden), np.float32)


def describe(person: Person, setup: PhotoSetup) -> dict[str, Any]:
    """List what captions may say of a photo, and its head pose in degrees, by name."""
    frame = person.glasses if setup.frame is None else setup.frame
    glasses = "sunglasses" if setup.sunglasses else frame if setup.wears_glasses else "none"
    return {**_plain_attributes(person, setup, glasses), **_wide_attributes(person, setup)}


def _wide_attributes(person: Person, setup: PhotoSetup) -> dict[str, Any]:
    wide = setup.wide
    if wide is None:
        return {}
    coloured = setup.background in (*COLOURED, *COLOURED_WALLS)
    attributes: dict[str, Any] = {
        "background_colour": setup.background_colour if coloured else "",
        "headwear": wide.headwear,
        "headwear_colour": wide.headwear_colour,
        "pattern": wide.pattern,
        "second_colour": wide.second_colour,
        "tie_colour": wide.tie_colour,
        "place": wide.environment.place.name if wide.environment else "",
        "environment": wide.environment.name if wide.environment else "",
        "variety": "world",
    }
    if wide.headwear in COVERS_HAIR or (wide.headwear == "hood" and person.hair.style in HIDDEN_IN_HOOD):
        attributes |= {"hair_style": "covered", "hair_colour": ""}
    return attributes


def _plain_attributes(person: Person, setup: PhotoSetup, glasses: str) -> dict[str, Any]:
    return {
        "gender": person.gender,
        "age_group": person.age_group,
        "skin_tone": colours.skin_name(person.skin.melanin),
        "freckles": person.skin.freckles > 0,
        "hair_style": person.hair.style,
        "hair_colour": person.hair.colour if setup.hair_dye is None else setup.hair_dye[0],
        "eye_colour": person.eye_colour,
        "beard": person.beard,
        "glasses": glasses,
        "expression": setup.kind,
        "clothing": setup.clothing,
        "clothing_colour": setup.clothing_colour,
        "background": setup.background,
        "background_colour": setup.background_colour if setup.background in COLOURED else "",
        "light": setup.light,
        "style": setup.style,
        "sitting": setup.sitting,
        "named": list(setup.named),
        "yaw": setup.pose.yaw,
        "pitch": setup.pose.pitch,
        "roll": setup.pose.roll,
    }
