"""Growing strands over a head, moving them with it, and turning them into ribbons to draw (numba)."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.base_shape import Fitting
from hifi_portrait.head.compiled import compiled
from hifi_portrait.synthetic.body_mesh import BodyMesh

CENTRE = np.array((0.0, -0.015, 0.05), np.float32)
"""A point inside the skull that sees all of the scalp, the neck and the shoulders' tops."""
_AZIMUTHS, _ELEVATIONS = 128, 64


@dataclass(frozen=True)
class Strands:
    """N strands of K points each, in the rest head's space, tied to the skin by their roots."""

    points: FloatArray
    """(N, K, 3) metres."""
    root_triangle: NDArray[np.int32]
    """(N, 3) vertices of the triangle the root sits on."""
    root_weights: FloatArray
    """(N, 3)"""
    root: FloatArray
    """(N, 3) where the roots are at rest."""
    width: float
    """Half the width of a strand at its root, metres."""
    taper: float = 0.5
    """Width at the tip as a fraction of that at the root."""

    @property
    def count(self) -> int:
        """Number of strands."""
        return len(self.points)

    def fit_to_person(self, fitting: Fitting) -> "Strands":
        """Move strands that were grown on the base shape to a person."""
        return replace(self, points=fitting.to_person(self.points), root=fitting.to_person(self.root))

    def thin(self, step: int) -> "Strands":
        """Every ``step``-th strand, thicker, so that the whole stays about as dense."""
        if step == 1:
            return self
        every = slice(None, None, step)
        return replace(
            self,
            points=self.points[every],
            root_triangle=self.root_triangle[every],
            root_weights=self.root_weights[every],
            root=self.root[every],
            width=self.width * step**0.75,
        )


@dataclass(frozen=True)
class Roots:
    """Places on the skin where strands begin."""

    position: FloatArray
    normal: FloatArray
    template: FloatArray
    face: NDArray[np.int32]
    weights: FloatArray

    def __getitem__(self, pick: Array) -> "Roots":
        return Roots(
            self.position[pick], self.normal[pick], self.template[pick], self.face[pick], self.weights[pick]
        )

    def __len__(self) -> int:
        return len(self.position)


