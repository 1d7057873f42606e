"""Headwear: which there is, how it is put on, and how hair lies under it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.head import vertex_normals
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.base_shape import Fitting
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.synthetic.body_mesh import CLOTH
from hifi_portrait.synthetic.hair_strands import CENTRE, Strands
from hifi_portrait.synthetic.hats import make_beanie, make_cap, make_wide_brim_hat
from hifi_portrait.synthetic.headwear_shape import Headwear
from hifi_portrait.synthetic.mesh_collection import MeshCollection
from hifi_portrait.synthetic.wraps import HOOD, SCARF, make_wrap

HEADWEAR: dict[str, float] = {
    "baseball cap": 0.24,
    "beanie": 0.24,
    "wide-brim hat": 0.18,
    "headscarf": 0.17,
    "hood": 0.17,
}
"""Kinds and how often each is chosen among photos with headwear."""
COVERS_HAIR = ("headscarf",)
"""Kinds under which no hair is seen."""
HIDDEN_IN_HOOD = ("bald", "buzz cut", "ponytail", "bun", "slicked back")
"""Hair styles of which nothing, or next to nothing, is seen under a hood."""


def fit_headwear(kind: str, shield: Array, vertices: Array) -> Headwear:
    """Make headwear for a person.

    Parameters
    ----------
    kind
        One of ``HEADWEAR``.
    shield
        Distance of the skull from ``CENTRE`` by direction, as ``hair_strands.radius_map`` gives it.
    vertices
        (V, 3) the person's rest shape in the base shape's coordinates.

    Raises
    ------
    ValueError
        When ``kind`` is unknown.
    """
    if kind == "beanie":
        return make_beanie(shield)
    if kind == "baseball cap":
        return make_cap(shield)
    if kind == "wide-brim hat":
        return make_wide_brim_hat(shield)
    if kind == "headscarf":
        return make_wrap(shield, vertices, SCARF)
    if kind == "hood":
        return make_wrap(shield, vertices, HOOD)
    raise ValueError(f"unknown headwear {kind!r}: take one of {', '.join(HEADWEAR)}")


def put_on_headwear(
    meshes: MeshCollection, headwear: Headwear, fitting: Fitting, head: Array, shift: Array
) -> None:
    """Add headwear to the meshes of a picture.

    Parameters
    ----------
    meshes
        Receives the meshes.
    headwear
        In the base shape's space.
    fitting
        Of the person.
    head
        (4, 4) rest-to-camera transform of the head bone.
    shift
        (3,) how the upright shoulders move from rest to camera space.
    """
    for piece in headwear.pieces:
        rest = fitting.to_person(piece.vertices)
        posed = rest @ head[:3, :3].T + head[:3, 3]
        if headwear.loose:
            low = smoothstep(-rest[:, 2:], 0.07, 0.15) * headwear.loose
            posed += low * (rest + shift - posed)
        posed = posed.astype(np.float32)
        normals = vertex_normals(posed, piece.triangles)
        outward = np.sign(((posed - _middle(head, fitting)) * normals).sum())
        meshes.add(
            posed,
            normals * outward,
            piece.triangles,
            CLOTH,
            attribute=piece.vertices,
            tone=piece.tone,
            keep=piece.keep,
            dye=piece.dye,
            label=FaceLabel.HEADWEAR,
        )


def _middle(head: Array, fitting: Fitting) -> Array:
    return np.asarray(head[:3, :3] @ fitting.to_person(CENTRE) + head[:3, 3])


def tuck_hair(strands: Strands | None, headwear: Headwear, kind: str) -> Strands | None:
    """Hair as it lies under headwear; None when nothing of it is seen.

    Parameters
    ----------
    strands
        In the base shape's space.
    headwear, kind
        What is worn.
    """
    if strands is None or kind in COVERS_HAIR:
        return None
    limit, holds = headwear.reach(strands.points)
    ray = strands.points - CENTRE
    distance = np.linalg.norm(ray, axis=-1)
    if kind == "hood":  # Hair that would come through the cloth stays inside it, unseen.
        inside = ~((distance > limit + 0.004) & holds).any(1)
        if not inside.any():
            return None
        strands = replace(
            strands,
            points=strands.points[inside],
            root_triangle=strands.root_triangle[inside],
            root_weights=strands.root_weights[inside],
            root=strands.root[inside],
        )
        limit, holds, ray, distance = limit[inside], holds[inside], ray[inside], distance[inside]
    factor = np.where(holds, np.minimum(1, limit / np.maximum(distance, 1e-6)), 1)
    return replace(strands, points=(CENTRE + ray * factor[..., None]).astype(np.float32))
