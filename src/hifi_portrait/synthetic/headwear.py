"""Headwear: caps, beanies, hats, headscarves and hoods as cloth over a person's skull and hair.

Shapes are made in the base shape's space about ``strands.CENTRE`` and moved to the person like hair is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from hifi_portrait.head import vertex_normals
from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.base_shape import Fitting
from hifi_portrait.head.tubes import grid_faces, tube
from hifi_portrait.synthetic.mesh import CLOTH, body_mesh
from hifi_portrait.synthetic.noise import smoothstep
from hifi_portrait.synthetic.scene import Scene
from hifi_portrait.synthetic.strands import CENTRE, Strands

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
_AZIMUTHS = 160
_ROOM = 0.003
"""How far inside a hat hair ends, metres."""
_TAPER = np.radians(16)
"""Below a hat's edge, hair is let out over this angle."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A mesh of cloth in the base shape's space."""

    vertices: FloatArray
    """(N, 3) metres."""
    faces: Array
    """(F, 3) rows of ``vertices``."""
    tone: FloatArray
    """(N,) factor on the cloth's colour: knit, seams, folds."""
    dye: int = 1
    """Which of the photo's colours it has: 1 the headwear's own, 2 its ribbon's."""
    keep: FloatArray | None = None
    """(N,) drawn where not negative; all of it when None."""


@dataclass(frozen=True, eq=False)
class Headwear:
    """A piece of headwear that fits one person."""

    pieces: tuple[Piece, ...]
    reach: Callable[[Array], tuple[Array, BoolArray]]
    """From points (..., 3) to how far from ``CENTRE`` hair may be there, and where that limit holds."""
    covered: BoolArray
    """(V,) vertices of the head that are not drawn, such as ears under a scarf."""
    loose: float = 0.0
    """1 where its lower part lies on the shoulders, which do not turn with the head; 0 for a hat."""


def fit_headwear(kind: str, shield: Array, vertices: Array) -> Headwear:
    """Make headwear for a person.

    Parameters
    ----------
    kind
        One of ``HEADWEAR``.
    shield
        Distance of the skull from ``CENTRE`` by direction, as ``strands.radius_map`` gives it.
    vertices
        (V, 3) the person's rest shape in the base shape's coordinates.

    Raises
    ------
    ValueError
        When ``kind`` is unknown.
    """
    if kind == "beanie":
        return _beanie(shield)
    if kind == "baseball cap":
        return _cap(shield)
    if kind == "wide-brim hat":
        return _wide_brim(shield)
    if kind == "headscarf":
        return _wrap(shield, vertices, _SCARF)
    if kind == "hood":
        return _wrap(shield, vertices, _HOOD)
    raise ValueError(f"unknown headwear {kind!r}: take one of {', '.join(HEADWEAR)}")


def put_on_headwear(scene: Scene, headwear: Headwear, fitting: Fitting, head: Array, shift: Array) -> None:
    """Add headwear to a scene.

    Parameters
    ----------
    scene
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
        normals = vertex_normals(posed, piece.faces)
        outward = np.sign(((posed - _middle(head, fitting)) * normals).sum())
        scene.add(
            posed,
            normals * outward,
            piece.faces,
            CLOTH,
            attribute=piece.vertices,
            tone=piece.tone,
            keep=piece.keep,
            dye=piece.dye,
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
            root_face=strands.root_face[inside],
            root_weights=strands.root_weights[inside],
            root=strands.root[inside],
        )
        limit, holds, ray, distance = limit[inside], holds[inside], ray[inside], distance[inside]
    factor = np.where(holds, np.minimum(1, limit / np.maximum(distance, 1e-6)), 1)
    return replace(strands, points=(CENTRE + ray * factor[..., None]).astype(np.float32))


def _sample(shield: Array, azimuth: Array, elevation: Array) -> Array:
    """Radius of a map by direction, angles in radians."""
    rows, columns = shield.shape
    u = (azimuth / (2 * np.pi) + 0.5) * columns - 0.5
    v = np.clip((elevation / np.pi + 0.5) * rows - 0.5, 0, rows - 1)
    return np.asarray(map_coordinates(shield, (v, u), order=1, mode="grid-wrap"))


def _angles(points: Array) -> tuple[Array, Array, Array]:
    """Azimuth (0 behind, +-pi in front), elevation and distance about ``CENTRE`` of points (..., 3)."""
    q = points - CENTRE
    r = np.linalg.norm(q, axis=-1)
    return np.arctan2(q[..., 0], q[..., 1]), np.arcsin(np.clip(q[..., 2] / np.maximum(r, 1e-9), -1, 1)), r


def _smooth(shield: Array) -> Array:
    return np.asarray(gaussian_filter(shield, 2.0, mode=("nearest", "wrap")))


def _unit(azimuth: Array, elevation: Array) -> Array:
    flat = np.cos(elevation)
    return np.stack([np.sin(azimuth) * flat, np.cos(azimuth) * flat, np.sin(elevation)], -1)


def _brim_line(azimuth: Array, front: float, side: float, back: float) -> Array:
    """Elevation of a hat's lower edge around the head, radians; front, side and back in degrees."""
    c = -np.cos(azimuth)  # 1 in front, -1 behind
    ahead, behind = np.clip(c, 0, 1) ** 1.5, np.clip(-c, 0, 1) ** 1.5
    return np.asarray(np.radians(side + (front - side) * ahead + (back - side) * behind))