def scatter_roots(
    rng: np.random.Generator,
    mesh: BodyMesh,
    vertices: Array,
    normals: Array,
    density: Array,
    count: int,
) -> Roots:
    """Spread ``count`` roots over the skin, as dense as ``density`` (F,) is on each triangle."""
    corners = mesh.template[mesh.triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    fraction = area * density
    pick = rng.choice(len(fraction), count, p=fraction / fraction.sum())
    weights = rng.dirichlet([1.0, 1.0, 1.0], count).astype(np.float32)
    face = mesh.triangles[pick]
    normal = (normals[face] * weights[..., None]).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    position = (vertices[face] * weights[..., None]).sum(1)
    template = (mesh.template[face] * weights[..., None]).sum(1)
    return Roots(
        position.astype(np.float32), normal.astype(np.float32), template.astype(np.float32), face, weights
    )


def radius_map(points: Array) -> FloatArray:
    """Distance of the skin from ``CENTRE`` by direction (elevation, azimuth): the shield hair lies on."""
    q = points - CENTRE
    r = np.linalg.norm(q, axis=1)
    column = ((np.arctan2(q[:, 0], q[:, 1]) / (2 * np.pi) + 0.5) * _AZIMUTHS).astype(int) % _AZIMUTHS
    row = np.clip((np.arcsin(q[:, 2] / r) / np.pi + 0.5) * _ELEVATIONS, 0, _ELEVATIONS - 1).astype(int)
    index = row * _AZIMUTHS + column
    total = np.bincount(index, r, _ELEVATIONS * _AZIMUTHS).reshape(_ELEVATIONS, _AZIMUTHS)
    count = (
        np.bincount(index, minlength=_ELEVATIONS * _AZIMUTHS).reshape(_ELEVATIONS, _AZIMUTHS).astype(float)
    )
    sigma, mode = (1.0, 1.0), ("nearest", "wrap")
    near = gaussian_filter(total, sigma, mode=mode) / np.maximum(
        gaussian_filter(count, sigma, mode=mode), 1e-9
    )
    wide = gaussian_filter(total, 5, mode=mode) / np.maximum(gaussian_filter(count, 5, mode=mode), 1e-9)
    return np.asarray(np.where(gaussian_filter(count, sigma, mode=mode) > 1e-3, near, wide), np.float32)


@compiled(fastmath=True, nogil=True)
def grow(
    root: FloatArray,
    direction: FloatArray,
    comb: FloatArray,
    length: FloatArray,
    layer: FloatArray,
    pull: FloatArray,
    pull_weight: float,
    gravity: float,
    comb_fade: float,
    stiffness: float,
    cling: float,
    shield: FloatArray,
    centre: FloatArray,
    points: FloatArray,
) -> None:
    """Grow strands step by step: keep going, bend to the comb, fall, and stay ``layer`` above the skin.

    Parameters
    ----------
    root, direction, comb
        (N, 3) where each strand begins, where it starts to go, where the comb draws it.
    length, layer
        (N,) metres.
    pull, pull_weight
        A point (3,) that strands are drawn to, and how strongly (0: not at all).
    gravity, comb_fade, stiffness
        How much strands fall; how soon the comb loses hold (1 / the strand's length); how much of the old
        direction stays.
    cling
        Fraction of the way back to its layer that a strand goes where it stands off.
    shield, centre
        ``radius_map`` and its centre.
    points
        (N, K, 3), written here.
    """
    count, segments = points.shape[0], points.shape[1]
    rows, columns = shield.shape
    for n in range(count):
        px = root[n, 0]
        py = root[n, 1]
        pz = root[n, 2]
        dx = direction[n, 0]
        dy = direction[n, 1]
        dz = direction[n, 2]
        step = length[n] / (segments - 1)
        points[n, 0, 0] = px
        points[n, 0, 1] = py
        points[n, 0, 2] = pz
        for k in range(1, segments):
            t = k / (segments - 1)
            hold = max(0.0, 1.0 - comb_fade * t)
            tx = comb[n, 0] * hold
            ty = comb[n, 1] * hold
            tz = comb[n, 2] * hold - gravity * (0.3 + t)
            if pull_weight > 0.0:
                ax = pull[0] - px
                ay = pull[1] - py
                az = pull[2] - pz
                s = pull_weight / np.sqrt(ax * ax + ay * ay + az * az + 1e-12)
                tx += ax * s
                ty += ay * s
                tz += az * s
            s = (1.0 - stiffness) / np.sqrt(tx * tx + ty * ty + tz * tz + 1e-12)
            dx = dx * stiffness + tx * s
            dy = dy * stiffness + ty * s
            dz = dz * stiffness + tz * s
            s = step / np.sqrt(dx * dx + dy * dy + dz * dz + 1e-12)
            nx = px + dx * s
            ny = py + dy * s
            nz = pz + dz * s
            if layer[n] >= 0.0:
                qx = nx - centre[0]
                qy = ny - centre[1]
                qz = nz - centre[2]
                r = np.sqrt(qx * qx + qy * qy + qz * qz)
                u = (np.arctan2(qx, qy) / (2 * np.pi) + 0.5) * columns - 0.5
                v = min(max((np.arcsin(qz / r) / np.pi + 0.5) * rows - 0.5, 0.0), rows - 1.001)
                ui = int(np.floor(u))
                vi = int(v)
                fu = u - ui
                fv = v - vi
                u0 = ui % columns
                u1 = (ui + 1) % columns
                low = shield[vi, u0] * (1 - fu) + shield[vi, u1] * fu
                high = shield[vi + 1, u0] * (1 - fu) + shield[vi + 1, u1] * fu
                wanted = low * (1 - fv) + high * fv + layer[n] * min(1.0, k / 3.0)
                if r < wanted or (cling > 0.0 and qz > -0.3 * r):
                    s = wanted / r if r < wanted else (r + cling * (wanted - r)) / r
                    nx = centre[0] + qx * s
                    ny = centre[1] + qy * s
                    nz = centre[2] + qz * s
            dx = nx - px
            dy = ny - py
            dz = nz - pz
            s = 1.0 / np.sqrt(dx * dx + dy * dy + dz * dz + 1e-12)
            dx *= s
            dy *= s
            dz *= s
            px = nx
            py = ny
            pz = nz
            points[n, k, 0] = px
            points[n, k, 1] = py
            points[n, k, 2] = pz


def posed_strands(strands: Strands, posed: Array, head: Array) -> FloatArray:
    """Strand points (N, K, 3) in camera space.

    Strands turn with the head and follow the skin under their roots; what hangs below the chin turns less.

    Parameters
    ----------
    strands
        In rest space.
    posed
        (V, 3) posed vertices.
    head
        (4, 4) rest-to-camera transform of the head bone.
    """
    head = head.astype(np.float32)
    points = strands.points @ head[:3, :3].T + head[:3, 3]
    below = np.clip((-0.05 - strands.points[..., 2:]) / 0.22, 0, 1)
    if below.any():
        points += 0.7 * below * (strands.points + head[:3, 3] - points)
    root = (posed[strands.root_triangle] * strands.root_weights[..., None]).sum(1)
    moved = root - (strands.root @ head[:3, :3].T + head[:3, 3])
    return np.asarray(points + moved[:, None], np.float32)


@dataclass(frozen=True)
class Ribbons:
    """Camera-facing ribbons; ``tangents`` run along the strands, ``shades`` are factors on the colour."""

    vertices: FloatArray
    normals: FloatArray
    tangents: FloatArray
    shades: FloatArray
    triangles: NDArray[np.int32]


def ribbon_mesh(points: FloatArray, strands: Strands, middle: Array, tone: Array) -> Ribbons:
    """Ribbons along strands.

    Parameters
    ----------
    points
        (N, K, 3) ``strands`` in camera space.
    strands
        Give the width.
    middle
        (3,) normals point away from it, so that light falls on the hair as on one soft body.
    tone
        (N,) brightness of each strand.
    """
    count, segments = points.shape[:2]
    total = count * segments * 2
    vertices, normals, tangents = (np.empty((total, 3), np.float32) for _ in range(3))
    shades = np.empty(total, np.float32)
    triangles = np.empty((count * (segments - 1) * 2, 3), np.int32)
    _fill_ribbons(
        points,
        strands.width,
        strands.taper,
        middle.astype(np.float32),
        tone.astype(np.float32),
        vertices,
        normals,
        tangents,
        shades,
        triangles,
    )
    return Ribbons(vertices, normals, tangents, shades, triangles)


@compiled(fastmath=True, nogil=True)
def _fill_ribbons(
    points: FloatArray,
    width: float,
    taper: float,
    middle: FloatArray,
    tone: FloatArray,
    vertices: FloatArray,
    normals: FloatArray,
    tangents: FloatArray,
    shades: FloatArray,
    triangles: NDArray[np.int32],
) -> None:
    count, segments = points.shape[0], points.shape[1]
    for n in range(count):
        for k in range(segments):
            a = max(k - 1, 0)
            b = min(k + 1, segments - 1)
            tx = points[n, b, 0] - points[n, a, 0]
            ty = points[n, b, 1] - points[n, a, 1]
            tz = points[n, b, 2] - points[n, a, 2]
            s = 1 / np.sqrt(tx * tx + ty * ty + tz * tz + 1e-18)
            tx *= s
            ty *= s
            tz *= s
            vx = -points[n, k, 0]
            vy = -points[n, k, 1]
            vz = -points[n, k, 2]
            sx = ty * vz - tz * vy
            sy = tz * vx - tx * vz
            sz = tx * vy - ty * vx
            t = k / (segments - 1)
            s = width * (1 - t + taper * t) / np.sqrt(sx * sx + sy * sy + sz * sz + 1e-18)
            sx *= s
            sy *= s
            sz *= s
            nx = points[n, k, 0] - middle[0]
            ny = points[n, k, 1] - middle[1]
            nz = points[n, k, 2] - middle[2]
            s = 1 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-18)
            row = (n * segments + k) * 2
            for side in range(2):
                sign = 1.0 if side else -1.0
                vertices[row + side, 0] = points[n, k, 0] + sign * sx
                vertices[row + side, 1] = points[n, k, 1] + sign * sy
                vertices[row + side, 2] = points[n, k, 2] + sign * sz
                normals[row + side, 0] = nx * s
                normals[row + side, 1] = ny * s
                normals[row + side, 2] = nz * s
                tangents[row + side, 0] = tx
                tangents[row + side, 1] = ty
                tangents[row + side, 2] = tz
                shades[row + side] = (0.55 + 0.55 * t) * tone[n]
            if k < segments - 1:
                f = (n * (segments - 1) + k) * 2
                base = row
                triangles[f, 0] = base
                triangles[f, 1] = base + 1
                triangles[f, 2] = base + 2
                triangles[f + 1, 0] = base + 1
                triangles[f + 1, 1] = base + 3
                triangles[f + 1, 2] = base + 2
