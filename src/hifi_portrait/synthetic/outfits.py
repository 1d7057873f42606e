"""Garments of several layers: jackets over shirts, ties, straps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from hifi_portrait.head import vertex_normals
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.tubes import connect_grid
from hifi_portrait.synthetic.body_mesh import CLOTH
from hifi_portrait.synthetic.garment_cuts import GARMENTS
from hifi_portrait.synthetic.garments import cloth_surface, dress, skin_left_bare
from hifi_portrait.synthetic.mesh_collection import MeshCollection

SHIRT_DYE, TIE_DYE = 3, 4
"""Dyes of what is worn under a jacket and of a tie; the jacket has the clothing's own colour."""


@dataclass(frozen=True)
class Layer:
    """One garment of an outfit."""

    cut: str
    """One of ``garment_cuts.CUTS``."""
    dye: int = 0
    lift: float = 0.0
    """How far it stands off further than a single garment, metres."""


@dataclass(frozen=True)
class Outfit:
    """What is worn together."""

    weight: float
    """How often, relative to the others."""
    layers: tuple[Layer, ...]
    """From the skin outwards."""
    tie: bool = False
    patterned: bool = True
    """Whether it may have stripes, checks or dots."""
    worn_by: tuple[str, ...] = ("man", "woman")


_JACKET = Layer("jacket", 0, 0.005)
OUTFITS: dict[str, Outfit] = {
    **{
        name: Outfit(garment.fraction, (Layer(name),), patterned=name not in ("hoodie",))
        for name, garment in GARMENTS.items()
    },
    "suit and tie": Outfit(
        0.13, (Layer("dress shirt", SHIRT_DYE), _JACKET), tie=True, patterned=False, worn_by=("man",)
    ),
    "suit": Outfit(0.08, (Layer("collared shirt", SHIRT_DYE), _JACKET), patterned=False),
    "blazer": Outfit(0.08, (Layer("t-shirt", SHIRT_DYE), _JACKET)),
    "sweater": Outfit(0.12, (Layer("sweater"),)),
    "dress with straps": Outfit(0.14, (Layer("straps"),), worn_by=("woman",)),
    "tank top": Outfit(0.06, (Layer("tank top"),)),
}
"""Everything a wide photo may show, by the name that captions give it."""


def dress_in(meshes: MeshCollection, name: str, vertices: Array, normals: Array) -> None:
    """Add an outfit to the meshes of a picture.

    Parameters
    ----------
    meshes
        Receives the cloth.
    name
        One of ``OUTFITS``.
    vertices, normals
        (V, 3) posed, camera space.
    """
    outfit = OUTFITS[name]
    for layer in outfit.layers:
        dress(meshes, layer.cut, vertices, normals, dye=layer.dye, lift=layer.lift)
    if outfit.tie:
        _add_tie(meshes, vertices, normals)


def skin_bare_in(name: str) -> Array:
    """Field (V,) that is negative where the outfit hides the skin."""
    return skin_left_bare(OUTFITS[name].layers[0].cut)


_TIE_TOP, _TIE_END = -0.122, -0.345
"""Heights of the knot's upper edge and of where the tie leaves the mesh, metres."""


def _add_tie(meshes: MeshCollection, vertices: Array, normals: Array) -> None:
    """Add a knot and a blade that lie on the shirt."""
    points, template, outward = cloth_surface("dress shirt", vertices, normals)
    heights = np.linspace(_TIE_TOP, _TIE_END, 40)
    front = (template[:, 1] < 0) & (np.abs(template[:, 0]) < 0.02)
    order = np.argsort(-template[front, 2])
    z, place = template[front, 2][order], points[front][order]
    middle = np.stack([np.interp(-heights, -z, place[:, c]) for c in range(3)], 1)
    middle = gaussian_filter1d(middle, 2.0, axis=0, mode="nearest")
    ahead = outward[front].mean(0)
    ahead /= np.linalg.norm(ahead)
    right = np.cross((0.0, 0.0, 1.0), ahead)
    right /= np.linalg.norm(right)
    below = _TIE_TOP - heights
    half = np.where(
        below < 0.030, 0.0165 - 0.0055 * below / 0.030, 0.0125 + 0.017 * np.clip((below - 0.030) / 0.16, 0, 1)
    )
    knot = np.exp(-(((below - 0.012) / 0.014) ** 4))
    across = np.linspace(-1, 1, 9)
    bulge = (1 - across**2) * 0.5 + 0.5
    stand = 0.004 + 0.009 * knot[:, None] * bulge + 0.002 * bulge
    grid = middle[:, None] + right * (half[:, None] * across)[..., None] + ahead * stand[..., None]
    triangles = connect_grid(len(heights), len(across), False, False)
    flat = grid.reshape(-1, 3).astype(np.float32)
    facing = vertex_normals(flat, triangles)
    facing *= np.sign((facing @ ahead).sum())
    tone = np.where((below > 0.028) & (below < 0.034), 0.55, 1.0)[:, None] * (0.92 + 0.08 * bulge)
    meshes.add(flat, facing, triangles, CLOTH, tone=tone.reshape(-1), dye=TIE_DYE)
