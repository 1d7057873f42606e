"""What of a person is off the mesh: hair, which goes with the head, and clothes, which go with the body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.blending import draw_around
from hifi_portrait.head.clothes import Dress, beside_shoulders, hair_and_clothes
from hifi_portrait.head.ears import NO_CLOTHES, ear_vertices, without_ears
from hifi_portrait.head.filling import spread
from hifi_portrait.head.hair_shell import scalp
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.neighbourhood import disc, distance_to, nearest_of
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.head.tones import tones, unlikeness
from hifi_portrait.head.warp_sources import Sources

_COARSE = 128  # side in pixels of the pictures in which outlines are found
_SOLID = 0.9  # share of a matte from which on a colour is the person's alone
_CRUMB = 0.0025  # share of a picture below which a loose piece is none of the hair
_CRUMB_ALPHA = 0.1  # alpha below which there is no hair
_STRAND = 0.035  # share of the side below which a piece of hair is a strand
_CORNER = 0.04  # share of the side to which corners of necks and collars are rounded
_STRAND_ALPHA = 0.35  # alpha from which on it counts as a piece
_CURTAIN = 0.12  # share of the side up to which long hair may hang away from a neck
_FUZZ = 0.02  # share of the side by which hair's edge may be frayed
_TAPER = 0.4  # of hair and necks: thickness for a distance along the outline from where they end
_COLLAR = 2.0  # the same of collars
_BY_HEAD = 0.12  # share of the side within which of a head clothes are a collar
_GROWN = 2.0  # how many times the fullness of the scalp beside it short hair may have
_TOUCHING = 1.5  # pixels from the mesh
_TAPER_SOFT = 0.004  # share of the side
_LONG = 0.015  # share of a photo that hair below the ears takes if it is long
_CHEEK = 0.035  # share of the side by which a cheek may stand out of the mesh
_SURE = 0.5  # share of the distance from hair's colour below which one is skin's for sure
_DIRECTIONS = 120  # in which an outline's radius is measured

Array = npt.NDArray[Any]


def draw_off_mesh(sources: Sources, raster: Raster, model: HeadModel, colour: Array, alpha: Array) -> None:
    """Draw hair, and whatever else of the person is off the mesh, into colour (H, W, 3) and alpha (H, W)."""
    head = model.parts != Part.SHOULDERS
    cutouts = {n: _Cutout.of(sources, n, model) for n in {sources.main, sources.dress}}
    on_head = (raster.triangle >= 0) & head[raster.triangle]
    target = _outline(on_head.astype(np.float32))
    main = cutouts[sources.main]
    draw_around(
        raster.triangle,
        target,
        main.outline,
        sources.roll,
        main.crop,
        main.hair,
        sources.gains[sources.main],
        colour,
        alpha,
    )
    scale = main.outline[2:].mean() / target[2:].mean()
    loose = raster.triangle < 0
    alpha[loose] *= _within(on_head, main.reach / scale)[loose]
    alpha[loose] *= _opened(alpha, _STRAND)[loose]
    if main.reach == np.inf:
        _close_curtains(colour, alpha, loose, on_head)
    else:
        grown = scalp(model).on_all(scalp(model).fullness, model.num_vertices)
        fullness = raster.interpolate(grown[:, None], model.faces)[..., 0]
        alpha[loose] = (
            tapered(alpha, ~loose, _TAPER) * np.clip(_GROWN * nearest_of(fullness, on_head), 0, 1)
        )[loose]
    worn = cutouts[sources.dress]
    dress = Dress(
        worn.crop,
        worn.clothes,
        sources.shown[sources.dress],
        sources.xy[sources.dress],
        worn.outline[2:].mean() / target[2:].mean(),
    )
    behind, thickness = beside_shoulders(dress, raster, model.faces, ~head)
    below = (1 - alpha) * thickness * loose
    collar = ~_skin(behind, colour, on_head, ~loose & ~on_head) & (
        distance_to(on_head) < _BY_HEAD * len(alpha)
    )
    below = tapered(below, ~loose, np.where(collar, _COLLAR, _TAPER))
    below *= _opened(alpha + below, _CORNER)
    below *= _pieces(below, _CRUMB)
    share = (below / np.maximum(alpha + below, 1e-6))[..., None]
    colour += share * (behind * sources.gains[sources.dress] - colour)
    alpha += below


@dataclass(frozen=True)
class _Cutout:
    """What of a reference's person is off the mesh.

    Attributes
    ----------
    crop
        (S, S, 3) uint8.
    hair, clothes
        (S, S) in [0, 1].
    outline
        Of the mesh's head, from `_outline`.
    reach
        Share of the side by which hair stands off the mesh, at most; infinite if it is long.
    """

    crop: Array
    hair: Array
    clothes: Array
    outline: Array
    reach: float

    @classmethod
    def of(cls, sources: Sources, reference: int, model: HeadModel) -> _Cutout:
        crop, matte, xy = (values[reference] for values in (sources.crops, sources.mattes, sources.xy))
        is_head = model.parts != Part.SHOULDERS
        shown = mesh_in_photo(xy, model)
        head = (shown >= 0) & is_head[shown]
        loose = matte * (1 - _resized(_inner(shown >= 0), len(matte)))
        colours = tones(crop)
        loose = without_ears(loose, colours, xy, sources.tables[reference, :, 2], model)
        on_head, on_body = (_resized(mask, len(matte)) > 0.5 for mask in (head, (shown >= 0) & ~head))
        hair, clothes = hair_and_clothes(loose, colours, on_head, on_body)
        ears = xy[np.concatenate(ear_vertices(model)), 1].max()
        hair = without_crumbs(hair, ears)
        reach = _reach(hair, on_head, ears)
        if reach == np.inf:
            crop = without_cheeks(crop, colours, hair, on_head, xy, model)
        return cls(crop, hair, clothes, _outline(head), reach)


def mesh_in_photo(xy: Array, model: HeadModel) -> npt.NDArray[np.int32]:
    """The triangle that each place of a photo shows, (h, h), coarsely; -1 where it shows none.

    ``xy`` (V, 2) are the places of the vertices, as shares of the photo's side.
    """
    nearness = np.ones(len(xy))
    nearness[model.faces[model.parts != Part.SHOULDERS]] = 2  # over the shoulders
    return rasterise(xy * _COARSE, nearness, model.faces, _COARSE, _COARSE).triangle


def _reach(hair: Array, on_head: Array, ears: float) -> float:
    """How far hair (S, S) stands off a head above the place of the ears' end, as a share of the side.

    Infinite for long hair, which goes on below. What little of short hair seems to hang there is a shadow.
    """
    side = len(hair)
    shown, below = hair > _STRAND_ALPHA, np.arange(side)[:, None] >= ears * side
    if (shown & below).mean() > _LONG:
        return np.inf
    away = distance_to(on_head)[shown & ~below]
    return float(np.percentile(away, 95)) / side if len(away) else 0.0


def tapered(alpha: Array, on_mesh: Array, slope: Array | float) -> npt.NDArray[np.float32]:
    """Alpha (H, W) off a mesh that grows thin along its outline towards where it ends, without a step."""
    side = len(alpha)
    away = distance_to(on_mesh)
    bare = (away > 0) & (away <= _TOUCHING) & (alpha < _STRAND_ALPHA)
    most = slope * distance_to(bare)
    return np.asarray(alpha * np.clip(1 + (most - away) / (_TAPER_SOFT * side), 0, 1), np.float32)


def without_cheeks(
    crop: Array, colours: Array, hair: Array, on_head: Array, xy: Array, model: HeadModel
) -> npt.NDArray[np.uint8]:
    """A photo whose long hair goes on to the mesh, where a cheek or an ear that stands out of it shows."""
    side = len(hair)
    near = distance_to(on_head) < _CHEEK * side
    above = np.arange(side)[:, None] < xy[np.concatenate(ear_vertices(model)), 1].min() * side
    face = np.clip((xy[cheeks(model)] * side).astype(np.int64), 0, side - 1)
    from_skin = unlikeness(colours, colours[face[:, 1], face[:, 0]])
    from_hair = unlikeness(colours, colours[(hair > _SOLID) & (above | ~near)])
    cheek = near & ~above & (hair > 0) & (from_skin < _SURE * from_hair)
    of_hair = (hair > _SOLID) & (from_hair < np.minimum(from_skin, NO_CLOTHES))
    if of_hair.mean() < _LONG:
        return np.asarray(crop, np.uint8)
    around = spread(crop.astype(np.float32), of_hair.astype(np.float32))
    return np.where(cheek[..., None], np.clip(around, 0, 255), crop).astype(np.uint8)


@lru_cache(maxsize=4)
def cheeks(model: HeadModel) -> npt.NDArray[np.int64]:
    """Vertices between the eyes and the mouth, in front."""
    mean = model.mean[: model.num_vertices]
    eyes = mean[np.concatenate(model.eye_vertices)]
    teeth = mean[part_vertices(model, Part.UPPER_TEETH)]
    skin = part_vertices(model, Part.SKIN)
    place = mean[skin]
    between = (place[:, 2] < eyes[:, 2].min()) & (place[:, 2] > teeth[:, 2].max())
    return skin[between & (place[:, 1] < eyes[:, 1].max())]


def _close_curtains(colour: Array, alpha: Array, loose: Array, on_head: Array) -> None:
    """Paint like hair what background would show between a neck and long hair that hangs beside it."""
    side = len(alpha)
    hair = loose & (alpha > _STRAND_ALPHA)
    shown = (hair | ~loose).astype(np.uint8)
    closed = cv2.morphologyEx(
        shown, cv2.MORPH_CLOSE, np.ones((1, 2 * round(_CURTAIN * side / 2) + 1), np.uint8)
    )
    rows = np.flatnonzero(on_head.any(axis=1))
    gaps = (closed > shown) & (distance_to(hair) < _CURTAIN * side)
    gaps[: int(rows.mean()) if len(rows) else side] = False
    around = spread(colour, alpha * hair)
    share = cv2.GaussianBlur(cv2.dilate(gaps.astype(np.float32), disc(3)), (0, 0), 1.0) * (1 - alpha) * loose
    colour += (share / np.maximum(alpha + share, 1e-6))[..., None] * (around - colour)
    alpha += share


def _skin(behind: Array, colour: Array, on_head: Array, on_body: Array) -> npt.NDArray[np.bool_]:
    """Where colours (H, W, 3) are rather those of a picture's head (H, W) than those of its clothes."""
    drawn, beside = (tones(np.clip(colours, 0, 255).astype(np.uint8)) for colours in (colour, behind))
    worn = (
        on_body & (np.arange(len(on_body))[:, None] > np.median(np.nonzero(on_body)[0]))
        if on_body.any()
        else on_body
    )
    return unlikeness(beside, drawn[on_head]) < unlikeness(beside, drawn[worn])