def _turns(columns: int) -> Array:
    return np.linspace(-np.pi, np.pi, columns, endpoint=False)


def _dome(
    shield: Array,
    brim: Callable[[Array], Array],
    offset: Callable[[Array, Array], Array],
    tone: Callable[[Array, Array], Array],
    rows: int = 40,
    columns: int = _AZIMUTHS,
) -> Piece:
    """A shell from the brim line to the crown.

    ``offset`` and ``tone`` take azimuth and place, 0 at the brim to 1 at the crown.
    """
    azimuth = np.repeat(_turns(columns)[:, None], rows, 1)
    up = np.broadcast_to(np.linspace(0, 1, rows)[None], azimuth.shape)
    low = brim(azimuth)
    elevation = low + (np.pi / 2 - low) * up
    radius = _sample(shield, azimuth, elevation) + offset(azimuth, up)
    points = CENTRE + _unit(azimuth, elevation) * radius[..., None]
    faces = grid_faces(columns, rows, True, False)
    return Piece(
        points.reshape(-1, 3).astype(np.float32), faces, tone(azimuth, up).reshape(-1).astype(np.float32)
    )


def _reach_of(
    shield: Array, brim: Callable[[Array], Array], offset: Callable[[Array, Array], Array]
) -> Callable[[Array], tuple[Array, BoolArray]]:
    def reach(points: Array) -> tuple[Array, BoolArray]:
        azimuth, elevation, _ = _angles(points)
        low = brim(azimuth)
        up = np.clip((elevation - low) / (np.pi / 2 - low), 0, 1)
        below = np.clip((low - elevation) / _TAPER, 0, 1)
        limit = _sample(shield, azimuth, elevation) + offset(azimuth, up) - _ROOM + 0.025 * below**1.5
        return limit, np.asarray(below < 1)

    return reach


def _nothing_covered() -> BoolArray:
    return np.zeros(body_mesh().num_vertices, bool)


def _beanie(shield: Array) -> Headwear:
    shield = _smooth(shield)

    def brim(a: Array) -> Array:
        return _brim_line(a, 12, 4, -24)

    def offset(a: Array, up: Array) -> Array:
        return 0.008 + 0.016 * smoothstep(up, 0.45, 1.0) + 0.004 * np.sin(np.pi * up)

    def knit(a: Array, up: Array) -> Array:
        return 0.86 + 0.14 * np.cos(a * 54) * (1 - up**3)

    dome = _dome(shield, brim, offset, knit, rows=36, columns=324)
    profile = np.array(
        [(0.000, 0.006), (-0.003, 0.010), (0.000, 0.0135), (0.018, 0.0150), (0.034, 0.0140), (0.038, 0.009)]
    )
    height, stand = profile.T
    azimuth = np.repeat(_turns(324)[:, None], len(profile), 1)
    elevation = brim(azimuth) + height / 0.105
    radius = _sample(shield, azimuth, elevation) + stand
    points = CENTRE + _unit(azimuth, elevation) * radius[..., None]
    tone = 0.88 + 0.12 * np.cos(azimuth * 54)
    cuff = Piece(
        points.reshape(-1, 3).astype(np.float32),
        grid_faces(324, len(profile), True, False),
        tone.reshape(-1).astype(np.float32),
    )
    return Headwear((dome, cuff), _reach_of(shield, brim, offset), _nothing_covered())


