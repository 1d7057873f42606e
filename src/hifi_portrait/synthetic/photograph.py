"""Taking the photo: person and photo in, picture and exact truth out."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head import Camera, HeadGeometry, HeadModel, Part, rest_vertices, vertex_normals
from hifi_portrait.head.base_shape import Fitting
from hifi_portrait.head.framing import FACE_HEIGHT
from hifi_portrait.head.glasses import CLEAR, DARK, fit_glasses
from hifi_portrait.head.model import ShapeAlignment, part_vertices
from hifi_portrait.synthetic import colours
from hifi_portrait.synthetic.background import COLOURED, backdrop
from hifi_portrait.synthetic.beard import beard_hair
from hifi_portrait.synthetic.caption import caption
from hifi_portrait.synthetic.clothes import dress, skin_left_bare
from hifi_portrait.synthetic.environment import (
    WORLD_METERING,
    camera_rotation,
    expose_background,
    light_from,
    view,
)
from hifi_portrait.synthetic.eyes import eye_texture
from hifi_portrait.synthetic.finish import develop, stylise
from hifi_portrait.synthetic.glasses import COLOURS, put_on
from hifi_portrait.synthetic.hair import head_hair, skull_shield
from hifi_portrait.synthetic.headwear import COVERS_HAIR, Headwear, fit_headwear, put_on_headwear, tuck_hair
from hifi_portrait.synthetic.lights import arrange
from hifi_portrait.synthetic.mesh import HAIR, body_mesh
from hifi_portrait.synthetic.outfits import dress_in, skin_bare_in
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.photo import Photo
from hifi_portrait.synthetic.render import Lens, Materials, Rendering, palette, render
from hifi_portrait.synthetic.scene import Scene
from hifi_portrait.synthetic.skin import skin_texture
from hifi_portrait.synthetic.strands import Strands, posed_strands, ribbon_mesh
from hifi_portrait.synthetic.walls import COLOURED_WALLS, WALLS, paint_wall
from hifi_portrait.synthetic.wide_caption import wide_caption

Array = NDArray[np.float32]

FACE_MIDDLE = np.array((0.0, -0.100, 0.000))
"""The point of the base shape that framing is about: between eyes and mouth."""
BELOW_MIDDLE = 0.03
"""How far the face's middle lies below the picture's, as a share of the picture."""


@dataclass(frozen=True, eq=False)
class PhotoTruth:
    """What is exactly known of a synthetic photo."""

    vertices: Array
    """(V, 3) camera space, metres, in the order of ``HeadModel``."""
    geometry: HeadGeometry
    """The nearest head of the head model; its rotation is the face's true one."""
    visibility: Array
    """(V,) in [0, 1]: facing the camera, hidden by nothing (hair, glasses), inside the picture."""
    matte: Array
    """(H, W) in [0, 1]: the person, hair included."""
    caption: str
    attributes: dict[str, Any]

    @property
    def expression(self) -> Array:
        """(52,) ARKit coefficients in [0, 1]."""
        return np.asarray(self.geometry.expression, np.float32)

    @property
    def gaze(self) -> Array:
        """(2,) degrees, yaw and pitch relative to the head."""
        return np.asarray(self.geometry.gaze, np.float32)

    @property
    def landmarks(self) -> Array:
        """(V, 2) pixels: where each vertex is in the picture."""
        return self.geometry.camera.project(self.vertices).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Photograph:
    """A picture and its truth."""

    image: NDArray[np.uint8]
    """(size, size, 3) RGB."""
    truth: PhotoTruth


@dataclass(frozen=True, eq=False)
class _Sitter:
    """What is made once a person: shape, textures, hair."""

    rest: Array
    fitting: Fitting
    alignment: ShapeAlignment
    skin: Array
    eyes: Array
    hair: Strands | None
    """On the base shape, like ``beard``."""
    beard: Strands | None
    shield: Array
    """Distance of the skull from ``strands.CENTRE`` by direction."""


@lru_cache(maxsize=4)
def _sitter(person: Person, full_hair: bool = False) -> _Sitter:
    mesh = body_mesh()
    rest = rest_vertices(person.shape).astype(np.float32)
    skin_faces = mesh.faces[np.isin(mesh.part, (Part.SKIN, Part.SHOULDERS))]
    fitting = Fitting.of(rest, HeadModel.load())
    vertices = fitting.to_base(rest[: mesh.num_vertices])
    normals = vertex_normals(vertices, skin_faces)
    hair, beard = head_hair(person, vertices, normals, full=full_hair), beard_hair(person, vertices, normals)
    return _Sitter(
        rest,
        fitting,
        HeadModel.load().align(rest),
        skin_texture(person),
        eye_texture(person),
        hair,
        beard,
        skull_shield(vertices),
    )


@lru_cache(maxsize=16)
def _with_beard(person: Person, beard: str) -> Person:
    return replace(person, beard=beard)


