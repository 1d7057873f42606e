"""The plain warp: the target drawn with the references' own colours, carried through the fitted head.

Every pixel of the target's head asks the references, through the mesh, for its colour there: the main one,
or, where it does not see the surface, the others, in the main one's light. Where none sees it, the other side
of the face does. Hair and background are the main reference's, placed outside the head's outline as they are
there, and clothes are those of one reference too. Nothing is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hifi_portrait.head.arrays import ByteArray, FloatArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.landmarks.generator import LandmarkImage
from hifi_portrait.person.references import References
from hifi_portrait.warp.background import add_background
from hifi_portrait.warp.body_outline import cut_shoulders
from hifi_portrait.warp.canvas import Canvas, Stage, WarpContext
from hifi_portrait.warp.choose import best_for_all
from hifi_portrait.warp.face.ear_shape import shape_ears
from hifi_portrait.warp.face.even_skin import even_skin
from hifi_portrait.warp.face.eyes import paint_eyes
from hifi_portrait.warp.face.mouth import draw_mouth
from hifi_portrait.warp.gaps import close_gaps
from hifi_portrait.warp.glasses.draw import put_on_glasses
from hifi_portrait.warp.hair.raised import raise_hair
from hifi_portrait.warp.light import correct_light
from hifi_portrait.warp.photo_grid.draw import draw_photo
from hifi_portrait.warp.recolour import recolour
from hifi_portrait.warp.references import read_references
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.surface import blend_surface, fill_unseen

STAGES: tuple[Stage, ...] = (
    raise_hair,
    cut_shoulders,
    correct_light,
    blend_surface,
    draw_mouth,
    fill_unseen,
    paint_eyes,
    close_gaps,
    draw_photo,
    even_skin,
    shape_ears,
    recolour,
    add_background,
    put_on_glasses,
)
"""The warp, step by step. Each takes the context and the canvas so far, and returns a new canvas."""


@dataclass(frozen=True, eq=False)
class Warp:
    """A target drawn with the references' colours.

    Attributes
    ----------
    picture
        (H, W, 3) uint8.
    coverage
        (H, W) float32 in [0, 1]: how well the references see what is drawn of the fitted head; off it half of
        the person's alpha, and 0 on the background.
    dyed
        (H, W) float32 in [0, 1]: hair and clothes in the colours that the target names.
    alpha
        (H, W) float32 in [0, 1]: how much of each pixel is the person.
    behind
        (H, W, 3) float32 in [0, 255]: the background that the person stands before.
    """

    picture: ByteArray
    coverage: FloatArray
    dyed: FloatArray
    alpha: FloatArray
    behind: FloatArray


def draw_warp(
    references: References,
    target: LandmarkImage,
    *,
    model: HeadModel | None = None,
    settings: WarpSettings | None = None,
) -> Warp:
    """Draw a target with the references' colours.

    Parameters
    ----------
    references
        The person's analysed photos.
    target
        Raster and geometry of the target; the picture has the raster's size. Its `glasses` are "own" or
        None for what most references wear, "none", or one of `FRAMES`; its `hair` and `clothes` are of
        `HAIR_COLOURS` and `CLOTHES_COLOURS`, or "own" or None for the references'. Its `look` is the number
        of the reference that decides, or None.
    model
        The head model; the default one if not given.
    settings
        The numbers by which the warp decides; the default ones if not given.
    """
    model, settings = model or HeadModel.load(), settings or WarpSettings()
    size, bare_eyes = target.raster.triangle.shape[0], target.glasses not in (None, "own")
    sources = read_references(
        references, target.geometry, size, model, settings, bare_eyes=bare_eyes, look=target.look
    )
    context = WarpContext(sources, target, model, settings)
    canvas = Canvas.blank(context)
    for stage in STAGES:
        canvas = stage(context, canvas)
    picture = np.clip(canvas.colour + 0.5, 0, 255).astype(np.uint8)
    return Warp(picture, canvas.coverage.astype(np.float32), canvas.dyed, canvas.person, canvas.behind)


def best_look(
    references: References, heads: Sequence[HeadGeometry], *, settings: WarpSettings | None = None
) -> int:
    """Find the number of the reference that suits several heads best, to be their `LandmarkImage.look`."""
    weights = (settings or WarpSettings()).weights
    return best_for_all(references.geometries, references.quality, heads, weights)


def warp_picture(
    references: References, target: LandmarkImage, *, model: HeadModel | None = None
) -> tuple[ByteArray, FloatArray]:
    """Picture (H, W, 3) and coverage (H, W) of a warp; see :func:`draw_warp`."""
    warp = draw_warp(references, target, model=model)
    return warp.picture, warp.coverage
