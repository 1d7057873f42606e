"""Head hair: strands grown over the scalp in a person's style."""

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.synthetic.body_mesh import SKIN, body_mesh
from hifi_portrait.synthetic.hair_strands import CENTRE, Roots, Strands, grow, radius_map, scatter_roots
from hifi_portrait.synthetic.hair_styles import STYLES, HairStyle
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.skin_regions import scalp_field


def head_hair(person: Person, vertices: Array, normals: Array, *, full: bool = False) -> Strands | None:
    """Grow the person's hair over the rest head; None for a bald one.

    Parameters
    ----------
    person
        Whose style, length, parting and hairline are used.
    vertices, normals
        (V, 3) rest shape, in the base shape's coordinates.
    full
        Whether short strands lie under long hair, so that no scalp shows beside its parting.
    """
    style = STYLES[person.hair.style]
    if style is None:
        return None
    rng = np.random.default_rng([75, person.seed])
    mesh = body_mesh()
    field = scalp_field(mesh.template[mesh.triangles].mean(1), person.hair.hairline)
    density = (mesh.material == SKIN) * smoothstep(field, -0.002, 0.004)
    roots = scatter_roots(rng, mesh, vertices, normals, density, style.count)
    roots = roots[scalp_field(roots.template, person.hair.hairline) > rng.uniform(-0.002, 0.004, len(roots))]
    points = _grow_style(rng, style, person, roots, skull_shield(vertices))
    keep = ~_over_the_face(points, style.fringe > 0)
    points, roots = points[keep], roots[keep]
    if full and style.frames_face:
        under, under_roots = _undercoat(style, person, roots, skull_shield(vertices))
        points, roots = np.concatenate([points, under]), _join_roots(roots, under_roots)
    extra = _gather_hair(rng, style, len(roots), person.hair.length)
    if extra is not None:
        pick = rng.integers(0, len(roots), len(extra))
        extra = _resample(extra, points.shape[1])
        points, roots = np.concatenate([points, extra]), _join_roots(roots, roots[pick])
        order = rng.permutation(len(points))
        points, roots = points[order], roots[order]
    return Strands(points, roots.face, roots.weights, roots.position, style.width)


def _undercoat(
    style: HairStyle, person: Person, roots: Roots, shield: FloatArray
) -> tuple[FloatArray, Roots]:
    """Short strands on the front of the scalp, which longer ones leave bare on their way to the sides."""
    rng = np.random.default_rng([79, person.seed])
    front = np.nonzero((roots.template[:, 1] < -0.015) & (roots.template[:, 2] > 0.055))[0]
    roots = roots[np.repeat(front, 3)]
    flat = replace(
        style,
        length=0.042,
        lift=0.12,
        layer=(0.0008, 0.004),
        gravity=0.25,
        cling=0.6,
        comb_fade=0.0,
        wave=0.0,
        fringe=0.0,
        frames_face=False,
        scatter=0.14,
    )
    points = _grow_style(rng, flat, person, roots, shield)
    free = ~_over_the_face(points, fringe=False)
    return points[free], roots[free]


def _join_roots(first: Roots, second: Roots) -> Roots:
    names = ("position", "normal", "template", "face", "weights")
    return Roots(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in names))


def skull_shield(vertices: Array) -> FloatArray:
    """Measure the shield of a rest head, with the ears left out."""
    mesh = body_mesh()
    centre = mesh.template[mesh.triangles].mean(1)
    ear = (
        (np.abs(centre[:, 0]) > 0.068)
        & (centre[:, 2] < 0.045)
        & (centre[:, 2] > -0.03)
        & (centre[:, 1] > -0.06)
    )
    triangles = mesh.triangles[(mesh.part == 0) & ~(ear & (centre[:, 1] < 0.0))]
    corners = vertices[triangles]
    mids = 0.5 * (corners + np.roll(corners, 1, axis=1))
    return radius_map(np.concatenate([corners.reshape(-1, 3), mids.reshape(-1, 3), corners.mean(1)]))


