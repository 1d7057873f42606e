"""What the plain warp shows where no reference does: unseen skin and eyes, slits, hidden background."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.eyeballs import EYES
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.clothing.extend import going_on
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.hair.strands import strands
from hifi_portrait.warp.image.colour import brightness
from hifi_portrait.warp.image.inpaint import spread
from hifi_portrait.warp.image.morphology import disc, square
from hifi_portrait.warp.kernels import FAINT

_SHOWN = 0.5  # alpha from which on hair hides what is behind it
_SOLID = 0.95  # alpha below which something shows through
_STRANDS = 0.06  # share of the side up to half as thin as which something beside a person is a strand
_STRAY = 0.15  # share of the side within which strands stand off a person
_GRAIN = 8.0  # of 255: difference from what is around up to which something is no strand
_MOSTLY = 80  # percent of what is beside a person that must be alike for it to be plain
_MEDIAN = 0.588  # of the absolute residual of noise of deviation 1
_MOST_GRAIN = 5.0  # of 255
_COARSE = 256  # side in pixels of the picture in which they are taken out
_GREY = 128.0  # background where no reference shows any
_UNSEEN_EYES = (1.05, 1.08, 1.1)  # their colour, as a share of the skin's brightness
_HAIR = 0.8  # fullness of hair from which on there is hardly skin
_SKIN = 0.02  # fullness up to which there is hardly hair
_GRAZED = 0.2  # visibility below which a surface is seen too much from the side: turned it smears
_GRAZED_HAIR = 0.3  # the same of hair
_DENSE = 0.3  # fullness from which on what is hidden is taken to be hair
_NECK = 18  # the part of the side that a notch between jaw and neck is narrower than
_ALIKE = 25.0  # of 255: difference of colour below which both sides of it are skin
_LEAST_NOTCH = 32  # the part of the side that one is wider than
_SPECK = 0.003  # share of the picture below which a hole is none

Array = npt.NDArray[Any]


def fill_unseen(
    colour: Array, seen: Array, thickness: float, raster: Raster, model: HeadModel
) -> npt.NDArray[np.float32]:
    """Give pixels that no reference sees a colour: of their part, or of the seen surface around them.

    Where there may be hair, it is that of the hair around, in strands.

    Parameters
    ----------
    colour
        (H, W, 3) in [0, 255].
    seen
        (H, W) in [0, 1], how well references see what is drawn.
    thickness
        Metres by which hair stands off the scalp.
    raster, model
        What is drawn.
    """
    on_mesh = raster.triangle >= 0
    parts = np.where(on_mesh, model.parts[raster.triangle], 255)
    is_eye = np.isin(parts, EYES)
    least = np.where(is_eye, FAINT, _GRAZED)
    trust = np.clip(seen / least, 0, 1) ** 3 * on_mesh
    skin = on_mesh & (parts == Part.SKIN) & (trust > 0.5)
    filled = colour.copy()
    share = trust[is_eye][:, None]
    made_up = np.minimum(np.array(_UNSEEN_EYES) * brightness(colour, skin), 235)
    filled[is_eye] = filled[is_eye] * share + (1 - share) * made_up
    trust[is_eye] = 1
    # A head is not filled with the colours of its clothes.
    is_head = parts != Part.SHOULDERS
    trust = trust.astype(np.float32)
    head, body = spread(filled, trust * is_head), going_on(filled, trust, on_mesh & ~is_head, skin)
    grown = scalp(model).on_all(scalp(model).fullness, model.num_vertices)
    fullness = raster.interpolate(grown[:, None], model.triangles)[..., 0]
    of_hair = np.clip((fullness - _SKIN) / (_DENSE - _SKIN), 0, 1)
    well_seen = np.clip(seen / _GRAZED_HAIR, 0, 1) ** 3 * on_mesh
    known_hair = well_seen * (fullness > _HAIR)
    if known_hair.sum() >= 1:
        hair = spread(filled, known_hair) * strands(filled, known_hair, thickness, raster, model)[..., None]
        head = head + (of_hair * (1 - well_seen))[..., None] * (hair - head)
    return np.where((on_mesh & is_head)[..., None], head, body)


def background(crop: Array, matte: Array, in_photo: Array) -> Array:
    """A photo's background (S, S, 3) float32, spread over the person and beyond the photo from all around."""
    side = crop.shape[0]
    matte = np.asarray(matte, np.float32)
    person = cv2.dilate(matte, square(side / 24))
    shown = np.clip(1 - 2 * person, 0, 1) * in_photo
    if shown.mean() < 0.02:
        return np.full(crop.shape, _GREY, np.float32)
    strands, plain = _strands(crop, matte)
    behind = spread(crop + strands[..., None] * (plain - crop), shown)
    return behind + (1 - shown * (1 - strands))[..., None] * _grain(crop, shown)


