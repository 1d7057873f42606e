"""What each pixel of a synthetic photo shows, as the labels of face parsing."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head import HeadModel
from hifi_portrait.head.arrays import Array, BoolArray
from hifi_portrait.synthetic.body_mesh import (
    BODY,
    CLOTH,
    EYE,
    FRAME,
    HAIR,
    LASH,
    MOUTH,
    SKIN,
    TEETH,
    TEXTURE_SIZE,
    BodyMesh,
    body_mesh,
)
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.skin_regions import beard_region, scalp_field

_OF_MATERIAL = {
    SKIN: FaceLabel.SKIN,
    EYE: FaceLabel.EYES,
    TEETH: FaceLabel.MOUTH,
    MOUTH: FaceLabel.MOUTH,
    LASH: FaceLabel.SKIN,
    CLOTH: FaceLabel.CLOTHES,
    HAIR: FaceLabel.HAIR,
    BODY: FaceLabel.NECK,
    FRAME: FaceLabel.GLASSES,
}
_JAW = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152)
"""MediaPipe's landmarks of the right jaw, from the ear to the chin."""
_BELOW_JAW = 0.003
"""How far below the jaw's line the neck begins, metres."""
_GROWN = ("full beard", "goatee", "moustache")


def label_materials(material: Array) -> NDArray[np.uint8]:
    """Give the labels of materials, an array of any shape, where nothing more is known of them."""
    table = np.array([_OF_MATERIAL[number] for number in range(len(_OF_MATERIAL))], np.uint8)
    return np.asarray(table[material])


@lru_cache(maxsize=16)
def body_labels(person: Person) -> NDArray[np.uint8]:
    """Label the triangles (F,) of ``body_mesh()`` for a person: ears, lips, neck, painted hair and beard."""
    mesh = body_mesh()
    labels = label_materials(mesh.material)
    middle = mesh.template[mesh.triangles].mean(1)
    on_head = mesh.material == SKIN
    labels[on_head & _below_jaw()] = FaceLabel.NECK
    if person.hair.style != "bald":
        labels[on_head & (scalp_field(middle, person.hair.hairline) > 0)] = FaceLabel.HAIR
    if person.beard in _GROWN:
        labels[on_head & (beard_region(middle, person.beard) > 0.5)] = FaceLabel.BEARD
    labels[on_head & _in_texture(mesh, "ears")] = FaceLabel.EARS
    labels[on_head & _in_texture(mesh, "lips")] = FaceLabel.MOUTH
    return labels


def _in_texture(mesh: BodyMesh, name: str) -> BoolArray:
    """Which triangles (F,) lie in a region of the head's texture."""
    place = mesh.corner_attribute[mesh.corner_triangles][..., :2].mean(1) * TEXTURE_SIZE
    column, row = np.clip(place.astype(int), 0, TEXTURE_SIZE - 1).T
    return np.asarray(mesh.masks[name][row, column] > 0.5)


@cache
def _below_jaw() -> BoolArray:
    """Which triangles (F,) lie below the line of the jaw, seen from the side."""
    mesh, model = body_mesh(), HeadModel.load()
    points = LandmarkModel.load().correspondence.points(
        mesh.template[: model.num_vertices].astype(np.float64), model.triangles
    )
    y, z = points[list(_JAW), 1], points[list(_JAW), 2]
    order = np.argsort(y)
    middle = mesh.template[mesh.triangles].mean(1)
    return np.asarray(middle[:, 2] < np.interp(middle[:, 1], y[order], z[order]) - _BELOW_JAW)


def merge_labels(fine: Array, factor: int) -> NDArray[np.uint8]:
    """Reduce a label map (H * factor, W * factor) to (H, W): the commonest label of each block."""
    parts = [fine[j::factor, i::factor] for j in range(factor) for i in range(factor)]
    merged = np.array(parts[0], np.uint8)
    mixed = np.logical_or.reduce([part != parts[0] for part in parts[1:]])
    if factor > 1 and mixed.any():  # most blocks are of one label
        few = np.stack([part[mixed] for part in parts])
        counts = np.stack([(few == label).sum(0) for label in FaceLabel])
        merged[mixed] = counts.argmax(0)
    return merged
