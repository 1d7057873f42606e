"""A baked head as a GLB file: what browsers, Blender and game engines read.

The mesh has the 52 ARKit shapes as morph targets, by name. Bones turn the neck in four steps and each eye.
Hair and clothes beside the mesh are a second mesh, transparent, which the same bones move. Materials are
unlit: the light is the photos'. Axes are glTF's: metres, y up, the face looks along z, the person's left is
at positive x.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from hifi_portrait.baked.parts import Card, HeadMesh
from hifi_portrait.errors import OutputError, needs_extra
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.head.geometry import EXPRESSION_NAMES, HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import NECK_CHAIN, HeadModel
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.io.names import printable
from hifi_portrait.warp.photo_grid.motion import move_places

if TYPE_CHECKING:
    from pygltflib import GLTF2

_EYES = ("eye.L", "eye.R")

_LEAST_MOVE = 2e-5
"""Metres below which a vertex does not move by a morph target: it is left out of the file."""

_LEAST_PERSON = 128
"""Alpha, of 255, of all corners of a triangle of the shoulders below which it is left out."""

_LARGEST_CARD = 768
"""Largest side of a card's picture in the file, in pixels."""

_JPEG_QUALITY = 92

_MOST_DRAWN_OUT = 8.0
"""Times the usual length of a longest side from which on a triangle is left out."""


class _Buffer:
    """The binary part of a file, and the views and accessors into it."""

    def __init__(self, gltf: GLTF2) -> None:
        self.gltf = gltf
        self.data = bytearray()

    def view(self, data: bytes, target: int | None = None) -> int:
        """Append bytes, and give the number of their view."""
        from pygltflib import BufferView

        self.data += b"\0" * (-len(self.data) % 4)
        self.gltf.bufferViews.append(
            BufferView(buffer=0, byteOffset=len(self.data), byteLength=len(data), target=target)
        )
        self.data += data
        return len(self.gltf.bufferViews) - 1

    def array(self, values: Array, kind: str, *, indices: bool = False, limits: bool = False) -> int:
        """Append an array of float32, uint16 or uint8, and give the number of its accessor."""
        from pygltflib import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, Accessor

        target = None if kind == "MAT4" else ELEMENT_ARRAY_BUFFER if indices else ARRAY_BUFFER
        flat = values.reshape(len(values), -1)
        accessor = Accessor(
            bufferView=self.view(np.ascontiguousarray(values).tobytes(), target),
            componentType=_component(values),
            count=values.size if kind == "SCALAR" else len(values),
            type=kind,
        )
        if limits:
            accessor.min, accessor.max = flat.min(axis=0).tolist(), flat.max(axis=0).tolist()
        self.gltf.accessors.append(accessor)
        return len(self.gltf.accessors) - 1

    def sparse(self, values: FloatArray) -> int:
        """Append an array (V, 3) of which most rows are 0, and give the number of its accessor."""
        from pygltflib import Accessor, AccessorSparseIndices, AccessorSparseValues, Sparse

        moved = np.flatnonzero(np.abs(values).max(axis=1) > 0)
        accessor = Accessor(byteOffset=None, componentType=_component(values), count=len(values), type="VEC3")
        accessor.min, accessor.max = values.min(axis=0).tolist(), values.max(axis=0).tolist()
        indices = moved.astype(np.uint16)
        accessor.sparse = Sparse(
            count=len(moved),
            indices=AccessorSparseIndices(
                bufferView=self.view(indices.tobytes()), componentType=_component(indices)
            ),
            values=AccessorSparseValues(bufferView=self.view(values[moved].tobytes())),
        )
        self.gltf.accessors.append(accessor)
        return len(self.gltf.accessors) - 1


def _component(values: Array) -> int:
    """Give glTF's number of an array's type."""
    return {"float32": 5126, "uint16": 5123, "uint8": 5121}[values.dtype.name]


def write_glb(
    path: Path,
    mesh: HeadMesh,
    cards: Sequence[Card],
    ahead: HeadGeometry,
    record: dict[str, Any],
    model: HeadModel,
) -> None:
    """Write a head as a GLB file; it is complete or not there.

    Parameters
    ----------
    path
        The file.
    mesh, cards
        The head.
    ahead
        The head as it looks ahead: the file's pose of rest.
    record
        How it was made: the file's ``asset.extras``.
    model
        The head model.

    Raises
    ------
    OutputError
        The file cannot be written.
    MissingExtraError
        pygltflib is not installed.
    """
    with needs_extra("avatar"):
        from pygltflib import GLTF2, Asset, Buffer, Scene
    gltf = GLTF2()
    gltf.asset = Asset(version="2.0", generator="hifi-portrait", extras=record)
    gltf.extensionsUsed = ["KHR_materials_unlit"]
    buffer = _Buffer(gltf)
    _add_bones(gltf, buffer, mesh, model)
    _add_head(gltf, buffer, mesh, model)
    for card in cards:
        _add_card(gltf, buffer, card, ahead, mesh, model)
    gltf.scenes = [Scene(nodes=[0, *range(len(_joint_names(model)), len(gltf.nodes))])]
    gltf.scene = 0
    buffer.data += b"\0" * (-len(buffer.data) % 4)
    gltf.buffers = [Buffer(byteLength=len(buffer.data))]
    gltf.set_binary_blob(bytes(buffer.data))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, many_writers=True) as partial:
            partial.write_bytes(b"".join(gltf.save_to_bytes()))
    except OSError as error:
        raise OutputError(f"{printable(path)} cannot be written: {error.strerror or error}") from error


