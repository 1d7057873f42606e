"""A person somewhere in a scene: the body turned, seen by any camera, in given light, with nothing behind.

`hifi_portrait.synthetic.photograph` takes portraits: it finds the camera's place, lamps and backdrop itself.
Here the caller says where the eyes are, which way head and body face, and what lights them, and gets linear
light and a matte, which can be laid over any other picture.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head import EXPRESSION_NAMES, Camera, HeadModel
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.scenery.lights import Lights
from hifi_portrait.synthetic.garments import dress
from hifi_portrait.synthetic.mesh_collection import MeshCollection
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.photo_setup import PhotoSetup
from hifi_portrait.synthetic.photograph import describe
from hifi_portrait.synthetic.render import PORTRAIT, Detail, render
from hifi_portrait.synthetic.sitter import (
    add_body,
    add_glasses,
    add_strands,
    body_normals,
    hair_step,
    make_materials,
    make_sitter,
)

_HEAD_MIDDLE = (0.0, -0.02, 0.0)
"""Middle of the head from its joint, metres: what shadow maps are centred on."""
_SHOULDER = (0.165, -0.20)
"""Where arms turn: sideways and up from the head's joint, metres."""
_INNER_SURFACES = 0.005
"""How far inner surfaces stand back, metres."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement:
    """Where a person is, in the space of the camera: x to the right, y forward, z up, in metres."""

    eyes: Array
    """(3,) the point midway between the centres of the eyeballs."""
    head: Array
    """(3, 3) rotation from head space, in which the face looks along -y."""
    body: Array
    """(3, 3) rotation of the shoulders; the neck bends between the two."""
    arms: float = 0.0
    """How far the upper arms are lowered, degrees: at 0 they stand off, at 42 they hang down."""


@dataclass(frozen=True, eq=False)
class Figure:
    """A person as a camera sees them, and their truth."""

    colour: FloatArray
    """(H, W, 3) linear light, multiplied with the matte."""
    matte: FloatArray
    """(H, W) in [0, 1]: the person, hair included."""
    depth: FloatArray
    """(2H, 2W) metres along the camera's axis to what is seen; infinite where there is nothing."""
    labels: NDArray[np.uint8]
    """(H, W) what each pixel shows, as `hifi_portrait.faces.FaceLabel`."""
    vertices: FloatArray
    """(V, 3) camera space, metres, in the order of ``HeadModel``."""
    gaze: Array
    """(3,) unit: where the eyes look, in camera space."""
    exposure: float
    """Factor from the light on the person to ``colour``."""


def gaze_in_head(yaw: float, pitch: float) -> Array:
    """Give the direction (3,), in head space, of eyes turned by ``yaw`` and ``pitch`` degrees."""
    a, b = np.radians(yaw), np.radians(pitch)
    return np.array((np.sin(a) * np.cos(b), -np.cos(a) * np.cos(b), np.sin(b)))


def _lower_arms(vertices: FloatArray, degrees: float) -> FloatArray:
    """Turn the upper arms of vertices (V, 3), about the head's joint, down about the shoulders' joints."""
    across, height = np.abs(vertices[:, 0]), vertices[:, 2]
    angle = np.radians(degrees) * smoothstep(across, 0.13, 0.21) * smoothstep(-height, 0.12, 0.16)
    right, up = across - _SHOULDER[0], height - _SHOULDER[1]
    lowered = vertices.copy()
    lowered[:, 0] = np.sign(vertices[:, 0]) * (_SHOULDER[0] + right * np.cos(angle) + up * np.sin(angle))
    lowered[:, 2] = _SHOULDER[1] + up * np.cos(angle) - right * np.sin(angle)
    return np.where(angle[:, None] != 0, lowered, vertices)


def photograph_figure(
    person: Person,
    setup: PhotoSetup,
    placement: Placement,
    camera: Camera,
    lights: Lights,
    detail: Detail = PORTRAIT,
) -> Figure:
    """Photograph a person down to the chest, wherever they are and whichever way they face.

    Parameters
    ----------
    person
        Who.
    setup
        Expression, gaze (relative to the head), clothes and glasses are taken from it, nothing else. Its
        coefficients ``eyeLook...`` count as 0, so that ``setup.gaze`` alone turns the eyes.
    placement
        Where the person is and how they are turned.
    camera
        At the origin, looking along +y. All of the person must be before it.
    lights
        In the space of the camera.
    detail
        How finely light and hair are drawn.

    Raises
    ------
    ValueError
        A part of the person is behind the camera, or ``setup`` is one of the variety "world".
    """
    if setup.wide is not None:
        raise ValueError("photograph_figure takes setups of PhotoSetup.sample, not those with `wide`")
    sitter, model = make_sitter(person), HeadModel.load()
    gaze = np.asarray(setup.gaze, np.float32)
    looks = np.array([name.startswith("eyeLook") for name in EXPRESSION_NAMES])
    expressed = model.express(sitter.rest, np.where(looks, 0, setup.expression), gaze)
    turned, body = np.asarray(placement.head, np.float64), np.asarray(placement.body, np.float64)
    joints = [expressed[model.joint(name)] for name in ("eye.L", "eye.R", "head")]
    joint = np.asarray(placement.eyes) - turned @ ((joints[0] + joints[1]) / 2 - joints[2]).astype(np.float64)
    bent = _lower_arms(model.bend(expressed, body.T @ turned, np.zeros(3)), placement.arms)
    vertices = (bent.astype(np.float64) @ body.T + joint).astype(np.float32)
    if vertices[:, 1].min() <= 0:
        raise ValueError("placement.eyes puts a part of the person behind the camera: move them along +y")
    head = np.eye(4)
    head[:3, :3], head[:3, 3] = turned, joint

    normals = body_normals(vertices)
    meshes = MeshCollection()
    add_body(meshes, person, setup, vertices, normals, turned[:, 1] * _INNER_SURFACES, None)
    dress(meshes, setup.clothing, vertices, normals)
    every = detail.every_strand or hair_step(camera.height)
    add_strands(meshes, sitter, sitter.hair, vertices, head, person, every)
    lens = add_glasses(meshes, sitter, describe(person, setup)["glasses"], head, person)
    materials = make_materials(sitter, person, setup)
    middle = joint + turned @ np.array(_HEAD_MIDDLE)
    rendering = render(meshes, camera, middle, lights, materials, lens, detail)
    return Figure(
        rendering.colour,
        rendering.coverage,
        rendering.distance,
        rendering.labels,
        vertices,
        turned @ gaze_in_head(*map(float, gaze)),
        rendering.exposure,
    )