def photograph(person: Person, photo: Photo, size: int = 256) -> Photograph:
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
    wide = photo.wide
    if wide is not None and wide.beard is not None:
        person = _with_beard(person, wide.beard)
    sitter, model, mesh = _sitter(person, wide is not None), HeadModel.load(), body_mesh()
    rng = np.random.default_rng([91, photo.sitting, person.seed])
    camera = Camera.from_fov(size, photo.fov)
    rotation = photo.pose.matrix()
    translation = _place(photo, rotation, sitter.fitting.to_person(FACE_MIDDLE))
    gaze = np.asarray(photo.gaze, np.float32)
    expressed = model.express(sitter.rest, photo.expression, gaze)
    vertices = model.bend(expressed, rotation, translation)
    head = np.eye(4)
    head[:3, :3], head[:3, 3] = rotation, translation

    normals = _normals(vertices)
    attributes = describe(person, photo)
    scene = Scene()
    headwear = None
    if wide is not None and wide.headwear != "none":
        base = sitter.fitting.to_base(sitter.rest[: mesh.num_vertices])
        headwear = fit_headwear(wide.headwear, sitter.shield, base)
        shoulders = part_vertices(model, Part.SHOULDERS)
        shift = np.median(vertices[shoulders] - sitter.rest[shoulders], axis=0)
        put_on_headwear(scene, headwear, sitter.fitting, head, shift)
    _add_body(scene, photo, vertices, normals, rotation[:, 1] * 0.005, headwear)
    (dress if wide is None else dress_in)(scene, photo.clothing, vertices, normals)
    hair = (
        sitter.hair if headwear is None or wide is None else tuck_hair(sitter.hair, headwear, wide.headwear)
    )
    _add_strands(scene, sitter, hair, vertices, head, person, size)
    lens = _add_glasses(scene, sitter, attributes["glasses"], head, person)
    materials = Materials(
        sitter.skin,
        sitter.eyes,
        palette(
            np.asarray(colours.skin_colour(person.skin.melanin)),
            np.asarray(photo.clothing_rgb),
            np.asarray(person.hair.rgb if photo.hair_dye is None else photo.hair_dye[1]),
            np.asarray(COLOURS[person.seed % len(COLOURS)]),
        ),
        person.skin.shine,
        None if wide is None else wide.dyes(),
    )
    focus = translation + rotation @ np.array((0.0, -0.02, 0.0)) + (0, 0, -0.02)
    if wide is not None and wide.environment is not None:
        turned = camera_rotation(wide.camera_yaw, wide.camera_pitch)
        around = light_from(wide.environment, turned, float(np.exp(rng.normal(0, 0.08))))
        rendering = render(scene, camera, focus, around.lights, materials, lens)
        seen = view(wide.environment, turned, wide.background_fov, size, wide.blur)
        behind = expose_background(seen, around.scale * rendering.exposure)
    else:
        lamps = arrange(photo.light, rng)
        if wide is not None:
            lamps = replace(lamps, metering=WORLD_METERING)
        rendering = render(scene, camera, focus, lamps, materials, lens)
        painter = paint_wall if photo.background in WALLS else backdrop
        behind = painter(photo.background, photo.background_rgb, size, rng)
        if photo.light == "low-key light":
            behind = behind * 0.45
    linear = rendering.colour + behind * (1 - rendering.coverage[..., None])
    picture = stylise(develop(linear, rng), photo.style, rng, wide is not None)
    geometry = sitter.alignment.geometry(rotation, translation, photo.expression, gaze, camera)
    truth = PhotoTruth(
        vertices=vertices[: mesh.num_vertices],
        geometry=geometry,
        visibility=_visibility(vertices, normals, camera, rendering),
        matte=rendering.coverage,
        caption=(caption if wide is None else wide_caption)(attributes, rng, named=photo.named),
        attributes=attributes,
    )
    return Photograph((picture * 255 + 0.5).astype(np.uint8), truth)


def _place(photo: Photo, rotation: NDArray, face: NDArray) -> NDArray[np.float64]:
    """Head joint in camera space: as far away as the face's share asks, the face about the middle."""
    height = FACE_HEIGHT / photo.face_share
    distance = height / 2 / np.tan(np.radians(photo.fov) / 2)
    across, up = photo.centre
    middle = np.array((across * height, distance, (up - BELOW_MIDDLE) * height))
    # The frame follows the turning face in part only, as a photographer's does.
    return middle - 0.75 * (rotation @ face) - 0.25 * face * (0, 1, 1)


def _normals(vertices: NDArray) -> Array:
    """Skin normals smooth over neck and shoulders, those of eyes, teeth and lashes by part."""
    mesh = body_mesh()
    skin = np.isin(mesh.part, (Part.SKIN, Part.SHOULDERS, Part.MOUTH_CAVITY))
    normals = vertex_normals(vertices, mesh.faces[skin])
    other = mesh.faces[~skin]
    rows = np.unique(other)
    normals[rows] = vertex_normals(vertices, other)[rows]
    return normals


