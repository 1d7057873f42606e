"""The surface of the mesh: blended from the references, and filled in where none of them sees it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.eyeballs import EYES
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.clothing.extend import extend_clothes
from hifi_portrait.warp.hair.in_photo import PhotoHair, find_hair
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.hair.strands import continue_hair, fray_outline
from hifi_portrait.warp.image.colour import measure_brightness
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.kernels import blend_on_mesh
from hifi_portrait.warp.settings import UnseenSettings, WarpSettings

_LEAST = 1e-3
"""Trust in what is seen from the side, which counts where nothing else is seen."""


def blend_surface(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: give every pixel of the mesh the references' colours, each as far as it sees the place."""
    sources, model, light = context.sources, context.model, canvas.light
    ways = len(light.weights) // len(sources.weights)
    weights = np.tile(sources.weights, (ways, 1)) * light.weights[:, None]
    colour, seen, coverage = blend_on_mesh(
        canvas.raster.triangle,
        canvas.raster.barycentric,
        model.triangles,
        model.parts == Part.SHOULDERS,
        sources.tables,
        sources.photos,
        light.factors,
        weights,
        context.settings.surface,
    )
    alpha = canvas.raster.mask.astype(np.float32)
    return replace(canvas, colour=colour, seen=seen, coverage=coverage, alpha=alpha)


def fill_unseen(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: give what no reference sees of the mesh a colour."""
    model, raster = context.model, canvas.raster
    own = find_hair(context.sources, raster, model, context.settings)
    colour, hair = fill_surface(canvas.colour, canvas.seen, own, raster, model, context.settings)
    alpha = fray_outline(canvas.alpha, hair, context.settings.strands)
    if own.shown is not None:
        hair = np.maximum(
            hair, own.shown * smoothstep(canvas.seen, 0, context.settings.unseen.grazed_visibility)
        )
    return replace(canvas, colour=colour, alpha=alpha, hair_on_mesh=hair)


def fill_surface(
    colour: Array,
    seen: Array,
    own_hair: PhotoHair,
    raster: Raster,
    model: HeadModel,
    settings: WarpSettings,
) -> tuple[FloatArray, FloatArray]:
    """Give pixels that no reference sees a colour: of their part, or of the seen surface around them.

    Where there may be hair, it is that of the hair around, in strands.

    Parameters
    ----------
    colour
        (H, W, 3) in [0, 255].
    seen
        (H, W) in [0, 1], how well references see what is drawn.
    own_hair
        What the main reference shows of its hair.
    raster, model
        What is drawn.
    settings
        Those of what counts as seen, of eyes, hair and clothes.

    Returns
    -------
    filled, hair
        (H, W, 3) in [0, 255], and (H, W) in [0, 1], how far that is hair that no reference sees.
    """
    unseen = settings.unseen
    on_mesh = raster.triangle >= 0
    parts = np.where(on_mesh, model.parts[raster.triangle], 255)
    is_eye = np.isin(parts, EYES)
    least = np.where(is_eye, settings.surface.faint_visibility, unseen.grazed_visibility)
    trust = np.clip(seen / least, 0, 1) ** 3 * on_mesh
    skin = on_mesh & (parts == Part.SKIN) & (trust > 0.5)
    filled = colour.copy()
    known = trust[is_eye][:, None]
    skin_level = measure_brightness(colour, skin, settings.colour.usual_skin_brightness)
    made_up = np.minimum(np.array(settings.eye_reading.default_white) * skin_level, unseen.max_eye_brightness)
    filled[is_eye] = filled[is_eye] * known + (1 - known) * made_up
    trust[is_eye] = 1
    # A head is not filled with the colours of its clothes.
    is_head = parts != Part.SHOULDERS
    trust = trust.astype(np.float32)
    # Skin that is seen from the side has the shade of the head's edge: what is unseen is not filled with it.
    reliable = np.where(parts == Part.SKIN, smoothstep(seen, *unseen.plain_visibility), 1)
    around = inpaint(filled, (trust * is_head * np.maximum(reliable, _LEAST)).astype(np.float32))
    shown = np.where(parts == Part.SKIN, trust * smoothstep(seen, *unseen.edge_visibility), trust)
    head = around + shown[..., None] * (filled - around)
    body = extend_clothes(filled, trust, on_mesh & ~is_head, skin, settings)
    grown = scalp(model, settings.scalp).fullness_of(model.num_vertices)
    fullness = raster.interpolate(grown[:, None], model.triangles)[..., 0]
    bare, dense = unseen.skin_fullness, unseen.dense_fullness
    of_hair = np.clip((fullness - bare) / (dense - bare), 0, 1)
    well_seen = np.clip(seen / unseen.grazed_hair_visibility, 0, 1) ** 3 * on_mesh
    known_hair = _choose_known_hair(well_seen, fullness, own_hair.shown, unseen)
    if own_hair.over_ears is not None:
        of_hair = np.maximum(of_hair, own_hair.over_ears)
    made_up_hair = np.zeros_like(of_hair)
    if known_hair.sum() >= 1:
        made_up_hair = of_hair * (1 - well_seen)
        made_of = own_hair.pieces, own_hair.colour
        hair = continue_hair(filled, known_hair, made_up_hair > 0, *made_of, raster, model, settings)
        head = head + made_up_hair[..., None] * (hair - head)
    return np.where((on_mesh & is_head)[..., None], head, body), made_up_hair


def _choose_known_hair(
    well_seen: Array, fullness: Array, parsed: Array | None, settings: UnseenSettings
) -> FloatArray:
    """Find where it is hair that is seen, (H, W) in [0, 1].

    Where photos were not parsed it is what the scalp shows away from the hairline. Nowhere on a bald head.
    """
    scalp_seen = well_seen * (fullness > settings.hair_fullness)
    if parsed is None:
        return np.asarray(scalp_seen, np.float32)
    hair = well_seen * (fullness > settings.skin_fullness) * parsed
    if hair.sum() < settings.bald * scalp_seen.sum():
        return np.zeros_like(scalp_seen, np.float32)
    return np.asarray(hair, np.float32)
