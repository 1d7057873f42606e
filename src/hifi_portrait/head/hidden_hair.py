"""What hair may look like where no photo shows it: what a photo shows of it, repeated from its outline on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.ears import ear_vertices
from hifi_portrait.head.hair_shell import scalp
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.tones import tones

_SHOWN = 0.2  # visibility from which on a place is shown
_GUESSED = 0.3  # visibility that hidden hair counts with
_MIDDLES = (np.arange(48) + 0.5) / 48 * 2 * np.pi - np.pi  # directions in which hair's outline is taken
_WIDE = 0.25  # share of the outline's radius from which on hair is wide enough to be repeated
_MARGIN = 0.02  # share of the side by which it is taken from inside the outline
_FACE = -0.08  # depth on the mean head, in metres, before which skin is the face's
_BALD = 8.0  # difference of tones below which the scalp is as bare as the face
_FULL = 0.8  # fullness from which on hair is repeated
_LEAST = 20  # vertices that must be shown

Array = npt.NDArray[Any]


def hidden_hair(table: Array, crop: Array, model: HeadModel) -> npt.NDArray[np.float32]:
    """Where a photo shows hair that may look like what it hides of the scalp.

    From the hair's outline on, what is hidden is taken to go on as what is shown does inwards, to and fro;
    and below the ears as it does above them.

    Parameters
    ----------
    table
        (V, 3): x and y of the vertices in the photo, as shares of its side, and their visibility.
    crop
        (S, S, 3) uint8, the photo.
    model
        Whose vertices they are.

    Returns
    -------
    table
        (V, 3): x, y, and visibility, which is 0 where nothing is hidden or nothing may look like it.
    """
    hair = scalp(model)
    places, seen = table[hair.vertices, :2], table[hair.vertices, 2]
    shown = (seen > _SHOWN) & (hair.fullness > _FULL) & _hairy(table, crop, model)
    out = np.zeros_like(table)
    if shown.sum() < _LEAST:
        return out
    centre = places.mean(axis=0)
    ears = table[np.concatenate(ear_vertices(model)), :2].mean(axis=0)
    upwards = places[model.mean[hair.vertices, 2].argmax()] - ears
    angle, radius = _polar(places - centre, upwards)
    outer, inner = _band(angle, radius, shown)
    angle = _from_above_the_ears(angle, outer - inner > _WIDE * outer)
    edge, start = (np.interp(angle, _MIDDLES, values, period=2 * np.pi) for values in (outer, inner))
    depth = edge * np.arccos(np.clip(radius / edge, 0, 1))  # along a round head
    band = np.maximum(edge - start - _MARGIN, 1e-3)
    inwards = _MARGIN + np.abs((depth + band) % (2 * band) - band)
    turned = angle + np.arctan2(upwards[1], upwards[0])
    direction = np.stack([np.cos(turned), np.sin(turned)], axis=1)
    out[hair.vertices, :2] = centre + direction * (edge - inwards)[:, None]
    out[hair.vertices, 2] = _GUESSED * np.clip(1 - seen / _SHOWN, 0, 1)
    return out


def _hairy(table: Array, crop: Array, model: HeadModel) -> npt.NDArray[np.bool_]:
    """Which of the scalp's vertices have rather the colour of hair than that of the face."""
    hair, side = scalp(model), len(crop)
    pixels = np.clip((table[:, :2] * side).astype(np.int64), 0, side - 1)
    colours = tones(crop[pixels[:, 1], pixels[:, 0]][None])[0]
    seen = table[:, 2] > _SHOWN
    face = part_vertices(model, Part.SKIN)
    face = face[seen[face] & (model.mean[face, 1] < _FACE)]
    full = hair.vertices[seen[hair.vertices] & (hair.fullness == 1)]
    if len(face) == 0 or len(full) == 0:
        return np.ones(len(hair.vertices), bool)
    of_face, of_hair = (np.median(colours[sample], axis=0) for sample in (face, full))
    from_face, from_hair = (
        np.linalg.norm(colours[hair.vertices] - colour, axis=1) for colour in (of_face, of_hair)
    )
    bald = np.linalg.norm(of_face - of_hair) < _BALD
    return np.asarray(bald | (from_hair < from_face))


def _polar(away: Array, upwards: Array) -> tuple[Array, Array]:
    """Angles in [-pi, pi) from a direction (2,), and lengths, of vectors (P, 2)."""
    angle = np.arctan2(away[:, 1], away[:, 0]) - np.arctan2(upwards[1], upwards[0])
    return (angle + np.pi) % (2 * np.pi) - np.pi, np.linalg.norm(away, axis=1)


def _band(angle: Array, radius: Array, shown: Array) -> tuple[Array, Array]:
    """Outer radius of the scalp, and inner radius of what is shown of it, in each of `_MIDDLES`."""
    count = len(_MIDDLES)
    index = np.clip(((angle + np.pi) / (2 * np.pi) * count).astype(np.int64), 0, count - 1)
    outer, inner = np.zeros(count), np.full(count, np.inf)
    np.maximum.at(outer, index, radius)
    np.minimum.at(inner, index[shown], radius[shown])
    outer = np.where(outer > 0, outer, radius.mean())
    return _smooth(outer), _smooth(np.minimum(inner, outer))


def _smooth(values: Array) -> Array:
    return np.mean([np.roll(values, shift) for shift in (-1, 0, 1)], axis=0)


def _from_above_the_ears(angle: Array, wide: Array) -> Array:
    """Angles (P,), mirrored on each side where the band of `_MIDDLES` ends to be wide enough."""
    half = len(_MIDDLES) // 2
    out = angle.copy()
    for side, directions in ((-1, wide[:half][::-1]), (1, wide[half:])):
        reach = np.argmin(np.append(directions, False)) * np.pi / half
        here = np.sign(angle) == side
        turned = np.abs(angle[here])
        out[here] = side * np.where(turned > reach, np.maximum(2 * reach - turned, 0), turned)
    return out