def _within(on_head: Array, reach: float) -> npt.NDArray[np.float32]:
    """1 within a share of the side of a head (H, W), falling to 0 beyond."""
    away = distance_to(on_head) / len(on_head)
    return np.clip(1 + (reach - away) / _FUZZ, 0, 1).astype(np.float32)


def without_crumbs(hair: Array, ears: float) -> npt.NDArray[np.float32]:
    """Hair (S, S) less pieces that are small or do not hang from above the place of the ears' end."""
    return np.asarray(hair * _pieces(hair, _CRUMB, ears), np.float32)


def _pieces(alpha: Array, least: float, above: float = 1.0) -> npt.NDArray[np.bool_]:
    """Where an alpha (H, W) is in pieces that take a share of the picture at least and begin above a height."""
    there = alpha > _CRUMB_ALPHA
    _, piece, stats, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8))
    kept = stats[:, cv2.CC_STAT_AREA] >= least * alpha.size
    kept &= stats[:, cv2.CC_STAT_TOP] < above * len(alpha)
    return np.asarray(there & kept[piece])


def _opened(alpha: Array, width: float) -> npt.NDArray[np.float32]:
    """1 where a person's alpha (H, W) is, 0 on what is thinner than a share of the side, and stands off."""
    side = len(alpha)
    body = cv2.morphologyEx((alpha > _STRAND_ALPHA).astype(np.uint8), cv2.MORPH_OPEN, disc(width * side))
    near = cv2.dilate(body, disc(_FUZZ * side + 1)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(near, (0, 0), _FUZZ * side / 4) * near, np.float32)