def _strands(crop: Array, matte: Array) -> tuple[Array, Array]:
    """How far each place beside a person is a strand not in the matte, (S, S), and what is behind it.

    Beside a person whose background is plain farther away, all that differs from it is.
    """
    side = len(crop)
    small = cv2.resize(crop, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA)
    person = cv2.resize(matte, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA)
    beside = cv2.dilate(person, square(2 * _STRAY * _COARSE))
    near = cv2.GaussianBlur(beside, (0, 0), _STRAY / 4 * _COARSE)
    median = cv2.medianBlur(small, 2 * round(_STRANDS * _COARSE / 2) + 1).astype(np.float32)
    beyond = spread(small.astype(np.float32), 1 - beside)
    shown = (beside > _SHOWN) & (person < 1 - _SOLID)
    apart = np.abs(beyond - small)[shown].max(axis=1, initial=0)
    is_plain = float(np.clip(2 - np.percentile(apart, _MOSTLY) / _GRAIN, 0, 1)) if len(apart) else 0.0
    plain = cv2.resize(median + is_plain * (beyond - median), (side, side))
    apart = cv2.GaussianBlur(np.abs(plain - crop).max(axis=2), (0, 0), side / 256)
    strands = np.maximum(is_plain, np.clip(apart / _GRAIN - 1, 0, 1))  # a photo's grain stays
    return cv2.resize(near, (side, side)) * strands, plain


def _grain(crop: Array, shown: Array) -> npt.NDArray[np.float32]:
    """Noise (S, S, 3) as strong as that of a photo where it is shown: what is filled in is not smoother."""
    picture = crop.astype(np.float32)
    residual = np.abs(picture - cv2.GaussianBlur(picture, (0, 0), 1.0))[shown > 0.9]
    noise = np.random.default_rng(0).standard_normal(crop.shape, np.float32)
    return noise * min(float(np.median(residual)) / _MEDIAN, _MOST_GRAIN) if len(residual) else 0 * noise


def close_gaps(colour: Array, alpha: Array, on_head: Array, hair_to: int) -> None:
    """Paint what light background would show through, like its edges.

    These are slits between ears and head, down to row ``hair_to`` those of hair, below it notches between
    jaw and neck, and small holes anywhere.
    """
    side = on_head.shape[0]
    gaps = _closed(on_head, side / 24) & ~on_head
    shown = on_head | (alpha > _SHOWN)
    beside = cv2.dilate(on_head.astype(np.uint8), square(side / 16)).astype(bool)
    beside[hair_to:] = False
    gaps |= _closed(shown, side / 32) & ~shown & beside
    gaps |= _specks(~shown)
    gaps |= _notches(colour, alpha, on_head, shown, hair_to)
    around = spread(colour, np.where(gaps, 0, alpha).astype(np.float32))
    colour[gaps], alpha[gaps] = around[gaps], 1


def _notches(
    colour: Array, alpha: Array, on_head: Array, shown: Array, hair_to: int
) -> npt.NDArray[np.bool_]:
    """Notches between a jaw and a neck that stands out of the mesh's: the neck goes on behind the jaw."""
    side = on_head.shape[0]
    beside = _closed(shown, side / _NECK) & (alpha < _SOLID)
    beside[:hair_to] = beside[int(np.flatnonzero(on_head.any(axis=1)).max(initial=0)) :] = False
    if not beside.any():
        return beside
    beneath = spread(colour, alpha * ~beside * ~on_head)
    of_head = spread(colour, on_head.astype(np.float32))
    neck = beside & (np.abs(beneath - of_head).mean(axis=2) < _ALIKE)  # no collar and no hair
    return cv2.morphologyEx(neck.astype(np.uint8), cv2.MORPH_OPEN, disc(side / _LEAST_NOTCH)).astype(bool)


def _specks(mask: Array) -> npt.NDArray[np.bool_]:
    """What of a mask is in pieces too small to be anything."""
    _, piece, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return np.asarray(mask & (stats[:, cv2.CC_STAT_AREA] < _SPECK * mask.size)[piece])


def _closed(mask: Array, size: float) -> npt.NDArray[np.bool_]:
    """A mask closed over gaps; one between it and the picture's edge is none."""
    kernel = square(size)
    grown = cv2.dilate(mask.astype(np.uint8), kernel)
    shrunk = cv2.erode(grown, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return mask | (shrunk > 0)