def _joint_names(model: HeadModel) -> list[str]:
    return ["body", *NECK_CHAIN, *_EYES]


def _to_gltf(points: Array) -> FloatArray:
    """Turn points (..., 3) of head space (y away from the viewer, z up) to glTF's axes (y up)."""
    return np.ascontiguousarray(np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1), np.float32)


def _add_bones(gltf: GLTF2, buffer: _Buffer, mesh: HeadMesh, model: HeadModel) -> None:
    """Add the bones: the body, which stays, the neck's from below up, and the eyes' at the head's."""
    from pygltflib import Node, Skin

    places = [np.zeros(3, np.float32)]
    places += [_to_gltf(mesh.rest[model.joint(name)]) for name in (*NECK_CHAIN, *_EYES)]
    parents = [None, 0, 1, 2, 3, 4, 4]
    for number, (name, parent) in enumerate(zip(_joint_names(model), parents, strict=True)):
        offset = places[number] - (places[parent] if parent is not None else 0)
        children = [child for child, above in enumerate(parents) if above == number]
        gltf.nodes.append(Node(name=name, translation=offset.tolist(), children=children))
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(places), 1, 1))
    inverse[:, 3, :3] = -np.stack(places)  # columns after one another, as glTF has matrices
    gltf.skins.append(
        Skin(inverseBindMatrices=buffer.array(inverse, "MAT4"), joints=list(range(len(places))), skeleton=0)
    )


def _skin_attributes(buffer: _Buffer, weights: Array) -> dict[str, int]:
    """Add the four largest of the bones' weights (P, J): their numbers and values."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :4]
    values = np.take_along_axis(weights, order, axis=1)
    values = np.asarray(values / values.sum(axis=1, keepdims=True), np.float32)
    joints = np.where(values > 0, order, 0).astype(np.uint8)
    return {"JOINTS_0": buffer.array(joints, "VEC4"), "WEIGHTS_0": buffer.array(values, "VEC4")}


def _bone_weights(model: HeadModel) -> Array:
    """Weights (V, J) of the bones, the body first, which holds what no other does."""
    numbers = [model.joint_names.index(name) for name in (*NECK_CHAIN, *_EYES)]
    of_joints = model.skinning[:, numbers]
    return np.concatenate([np.maximum(1 - of_joints.sum(axis=1, keepdims=True), 0), of_joints], axis=1)


def _add_head(gltf: GLTF2, buffer: _Buffer, mesh: HeadMesh, model: HeadModel) -> None:
    from pygltflib import Attributes, Mesh, Node, Primitive

    atlas = mesh.atlas
    texture = mesh.levels[0]
    points = _to_gltf(mesh.rest[: model.num_vertices])[atlas.vertices]
    normals = _to_gltf(model.normals(mesh.rest[: model.num_vertices]))[atlas.vertices]
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    attributes = Attributes(
        POSITION=buffer.array(points, "VEC3", limits=True),
        NORMAL=buffer.array(normals, "VEC3"),
        TEXCOORD_0=buffer.array(atlas.uv, "VEC2"),
        **_skin_attributes(buffer, _bone_weights(model)[atlas.vertices]),
    )
    rows, columns = (np.clip(atlas.uv * len(texture), 0, len(texture) - 1).astype(np.int64)).T[::-1]
    beside = texture[rows, columns, 3] < _LEAST_PERSON
    cut = (model.parts == Part.SHOULDERS) & beside[atlas.triangles].all(axis=1)
    indices = atlas.triangles[atlas.shown & ~cut].astype(np.uint16).ravel()
    targets = [{"POSITION": buffer.sparse(move[atlas.vertices])} for move in _morphs(mesh, model)]
    primitive = Primitive(
        attributes=attributes,
        indices=buffer.array(indices, "SCALAR", indices=True),
        material=_add_material(gltf, buffer, "head", texture[..., :3]),
        targets=targets,
    )
    weights, names = [0.0] * len(targets), {"targetNames": list(EXPRESSION_NAMES)}
    gltf.meshes.append(Mesh(name="head", primitives=[primitive], weights=weights, extras=names))
    gltf.nodes.append(Node(name="face", mesh=len(gltf.meshes) - 1, skin=0))


def _morphs(mesh: HeadMesh, model: HeadModel) -> FloatArray:
    """Find how each coefficient of 1 moves the vertices: (52, V, 3), in glTF's axes."""
    coefficients = np.concatenate([np.zeros((1, 52)), np.eye(52)])
    rest = np.broadcast_to(mesh.rest, (53, *mesh.rest.shape))
    shapes = model.express(rest, coefficients, np.zeros((53, 2)))[:, : model.num_vertices]
    moves = _to_gltf(shapes[1:] - shapes[0])
    moves[np.abs(moves).max(axis=2) < _LEAST_MOVE] = 0
    return moves