def _cap(shield: Array) -> Headwear:
    shield = _smooth(shield)

    def brim(a: Array) -> Array:
        return _brim_line(a, 17, 9, -12)

    def offset(a: Array, up: Array) -> Array:
        front = np.clip(-np.cos(a), 0, 1)
        return (
            0.006 + 0.010 * np.sin(np.pi * np.clip(up, 0, 1) * 0.9) + 0.010 * front * np.sin(np.pi * up) ** 2
        )

    def seams(a: Array, up: Array) -> Array:
        return 1 - 0.22 * np.exp(-((np.sin(3 * a) / 0.09) ** 2)) * (up < 0.97)

    dome = _dome(shield, brim, offset, seams)
    columns, rows = 61, 14
    across = np.linspace(-1, 1, columns)[:, None]
    out = np.linspace(0, 1, rows)[None]
    azimuth = np.pi + across * np.radians(64)
    low = brim(azimuth)
    inner = _unit(azimuth, low) * (_sample(shield, azimuth, low) + 0.007)[..., None] + CENTRE
    length = 0.074 * np.clip(1 - np.abs(across) ** 2.6, 0, 1) ** 0.5
    ahead = np.array((0.0, -1.0, 0.0))
    droop = -(0.16 * out + 0.10 * out**2) * length - 0.16 * across**2 * length * out
    points = inner + ahead * (length * out)[..., None]
    points[..., 2] += droop + 0.004
    tone = 1 - 0.15 * np.exp(-(((out - 0.93) / 0.02) ** 2)) * np.ones_like(across)
    visor = Piece(
        points.reshape(-1, 3).astype(np.float32),
        grid_faces(columns, rows, False, False),
        tone.reshape(-1).astype(np.float32),
    )
    edge_points, _, edge_faces = tube(points[:, -1], np.full(columns, 0.0014))
    edge = Piece(edge_points.astype(np.float32), edge_faces, np.full(len(edge_points), 0.9, np.float32))
    return Headwear((dome, visor, edge), _reach_of(shield, brim, offset), _nothing_covered())


