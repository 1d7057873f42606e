"""The plain warp: the target drawn with the references' own colours, carried through the fitted head.

Every pixel of the target's head asks the references, through the mesh, for its colour there: the main one,
or, where it does not see the surface, the others, in the main one's light. Where none sees it, the other side
of the face does. Hair and background are the main reference's, placed outside the head's outline as they are
there, and clothes are those of one reference too. Nothing is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.eyeballs import EYES
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.glasses import FRAMES
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster
from hifi_portrait.landmarks.generator import LandmarkImage
from hifi_portrait.person.references import References
from hifi_portrait.prompts.clothes import CLOTHES_COLOURS
from hifi_portrait.prompts.hair import HAIR_COLOURS
from hifi_portrait.warp.body_outline import within_outline
from hifi_portrait.warp.clothing.segment import clothes_share
from hifi_portrait.warp.face.ears import ears_end
from hifi_portrait.warp.face.eyes import EyeColours, paint_eyes
from hifi_portrait.warp.face.mouth import draw_inside
from hifi_portrait.warp.fill import background, close_gaps, fill_unseen
from hifi_portrait.warp.glasses.draw import draw_glasses
from hifi_portrait.warp.hair.segment import hair_share
from hifi_portrait.warp.hair.shell import raised, with_hair
from hifi_portrait.warp.image.colour import brightness
from hifi_portrait.warp.image.morphology import nearest_of
from hifi_portrait.warp.kernels import blend_on_mesh
from hifi_portrait.warp.light import colour_corrections
from hifi_portrait.warp.off_mesh.cutout import mesh_in_photo
from hifi_portrait.warp.off_mesh.draw import draw_off_mesh
from hifi_portrait.warp.recolour import dyed
from hifi_portrait.warp.references import Sources

_LAYERS = np.zeros(len(Part), np.uint8)  # parts whose edges are steps
_LAYERS[[Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE, Part.MOUTH_CAVITY, Part.SHOULDERS]] = 1, 2, 3, 4, 5
_EDGE = 0.8  # pixels at 256 over which an edge of the mesh is smoothed

Array = npt.NDArray[Any]


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
    """

    picture: npt.NDArray[np.uint8]
    coverage: npt.NDArray[np.float32]
    dyed: npt.NDArray[np.float32]