def _comb(rng: np.random.Generator, style: HairStyle, person: Person, roots: Roots) -> FloatArray:
    n, r = roots.normal, roots.template
    top = smoothstep(r[:, 2], 0.05, 0.11)
    side = np.where(r[:, 0] + rng.normal(0, 0.004, len(r)) > person.hair.parting, 1.0, -1.0)
    zero = np.zeros(len(r))
    if style.comb == "out":
        comb = n + np.stack([zero, -0.25 * top * (style.lift < 1), zero], 1)
    elif style.comb == "loose":
        comb = n + np.stack([0.1 * side, zero, zero - 0.55], 1)
    elif style.comb == "forward":
        comb = (
            np.stack([0.25 * side * top, -0.9 * top + 0.15 * (1 - top), -0.9 * (1 - top) - 0.1], 1) + 0.35 * n
        )
    elif style.comb == "side":
        over = 1.0 if person.hair.parting <= 0 else -1.0
        comb = np.stack(
            [over * top + 0.15 * side * (1 - top), -0.35 * top + 0.3 * (1 - top), -0.9 * (1 - top)], 1
        )
    elif style.comb == "back":
        comb = np.stack([zero, zero + 1.0, -0.2 - 0.5 * (1 - top)], 1)
    elif style.comb == "down":
        front = (r[:, 1] < -0.06) * 1.0
        comb = np.stack([side * (0.3 + 0.7 * top), 0.30 + 0.35 * front, -0.9 + 0.35 * top], 1)
    else:
        comb = np.asarray(style.gather) - roots.position
    return np.asarray(comb / np.linalg.norm(comb, axis=1, keepdims=True))


def _grow_style(
    rng: np.random.Generator, style: HairStyle, person: Person, roots: Roots, shield: FloatArray
) -> FloatArray:
    count = len(roots)
    top = smoothstep(roots.template[:, 2], 0.05, 0.11)
    length = (
        style.length
        * person.hair.length
        * rng.uniform(0.82, 1.08, count)
        * (style.sides + (1 - style.sides) * top)
    )
    if style.comb == "gather":
        length = 1.12 * np.linalg.norm(np.asarray(style.gather) - roots.position, axis=1)
    comb = _comb(rng, style, person, roots)
    fringe = np.zeros(count, bool)
    if style.fringe:
        r = roots.template
        fringe = (r[:, 1] < -0.060) & (np.abs(r[:, 0]) < 0.052)
        sideways = r[:, :1] * 4
        comb = np.where(
            fringe[:, None],
            np.concatenate([sideways, np.full((count, 1), -0.6), np.full((count, 1), -0.9)], 1),
            comb,
        )
        comb /= np.linalg.norm(comb, axis=1, keepdims=True)
        length = np.where(fringe, (0.030 + r[:, 2] - 0.078) * rng.uniform(0.92, 1.05, count), length)
    clumps = roots.position[rng.choice(count, 60, replace=False)]
    clump = rng.normal(0, style.clumping, (60, 3))[cKDTree(clumps).query(roots.position)[1]]
    direction = (
        roots.normal * style.lift
        + comb * (1 - 0.6 * style.lift)
        + clump
        + rng.normal(0, style.scatter, (count, 3))
    )
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    edge = smoothstep(scalp_field(roots.template, person.hair.hairline), 0.0, 0.02)
    layer = rng.uniform(*style.layer, count) * (0.35 + 0.65 * edge)
    points = np.empty((count, style.segments, 3), np.float32)
    grow(
        roots.position - np.float32(0.001) * roots.normal,
        direction.astype(np.float32),
        comb.astype(np.float32),
        length.astype(np.float32),
        layer.astype(np.float32),
        np.asarray(style.gather, np.float32),
        4.0 if style.comb == "gather" else 0.0,
        style.gravity,
        style.comb_fade,
        style.stiffness,
        style.cling,
        shield,
        CENTRE,
        points,
    )
    if style.frames_face:
        _part_before_the_face(points, roots, fringe)
    _bend(rng, style, points, clump)
    return points