def _wide_brim(shield: Array) -> Headwear:
    shield = _smooth(shield)

    def brim(a: Array) -> Array:
        return _brim_line(a, 16, 10, -2)

    def offset(a: Array, up: Array) -> Array:
        crown = 0.026 * smoothstep(up, 0.15, 0.55)
        crease = 0.016 * np.exp(-((up - 1) ** 2) / 0.05) * np.cos(a) ** 2
        return 0.008 + crown - crease

    def plain(a: Array, up: Array) -> Array:
        return np.ones_like(a)

    dome = _dome(shield, brim, offset, plain)
    rows = 16
    azimuth = np.repeat(_turns(_AZIMUTHS)[:, None], rows, 1)
    out = np.broadcast_to(np.linspace(0, 1, rows)[None], azimuth.shape)
    low = brim(azimuth)
    inner = CENTRE + _unit(azimuth, low) * (_sample(shield, azimuth, low) + 0.0075)[..., None]
    outward = np.stack([np.sin(azimuth), np.cos(azimuth), np.zeros_like(azimuth)], -1)
    points = inner + outward * (0.078 * out)[..., None]
    side = np.sin(azimuth) ** 2
    points[..., 2] += 0.016 * side * out**2 - 0.012 * (1 - side) * out
    annulus = Piece(
        points.reshape(-1, 3).astype(np.float32),
        grid_faces(_AZIMUTHS, rows, True, False),
        np.ones(points.size // 3, np.float32),
    )
    edge_points, _, edge_faces = tube(points[:, -1], np.full(_AZIMUTHS, 0.0016), closed=True)
    edge = Piece(edge_points.astype(np.float32), edge_faces, np.full(len(edge_points), 0.92, np.float32))
    band = _dome(
        shield,
        brim,
        lambda a, up: offset(a, up) + 0.0016,
        plain,
        rows=60,
    )
    height = np.tile(np.linspace(0, 1, 60), _AZIMUTHS)
    ribbon = replace(band, dye=2, keep=(0.24 - height).astype(np.float32))
    return Headwear((dome, annulus, edge, ribbon), _reach_of(shield, brim, offset), _nothing_covered())


@dataclass(frozen=True)
class _Wrap:
    """Cloth around the whole head; lengths in metres."""

    half_width: float
    """Half the width of its opening for the face."""
    top: float
    """Height of the opening's upper edge."""
    bottom: float
    """Height of the opening's lower edge."""
    stand: float
    """How far it stands off the skull."""
    stand_at_edge: float
    """How far it stands off the face at the opening."""
    reach: float
    """How far over the shoulders it goes, from the neck's middle."""
    end: float
    """Height at which it ends in front and behind."""
    rim: float
    """Radius of the opening's rim."""
    folds: float
    """Height of its folds."""
    peak: float
    """How far it rises above the crown."""


_SCARF = _Wrap(0.066, 0.084, -0.089, 0.011, 0.0045, 0.150, -0.215, 0.0022, 0.0040, 0.002)
_HOOD = _Wrap(0.079, 0.106, -0.116, 0.020, 0.0160, 0.120, -0.165, 0.0050, 0.0030, 0.010)
_NECK_AXIS = -0.030
"""y of the vertical axis that wraps are laid around, metres."""


def _hull(vertices: Array, heights: Array, columns: int) -> Array:
    """Horizontal distance (heights, columns) of the skin, ears left out, from the wraps' axis, by azimuth."""
    x, y, z = vertices[:, 0], vertices[:, 1] - _NECK_AXIS, vertices[:, 2]
    ear = (np.abs(x) > 0.068) & (z < 0.055) & (z > -0.03) & (y < 0.05)
    x, y, z = x[~ear], y[~ear], z[~ear]
    column = ((np.arctan2(x, y) / (2 * np.pi) + 0.5) * columns).astype(int) % columns
    step = heights[0] - heights[1]
    row = np.round((heights[0] - z) / step).astype(int)
    fine = (row >= 0) & (row < len(heights))
    hull = np.zeros((len(heights), columns))
    np.maximum.at(hull, (row[fine], column[fine]), np.hypot(x, y)[fine])
    # Bins that no vertex fell into are filled from their neighbours.
    seen = (hull > 0).astype(float)
    for sigma in (1.0, 2.0, 4.0, 8.0):
        near = gaussian_filter(seen, sigma, mode=("nearest", "wrap"))
        mean = gaussian_filter(hull * seen, sigma, mode=("nearest", "wrap")) / np.maximum(near, 1e-9)
        hull = np.where((hull == 0) & (near > 0.02), mean, hull)
    return np.asarray(gaussian_filter(hull, (1.2, 1.5), mode=("nearest", "wrap")))


def _wrap(shield: Array, vertices: Array, wrap: _Wrap) -> Headwear:
    shield = _smooth(shield)
    columns, step = 128, 0.006
    turns = _turns(columns)
    heights = np.arange(0.05, -0.27, -step)
    hull = _hull(vertices, heights, columns)
    front = np.clip(-np.cos(turns), 0, 1)
    profiles = []
    for k in range(columns):
        profiles.append(_profile(shield, hull[:, k], heights, float(turns[k]), float(front[k]), wrap))
    grid = gaussian_filter(np.stack(profiles), (2.0, 1.6, 0), mode=("wrap", "nearest", "nearest"))
    grid[:, 0] = grid[:, 0].mean(0)  # Smoothing opened the crown, where all meridians meet.
    x, y, z = grid[..., 0], grid[..., 1], grid[..., 2]
    low = smoothstep(-z, 0.05, 0.13)
    wave = np.sin(turns[:, None] * 7 + 26 * z + 1.5 * np.sin(turns[:, None] * 3)) * np.sin(
        38 * z + 2 * turns[:, None]
    )
    away = np.stack([np.sin(turns), np.cos(turns), 0 * turns], -1)[:, None]
    still = 1 - smoothstep(z, 0.04, 0.10)
    wave = wave * still
    grid = grid + away * (wrap.folds * wave * (0.25 + 0.75 * low))[..., None]
    middle, half = (wrap.top + wrap.bottom) / 2, (wrap.top - wrap.bottom) / 2
    oval = np.hypot(x / wrap.half_width, (z - middle) / half) - 1
    keep = np.where(y < -0.025, oval * 0.06, 0.05) * np.ones_like(x)
    faces = grid_faces(columns, grid.shape[1], True, False)
    tone = 1 + 0.10 * wave * (0.3 + 0.7 * low)
    shell = Piece(
        grid.reshape(-1, 3).astype(np.float32),
        faces,
        tone.reshape(-1).astype(np.float32),
        keep=keep.reshape(-1).astype(np.float32),
    )
    pieces = [shell]
    rim = _opening(grid, oval, y)
    if rim is not None:
        points, _, rim_faces = tube(rim, np.full(len(rim), wrap.rim), closed=True, sides=8)
        pieces.append(Piece(points.astype(np.float32), rim_faces, np.full(len(points), 0.95, np.float32)))
    base = body_mesh().template[: body_mesh().num_vertices]
    ear = (np.abs(base[:, 0]) > 0.066) & (base[:, 2] < 0.058) & (base[:, 2] > -0.035) & (base[:, 1] > -0.078)
    radius = np.linalg.norm(grid - CENTRE, axis=-1)
    return Headwear(tuple(pieces), _reach_of_grid(grid, radius), np.asarray(ear), loose=1.0)


def _profile(shield: Array, hull: Array, heights: Array, turn: float, front: float, wrap: _Wrap) -> Array:
    """One meridian (40, 3) of a wrap, from the crown to its lower edge, evenly spaced."""
    stand = wrap.stand + (wrap.stand_at_edge - wrap.stand) * front**2
    elevation = np.linspace(np.pi / 2, np.radians(2), 24)
    radius = _sample(shield, np.full(24, turn), elevation) + stand
    radius = radius + wrap.peak * np.sin(elevation) ** 4
    crown = CENTRE + _unit(np.full(24, turn), elevation) * radius[:, None]
    axis = np.array((0.0, _NECK_AXIS))
    across = np.hypot(crown[:, 0] - axis[0], crown[:, 1] - axis[1])
    below = heights < crown[-1, 2] - 0.004
    z = heights[below]
    flat = hull[below] + 0.007 + (stand - 0.007) * (1 - smoothstep(-z, 0.09, 0.15))
    # From the jaw the cloth falls to the shoulders without following the neck inwards.
    ends = np.nonzero((hull[below] > wrap.reach) | (z < wrap.end))[0]
    last = int(ends[0]) if len(ends) else len(z) - 1
    jaw = int(np.argmin(np.abs(z + 0.055)))
    last = max(last, jaw + 3)
    straight = np.interp(
        z[jaw : last + 1], (z[last], z[jaw]), (min(flat[last], wrap.reach + 0.01), flat[jaw])
    )
    flat[jaw : last + 1] = np.maximum(straight, np.minimum(flat[jaw : last + 1], wrap.reach + 0.01))
    path = np.concatenate(
        [np.stack([across, crown[:, 2]], 1), np.stack([flat[: last + 1], z[: last + 1]], 1)]
    )
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    place = np.linspace(0, along[-1], 64)
    rho, height = np.interp(place, along, path[:, 0]), np.interp(place, along, path[:, 1])
    return np.stack([np.sin(turn) * rho, axis[1] + np.cos(turn) * rho, height], 1)


def _opening(grid: Array, oval: Array, y: Array) -> Array | None:
    """The edge (K, 3) of the opening for the face, in order; None when the cloth has none."""
    points = []
    columns, rows = oval.shape
    centre_x, centre_z = 0.0, 0.0
    for k in range(columns):
        for j in range(rows - 1):
            a, b = oval[k, j], oval[k, j + 1]
            if a * b < 0 and y[k, j] < -0.03:
                points.append(grid[k, j] + (grid[k, j + 1] - grid[k, j]) * (a / (a - b)))
    for j in range(rows):
        for k in range(columns):
            a, b = oval[k, j], oval[(k + 1) % columns, j]
            if a * b < 0 and y[k, j] < -0.03:
                points.append(grid[k, j] + (grid[(k + 1) % columns, j] - grid[k, j]) * (a / (a - b)))
    if len(points) < 12:
        return None
    ring = np.array(points)
    angle = np.arctan2(ring[:, 2] - centre_z, ring[:, 0] - centre_x)
    order = np.argsort(angle)
    even = np.linspace(-np.pi, np.pi, 96, endpoint=False)
    smooth = [np.interp(even, angle[order], ring[order, c], period=2 * np.pi) for c in range(3)]
    return np.asarray(gaussian_filter(np.stack(smooth, 1), (1.2, 0), mode="wrap"))


def _reach_of_grid(grid: Array, radius: Array) -> Callable[[Array], tuple[Array, BoolArray]]:
    """The limit that a wrap sets to hair, looked up in a map of its distance by direction."""
    azimuth, elevation, _ = _angles(grid)
    rows, columns = 64, 128
    column = ((azimuth / (2 * np.pi) + 0.5) * columns).astype(int) % columns
    row = np.clip(((elevation / np.pi + 0.5) * rows).astype(int), 0, rows - 1)
    total = np.bincount((row * columns + column).ravel(), radius.ravel(), rows * columns).reshape(
        rows, columns
    )
    count = np.bincount((row * columns + column).ravel(), minlength=rows * columns).reshape(rows, columns)
    mode = ("nearest", "wrap")
    weight = gaussian_filter(count.astype(float), 1.0, mode=mode)
    mean = gaussian_filter(total, 1.0, mode=mode) / np.maximum(weight, 1e-9)
    table = np.where(weight > 1e-3, mean, 1.0)

    def reach(points: Array) -> tuple[Array, BoolArray]:
        a, e, _ = _angles(points)
        return _sample(table, a, e) - _ROOM, np.ones(a.shape, bool)

    return reach
