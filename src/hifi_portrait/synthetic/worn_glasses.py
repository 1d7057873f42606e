"""Glasses in a picture: their colours, and their frames as triangles."""

import numpy as np

from hifi_portrait.head.arrays import RGB
from hifi_portrait.head.glasses import Glasses
from hifi_portrait.synthetic.body_mesh import FRAME
from hifi_portrait.synthetic.garments import add_tube
from hifi_portrait.synthetic.mesh_collection import MeshCollection

COLOURS: tuple[RGB, ...] = (
    (0.014, 0.013, 0.013),
    (0.014, 0.013, 0.013),
    (0.075, 0.034, 0.014),
    (0.20, 0.20, 0.21),
    (0.42, 0.28, 0.12),
    (0.10, 0.018, 0.025),
    (0.02, 0.04, 0.11),
)


def put_on(meshes: MeshCollection, glasses: Glasses) -> None:
    """Add the frame of glasses that are in camera space."""
    for rim in glasses.rims:
        add_tube(meshes, rim, glasses.rim_radius, FRAME, closed=True)
    for bar in glasses.bars:
        add_tube(meshes, bar, np.full(len(bar), glasses.bar_radius), FRAME)
