"""A person's head baked into a textured mesh: what draws in milliseconds, and leaves as one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import cv2
import numpy as np

from hifi_portrait.baked.atlas import make_atlas
from hifi_portrait.baked.cards import make_cards
from hifi_portrait.baked.draw import draw_mesh, put_cards
from hifi_portrait.baked.front import draw_front_view
from hifi_portrait.baked.gltf import write_glb
from hifi_portrait.baked.kernels import finish
from hifi_portrait.baked.mouth import BakedMouth, bake_mouth
from hifi_portrait.baked.parts import Card, HeadMesh, halve
from hifi_portrait.baked.texture import bake_texture
from hifi_portrait.errors import OutputError
from hifi_portrait.head.arrays import ByteArray, FloatArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.numerics import as_whole
from hifi_portrait.io.names import printable
from hifi_portrait.io.provenance import versions
from hifi_portrait.landmarks.generator import LandmarkGenerator
from hifi_portrait.person.own_expressions import use_own_expressions
from hifi_portrait.person.target import Framing, Target
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.photo_grid.trust import turn_degrees
from hifi_portrait.warp.references import read_references
from hifi_portrait.warp.session import read_look
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources

if TYPE_CHECKING:
    from hifi_portrait.person.identity import Identity

GLB_SUFFIX = ".glb"
"""Of the file that a head is written as."""

_TEXTURE_SIZES = (64, 4096)
"""Least and greatest side of a texture, in texels."""

_PICTURE_SIZES = (16, 8192)
"""Least and greatest side of a picture, in pixels."""

_FRONT_SIZE = 320
"""Side in pixels of the view from which shoulders are continued."""

_FRONT = Target(framing=Framing(scale=0.3, y=0.4))
"""That view: far enough to show all of the shoulders."""


@dataclass(frozen=True, eq=False)
class BakedHead:
    """A person as a textured mesh, which draws any expression, pose and gaze in milliseconds.

    `bake` makes one of an `Identity`, `draw` draws it, and `save` writes it as a GLB file. What it shows is
    the plain warp's, laid down once in a texture.

    Attributes
    ----------
    identity
        (80,) shape of the head.
    heads
        The heads of the photos that it was made of.
    look
        Number of the photo that decides hair, clothes, light and background.
    mesh
        The head.
    mouth
        What photos show about and in the mouth.
    cards
        Hair and clothes beside it, from the back to the front.
    behind
        (S, S, 3) uint8, the look's background, without the person.
    sources
        The names of the photos, without their folders.
    model, settings
        The head model, and those of the warp.
    """

    identity: FloatArray
    heads: tuple[HeadGeometry, ...]
    look: int
    mesh: HeadMesh
    mouth: BakedMouth
    cards: tuple[Card, ...]
    behind: ByteArray
    sources: tuple[str, ...]
    model: HeadModel
    settings: WarpSettings

    def __repr__(self) -> str:
        side = len(self.mesh.levels[0])
        return f"BakedHead(look {self.look}, texture of {side} texels, {len(self.cards)} cards)"

    @classmethod
    def bake(cls, identity: Identity, look: int | Literal["auto"] = "auto", texture: int = 1024) -> Self:
        """Bake a person's head.

        Parameters
        ----------
        identity
            The person.
        look
            Number of the photo that decides hair, clothes, light and background; "auto" for the one that
            suits a head best that looks straight ahead.
        texture
            Side of the texture, in texels; from 64 to 4096. At 1024 a face has as many as in a photo crop of
            512 pixels.

        Raises
        ------
        TargetError
            There is no photo of that number.
        ValueError
            The texture's size is no such whole number.
        """
        side = _read_size("texture", texture, _TEXTURE_SIZES)
        number = read_look(identity, look)
        model, settings = HeadModel.load(), WarpSettings()
        generator = LandmarkGenerator.load(model)
        ahead = generator(identity.identity, _FRONT, _FRONT_SIZE)
        sources = read_references(identity, ahead.geometry, side, model, settings, look=number)
        atlas = make_atlas(model)
        front = draw_front_view(sources, ahead, model, settings)
        baked = bake_texture(sources, front, atlas, side, model, settings)
        levels = halve(np.dstack([baked.colour, baked.person]))
        mouth = bake_mouth(
            sources,
            identity.quality,
            baked.light,
            levels,
            atlas,
            baked.seen,
            ahead.geometry,
            model,
            settings,
        )
        return cls(
            identity=identity.identity,
            heads=tuple(identity.geometries),
            look=number,
            mesh=HeadMesh(_raise_rest(identity.identity, sources, model, settings), atlas, levels),
            mouth=mouth,
            cards=tuple(_make_cards(sources, settings)),
            behind=np.clip(sources.behind + 0.5, 0, 255).astype(np.uint8),
            sources=identity.sources,
            model=model,
            settings=settings,
        )

    def draw(
        self, target: Target, size: int | tuple[int, int] = 512, *, background: bool = False
    ) -> ByteArray:
        """Draw the head as a target asks, framed as `Identity.warp` frames it.

        Parameters
        ----------
        target
            Expression, pose, gaze and framing. Its look, glasses and colours are not read: they are the
            photos'.
        size
            The picture's side, or its width and height, in pixels; from 16 to 8192.
        background
            Whether the background of the photo that decides is put behind: then the picture is opaque.

        Returns
        -------
        picture
            (H, W, 4) RGB, not multiplied by alpha, and alpha.

        Raises
        ------
        TypeError, ValueError
            The target is none, or the size is none.
        """
        if not isinstance(target, Target):
            raise TypeError(f"`target` must be a Target, but is {target!r:.80}")
        sides = size if isinstance(size, tuple) else (size, size)
        if len(sides) != 2:
            raise ValueError(f"`size` must be a side, or a width and a height, but is {size!r}")
        width, height = (_read_size("size", side, _PICTURE_SIZES) for side in sides)
        own = use_own_expressions(target, self.heads)
        geometry = LandmarkGenerator.load(self.model).geometry(self.identity, own, (width, height))
        turned = turn_degrees(self.heads[self.look], geometry)
        known = float(np.exp(-((turned / self.settings.grid.carved_degrees) ** 2)))
        frame = draw_mesh(self.mesh, self.mouth, geometry, known, self.model, self.settings)
        put_cards(frame, self.cards, geometry, self.model, self.settings)
        return self._finish(frame.colour, frame.alpha, background=background)

    def save(self, path: str | PathLike[str], record: Mapping[str, Any] | None = None) -> None:
        """Write the head as a GLB file, which browsers, Blender and game engines read.

        It has the 52 ARKit shapes as morph targets, bones for neck and eyes, and unlit materials. The file is
        complete or not there.

        Parameters
        ----------
        path
            The file; its name ends in .glb.
        record
            What else ``asset.extras`` is to say of how it was made: anything that JSON can hold.

        Raises
        ------
        OutputError
            The file cannot be written, or its name is that of another kind of file.
        MissingExtraError
            pygltflib is not installed: the extra ``avatar`` brings it.
        """
        path = Path(path)
        if path.suffix.lower() != GLB_SUFFIX:
            raise OutputError(f"{printable(path)}: a head is written as {GLB_SUFFIX}")
        made = {
            "model": "baked head",
            "photos": len(self.sources),
            "look": self.look,
            "versions": versions(),
            "synthetic": True,
        }
        ahead = LandmarkGenerator.load(self.model).geometry(self.identity, Target(), 512)
        write_glb(path, self.mesh, self.cards, ahead, {**made, **(record or {})}, self.model)

    def _finish(self, colour: FloatArray, alpha: FloatArray, *, background: bool) -> ByteArray:
        """Make a picture (H, W, 4) of colours and alpha."""
        height, width = alpha.shape
        picture = np.empty((height, width, 4), np.uint8)
        behind = cv2.resize(self.behind, (width, height)) if background else self.behind
        finish(colour, alpha, behind, background, picture)
        return picture


def _read_size(name: str, size: object, limits: tuple[int, int]) -> int:
    number = as_whole(size)
    if number is None or not limits[0] <= number <= limits[1]:
        raise ValueError(
            f"`{name}` must be a whole number of pixels in [{limits[0]}, {limits[1]}], but is {size!r}"
        )
    return number


def _raise_rest(
    identity: FloatArray, sources: Sources, model: HeadModel, settings: WarpSettings
) -> FloatArray:
    """Make the person's rest mesh (V + J, 3), its scalp raised by the hair of the photo that decides."""
    rest = model.rest(identity).copy()
    hair, count = scalp(model, settings.scalp), model.num_vertices
    rest[:count] += hair.spread_to(sources.hair, count)[:, None] * model.normals(rest[:count])
    return rest


def _make_cards(sources: Sources, settings: WarpSettings) -> list[Card]:
    """Make cards of the photo that decides, and of the one whose clothes are worn."""
    main, dress = sources.main, sources.dress
    cards, of_head = list[Card](), None
    space = sources.spaces[main]
    if dress != main:
        worn = sources.spaces[dress]
        gained = np.clip(sources.colours[dress] * sources.gains[dress] + 0.5, 0, 255)
        cards += make_cards(
            worn, gained, sources.mattes[dress], sources.shown[dress], worn.head_fraction < 0.5, settings
        )
        of_head = space.head_fraction >= 0.5
    return cards + make_cards(
        space, sources.colours[main], sources.mattes[main], sources.shown[main], of_head, settings
    )
