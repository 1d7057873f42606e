"""Beanies, caps and hats: shells over the skull above a brim line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.tubes import connect_grid, tube
from hifi_portrait.synthetic.body_mesh import body_mesh
from hifi_portrait.synthetic.hair_strands import CENTRE
from hifi_portrait.synthetic.headwear_shape import (
    AZIMUTHS,
    ROOM,
    Headwear,
    Piece,
    angles_about_centre,
    sample_radius,
    smooth_shield,
    turns_around,
    unit_directions,
)

_TAPER = np.radians(16)
"""Below a hat's edge, hair is let out over this angle."""


def _brim_line(azimuth: Array, front: float, side: float, back: float) -> Array:
    """Elevation of a hat's lower edge around the head, radians; front, side and back in degrees."""
    c = -np.cos(azimuth)  # 1 in front, -1 behind
    ahead, behind = np.clip(c, 0, 1) ** 1.5, np.clip(-c, 0, 1) ** 1.5
    return np.asarray(np.radians(side + (front - side) * ahead + (back - side) * behind))


def _dome(
    shield: Array,
    brim: Callable[[Array], Array],
    offset: Callable[[Array, Array], Array],
    tone: Callable[[Array, Array], Array],
    rows: int = 40,
    columns: int = AZIMUTHS,
) -> Piece:
    """Make a shell from the brim line to the crown.

    ``offset`` and ``tone`` take azimuth and place, 0 at the brim to 1 at the crown.
    """
    azimuth = np.repeat(turns_around(columns)[:, None], rows, 1)
    up = np.broadcast_to(np.linspace(0, 1, rows)[None], azimuth.shape)
    low = brim(azimuth)
    elevation = low + (np.pi / 2 - low) * up
    radius = sample_radius(shield, azimuth, elevation) + offset(azimuth, up)
    points = CENTRE + unit_directions(azimuth, elevation) * radius[..., None]
    triangles = connect_grid(columns, rows, True, False)
    return Piece(
        points.reshape(-1, 3).astype(np.float32), triangles, tone(azimuth, up).reshape(-1).astype(np.float32)
    )


def _reach_of(
    shield: Array, brim: Callable[[Array], Array], offset: Callable[[Array, Array], Array]
) -> Callable[[Array], tuple[Array, BoolArray]]:
    def reach(points: Array) -> tuple[Array, BoolArray]:
        azimuth, elevation, _ = angles_about_centre(points)
        low = brim(azimuth)
        up = np.clip((elevation - low) / (np.pi / 2 - low), 0, 1)
        below = np.clip((low - elevation) / _TAPER, 0, 1)
        limit = sample_radius(shield, azimuth, elevation) + offset(azimuth, up) - ROOM + 0.025 * below**1.5
        return limit, np.asarray(below < 1)

    return reach


def _nothing_covered() -> BoolArray:
    return np.zeros(body_mesh().num_vertices, bool)


def make_beanie(shield: Array) -> Headwear:
    """Make a knitted cap with a folded cuff; ``shield`` as ``hair_strands.radius_map`` gives it."""
    shield = smooth_shield(shield)

    def brim(a: Array) -> Array:
        return _brim_line(a, 12, 4, -24)

    def offset(a: Array, up: Array) -> Array:
        return np.asarray(0.008 + 0.016 * smoothstep(up, 0.45, 1.0) + 0.004 * np.sin(np.pi * up))

    def knit(a: Array, up: Array) -> Array:
        return np.asarray(0.86 + 0.14 * np.cos(a * 54) * (1 - up**3))

    dome = _dome(shield, brim, offset, knit, rows=36, columns=324)
    profile = np.array(
        [(0.000, 0.006), (-0.003, 0.010), (0.000, 0.0135), (0.018, 0.0150), (0.034, 0.0140), (0.038, 0.009)]
    )
    height, stand = profile.T
    azimuth = np.repeat(turns_around(324)[:, None], len(profile), 1)
    elevation = brim(azimuth) + height / 0.105
    radius = sample_radius(shield, azimuth, elevation) + stand
    points = CENTRE + unit_directions(azimuth, elevation) * radius[..., None]
    tone = 0.88 + 0.12 * np.cos(azimuth * 54)
    cuff = Piece(
        points.reshape(-1, 3).astype(np.float32),
        connect_grid(324, len(profile), True, False),
        tone.reshape(-1).astype(np.float32),
    )
    return Headwear((dome, cuff), _reach_of(shield, brim, offset), _nothing_covered())