def _inner(mask: Array) -> Array:
    """A mask (h, h) a little inside its outline.

    What is on the mesh belongs to the surface: off the target's mesh it must not appear a second time.
    """
    return cv2.erode(mask.astype(np.float32), np.ones((5, 5), np.uint8))


def _resized(mask: Array, side: int) -> Array:
    return cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)


def _outline(mask: Array) -> npt.NDArray[np.float32]:
    """Centre x and y of a head's mask, then its radius in each direction, as shares of the height."""
    height = len(mask)
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return np.concatenate([[0.5, 0.5], np.full(_DIRECTIONS, 0.2)]).astype(np.float32)
    x, y = (columns + 0.5) / height, (rows + 0.5) / height
    centre_x, centre_y = x.mean(), y.mean()
    angle = np.arctan2(y - centre_y, x - centre_x)
    direction = np.round(angle / (2 * np.pi) * _DIRECTIONS).astype(np.int64) % _DIRECTIONS
    radius = np.zeros(_DIRECTIONS)
    np.maximum.at(radius, direction, np.hypot(x - centre_x, y - centre_y))
    radius = np.where(radius > 0, radius, radius.mean())
    smooth = sum(np.roll(radius, shift) for shift in (-1, 0, 1)) / 3
    return np.concatenate([[centre_x, centre_y], smooth]).astype(np.float32)
