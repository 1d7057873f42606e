"""What the stages of the warp read of the references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.warp.photo_grid.space import PhotoSpace


@dataclass(frozen=True, eq=False)
class Sources:
    """N references, cleaned, registered and weighed for one target: see `read_references`.

    Attributes
    ----------
    crops, mattes
        (N, S, S, 3) uint8 and (N, S, S) in [0, 1], 0 beyond a photo's edges.
    colours
        (N, S, S, 3) uint8, the person's own, going on beyond the person's edge.
    shown
        (N, S, S) in [0, 1], where crops show their photos, from `in_photo`.
    solid
        (N, S, S) in [0, 1], the mattes without the person's edge.
    xy
        (N, V, 2) places of the vertices, as fractions of the side.
    tables
        (2N, V, 3): x, y and visibility of each vertex; then the same of its mirror image.
    landmarks
        (N, 478, 2), as fractions of the side.
    heads
        N fitted heads.
    gains
        (N, 3) that bring the references to a common brightness.
    weights
        (N, V) of each reference at each vertex.
    mouth_weights
        (N,) of each about the mouth; the greatest is 1.
    main
        Number of the reference that decides: hair, glasses, light and background are its.
    behind
        (S, S, 3) in [0, 255], the main reference's background, closed where the person was.
    remainder
        (S, S, 3), what the main reference's crop has beyond its person before that background.
    spaces
        Where in space each place of that reference is, and of the one whose clothes are worn, by number.
    dress
        Number of the reference whose clothes are worn.
    hair
        (P,) thickness in metres of the main reference's hair on the scalp.
    painted_eyes
        (2,) in [0, 1], how far each eye is painted because no reference looks as the target does.
    """

    crops: ByteArray
    mattes: FloatArray
    colours: ByteArray
    shown: FloatArray
    solid: FloatArray
    xy: FloatArray
    tables: FloatArray
    landmarks: Array
    heads: tuple[HeadGeometry, ...]
    gains: Array
    weights: FloatArray
    mouth_weights: FloatArray
    main: int
    behind: FloatArray
    remainder: FloatArray
    spaces: Mapping[int, PhotoSpace]
    dress: int
    hair: FloatArray
    painted_eyes: FloatArray

    @property
    def photos(self) -> tuple[Array, Array, Array]:
        """Colours (N, S, S, 3), solid mattes (N, S, S) and gains (N, 3): what the mesh is looked up in."""
        return self.colours, self.solid, self.gains
