"""The triangles of one picture, gathered material by material."""

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.synthetic.labels import label_materials


class MeshCollection:
    """Collects meshes; ``arrays`` joins them for the kernels. All points are in camera space, metres."""

    def __init__(self) -> None:
        self._vertices: list[FloatArray] = []
        self._normals: list[FloatArray] = []
        self._attributes: list[FloatArray] = []
        self._tones: list[FloatArray] = []
        self._keeps: list[FloatArray] = []
        self._triangles: list[NDArray[np.int32]] = []
        self._materials: list[NDArray[np.int32]] = []
        self._dyes: list[NDArray[np.int32]] = []
        self._labels: list[NDArray[np.uint8]] = []
        self.num_vertices = 0
        self.num_triangles = 0

    def add(
        self,
        vertices: Array,
        normals: Array,
        triangles: Array,
        material: Array | int,
        *,
        attribute: Array | None = None,
        tone: Array | None = None,
        keep: Array | None = None,
        dye: int = 0,
        label: Array | int | None = None,
    ) -> None:
        """Add a mesh.

        Parameters
        ----------
        vertices, normals
            (N, 3)
        triangles
            (F, 3) rows of ``vertices``.
        material
            One number, or (F,).
        attribute
            (N, 3) what the material needs: texture place, hair direction; zero by default.
        tone
            (N,) factor on the colour; 1 by default.
        keep
            (N,) drawn where the interpolated value is not negative; everywhere by default.
        dye
            For cloth: which of the photo's further colours it has, 0 for the clothing's own.
        label
            What it is to face parsing, a `FaceLabel` or (F,) of them; that of the material by default.
        """
        count = len(vertices)
        self._vertices.append(np.asarray(vertices, np.float32))
        self._normals.append(np.asarray(normals, np.float32))
        self._attributes.append(
            np.zeros((count, 3), np.float32) if attribute is None else attribute.astype(np.float32)
        )
        self._tones.append(np.ones(count, np.float32) if tone is None else tone.astype(np.float32))
        self._keeps.append(np.ones(count, np.float32) if keep is None else keep.astype(np.float32))
        self._triangles.append(
            (np.asarray(triangles, np.int32) + np.int32(self.num_vertices)).astype(np.int32)
        )
        self._materials.append(np.broadcast_to(np.asarray(material, np.int32), len(triangles)))
        self._dyes.append(np.full(len(triangles), dye, np.int32))
        labels = label_materials(self._materials[-1]) if label is None else np.asarray(label, np.uint8)
        self._labels.append(np.broadcast_to(labels, len(triangles)))
        self.num_vertices += count
        self.num_triangles += len(triangles)

    def dyes(self) -> NDArray[np.int32]:
        """Give the number (F,) of the dye of each triangle."""
        return np.concatenate(self._dyes)

    def labels(self) -> NDArray[np.uint8]:
        """Give the `FaceLabel` (F,) of each triangle."""
        return np.concatenate(self._labels)

    def arrays(
        self,
    ) -> tuple[
        FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, NDArray[np.int32], NDArray[np.int32]
    ]:
        """Vertices, normals, attributes, tones, keeps, triangles and materials, each joined to one array."""
        return (
            np.concatenate(self._vertices),
            np.concatenate(self._normals),
            np.concatenate(self._attributes),
            np.concatenate(self._tones),
            np.concatenate(self._keeps),
            np.concatenate(self._triangles),
            np.ascontiguousarray(np.concatenate(self._materials)),
        )
