"""Hair where face parsing found it."""

from __future__ import annotations

import numpy as np

from hifi_portrait.faces.label_maps import region_mask
from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.hair.beside_mesh import LooseHair, beyond_mesh, enlarge, find_pieces
from hifi_portrait.warp.mesh_in_photo import mesh_in_photo
from hifi_portrait.warp.settings import LooseHairSettings


def find_labelled_hair(
    label_map: Array, matte: Array, xy: Array, model: HeadModel, settings: LooseHairSettings
) -> LooseHair:
    """Find what hair a parsed photo shows, on the mesh's scalp, beside it and over neck and shoulders.

    Parameters
    ----------
    label_map
        (P, P) a `FaceLabel` for each place.
    matte
        (S, S) in [0, 1], the person.
    xy
        (V, 2) places of the vertices as fractions of the side.
    model, settings
        Whose vertices they are, and what is no crumb.
    """
    hair = region_mask(label_map, FaceLabel.HAIR, size=len(matte))
    shown = mesh_in_photo(xy, model)
    beside = matte * beyond_mesh(shown, len(matte)) * hair
    beside = beside * find_pieces(beside, settings)
    ears = float(xy[np.concatenate(ear_vertices(model)), 1].max())
    below = np.arange(len(shown))[:, None] > ears * len(shown)
    body = (shown >= 0) & (below | (model.parts == Part.SHOULDERS)[shown])
    over = hair * (enlarge(body, len(matte)) > 0.5) > 0.5
    return LooseHair(np.asarray(beside, np.float32), over.astype(np.float32), hair)