def make_cap(shield: Array) -> Headwear:
    """Make a baseball cap; ``shield`` as ``hair_strands.radius_map`` gives it."""
    shield = smooth_shield(shield)

    def brim(a: Array) -> Array:
        return _brim_line(a, 17, 9, -12)

    def offset(a: Array, up: Array) -> Array:
        front = np.clip(-np.cos(a), 0, 1)
        return np.asarray(
            0.006 + 0.010 * np.sin(np.pi * np.clip(up, 0, 1) * 0.9) + 0.010 * front * np.sin(np.pi * up) ** 2
        )

    def seams(a: Array, up: Array) -> Array:
        return np.asarray(1 - 0.22 * np.exp(-((np.sin(3 * a) / 0.09) ** 2)) * (up < 0.97))

    dome = _dome(shield, brim, offset, seams)
    columns, rows = 61, 14
    across = np.linspace(-1, 1, columns)[:, None]
    out = np.linspace(0, 1, rows)[None]
    azimuth = np.pi + across * np.radians(64)
    low = brim(azimuth)
    inner = unit_directions(azimuth, low) * (sample_radius(shield, azimuth, low) + 0.007)[..., None] + CENTRE
    length = 0.074 * np.clip(1 - np.abs(across) ** 2.6, 0, 1) ** 0.5
    ahead = np.array((0.0, -1.0, 0.0))
    droop = -(0.16 * out + 0.10 * out**2) * length - 0.16 * across**2 * length * out
    points = inner + ahead * (length * out)[..., None]
    points[..., 2] += droop + 0.004
    tone = 1 - 0.15 * np.exp(-(((out - 0.93) / 0.02) ** 2)) * np.ones_like(across)
    visor = Piece(
        points.reshape(-1, 3).astype(np.float32),
        connect_grid(columns, rows, False, False),
        tone.reshape(-1).astype(np.float32),
    )
    edge_points, _, edge_triangles = tube(points[:, -1], np.full(columns, 0.0014))
    edge = Piece(edge_points.astype(np.float32), edge_triangles, np.full(len(edge_points), 0.9, np.float32))
    return Headwear((dome, visor, edge), _reach_of(shield, brim, offset), _nothing_covered())


def make_wide_brim_hat(shield: Array) -> Headwear:
    """Make a hat with a ribbon and a wide brim; ``shield`` as ``hair_strands.radius_map`` gives it."""
    shield = smooth_shield(shield)

    def brim(a: Array) -> Array:
        return _brim_line(a, 16, 10, -2)

    def offset(a: Array, up: Array) -> Array:
        crown = 0.026 * smoothstep(up, 0.15, 0.55)
        crease = 0.016 * np.exp(-((up - 1) ** 2) / 0.05) * np.cos(a) ** 2
        return np.asarray(0.008 + crown - crease)

    def plain(a: Array, up: Array) -> Array:
        return np.ones_like(a)

    dome = _dome(shield, brim, offset, plain)
    rows = 16
    azimuth = np.repeat(turns_around(AZIMUTHS)[:, None], rows, 1)
    out = np.broadcast_to(np.linspace(0, 1, rows)[None], azimuth.shape)
    low = brim(azimuth)
    inner = CENTRE + unit_directions(azimuth, low) * (sample_radius(shield, azimuth, low) + 0.0075)[..., None]
    outward = np.stack([np.sin(azimuth), np.cos(azimuth), np.zeros_like(azimuth)], -1)
    points = inner + outward * (0.078 * out)[..., None]
    side = np.sin(azimuth) ** 2
    points[..., 2] += 0.016 * side * out**2 - 0.012 * (1 - side) * out
    annulus = Piece(
        points.reshape(-1, 3).astype(np.float32),
        connect_grid(AZIMUTHS, rows, True, False),
        np.ones(points.size // 3, np.float32),
    )
    edge_points, _, edge_triangles = tube(points[:, -1], np.full(AZIMUTHS, 0.0016), closed=True)
    edge = Piece(edge_points.astype(np.float32), edge_triangles, np.full(len(edge_points), 0.92, np.float32))
    band = _dome(
        shield,
        brim,
        lambda a, up: offset(a, up) + 0.0016,
        plain,
        rows=60,
    )
    height = np.tile(np.linspace(0, 1, 60), AZIMUTHS)
    ribbon = replace(band, dye=2, keep=(0.24 - height).astype(np.float32))
    return Headwear((dome, annulus, edge, ribbon), _reach_of(shield, brim, offset), _nothing_covered())
