"""The inside of an open mouth: what a photo shows between its lips, and what may be there where none does.

Teeth are small beside what a fit knows of where they are. So they are not looked up on the mesh: what a photo
shows between the contours of its lips is laid between those of the target.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head.eyeballs import EYES
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.landmarks.generator import INNER_MOUTH, TEETH
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.face.lips import NOMINAL, Lips
from hifi_portrait.warp.face.teeth import Opening, behind, upper_teeth
from hifi_portrait.warp.image.colour import measure_brightness
from hifi_portrait.warp.sources import Sources

_OPEN = 0.002  # metres by which lips are parted where a photo shows what is between them
_TURNED = (0.35, 0.6)  # shares of a half of the wished mouth between which a photo begins to show that half
_STRETCH = 1.3  # how much longer than they are teeth are drawn, at most, that reach the lower lip
_ALL_TEETH = 0.8  # share of the way down from which on the upper teeth reach the lower lip
_FADE = 0.15  # share of what a photo shows over which it passes into the dark below
_INSET = 0.04  # share of the opening at either lip that is the lip's edge
_BARED = 0.002  # metres of upper teeth beyond those that a photo bares, from which on they are drawn over it
_TOOTHLESS = 0.7  # brightness of what it shows there instead, at most, as a share of that of skin or eyes
_FRONT = 10.0  # millimetres to either side of the middle where it is looked for
_WELL_SEEN = 0.2  # visibility from which on skin and eyes tell how light it is
_WHITE = 1.3  # brightness of teeth, as a share of the skin's, or of the white of the eyes if that is lighter
_WHITEST = 90  # percentile of the brightness of eyes that is their white's
INSIDE = (*TEETH, *INNER_MOUTH)
"""Parts of the mesh behind the lips."""

Array = npt.NDArray[Any]


def draw_mouth(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: draw what is behind the lips, if the target parts them."""
    sources, model, target = context.sources, context.model, context.target.geometry
    parts = context.parts(canvas.raster)
    inside = np.isin(parts, INSIDE)
    if not inside.any():
        return canvas
    height = len(inside)
    places = LandmarkModel.load(model).predict_pixels(target) / target.camera.height
    lips = Lips.of(places, target, height, model)
    pixels = _Between.of(inside, lips)
    opening = pixels.opening(lips)
    well_seen = canvas.seen > _WELL_SEEN
    usual = context.settings.colour.usual_skin_brightness
    skin = measure_brightness(canvas.colour, (parts == Part.SKIN) & well_seen, usual)
    eyes = measure_brightness(canvas.colour, np.isin(parts, EYES) & well_seen, 0, _WHITEST)
    white = max(skin, eyes)
    teeth, covered = upper_teeth(opening, target.expression, _WHITE * white)
    drawn = behind(parts, inside, skin)
    shown = np.zeros(len(drawn), np.float32)
    chosen = _chosen(sources, lips, model)
    if chosen is not None:
        photo, theirs = chosen
        own, shown = _own(sources.crops[photo], theirs, pixels, lips)
        own = own * sources.gains[photo] * _at(canvas.light.factors[photo], inside)
        drawn += shown[:, None] * (own - drawn)
        dark = _top(own, opening) < _TOOTHLESS * white
        hides_them = dark and lips.bared - theirs.bared > _BARED
        covered = covered * (1 if hides_them else 1 - shown)
    colour, seen, coverage = canvas.colour.copy(), canvas.seen.copy(), canvas.coverage.copy()
    colour[inside] = drawn + covered[:, None] * (teeth - drawn)
    seen[inside] = 1
    coverage[inside] = shown * (1 - covered)
    return replace(canvas, colour=colour, seen=seen, coverage=coverage)


