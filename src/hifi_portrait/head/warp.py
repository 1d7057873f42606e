"""The plain warp: the target drawn with the references' own colours, carried through the fitted head.

Every pixel of the target's head asks the references, through the mesh, for its colour there: the main one,
or, where it does not see the surface, the others, in the main one's light. Where none sees it, the other side
of the face does. Hair and background are the main reference's, placed outside the head's outline as they are
there, and clothes are those of one reference too. Nothing is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.blending import blend_on_mesh
from hifi_portrait.head.ears import ear_vertices
from hifi_portrait.head.filling import background, close_gaps, fill_unseen
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.light import colour_corrections
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.off_mesh import draw_off_mesh
from hifi_portrait.head.raster import Raster
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.head.warp_sources import Sources, WarpSource

_LAYERS = np.zeros(len(Part), np.uint8)  # parts whose edges are steps
_LAYERS[[Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE, Part.MOUTH_CAVITY, Part.SHOULDERS]] = 1, 2, 3, 4, 5
_MATTE_SOFT = 0.02  # share of the side over which a reference fades out towards the edge of its matte
_EDGE = 0.8  # pixels at 256 over which an edge of the mesh is smoothed

Array = npt.NDArray[Any]


class WarpTarget(Protocol):
    """What is to be drawn: `hifi_portrait.head.LandmarkImage` is one."""

    @property
    def raster(self) -> Raster: ...  # noqa: D102

    @property
    def geometry(self) -> HeadGeometry: ...  # noqa: D102


def warp_picture(
    references: WarpSource,
    target: WarpTarget,
    *,
    model: HeadModel | None = None,
    views: Sequence[SurfaceView] | None = None,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Draw a target with the references' colours.

    Parameters
    ----------
    references
        The person's analysed photos.
    target
        Raster and geometry of the target; the picture has the raster's size.
    model
        The head model; the default one if not given.
    views
        Of the references, if already known.

    Returns
    -------
    picture
        (H, W, 3) uint8.
    coverage
        (H, W) float32 in [0, 1]: how well the references see what is drawn; 0 where it is made up or
        background.
    """
    model = model or HeadModel.load()
    views = views or [SurfaceView.of(model, geometry) for geometry in references.geometries]
    raster = target.raster
    height, width = raster.triangle.shape
    sources = Sources.of(references, views, target.geometry, height, model)
    colour, coverage = _on_mesh(sources, raster, model)
    on_mesh = raster.triangle >= 0
    alpha = on_mesh.astype(np.float32)
    draw_off_mesh(sources, raster, model, colour, alpha)
    close_gaps(
        colour, alpha, on_mesh & (model.parts != Part.SHOULDERS)[raster.triangle], _ears_end(raster, model)
    )
    coverage = np.where(on_mesh, coverage, alpha / 2)
    behind = cv2.resize(
        background(sources.crops[sources.main], sources.mattes[sources.main]), (width, height)
    )
    layers = on_mesh * (1 + _LAYERS[model.parts[raster.triangle]])
    picture = _edges_softened(_compose(colour, alpha, behind), layers)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8), coverage.astype(np.float32)


def _on_mesh(sources: Sources, raster: Raster, model: HeadModel) -> tuple[Array, Array]:
    """Colour (H, W, 3) and coverage (H, W) on the mesh."""
    height, width = raster.triangle.shape
    colour = np.zeros((height, width, 3), np.float32)
    total = np.zeros((height, width), np.float32)
    coverage = np.zeros((height, width), np.float32)
    mattes = _shrunk(sources.mattes)
    looked_up = sources.tables, sources.crops, mattes, sources.gains
    blend_on_mesh(
        raster.triangle,
        raster.barycentric,
        model.faces,
        model.parts == Part.SHOULDERS,
        *looked_up,
        colour_corrections(raster, *looked_up, sources.main, model),
        sources.says,
        colour,
        total,
        coverage,
    )
    return fill_unseen(colour, total, raster, model), coverage


def _ears_end(raster: Raster, model: HeadModel) -> int:
    """The row below the ears that are to be seen; 0 if there are none."""
    of_ear = np.isin(model.faces[:, 0], np.concatenate(ear_vertices(model)))
    rows = np.flatnonzero(((raster.triangle >= 0) & of_ear[raster.triangle]).any(axis=1))
    return int(rows[-1]) + 1 if len(rows) else 0


def _shrunk(mattes: Array) -> Array:
    """Mattes without the person's edge, where a head fitted a little too large would show background."""
    kernel = np.ones((mattes.shape[1] // 40,) * 2, np.uint8)
    sigma = _MATTE_SOFT * mattes.shape[1]
    return np.stack([cv2.GaussianBlur(cv2.erode(matte, kernel), (0, 0), sigma) for matte in mattes])


def _compose(colour: Array, alpha: Array, behind: Array) -> npt.NDArray[np.float32]:
    """Put the person before the background, with an edge as soft as a photo's."""
    sigma = 0.6 * alpha.shape[0] / 256
    soft = np.minimum(alpha, cv2.GaussianBlur(alpha, (0, 0), sigma) * 1.2)[..., None]
    return np.asarray(colour * soft + behind * (1 - soft), np.float32)


def _edges_softened(picture: Array, layers: Array) -> Array:
    """Smooth the steps of a picture (H, W, 3) where one of the layers (H, W) ends and another begins."""
    layers = layers.astype(np.uint8)
    around = np.ones((3, 3), np.uint8)
    edge = (cv2.dilate(layers, around) != cv2.erode(layers, around)).astype(np.float32)
    share = cv2.GaussianBlur(edge, (0, 0), 0.7)[..., None]
    return picture + share * (cv2.GaussianBlur(picture, (0, 0), _EDGE * len(picture) / 256) - picture)