def warp_picture(
    references: References, target: LandmarkImage, *, model: HeadModel | None = None
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Picture (H, W, 3) and coverage (H, W) of a warp; see :func:`draw_warp`."""
    warp = draw_warp(references, target, model=model)
    return warp.picture, warp.coverage


def draw_warp(references: References, target: LandmarkImage, *, model: HeadModel | None = None) -> Warp:
    """Draw a target with the references' colours.

    Parameters
    ----------
    references
        The person's analysed photos.
    target
        Raster and geometry of the target; the picture has the raster's size. Its `glasses` are "own" or
        None for what most references wear, "none", or one of `FRAMES`; its `hair` and `clothes` are of
        `HAIR_COLOURS` and `CLOTHES_COLOURS`, or "own" or None for the references'.
    model
        The head model; the default one if not given.
    """
    model = model or HeadModel.load()
    bald = target.raster
    height, width = bald.triangle.shape
    bare_eyes = target.glasses not in (None, "own")
    sources = Sources.of(references, target.geometry, height, model, bare_eyes=bare_eyes)
    points = model.posed(target.geometry)
    raster = with_hair(bald, raised(points, sources.hair, model), target.geometry, model)
    raster = within_outline(raster, sources.xy, sources.mattes, sources.shown, sources.dress, model)
    rows = target.geometry.camera.scaled_to((width, height)).project(points)[:, 1]
    ears = ears_end(rows, height, model)
    colour, coverage = _on_mesh(sources, raster, target.geometry, model)
    _paint_eyes(sources, raster, rows, model, colour, coverage)
    on_mesh = raster.triangle >= 0
    alpha = on_mesh.astype(np.float32)
    hair = draw_off_mesh(sources, raster, model, colour, alpha)
    on_head = on_mesh & (model.parts != Part.SHOULDERS)[raster.triangle]
    before = alpha.copy()
    close_gaps(colour, alpha, on_head, ears)
    closed = (alpha > before) & ~on_mesh
    hair[closed] = nearest_of(hair, ~closed)[closed] if closed.any() else 0
    colour, dyed_share = _recoloured(colour, alpha, hair, target, raster, model)
    on_bald = bald.mask & raster.mask  # shoulders end where the person does
    coverage = np.where(on_bald, coverage, alpha / 2)
    main = sources.main
    in_front = (mesh_in_photo(sources.xy[main], model) >= 0).astype(np.float32)
    person = np.maximum(sources.mattes[main], cv2.resize(in_front, sources.mattes[main].shape[::-1]))
    behind = cv2.resize(background(sources.crops[main], person, sources.shown[main]), (width, height))
    layers = on_mesh * (1 + _LAYERS[model.parts[raster.triangle]])
    picture = _edges_softened(_compose(colour, alpha, behind), layers)
    if target.glasses in FRAMES:
        loose = np.where(on_mesh, 0, alpha)
        picture, share = draw_glasses(picture, target.glasses, raster, loose, target.geometry, model)
        coverage = np.maximum(coverage, share * np.where(on_bald, 1, 0.5))
    return Warp(np.clip(picture + 0.5, 0, 255).astype(np.uint8), coverage.astype(np.float32), dyed_share)


def _on_mesh(sources: Sources, raster: Raster, target: HeadGeometry, model: HeadModel) -> tuple[Array, Array]:
    """Colour (H, W, 3) and coverage (H, W) on the mesh."""
    photos = sources.crops, sources.solid, sources.gains
    factors, lit = colour_corrections(raster, sources.tables, *photos, sources.main, model)
    says = np.tile(sources.says, (len(lit) // len(sources.says), 1)) * lit[:, None]
    colour, seen, coverage = _blended(sources, factors, says, raster, model)
    draw_inside(sources, factors, raster, target, model, (colour, seen, coverage))
    return fill_unseen(colour, seen, float(sources.hair.mean()), raster, model), coverage


def _recoloured(
    colour: Array, alpha: Array, hair: Array, target: LandmarkImage, raster: Raster, model: HeadModel
) -> tuple[Array, npt.NDArray[np.float32]]:
    """Colours (H, W, 3) with hair and clothes as a target names them, and where these are, (H, W).

    ``hair`` is that off the mesh.
    """
    shares = np.zeros(alpha.shape, np.float32)
    if target.hair not in HAIR_COLOURS and target.clothes not in CLOTHES_COLOURS:
        return colour, shares
    haired = hair_share(colour, hair, raster, model)
    if target.clothes in CLOTHES_COLOURS:
        loose = (alpha - hair).clip(0, 1) * (raster.triangle < 0)
        worn = clothes_share(colour, loose, haired, raster, model)
        colour = dyed(colour, worn, str(target.clothes), CLOTHES_COLOURS)
        shares = np.maximum(shares, worn)
    if target.hair in HAIR_COLOURS:
        colour = dyed(colour, haired, str(target.hair), HAIR_COLOURS, translucent=True)
        shares = np.maximum(shares, haired)
    return colour, shares


def _paint_eyes(
    sources: Sources, raster: Raster, rows: Array, model: HeadModel, colour: Array, coverage: Array
) -> None:
    """Paint the eyes that no reference shows looking so into colour (H, W, 3) and coverage (H, W)."""
    if not sources.painted_eyes.any():
        return
    parts = np.where(raster.triangle >= 0, model.parts[raster.triangle], 255)
    photos = sources.crops, sources.tables[: len(sources.crops)], sources.gains
    radius = max(float(np.ptp(rows[vertices])) for vertices in model.eye_vertices) / 2
    eyes = EyeColours.of(*photos, brightness(colour, parts == Part.SKIN), model)
    if eyes.covered:
        return
    paint_eyes(colour, sources.painted_eyes, eyes, raster, radius, model)
    for part, share in zip(EYES, sources.painted_eyes, strict=True):
        coverage[parts == part] = np.maximum(coverage[parts == part], share)


def _blended(
    sources: Sources, factors: Array, says: Array, raster: Raster, model: HeadModel
) -> tuple[Array, Array, Array]:
    """Colour (H, W, 3), how well it is seen at best, and how well itself, both (H, W)."""
    height, width = raster.triangle.shape
    colour = np.zeros((height, width, 3), np.float32)
    seen, coverage = np.zeros((2, height, width), np.float32)
    blend_on_mesh(
        raster.triangle,
        raster.barycentric,
        model.triangles,
        model.parts == Part.SHOULDERS,
        sources.tables,
        sources.crops,
        sources.solid,
        sources.gains,
        factors,
        says,
        colour,
        seen,
        coverage,
    )
    return colour, seen, coverage


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
