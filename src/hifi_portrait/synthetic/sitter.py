"""The parts that a person in a photo is made of: what is made once a person, and the meshes of one pose."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.head import HeadModel, Part, rest_vertices, vertex_normals
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.base_shape import Fitting
from hifi_portrait.head.glasses import CLEAR, DARK, fit_glasses
from hifi_portrait.head.model import ShapeAlignment, part_vertices
from hifi_portrait.synthetic import colours
from hifi_portrait.synthetic.beard import beard_hair
from hifi_portrait.synthetic.body_mesh import HAIR, body_mesh
from hifi_portrait.synthetic.dyes import Dyes
from hifi_portrait.synthetic.eyeballs import eye_texture
from hifi_portrait.synthetic.garments import skin_left_bare
from hifi_portrait.synthetic.hair_strands import Strands, posed_strands, ribbon_mesh
from hifi_portrait.synthetic.head_hair import head_hair, skull_shield
from hifi_portrait.synthetic.headwear_shape import Headwear
from hifi_portrait.synthetic.labels import body_labels
from hifi_portrait.synthetic.mesh_collection import MeshCollection
from hifi_portrait.synthetic.outfits import skin_bare_in
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.photo_setup import PhotoSetup
from hifi_portrait.synthetic.render import Lens, Materials, palette
from hifi_portrait.synthetic.skin import skin_texture
from hifi_portrait.synthetic.worn_glasses import COLOURS, put_on


@dataclass(frozen=True, eq=False)
class Sitter:
    """What is made once a person: shape, textures, hair."""

    rest: FloatArray
    fitting: Fitting
    alignment: ShapeAlignment
    skin: FloatArray
    eyes: FloatArray
    hair: Strands | None
    """On the base shape, like ``beard``."""
    beard: Strands | None
    shield: FloatArray
    """Distance of the skull from ``hair_strands.CENTRE`` by direction."""


@lru_cache(maxsize=4)
def make_sitter(person: Person, full_hair: bool = False) -> Sitter:
    """Make what all photos of a person share; ``full_hair`` has strands enough for the variety "world"."""
    mesh = body_mesh()
    rest = rest_vertices(person.shape).astype(np.float32)
    skin_triangles = mesh.triangles[np.isin(mesh.part, (Part.SKIN, Part.SHOULDERS))]
    fitting = Fitting.from_rest(rest, HeadModel.load())
    vertices = fitting.to_base(rest[: mesh.num_vertices])
    normals = vertex_normals(vertices, skin_triangles)
    hair, beard = head_hair(person, vertices, normals, full=full_hair), beard_hair(person, vertices, normals)
    return Sitter(
        rest,
        fitting,
        HeadModel.load().align(rest),
        skin_texture(person),
        eye_texture(person),
        hair,
        beard,
        skull_shield(vertices),
    )


def make_materials(sitter: Sitter, person: Person, setup: PhotoSetup, dyes: Dyes | None = None) -> Materials:
    """Make what skin, eyes, clothes, hair and frame of a person look like in one photo."""
    return Materials(
        sitter.skin,
        sitter.eyes,
        palette(
            np.asarray(colours.skin_colour(person.skin.melanin)),
            np.asarray(setup.clothing_rgb),
            np.asarray(person.hair.rgb if setup.hair_dye is None else setup.hair_dye[1]),
            np.asarray(COLOURS[person.seed % len(COLOURS)]),
        ),
        person.skin.shine,
        dyes,
    )


def body_normals(vertices: Array) -> FloatArray:
    """Skin normals smooth over neck and shoulders, those of eyes, teeth and lashes by part."""
    mesh = body_mesh()
    skin = np.isin(mesh.part, (Part.SKIN, Part.SHOULDERS, Part.MOUTH_CAVITY))
    normals = vertex_normals(vertices, mesh.triangles[skin])
    other = mesh.triangles[~skin]
    rows = np.unique(other)
    normals[rows] = vertex_normals(vertices, other)[rows]
    return normals


def add_body(
    meshes: MeshCollection,
    person: Person,
    setup: PhotoSetup,
    vertices: Array,
    normals: Array,
    inwards: Array,
    headwear: Headwear | None,
) -> None:
    """Add head, neck and shoulders.

    Parameters
    ----------
    meshes
        What they are added to.
    person, setup
        Who, and how dressed.
    vertices, normals
        (V, 3) of the posed body.
    inwards
        (3,) how far inner surfaces, of eyes and mouth, stand back.
    headwear
        Hides the scalp under it.
    """
    mesh = body_mesh()
    corners = vertices[mesh.corner_vertex]
    corners[mesh.inner] += inwards
    bare = skin_left_bare(setup.clothing) if setup.wide is None else skin_bare_in(setup.clothing)
    if headwear is not None:
        bare = np.where(headwear.covered, np.float32(-1), bare)
    meshes.add(
        corners,
        normals[mesh.corner_vertex],
        mesh.corner_triangles,
        mesh.material,
        attribute=mesh.corner_attribute,
        keep=bare[mesh.corner_vertex],
        label=body_labels(person),
    )


def hair_step(size: int) -> int:
    """Give every how manieth strand a picture of ``size`` pixels is drawn with."""
    return 1 if size >= 192 else 2


def add_strands(
    meshes: MeshCollection,
    sitter: Sitter,
    hair: Strands | None,
    vertices: Array,
    head: Array,
    person: Person,
    every: int,
) -> None:
    """Add hair and beard as ribbons.

    Parameters
    ----------
    meshes
        What they are added to.
    sitter
        Whose beard.
    hair
        The sitter's, as a hat leaves it.
    vertices, head
        (V, 3) the posed body, and (4, 4) the pose of its head.
    person
        Whose strands vary in tone.
    every
        Every how manieth strand is drawn, thicker, as of `hair_step`; of a beard twice as many.
    """
    middle = head[:3, :3] @ np.array((0.0, -0.02, 0.03)) + head[:3, 3]
    rng = np.random.default_rng([77, person.seed])
    for grown, brightness, thinning, label in (
        (hair, 1.0, every, FaceLabel.HAIR),
        (sitter.beard, 0.8, max(1, every // 2), FaceLabel.BEARD),
    ):
        if grown is None:
            continue
        drawn = grown.thin(thinning).fit_to_person(sitter.fitting)
        tone = brightness * rng.uniform(0.75, 1.2, grown.count)[::thinning]
        mesh = ribbon_mesh(posed_strands(drawn, vertices, head), drawn, middle, tone)
        meshes.add(
            mesh.vertices,
            mesh.normals,
            mesh.triangles,
            HAIR,
            attribute=mesh.tangents,
            tone=mesh.shades,
            label=label,
        )


def add_glasses(
    meshes: MeshCollection, sitter: Sitter, kind: str, head: Array, person: Person
) -> Lens | None:
    """Add glasses of a kind of ``person.GLASSES``, or sunglasses; give their lenses, None for "none"."""
    if kind == "none":
        return None
    skin = part_vertices(HeadModel.load(), Part.SKIN)
    glasses = fit_glasses(kind, sitter.rest, skin, sitter.fitting).moved(head)
    put_on(meshes, glasses)
    return Lens(*glasses.lenses(), DARK if kind == "sunglasses" else CLEAR)