def _add_body(
    scene: Scene,
    photo: Photo,
    vertices: NDArray,
    normals: NDArray,
    inwards: NDArray,
    headwear: Headwear | None,
) -> None:
    mesh = body_mesh()
    corners = vertices[mesh.corner_vertex]
    corners[mesh.inner] += inwards
    bare = skin_left_bare(photo.clothing) if photo.wide is None else skin_bare_in(photo.clothing)
    if headwear is not None:
        bare = np.where(headwear.covered, np.float32(-1), bare)
    scene.add(
        corners,
        normals[mesh.corner_vertex],
        mesh.corner_faces,
        mesh.material,
        attribute=mesh.corner_attribute,
        keep=bare[mesh.corner_vertex],
    )


def _add_strands(
    scene: Scene,
    sitter: _Sitter,
    hair: Strands | None,
    vertices: NDArray,
    head: NDArray,
    person: Person,
    size: int,
) -> None:
    step = 1 if size >= 192 else 2
    middle = head[:3, :3] @ np.array((0.0, -0.02, 0.03)) + head[:3, 3]
    rng = np.random.default_rng([77, person.seed])
    for grown, brightness, drawn_share in ((hair, 1.0, step), (sitter.beard, 0.8, 1)):
        if grown is None:
            continue
        strands = grown.moved(sitter.fitting)
        drawn = strands.thinned(drawn_share)
        tone = brightness * rng.uniform(0.75, 1.2, strands.count)[::drawn_share]
        mesh = ribbon_mesh(posed_strands(drawn, vertices, head), drawn, middle, tone)
        scene.add(mesh.vertices, mesh.normals, mesh.faces, HAIR, attribute=mesh.tangents, tone=mesh.shades)


def _add_glasses(scene: Scene, sitter: _Sitter, kind: str, head: NDArray, person: Person) -> Lens | None:
    if kind == "none":
        return None
    skin = part_vertices(HeadModel.load(), Part.SKIN)
    glasses = fit_glasses(kind, sitter.rest, skin, sitter.fitting).moved(head)
    put_on(scene, glasses)
    return Lens(*glasses.lenses(), DARK if kind == "sunglasses" else CLEAR)


def _visibility(vertices: NDArray, normals: NDArray, camera: Camera, rendering: Rendering) -> Array:
    sharp = camera.scaled_to(rendering.distance.shape[0])
    pixels = sharp.project(vertices)
    column, row = np.floor(pixels).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < sharp.width) & (row < sharp.height)
    row, column = np.clip(row, 0, sharp.height - 1), np.clip(column, 0, sharp.width - 1)
    towards = -vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    facing = np.clip((normals * towards).sum(1), 0, 1)
    hidden = np.clip((vertices[:, 1] - rendering.distance[row, column] - 0.002) / 0.004, 0, 1)
    return (facing * inside * (1 - hidden)).astype(np.float32)


def describe(person: Person, photo: Photo) -> dict[str, Any]:
    """What captions may say of a photo, and its head pose in degrees, by name."""
    frame = person.glasses if photo.frame is None else photo.frame
    glasses = "sunglasses" if photo.sunglasses else frame if photo.wears_glasses else "none"
    return {**_plain_attributes(person, photo, glasses), **_wide_attributes(photo)}


def _wide_attributes(photo: Photo) -> dict[str, Any]:
    wide = photo.wide
    if wide is None:
        return {}
    coloured = photo.background in (*COLOURED, *COLOURED_WALLS)
    attributes: dict[str, Any] = {
        "background_colour": photo.background_colour if coloured else "",
        "headwear": wide.headwear,
        "headwear_colour": wide.headwear_colour,
        "pattern": wide.pattern,
        "second_colour": wide.second_colour,
        "tie_colour": wide.tie_colour,
        "place": wide.environment.place.name if wide.environment else "",
        "environment": wide.environment.name if wide.environment else "",
        "variety": "world",
    }
    if wide.headwear in COVERS_HAIR:
        attributes |= {"hair_style": "covered", "hair_colour": ""}
    return attributes


def _plain_attributes(person: Person, photo: Photo, glasses: str) -> dict[str, Any]:
    return {
        "gender": person.gender,
        "age_group": person.age_group,
        "skin_tone": colours.skin_name(person.skin.melanin),
        "freckles": person.skin.freckles > 0,
        "hair_style": person.hair.style,
        "hair_colour": person.hair.colour if photo.hair_dye is None else photo.hair_dye[0],
        "eye_colour": person.eye_colour,
        "beard": person.beard,
        "glasses": glasses,
        "expression": photo.kind,
        "clothing": photo.clothing,
        "clothing_colour": photo.clothing_colour,
        "background": photo.background,
        "background_colour": photo.background_colour if photo.background in COLOURED else "",
        "light": photo.light,
        "style": photo.style,
        "sitting": photo.sitting,
        "named": list(photo.named),
        "yaw": photo.pose.yaw,
        "pitch": photo.pose.pitch,
        "roll": photo.pose.roll,
    }
