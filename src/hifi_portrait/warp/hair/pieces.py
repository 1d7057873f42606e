"""Pieces of the hair that a photo shows, of which hair is made that it does not show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray, IntArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.image.inpaint import blur_wide
from hifi_portrait.warp.image.morphology import distance_to
from hifi_portrait.warp.settings import ScalpSettings, StrandSettings

CROWN = (0.0, 0.045)
"""Metres on the mean head, right and back of the middle, of the crown, from which strands run."""

_PLACES = 160
"""Places along a photo's side at which pieces may have their middles."""

_LEAST_RADIUS = 2.0
"""Of a piece, in pixels."""


@dataclass(frozen=True, eq=False)
class HairPieces:
    """Pieces of the hair that a photo shows, all of one size.

    Attributes
    ----------
    detail
        (S, S, 3), the logarithm of the photo less that of its surroundings.
    middles, strands
        (K, 2) their middles in pixels, and unit vectors along their strands, away from the crown.
    radius
        Pixels.
    metres
        That a pixel of the photo is wide, on the scalp.
    straightness
        How clear the direction of the strands is in most pieces, in [0, 1]: more in straight hair.
    """

    detail: FloatArray
    middles: FloatArray
    strands: FloatArray
    radius: float
    metres: float
    straightness: float


@lru_cache(maxsize=4)
def about_crown(model: HeadModel, settings: ScalpSettings) -> FloatArray:
    """Place of a head's vertices about the crown, (V, 3): of its skin, which hair may cover beyond the scalp.

    The first two numbers are metres from the crown in the direction in which a vertex lies, seen from above;
    the third is by how much a circle about the crown is shorter there than on a plane. 0 off the skin.
    """
    mean = model.mean[: model.num_vertices]
    flat = mean[:, :2] - np.array(CROWN)
    level = np.maximum(np.hypot(*flat.T), 1e-6)
    on_scalp = scalp(model, settings).vertices
    crown = mean[on_scalp[level[on_scalp].argmin()]]
    away = np.linalg.norm(mean - crown, axis=1)
    about = flat / level[:, None] * away[:, None]
    columns = (*about.T, np.clip(level / np.maximum(away, 1e-6), 0.3, 1))
    places = np.zeros((model.num_vertices, 3), np.float32)
    skin = part_vertices(model, Part.SKIN)
    places[skin] = np.stack(columns, axis=1)[skin]
    return places


def find_pieces_of_hair(
    photo: Array, hair: BoolArray, about: Array, settings: StrandSettings
) -> HairPieces | None:
    """Choose pieces of the hair in a photo, without shine: as large as there are enough of.

    They are the same whatever is drawn of the photo, so that hair keeps its strands as a head turns.

    Parameters
    ----------
    photo
        (S, S, 3) in [0, 255].
    hair
        (S, S), where it shows hair on the scalp.
    about
        (S, S, 3), `about_crown` at its places.
    settings
        Sizes and numbers.

    Returns
    -------
    HairPieces or None
        None where no piece is large enough.
    """
    radius, found = _find_middles(hair, settings)
    if len(found) < settings.least_pieces:
        return None
    light = np.log(np.asarray(photo, np.float32) + settings.dark_offset)
    weight = hair.astype(np.float32)
    sigma = settings.evenness * radius
    mean = blur_wide(light * weight[..., None], sigma) / np.maximum(blur_wide(weight, sigma), 1e-3)[..., None]
    detail = np.clip((light - mean) * weight[..., None], -settings.most_detail, settings.most_detail)
    direction, clear = _measure_strands(light.mean(axis=2), radius)
    around = cv2.GaussianBlur(mean.mean(axis=2), (0, 0), radius / 2)
    found = _better_half(found, -around[tuple(found.T)], settings)  # without shine
    straightness = float(np.median(clear[tuple(found.T)]))
    found = _better_half(found, clear[tuple(found.T)], settings)
    found = found[:: max(len(found) // settings.most_pieces, 1)]
    at = tuple(found.T)
    strands = direction[at]
    away = np.hypot(about[..., 0], about[..., 1]).astype(np.float32)
    down, across = np.gradient(cv2.GaussianBlur(away, (0, 0), radius / 3))
    along = strands[:, 0] * across[at] + strands[:, 1] * down[at]
    return HairPieces(
        detail=detail.astype(np.float32),
        middles=found[:, ::-1].astype(np.float32),
        strands=np.where(along[:, None] < 0, -strands, strands).astype(np.float32),
        radius=radius,
        metres=_metres_of_pixel(away, hair),
        straightness=straightness,
    )


def _find_middles(hair: BoolArray, settings: StrandSettings) -> tuple[float, IntArray]:
    """Find the largest radius in pixels with enough pieces inside hair (S, S), and their middles (K, 2)."""
    side = len(hair)
    inside = distance_to(~hair) if not hair.all() else np.full(hair.shape, side, np.float32)
    grid = np.zeros(hair.shape, np.bool_)
    step = max(side // _PLACES, 1)
    grid[::step, ::step] = True
    for fraction in settings.piece_radii:
        found = np.argwhere(grid & (inside > fraction * side))
        if fraction * side >= _LEAST_RADIUS and len(found) >= settings.least_pieces:
            return float(fraction * side), found
    return 0.0, np.zeros((0, 2), np.int64)


def _better_half(found: IntArray, merit: Array, settings: StrandSettings) -> IntArray:
    """Keep the half of some places (K, 2) that has more merit (K,), the best first; but enough of them."""
    return found[np.argsort(-merit)[: max(settings.least_pieces, len(found) // 2)]]


def _metres_of_pixel(away: Array, hair: BoolArray) -> float:
    """Metres along the scalp that a pixel shows, where hair is seen straight on."""
    slope = np.hypot(*np.gradient(away))[hair]
    slope = slope[(slope > 1e-6) & (slope < 0.02)]
    return float(np.percentile(slope, 25)) if len(slope) else 0.4 / len(away)


def _measure_strands(light: Array, radius: float) -> tuple[FloatArray, FloatArray]:
    """Direction (H, W, 2) in which a picture changes least, and how clear it is, (H, W) in [0, 1].

    By the structure tensor: Bigün and Granlund, Optimal orientation detection of linear symmetry (1987).
    """
    down, across = np.gradient(cv2.GaussianBlur(np.asarray(light, np.float32), (0, 0), 0.8))
    xx, yy, xy = (
        cv2.GaussianBlur(np.asarray(product, np.float32), (0, 0), radius / 2)
        for product in (across * across, down * down, across * down)
    )
    spread = np.hypot(xx - yy, 2 * xy)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return direction.astype(np.float32), np.asarray(spread / np.maximum(xx + yy, 1e-9), np.float32)
