"""Garments: a cloth layer over the shoulders, cut at a neckline, with its rim, collar or hood."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import csr_matrix, eye, vstack

from hifi_portrait.head import Part
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.tubes import connect_grid, tube
from hifi_portrait.synthetic.body_mesh import CLOTH, body_mesh
from hifi_portrait.synthetic.garment_cuts import CUTS, JACKET_OPENING
from hifi_portrait.synthetic.mesh_collection import MeshCollection

THICKNESS = 0.007
"""Distance of the cloth from the skin, metres."""
_HIDDEN_DEPTH = 0.012
"""Skin this far inside the cloth's edge is not drawn, so that it cannot poke through."""


@dataclass(frozen=True)
class _Cut:
    """What is the same for every person: the cloth's triangles, its field, the ring around the neckline."""

    blend: csr_matrix
    """(M, V) the cloth's vertices as mixtures of the mesh's."""
    triangles: NDArray[np.int32]
    template: FloatArray
    field: FloatArray
    """(M,) height below the neckline, metres; the cloth is where it is positive."""
    looseness: FloatArray
    """(V,) distance of the cloth from the skin, metres."""
    skin_keep: FloatArray
    """(V,) negative where the cloth hides the skin."""
    ring: NDArray[np.int32]
    """(K, 2) cloth edges the neckline crosses, in order around the neck."""
    ring_fraction: FloatArray


