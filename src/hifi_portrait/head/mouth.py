"""The inside of an open mouth: what a photo shows between its lips, and what may be there where none does.

Teeth are small beside what a fit knows of where they are. So they are not looked up on the mesh: what a photo
shows between the contours of its lips is laid between those of the target, from the upper lip down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.eyes import EYES
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.landmark_model import LandmarkModel
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster
from hifi_portrait.head.teeth import Opening, behind, upper_teeth, upper_teeth_shown
from hifi_portrait.head.warp_sources import Sources

_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)  # inner edge of the lip, corner to corner
_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
_NOMINAL = np.array((-1, -0.84, -0.69, -0.5, -0.27, 0, 0.27, 0.5, 0.69, 0.84, 1))  # their places across
_OPEN = 0.002  # metres by which lips are parted where a photo shows what is between them
_WIDE = 0.5  # share of the wished opening from which on a photo's is wide enough
_STRETCH = 1.3  # how much longer than they are teeth are drawn, at most, that reach the lower lip
_MIDDLE = 0.4  # share of the mouth's width in which what hangs on either lip is told apart
_BLACK = 0.45  # brightness of the dark between, at most, as a share of the lightest
_LEAST_DARK = 0.15  # share of the way down that it takes, at least
_ALL_TEETH = 0.8  # share of the way down from which on the upper teeth reach the lower lip
_FADE = 0.15  # share of what a photo shows over which it passes into the dark below
_INSET = 0.04  # share of the opening at either lip that is the lip's edge
_BARED = 0.002  # metres of upper teeth beyond those that a photo bares, from which on they are drawn over it
_DIM = 0.7  # brightness of what it shows there instead, at most, as a share of that of skin or eyes
_FRONT = 10.0  # millimetres to either side of the middle where it is looked for
_WELL_SEEN = 0.2  # visibility from which on skin and eyes tell how light it is
_USUAL = 160.0  # of 255: brightness of skin that no photo shows
_WHITE = 1.3  # brightness of teeth, as a share of the skin's, or of the white of the eyes if that is lighter
_WHITEST = 90  # percentile of the brightness of eyes that is their white's
INSIDE = (Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE, Part.MOUTH_CAVITY)
"""Parts of the mesh behind the lips."""

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Lips:
    """The inner edges of lips in a picture, corner to corner: a frame to place what is between them.

    Attributes
    ----------
    corner
        (2,) the right corner's place, in pixels.
    axes
        (2, 2) unit vectors: to the left corner, and down.
    across
        (11,) places of the edges' points along the first.
    upper, lower
        (11,) of both edges along the second.
    metre
        Pixels.
    width
        Metres from corner to corner, however they are turned.
    bared
        Metres of the upper teeth that they leave bare, from `upper_teeth_shown`.
    """

    corner: Array
    axes: Array
    across: Array
    upper: Array
    lower: Array
    metre: float
    width: float
    bared: float

    @classmethod
    def of(cls, landmarks: Array, head: HeadGeometry, size: int, model: HeadModel) -> Lips:
        """From landmarks (478, 2), as shares of the side of a picture ``size`` pixels high."""
        upper, lower = size * landmarks[list(_UPPER)], size * landmarks[list(_LOWER)]
        along = (upper[-1] - upper[0]) / np.linalg.norm(upper[-1] - upper[0])
        axes = np.stack([along, [-along[1], along[0]]])
        above, below = (upper - upper[0]) @ axes.T, (lower - upper[0]) @ axes.T
        metre = head.camera.focal / head.camera.height * size / float(head.translation[1])
        across = np.maximum.accumulate((above[:, 0] + below[:, 0]) / 2)
        corners = LandmarkModel.load(model).in_head(head)[[_UPPER[0], _UPPER[-1]]]
        width, bared = (
            float(np.linalg.norm(corners[1] - corners[0])),
            upper_teeth_shown(head.expression) / 1e3,
        )
        return cls(upper[0], axes, across, above[:, 1], below[:, 1], metre, width, bared)

    @property
    def opening(self) -> float:
        """Metres between the lips, where they are parted most."""
        return float((self.lower - self.upper).max()) / self.metre

    def framed(self, pixels: Array) -> tuple[Array, Array]:
        """Pixels (P, 2) along and below the line between the corners, (P,) each."""
        along, below = ((pixels - self.corner) @ self.axes.T).T
        return along, below

    def height(self, along: Array) -> Array:
        """Pixels (P,) from the upper lip to the lower at places along."""
        return np.asarray(np.interp(along, self.across, self.lower - self.upper))

    def between(self, along: Array, below: Array) -> Array:
        """Pixels (P, 2) at places along and so far below the upper lip."""
        framed = np.stack([along, np.interp(along, self.across, self.upper) + below], axis=1)
        return np.asarray(self.corner + framed @ self.axes)


def draw_inside(
    sources: Sources,
    factors: Array,
    raster: Raster,
    target: HeadGeometry,
    model: HeadModel,
    drawn: tuple[Array, Array, Array],
) -> None:
    """Draw what is behind the lips into the colour (H, W, 3), how well it is seen and the coverage (H, W).

    Parameters
    ----------
    sources, factors
        The references, and what to multiply the colours of each by, from `colour_corrections`.
    raster, target
        What is drawn.
    model
        The head model.
    drawn
        Changed in place.
    """
    colour, seen, coverage = drawn
    parts = np.where(raster.triangle >= 0, model.parts[raster.triangle], 255)
    inside = np.isin(parts, INSIDE)
    if not inside.any():
        return
    height, width = inside.shape
    places = LandmarkModel.load(model).seen_at(target) / target.camera.height
    lips = Lips.of(places, target, height, model)
    rows, columns = np.nonzero(inside)
    place = _Place.of(rows, columns, lips)
    brightness = _brightness(colour, (parts == Part.SKIN) & (seen > _WELL_SEEN), 50, _USUAL)
    white = _brightness(colour, np.isin(parts, EYES) & (seen > _WELL_SEEN), _WHITEST, 0.0)
    opening = place.opening(lips)
    teeth, share = upper_teeth(opening, target.expression, _WHITE * max(brightness, white))
    drawn_there = behind(parts, inside, brightness)
    shown = np.zeros(len(rows), np.float32)
    chosen = _chosen(sources, lips, model)
    if chosen is not None:
        photo, theirs = chosen
        (x, y), shown = place.in_photo(lips, theirs, _gap(sources.crops[photo], theirs))
        found = cv2.remap(sources.crops[photo], x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)[0]
        coarse = factors[photo]
        light = coarse[rows * coarse.shape[0] // height, columns * coarse.shape[1] // width]
        own = found * sources.gains[photo] * light
        drawn_there += shown[:, None] * (own - drawn_there)
        hides_them = lips.bared - theirs.bared > _BARED and _top(own, opening) < _DIM * max(brightness, white)
        share = share * (1 if hides_them else 1 - shown)
    drawn_there += share[:, None] * (teeth - drawn_there)
    colour[inside] = drawn_there
    seen[inside] = 1
    coverage[inside] = shown


def _top(colours: Array, opening: Opening) -> float:
    """Median brightness of colours (P, 3) where upper teeth are, if any are seen."""
    down = opening.below / (opening.below + opening.above)
    here = (np.abs(opening.aside) < _FRONT) & (down > 0.15) & (down < 0.45)
    return float(np.median(colours[here])) if here.any() else 0.0


def _brightness(colour: Array, where: Array, percentile: float, otherwise: float) -> float:
    return float(np.percentile(colour[where].mean(axis=1), percentile)) if where.any() else otherwise


@dataclass(frozen=True, eq=False)
class _Place:
    """Pixels between the lips: how far along the line between their corners, and of the way down, (P,)."""

    along: Array
    down: Array
    height: Array

    @classmethod
    def of(cls, rows: Array, columns: Array, lips: Lips) -> _Place:
        along, below = lips.framed(np.stack([columns, rows], axis=1) + 0.5)
        bins = np.floor(along - along.min()).astype(np.int64)
        top, bottom = np.full(bins.max() + 1, np.inf), np.full(bins.max() + 1, -np.inf)
        np.minimum.at(top, bins, below - 0.5)
        np.maximum.at(bottom, bins, below + 0.5)
        height = (bottom - top)[bins]
        return cls(along, (below - top[bins]) / height, height)

    def opening(self, lips: Lips) -> Opening:
        millimetre = lips.metre / 1e3
        below = self.down * self.height / millimetre
        middle = lips.across[len(lips.across) // 2]
        aside = (self.along - middle) / millimetre
        return Opening(aside, below, self.height / millimetre - below, 1 / millimetre)

    def in_photo(self, lips: Lips, theirs: Lips, gap: float) -> tuple[Array, Array]:
        """Where a photo shows them, (2, 1, P) as OpenCV counts pixels, and how far it does, (P,).

        What is above the photo's ``gap`` hangs on the upper lip, what is below it on the lower one. Teeth
        keep their size: lips that are parted less, or less wide, hide more of them, and behind those that are
        parted more there is the dark.
        """
        metre, full = theirs.metre, theirs.opening * theirs.metre
        hidden = max(0.0, theirs.bared - lips.bared) * metre
        stretch = lips.opening * metre / max(full - hidden, 1.0) if gap > _ALL_TEETH else 1.0
        aside = np.interp(self.along, lips.across, _NOMINAL) * min(1.0, lips.width / theirs.width)
        there = np.interp(aside, _NOMINAL, theirs.across)
        height, wished = theirs.height(there), self.height * metre / lips.metre
        above = self.down * wished / np.clip(stretch, 1, _STRETCH) + hidden
        below = (1 - self.down) * wished
        upper = self.down <= gap
        beyond = np.where(upper, above - gap * height, below - (1 - gap) * height)
        down = np.where(
            upper, np.minimum(above, gap * height), height - np.minimum(below, (1 - gap) * height)
        )
        shown = np.clip(1 - beyond / (_FADE * full), 0, 1)
        inset = np.clip(down, _INSET * height, (1 - _INSET) * height)
        return (theirs.between(there, inset).T[:, None] - 0.5).astype(np.float32), shown.astype(np.float32)


def _gap(crop: Array, lips: Lips) -> float:
    """Share of the way down a photo's mouth to the dark between what hangs on either lip; else 1."""
    along = np.interp(np.linspace(-_MIDDLE, _MIDDLE, 9), _NOMINAL, lips.across)
    down = np.linspace(0.1, 0.95, 18)
    grid = [lips.between(along, share * lips.height(along)) - 0.5 for share in down]
    x, y = np.moveaxis(np.stack(grid), 2, 0).astype(np.float32)
    seen = cv2.remap(crop, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profile = np.median(seen.mean(axis=2), axis=1)
    dark = down[profile < _BLACK * profile.max()]
    return float(dark.mean()) if len(dark) > _LEAST_DARK * len(down) else 1.0


def _chosen(sources: Sources, wished: Lips, model: HeadModel) -> tuple[int, Lips] | None:
    """The photo that says most of the mouth, among those that show it open, and its lips."""
    side = sources.crops.shape[1]
    lips = [
        Lips.of(landmarks, head, side, model)
        for landmarks, head in zip(sources.landmarks, sources.heads, strict=True)
    ]
    openings = np.array([each.opening for each in lips])
    wide = np.clip(openings / (_WIDE * max(wished.opening, _OPEN)), 0, 1)
    fit = sources.mouth * wide * (openings > _OPEN)
    best = int(fit.argmax())
    return (best, lips[best]) if fit[best] > 0 else None