@dataclass(frozen=True, eq=False)
class _Between:
    """P pixels between a target's lips.

    Attributes
    ----------
    along
        (P,) pixels along the line between the corners.
    down
        (P,) shares of the way from the upper lip to the lower.
    height
        (P,) pixels of that way.
    """

    along: Array
    down: Array
    height: Array

    @classmethod
    def of(cls, inside: Array, lips: Lips) -> _Between:
        rows, columns = np.nonzero(inside)
        along, below = lips.framed(np.stack([columns, rows], axis=1) + 0.5)
        bins = np.floor(along - along.min()).astype(np.int64)
        top, bottom = np.full(bins.max() + 1, np.inf), np.full(bins.max() + 1, -np.inf)
        np.minimum.at(top, bins, below - 0.5)
        np.maximum.at(bottom, bins, below + 0.5)
        height = (bottom - top)[bins]
        return cls(along, (below - top[bins]) / height, height)

    def aside(self, lips: Lips) -> Array:
        """Shares (P,) of half the mouth's width to the left of its middle, as if it was not turned."""
        return np.asarray(np.interp(self.along, lips.across, NOMINAL))

    def opening(self, lips: Lips) -> Opening:
        millimetre = lips.metre / 1e3
        below = self.down * self.height / millimetre
        aside = self.aside(lips) * lips.width / 2 * 1e3
        return Opening(aside, below, self.height / millimetre - below, 1 / millimetre)


def _own(crop: Array, theirs: Lips, pixels: _Between, lips: Lips) -> tuple[Array, Array]:
    """What a photo shows of its mouth, as colours (P, 3) between a target's lips, and how far it does, (P,).

    What is above the photo's `Lips.gap` hangs on the upper lip, what is below it on the lower one. Teeth keep
    their size: lips that are parted less, or less wide, hide more of them, and behind those that are parted
    more there is the dark.
    """
    gap = theirs.gap(crop)
    metre, full = theirs.metre, theirs.opening * theirs.metre
    hidden = max(0.0, theirs.bared - lips.bared) * metre
    stretch = lips.opening * metre / max(full - hidden, 1.0) if gap > _ALL_TEETH else 1.0
    there = np.interp(pixels.aside(lips) * min(1.0, lips.width / theirs.width), NOMINAL, theirs.across)
    height, wished = theirs.height(there), pixels.height * metre / lips.metre
    above = pixels.down * wished / np.clip(stretch, 1, _STRETCH) + hidden
    below, most = (1 - pixels.down) * wished, gap * height
    upper = pixels.down <= gap
    beyond = np.where(upper, above - most, below - (height - most))
    down = np.where(upper, np.minimum(above, most), np.maximum(height - below, most))
    shown = np.clip(1 - beyond / (_FADE * full), 0, 1)
    places = theirs.between(there, np.clip(down, _INSET * height, (1 - _INSET) * height))
    x, y = (places.T[:, None] - 0.5).astype(np.float32)
    found = cv2.remap(crop, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)[0]
    return found.astype(np.float32), shown.astype(np.float32)


def _chosen(sources: Sources, wished: Lips, model: HeadModel) -> tuple[int, Lips] | None:
    """The photo that says most of the mouth, among those that show it open from a like side, and its lips."""
    side = sources.crops.shape[1]
    lips = [
        Lips.of(landmarks, head, side, model)
        for landmarks, head in zip(sources.landmarks, sources.heads, strict=True)
    ]
    least, most = _TURNED
    turned = np.array([(each.halves / wished.halves).min() for each in lips])
    shows = np.clip((turned - least) / (most - least), 0, 1) * [each.opening > _OPEN for each in lips]
    fit = sources.mouth_weights * shows
    best = int(fit.argmax())
    return (best, lips[best]) if fit[best] > 0 else None


def _top(colours: Array, opening: Opening) -> float:
    """Median brightness of colours (P, 3) where upper teeth are, if any are seen."""
    down = opening.below / (opening.below + opening.above)
    here = (np.abs(opening.aside) < _FRONT) & (down > 0.15) & (down < 0.45)
    return float(np.median(colours[here])) if here.any() else 0.0


def _at(coarse: Array, where: Array) -> Array:
    """Values (P, 3) of a coarse picture (h, w, 3) at places (H, W)."""
    rows, columns = np.nonzero(where)
    height, width = where.shape
    return np.asarray(coarse[rows * coarse.shape[0] // height, columns * coarse.shape[1] // width])