def _subdivide(triangles: Array, chosen: Array, blend: csr_matrix) -> tuple[Array, csr_matrix]:
    """Split the chosen triangles into four; the new vertices are the edges' midpoints."""
    split = triangles[chosen]
    edges = np.sort(np.concatenate([split[:, [0, 1]], split[:, [1, 2]], split[:, [2, 0]]]), axis=1)
    unique, index = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = (index + blend.shape[0]).reshape(3, -1)
    a, b, c = split.T
    smaller = [np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    middles = 0.5 * (blend[unique[:, 0]] + blend[unique[:, 1]])
    return np.concatenate([triangles[~chosen], *smaller]), vstack([blend, middles]).tocsr()


@cache
def _cut(name: str) -> _Cut:
    mesh = body_mesh()
    base = mesh.template[: mesh.num_vertices]
    garment, base_field = CUTS[name], CUTS[name].field(base)
    skin = np.isin(mesh.part, (Part.SKIN, Part.SHOULDERS)) & (
        mesh.template[mesh.triangles][..., 2].max(1) < -0.04
    )
    triangles, blend = mesh.triangles[skin], eye(mesh.num_vertices, format="csr", dtype=np.float32)
    for _ in range(garment.subdivisions):
        near = (np.abs(garment.field(blend @ base)[triangles]) < garment.fine_within).any(1)
        triangles, blend = _subdivide(triangles, near, blend)
    field = garment.field(blend @ base)
    triangles = triangles[(field[triangles] > 0).any(1)]
    used, triangles = np.unique(triangles, return_inverse=True)
    triangles, blend, field = triangles.reshape(-1, 3).astype(np.int32), blend[used], field[used]
    a, b = _neckline_edges(triangles, field > 0).T
    covered = np.zeros(mesh.num_vertices, bool)
    covered[mesh.triangles[skin]] = True
    return _Cut(
        blend=blend,
        triangles=triangles,
        template=(blend @ base).astype(np.float32),
        field=field,
        looseness=(THICKNESS + 0.008 * np.clip((base_field - 0.01) / 0.06, 0, 1)).astype(np.float32),
        skin_keep=np.where(covered, _HIDDEN_DEPTH - base_field, 1.0).astype(np.float32),
        ring=np.stack([a, b], 1),
        ring_fraction=field[a] / (field[a] - field[b]),
    )


def _neckline_edges(triangles: NDArray[np.int32], inside: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Edges (K, 2) between inside and outside, in the order the neckline crosses them around the neck."""
    next_edges: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for triangle in triangles.tolist():
        pairs = [(triangle[0], triangle[1]), (triangle[1], triangle[2]), (triangle[2], triangle[0])]
        crossed = [(min(p), max(p)) for p in pairs if inside[p[0]] != inside[p[1]]]
        if len(crossed) == 2:
            next_edges.setdefault(crossed[0], []).append(crossed[1])
            next_edges.setdefault(crossed[1], []).append(crossed[0])
    longest: list[tuple[int, int]] = []
    left = set(next_edges)
    while left:
        chain = [left.pop()]
        while following := [edge for edge in next_edges[chain[-1]] if edge in left]:
            chain.append(following[0])
            left.discard(following[0])
        longest = max(longest, chain, key=len)
    return np.array(longest, np.int32)


def skin_left_bare(name: str) -> FloatArray:
    """Field (V,) that is negative where the garment hides the skin."""
    return _cut(name).skin_keep


def cloth_surface(name: str, vertices: Array, normals: Array) -> tuple[Array, Array, Array]:
    """Vertices (M, 3) of a garment's cloth, their template points and their normals.

    ``vertices`` and ``normals`` (V, 3) are posed, in camera space.
    """
    cut = _cut(name)
    return cut.blend @ (vertices + normals * cut.looseness[:, None]), cut.template, cut.blend @ normals


def dress(
    meshes: MeshCollection, name: str, vertices: Array, normals: Array, dye: int = 0, lift: float = 0.0
) -> None:
    """Add a garment to the meshes of a picture.

    Parameters
    ----------
    meshes
        Receives the cloth.
    name
        One of ``garment_cuts.CUTS``.
    vertices, normals
        (V, 3) posed, camera space.
    dye
        Which of the photo's colours it has, 0 for the clothing's own.
    lift
        How far it stands off further than a single garment, metres.
    """
    garment, cut = CUTS[name], _cut(name)
    cloth, template, cloth_normals = cloth_surface(name, vertices, normals)
    if lift:
        cloth = cloth + cloth_normals * lift
    tone = None
    if garment.edge == "lapel":
        height, tone = _lapels(template)
        cloth = cloth + cloth_normals * height[:, None]
    meshes.add(
        cloth, cloth_normals, cut.triangles, CLOTH, attribute=template, keep=cut.field, tone=tone, dye=dye
    )
    if garment.edge == "none":
        return
    ring, outward = _ring(cut, cloth, cloth_normals)
    if garment.edge in ("rim", "lapel"):
        add_tube(
            meshes,
            ring - outward * garment.rim * 0.4,
            np.full(len(ring), garment.rim),
            CLOTH,
            closed=True,
            dye=dye,
        )
    elif garment.edge == "collar":
        _add_collar(meshes, ring - outward * THICKNESS, outward, dye)
    else:
        _add_hood(meshes, ring, outward)


def _lapels(template: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How far lapels lift a jacket's cloth (M,), metres, and the shade (M,) of their edge and notch."""
    x, y, z = np.abs(template[:, 0]), template[:, 1], template[:, 2]
    across = x - (z - JACKET_OPENING.end) / JACKET_OPENING.slope
    below = -0.112 - z
    notch_height = -0.160
    width = np.where(z > notch_height, 0.026, 0.040 - 0.10 * np.clip(notch_height - z, 0, 0.2))
    here = (y < 0.02) * smoothstep(below, 0.0, 0.012)
    folded = here * (1 - smoothstep(across - width, -0.003, 0.003))
    edge = here * np.exp(-(((across - width - 0.002) / 0.0035) ** 2)) * (across > 0)
    notch = np.exp(-(((z - notch_height) / 0.003) ** 2)) * (across > 0.015) * (across < 0.044)
    return (0.004 * folded).astype(np.float32), (1 - 0.5 * np.maximum(edge, here * notch)).astype(np.float32)


def _ring(cut: _Cut, cloth: Array, normals: Array) -> tuple[FloatArray, FloatArray]:
    """Give the neckline (K, 3), evenly spaced, and its smoothed outward directions."""
    fraction = cut.ring_fraction[:, None]
    a, b = cut.ring.T
    points = cloth[a] * (1 - fraction) + cloth[b] * fraction
    outward = normals[a] * (1 - fraction) + normals[b] * fraction
    closed = np.concatenate([points, points[:1]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    place = np.linspace(0, along[-1], 121)[:-1]

    def even(values: Array) -> Array:
        values = np.concatenate([values, values[:1]])
        return np.stack([np.interp(place, along, values[:, k]) for k in range(3)], 1)

    outward = gaussian_filter1d(even(outward), 3, axis=0, mode="wrap")
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    return gaussian_filter1d(even(points), 0.8, axis=0, mode="wrap").astype(np.float32), outward.astype(
        np.float32
    )


def add_tube(
    meshes: MeshCollection,
    path: Array,
    radius: Array,
    material: int,
    closed: bool = False,
    sides: int = 6,
    dye: int = 0,
) -> None:
    """Add a round tube along ``path`` (K, 3) of ``radius`` (K,)."""
    points, normals, triangles = tube(path, radius, closed=closed, sides=sides)
    meshes.add(points, normals, triangles, material, dye=dye)


def _add_collar(meshes: MeshCollection, ring: FloatArray, outward: FloatArray, dye: int) -> None:
    """Add a folded collar that opens at the throat: a stand, its fold, and the leaf that falls outside."""
    angle = np.linspace(-np.pi, np.pi, len(ring), endpoint=False)
    order = np.argsort(np.abs(ring[:, 0]) * 1e-9 + angle)
    ring, outward = ring[order], outward[order]
    flat = outward * np.array((1, 1, 0.25))
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    up = np.array((0.0, 0.0, 1.0))
    middle = ring[:, :2].mean(0)
    turn = np.arctan2(ring[:, 0] - middle[0], -(ring[:, 1] - middle[1]))
    front = np.clip(1 - np.abs(turn) / 0.9, 0, 1)[:, None]
    lift = 0.013 * (1 - 0.6 * front)
    rows = [
        ring + flat * 0.004 - up * 0.010,
        ring + flat * 0.004 + up * lift,
        ring + flat * 0.008 + up * (lift + 0.003),
        ring + flat * 0.014 + up * (lift - 0.004),
        ring + flat * (0.021 + 0.004 * front) - up * (0.016 + 0.018 * front),
    ]
    grid = np.stack(rows, 1)
    shape = grid.shape[:2]
    along = np.gradient(grid, axis=0)
    down = np.gradient(grid, axis=1)
    normal = np.cross(along, down)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    normal *= np.sign((normal * flat[:, None]).sum(-1, keepdims=True) + 1e-6)
    keep = np.repeat((np.abs(turn) - 0.20)[:, None], shape[1], 1)
    meshes.add(
        grid.reshape(-1, 3),
        normal.reshape(-1, 3),
        connect_grid(len(ring), len(rows), True, False),
        CLOTH,
        keep=keep.reshape(-1) * 0.02,
        dye=dye,
    )


def _add_hood(meshes: MeshCollection, ring: FloatArray, outward: FloatArray) -> None:
    """Add a hood lying on the shoulders: a roll of cloth, thick behind the neck."""
    middle = ring[:, :2].mean(0)
    turn = np.arctan2(ring[:, 0] - middle[0], -(ring[:, 1] - middle[1]))
    behind = 0.5 - 0.5 * np.cos(turn)
    radius = (0.009 + 0.016 * behind).astype(np.float32)
    path = ring + outward * (0.004 + 0.5 * radius[:, None]) + np.array((0, 0, 1.0)) * (0.35 * radius[:, None])
    add_tube(meshes, path, radius, CLOTH, closed=True, sides=10)
