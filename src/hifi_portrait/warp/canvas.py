"""What every stage of the warp gets, and what it gives on.

A stage is a function ``(context, canvas) -> canvas``. The context is the same for all stages. The canvas is
what has been drawn so far: a stage makes a new one with `dataclasses.replace` and never writes into the
arrays of the one it got.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster
from hifi_portrait.head.windows import Window
from hifi_portrait.landmarks.generator import LandmarkImage
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources


@dataclass(frozen=True, eq=False)
class WarpContext:
    """What is drawn, of whom, and how.

    Attributes
    ----------
    sources
        The references.
    target
        The head that is drawn.
    model
        The head model of both.
    settings
        The numbers by which stages decide.
    """

    sources: Sources
    target: LandmarkImage
    model: HeadModel
    settings: WarpSettings

    def parts(self, raster: Raster) -> Array:
        """Find the number of the `Part` that each pixel (H, W) of a raster shows; 255 where it shows none."""
        return np.where(raster.mask, self.model.parts[raster.triangle], 255)

    def on_head(self, raster: Raster) -> BoolArray:
        """Where a raster (H, W) shows the head: the mesh without its shoulders."""
        return np.asarray(raster.mask & (self.model.parts != Part.SHOULDERS)[raster.triangle])

    def vertex_rows(self) -> Array:
        """Rows (V,) of the picture that the target's vertices are projected to."""
        height, width = self.target.raster.triangle.shape
        camera = self.target.geometry.camera.scaled_to((width, height))
        return camera.project(self.target.vertices)[:, 1]


@dataclass(frozen=True, eq=False)
class LightCorrections:
    """What brings M ways to look up references to the light of the main one.

    Attributes
    ----------
    factors
        (M, h, w, 3) by which colours are multiplied, coarsely over the picture.
    weights
        (M,) in [0, 1], how far that suffices: less for mirror images that lie in the shade.
    """

    factors: FloatArray
    weights: FloatArray

    @classmethod
    def none(cls, ways: int) -> Self:
        """Leave the light of all as it is."""
        return cls(np.ones((ways, 2, 2, 3), np.float32), np.ones(ways, np.float32))


@dataclass(frozen=True, eq=False)
class Canvas:
    """A warp as far as it is drawn.

    Attributes
    ----------
    raster
        What each pixel shows of the mesh. It starts as the target's, whose head is bald.
    light
        How references are corrected to one light.
    colour
        (H, W, 3) in [0, 255].
    seen
        (H, W) in [0, 1], how well references see what is drawn of the mesh, mirror images included.
    coverage
        (H, W) in [0, 1], how well they see it without these.
    alpha
        (H, W) in [0, 1], where there is a person.
    hair
        (H, W) in [0, 1], the alpha of hair off the mesh alone.
    hair_on_mesh
        (H, W) in [0, 1], how far the mesh shows hair: parsed, or made up where no reference sees it.
    dyed
        (H, W) in [0, 1], where hair or clothes have a colour that the target names.
    photo
        (H, W) in [0, 1], how far what is drawn are the main reference's own pixels.
    remainder
        (H, W, 3), what is to be added to the person before the background: what neither of the two holds of
        the main reference, such as single hairs that are not in the matte.
    parsed
        (H, W, 2) in [0, 1], hair and clothes as far as `photo` goes; None where references were not parsed.
    person
        (H, W) in [0, 1], how much of each pixel is the person, once a background is there; 0 before.
    behind
        (H, W, 3) in [0, 255], the background; black before there is one.
    """

    raster: Raster
    light: LightCorrections
    colour: Array
    seen: Array
    coverage: Array
    alpha: Array
    hair: Array
    hair_on_mesh: FloatArray
    dyed: FloatArray
    photo: FloatArray
    remainder: FloatArray
    person: FloatArray
    behind: FloatArray
    parsed: FloatArray | None = None

    def crop(self, window: Window) -> Self:
        """Give a window of the picture, with the light as it is."""
        cut: dict[str, Any] = {
            name: value[window] for name, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        return replace(self, **cut | {"raster": self.raster.crop(window)})

    @classmethod
    def blank(cls, context: WarpContext) -> Self:
        """Nothing of a target, yet."""
        raster = context.target.raster
        height, width = raster.triangle.shape
        nothing = np.zeros((height, width), np.float32)
        colour = np.zeros((height, width, 3), np.float32)
        light = LightCorrections.none(len(context.sources.tables))
        return cls(
            raster=raster,
            light=light,
            colour=colour,
            seen=nothing,
            coverage=nothing,
            alpha=nothing,
            hair=nothing,
            hair_on_mesh=nothing,
            dyed=nothing,
            photo=nothing,
            remainder=np.zeros_like(colour),
            person=nothing,
            behind=np.zeros_like(colour),
        )


Stage = Callable[[WarpContext, Canvas], Canvas]
"""One step of the warp."""
