"""Beards: strands on the part of the face that each kind covers."""

import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.synthetic.body_mesh import SKIN, body_mesh
from hifi_portrait.synthetic.hair_strands import Strands, scatter_roots
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.skin_regions import beard_region


def beard_hair(person: Person, vertices: Array, normals: Array) -> Strands | None:
    """Short strands of a grown beard; stubble is painted only and gives None."""
    if person.beard in ("none", "stubble"):
        return None
    rng = np.random.default_rng([76, person.seed])
    mesh = body_mesh()
    density = (mesh.material == SKIN) * beard_region(mesh.template[mesh.triangles].mean(1), person.beard) ** 2
    roots = scatter_roots(
        rng, mesh, vertices, normals, density, 2600 if person.beard == "full beard" else 1300
    )
    roots = roots[beard_region(roots.template, person.beard) > rng.uniform(0.25, 0.9, len(roots))]
    count, segments = len(roots), 4
    upper = roots.template[:, 2] > -0.034
    middle = np.abs(roots.template[:, 0]) < 0.03
    length = np.where(upper & middle, 0.0045, 0.0085) * rng.uniform(0.6, 1.2, count)
    side = np.sign(roots.template[:, :1])
    comb = np.concatenate(
        [
            side * np.where(upper & middle, 0.8, 0.15)[:, None],
            np.full((count, 1), -0.1),
            np.full((count, 1), -1.0),
        ],
        1,
    )
    comb /= np.linalg.norm(comb, axis=1, keepdims=True)
    direction = 0.45 * roots.normal + 0.8 * comb + rng.normal(0, 0.12, (count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    t = np.linspace(0, 1, segments)[None, :, None]
    drop = np.array((0.0, 0.0, -1.0)) * t**2 * 0.25
    points = roots.position[:, None] + (direction[:, None] * t + drop) * length[:, None, None]
    return Strands(points.astype(np.float32), roots.face, roots.weights, roots.position, 0.00042, 0.4)