def _part_before_the_face(points: FloatArray, roots: Roots, fringe: Array) -> None:
    """Move hanging hair out of the face, smoothly, to where it frames it."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    side = np.sign(np.where(np.abs(x[:, -1:]) > 0.01, x[:, -1:], roots.template[:, :1] + 1e-6))
    edge = np.interp(
        z, [-0.20, -0.10, -0.04, 0.02, 0.06, 0.072, 0.098], [0.070, 0.078, 0.082, 0.080, 0.069, 0.058, 0.0]
    )
    before = smoothstep(-y, 0.02, 0.05) * ~fringe[:, None]
    points[..., 0] += side * np.maximum(edge - side * x, 0) * before
    front = np.interp(
        z, [-0.25, -0.12, 0.0, 0.04, 0.085, 0.10], [-0.085, -0.075, -0.055, -0.066, -0.125, -0.20]
    )
    points[..., 1] += np.maximum(front - y, 0) * ~fringe[:, None]


def _bend(rng: np.random.Generator, style: HairStyle, points: FloatArray, clump: Array) -> None:
    count, segments = points.shape[:2]
    t = np.linspace(0, 1, segments)[None]
    phase = rng.random((count, 1)) * 2 * np.pi
    if style.wave:
        turn = 2 * np.pi * style.wave_turns * t + 0.25 * phase + 6 * clump[:, :1]
        size = style.wave * np.minimum(1, 1.6 * t)
        points[..., 0] += size * np.sin(turn)
        points[..., 1] += size * np.cos(turn)
    if style.curl:
        turn = 2 * np.pi * style.curl_turns * t + phase
        size = style.curl * np.minimum(1, 2.5 * t)
        points[..., 0] += size * np.sin(turn)
        points[..., 1] += size * np.cos(turn)
        points[..., 2] += size * np.sin(1.3 * turn + 2 * phase)


def _over_the_face(points: FloatArray, fringe: bool) -> Array:
    """Strands (N,) that would cross the face."""
    x, y, z = np.abs(points[..., 0]), points[..., 1], points[..., 2]
    top = 0.050 if fringe else 0.070
    width = np.interp(z, [-0.09, -0.04, 0.03, 0.07], [0.045, 0.058, 0.062, 0.055])
    crossing: Array = (x < width) & (y < -0.05) & (z < top) & (z > -0.10)
    return np.asarray(crossing.any(axis=1))


def _gather_hair(rng: np.random.Generator, style: HairStyle, count: int, length: float) -> FloatArray | None:
    """Strands of the ponytail or the bun, from the place where the hair is tied."""
    tie = np.asarray(style.gather)
    if style.tail:
        n, k = 1400, 14
        t = np.linspace(0, 1, k)[None, :, None]
        spread = rng.normal(0, 1, (n, 1, 3)) * np.array((0.010, 0.010, 0.008))
        fall = (
            np.array((0.0, 0.045, 0.02)) * np.sin(np.minimum(t * 2.2, np.pi / 2))
            + np.array((0, 0.0, -style.tail)) * t**1.25
        )
        swell = 0.35 + 1.3 * np.sin(np.pi * np.clip(t * 0.85 + 0.05, 0, 1))
        reach = rng.uniform(0.82, 1.0, (n, 1, 1)) * length
        return np.asarray(tie + fall * reach + spread * swell, np.float32)
    if style.bun:
        n, k = 1500, 12
        axis = rng.normal(0, 1, (n, 3)) * np.array((1.0, 0.8, 0.5)) + np.array((0, 0.3, 0.6))
        axis /= np.linalg.norm(axis, axis=1, keepdims=True)
        across = np.cross(axis, rng.normal(0, 1, (n, 3)))
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        other = np.cross(axis, across)
        turn = (rng.random((n, 1)) * 2 * np.pi + np.linspace(0, 1.6, k)[None])[..., None]
        ring = np.cos(turn) * across[:, None] + np.sin(turn) * other[:, None]
        radius = style.bun * rng.uniform(0.86, 1.04, (n, 1, 1))
        return np.asarray(tie + np.array((0, 0.4, 0.4)) * style.bun + radius * ring, np.float32)
    return None


def _resample(points: FloatArray, segments: int) -> FloatArray:
    place = np.linspace(0, points.shape[1] - 1, segments)
    low = np.minimum(place.astype(int), points.shape[1] - 2)
    fraction = (place - low)[None, :, None]
    return np.asarray(points[:, low] * (1 - fraction) + points[:, low + 1] * fraction, np.float32)