def _add_card(
    gltf: GLTF2, buffer: _Buffer, card: Card, ahead: HeadGeometry, mesh: HeadMesh, model: HeadModel
) -> None:
    """Add a card as the head at rest wears it; it moves with the head and the body as the card does."""
    from pygltflib import Attributes, Mesh, Node, Primitive

    points = model.express(mesh.rest, ahead.expression, ahead.gaze)
    vertices = model.bend(points, ahead.rotation, ahead.translation)
    places, _ = move_places(card.space, ahead, vertices, model)
    local = (places[0] - ahead.translation) @ ahead.rotation
    xy, picture = _crop_card(card)
    fraction = card.space.head_fraction[0][:, None]
    weights = np.zeros((len(local), len(_joint_names(model))), np.float32)
    weights[:, :1], weights[:, 4:5] = 1 - fraction, fraction
    attributes = Attributes(
        POSITION=buffer.array(_to_gltf(local), "VEC3", limits=True),
        TEXCOORD_0=buffer.array(xy, "VEC2"),
        **_skin_attributes(buffer, weights),
    )
    shade = np.ones((len(local), 4), np.float32)
    shade[:, 3] = card.fade
    attributes.COLOR_0 = buffer.array(shade, "VEC4")
    triangles = _drop_drawn_out(card, local)
    name = "hair behind" if card.is_back else "hair and clothes"
    primitive = Primitive(
        attributes=attributes,
        indices=buffer.array(triangles.astype(np.uint16).ravel(), "SCALAR", indices=True),
        material=_add_material(gltf, buffer, name, picture),
    )
    gltf.meshes.append(Mesh(name=name, primitives=[primitive]))
    gltf.nodes.append(Node(name=name, mesh=len(gltf.meshes) - 1, skin=0))


def _drop_drawn_out(card: Card, points: Array) -> Array:
    """Find the triangles (F, 3) of points (P, 3) that are not drawn out, counter-clockwise from the front."""
    corners = points[card.triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    kept = longest < _MOST_DRAWN_OUT * np.median(longest)
    return np.asarray(card.triangles[kept][:, [0, 2, 1]])


def _crop_card(card: Card) -> tuple[FloatArray, ByteArray]:
    """Crop a card's picture to what it shows, not too large: places (P, 2) in it, and the picture."""
    size = np.array(card.picture.shape[1::-1])
    low = np.floor(card.xy.min(axis=0) * size).astype(int).clip(0, size - 1)
    high = np.ceil(card.xy.max(axis=0) * size).astype(int).clip(low + 1, size)
    picture = Image.fromarray(card.picture[low[1] : high[1], low[0] : high[0]])
    picture.thumbnail((_LARGEST_CARD, _LARGEST_CARD))
    return ((card.xy * size - low) / (high - low)).astype(np.float32), np.asarray(picture)


def _add_material(gltf: GLTF2, buffer: _Buffer, name: str, picture: ByteArray) -> int:
    """Add an unlit material with a picture: JPEG, or PNG where it has alpha."""
    from pygltflib import Image as Picture
    from pygltflib import Material, PbrMetallicRoughness, Texture, TextureInfo

    file, transparent = io.BytesIO(), picture.shape[2] == 4
    if transparent:
        Image.fromarray(picture).save(file, "PNG", optimize=True)
    else:
        Image.fromarray(picture).save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    mime = "image/png" if transparent else "image/jpeg"
    gltf.images.append(Picture(bufferView=buffer.view(file.getvalue()), mimeType=mime, name=name))
    gltf.textures.append(Texture(source=len(gltf.images) - 1))
    gltf.materials.append(
        Material(
            name=name,
            pbrMetallicRoughness=PbrMetallicRoughness(
                baseColorTexture=TextureInfo(index=len(gltf.textures) - 1),
                metallicFactor=0.0,
                roughnessFactor=1.0,
            ),
            doubleSided=True,
            alphaMode="BLEND" if transparent else "OPAQUE",
            alphaCutoff=None,
            extensions={"KHR_materials_unlit": {}},
        )
    )
    return len(gltf.materials) - 1
