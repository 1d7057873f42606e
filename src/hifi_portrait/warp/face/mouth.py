"""The inside of an open mouth: what a photo shows between its lips, and what may be there where none does.

Teeth are small beside what a fit knows of where they are. So they are not looked up on the mesh: what a photo
shows between the contours of its lips is laid between those of the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.eyeballs import EYES
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.landmarks.generator import INNER_MOUTH, TEETH
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.face.lips import NOMINAL, Lips
from hifi_portrait.warp.face.teeth import Opening, draw_behind_teeth, draw_upper_teeth
from hifi_portrait.warp.image.colour import measure_brightness
from hifi_portrait.warp.image.morphology import square
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources

INSIDE = (*TEETH, *INNER_MOUTH)
"""Parts of the mesh behind the lips."""


def draw_mouth(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: draw what is behind the lips, if the target parts them."""
    sources, model, target = context.sources, context.model, context.target.geometry
    settings, mouth = context.settings, context.settings.mouth
    parts = context.parts(canvas.raster)
    inside = np.isin(parts, INSIDE)
    if not inside.any():
        return canvas
    height = len(inside)
    places = LandmarkModel.load(model).predict_pixels(target) / target.camera.height
    lips = Lips.of(places, target, height, model, settings)
    well_seen = canvas.seen > mouth.well_seen
    usual = settings.colour.usual_skin_brightness
    skin = measure_brightness(canvas.colour, (parts == Part.SKIN) & well_seen, usual)
    eyes = measure_brightness(canvas.colour, np.isin(parts, EYES) & well_seen, 0, mouth.white_percent)
    chosen, photo = _choose_photo(sources, lips, model, settings), None
    if chosen is not None:
        number, theirs = chosen
        light = sources.gains[number] * _coarse_at(canvas.light.factors[number], inside)
        photo = MouthPhoto(sources.crops[number], theirs, light)
    drawn, shown = draw_between_lips(parts, lips, target.expression, (skin, eyes), photo, height, settings)
    colour, seen, coverage = canvas.colour.copy(), canvas.seen.copy(), canvas.coverage.copy()
    colour[inside] = drawn
    colour = soften_edge(colour, inside, mouth.edge_softness * height)
    seen[inside] = 1
    coverage[inside] = shown
    return replace(canvas, colour=colour, seen=seen, coverage=coverage)


@dataclass(frozen=True, eq=False)
class MouthPhoto:
    """A photo that shows a mouth open.

    Attributes
    ----------
    crop
        (S, S, 3) uint8.
    lips
        Its lips.
    light
        (3,) or (P, 3), what brings it to the light of the picture.
    """

    crop: Array
    lips: Lips
    light: Array


def draw_between_lips(
    parts: Array,
    lips: Lips,
    expression: Array,
    brightness: tuple[float, float],
    photo: MouthPhoto | None,
    height: int,
    settings: WarpSettings,
) -> tuple[Array, Array]:
    """Draw what is between lips: what a photo shows there, and painted teeth and tongue.

    Parameters
    ----------
    parts
        (h, w) number of the `Part` that each pixel shows, of the picture or a window of it; P of these are
        `INSIDE`.
    lips
        The target's, in pixels of the window.
    expression
        (52,) the target's coefficients.
    brightness
        Of the skin, and of the white of the eyes, in [0, 255].
    photo
        One that shows the mouth open, if any does.
    height
        Of the picture.
    settings
        Those of the mouth, lips and teeth.

    Returns
    -------
    colour
        (P, 3) in [0, 255].
    shown
        (P,) in [0, 1], how far it is the photo's.
    """
    inside, mouth, (skin, eyes) = np.isin(parts, INSIDE), settings.mouth, brightness
    pixels = Between.of(inside, lips, mouth.edge_smoothing * height)
    opening = pixels.opening(lips)
    white = max(mouth.tooth_to_skin * skin, mouth.tooth_to_eye * eyes)
    teeth, covered = draw_upper_teeth(opening, expression, white, settings.teeth)
    drawn = draw_behind_teeth(parts, inside, skin, height, settings.teeth)
    shown = np.zeros(len(drawn), np.float32)
    if photo is not None:
        own, shown = _look_up(photo.crop, photo.lips, pixels, lips, settings)
        own = own * photo.light
        drawn += shown[:, None] * (own - drawn)
        dark = _front_brightness(own, opening, mouth.front_width) < mouth.toothless_brightness * max(
            skin, eyes
        )
        hides_them = dark and lips.bared - photo.lips.bared > mouth.bared_teeth
        covered = covered * (1 if hides_them else 1 - shown)
    return drawn + covered[:, None] * (teeth - drawn), shown * (1 - covered)


@dataclass(frozen=True, eq=False)
class Between:
    """P pixels between a target's lips.

    Attributes
    ----------
    along
        (P,) pixels along the line between the corners.
    down
        (P,) fractions of the way from the upper lip to the lower.
    height
        (P,) pixels of that way.
    """

    along: Array
    down: Array
    height: Array

    @classmethod
    def of(cls, inside: Array, lips: Lips, smoothing: float) -> Between:
        """Of the pixels ``inside`` (H, W); the steps of their edge are smoothed over so many pixels."""
        rows, columns = np.nonzero(inside)
        along, below = lips.framed(np.stack([columns, rows], axis=1) + 0.5)
        bins = np.floor(along - along.min()).astype(np.int64)
        top, bottom = np.full(bins.max() + 1, np.inf), np.full(bins.max() + 1, -np.inf)
        np.minimum.at(top, bins, below - 0.5)
        np.maximum.at(bottom, bins, below + 0.5)
        known = np.flatnonzero(np.isfinite(top))
        every = np.arange(len(top))
        top, bottom = (
            gaussian_filter1d(np.interp(every, known, edge[known]), max(smoothing, 0.5), mode="nearest")
            for edge in (top, bottom)
        )
        bottom = np.maximum(bottom, top + 1)
        height = (bottom - top)[bins]
        return cls(along, np.clip((below - top[bins]) / height, 0, 1), height)

    def aside(self, lips: Lips) -> Array:
        """Fractions (P,) of half the mouth's width to the left of its middle, as if it was not turned."""
        return np.asarray(np.interp(self.along, lips.across, NOMINAL))

    def opening(self, lips: Lips) -> Opening:
        """Measure the places of the pixels in millimetres."""
        millimetre = lips.metre / 1e3
        below = self.down * self.height / millimetre
        aside = self.aside(lips) * lips.width / 2 * 1e3
        return Opening(aside, below, self.height / millimetre - below, 1 / millimetre)


def _look_up(
    crop: Array, theirs: Lips, pixels: Between, lips: Lips, settings: WarpSettings
) -> tuple[Array, Array]:
    """Read the mouth of a photo as colours (P, 3) between a target's lips, and how far it shows them, (P,).

    What is above the photo's `Lips.dark_gap` hangs on the upper lip, what is below it on the lower one. Teeth
    keep their size: lips that are parted less, or less wide, hide more of them, and behind those that are
    parted more there is the dark.
    """
    mouth, gap = settings.mouth, theirs.dark_gap(crop, settings.lips)
    metre, full = theirs.metre, theirs.opening * theirs.metre
    hidden = max(0.0, theirs.bared - lips.bared) * metre
    stretch = lips.opening * metre / max(full - hidden, 1.0) if gap > mouth.full_teeth else 1.0
    there = np.interp(pixels.aside(lips) * min(1.0, lips.width / theirs.width), NOMINAL, theirs.across)
    height, requested = theirs.height(there), pixels.height * metre / lips.metre
    above = pixels.down * requested / np.clip(stretch, 1, mouth.max_stretch) + hidden
    below, most = (1 - pixels.down) * requested, gap * height
    upper = pixels.down <= gap
    beyond = np.where(upper, above - most, below - (height - most))
    down = np.where(upper, np.minimum(above, most), np.maximum(height - below, most))
    shown = np.clip(1 - beyond / (mouth.dark_fade * full), 0, 1)
    inset = mouth.lip_inset
    places = theirs.between(there, np.clip(down, inset * height, (1 - inset) * height))
    x, y = (places.T[:, None] - 0.5).astype(np.float32)
    found = cv2.remap(crop, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)[0]
    return found.astype(np.float32), shown.astype(np.float32)


def soften_edge(colour: Array, inside: Array, sigma: float) -> Array:
    """Pass into the colour of the lips over some pixels at the edge of ``inside`` (H, W), which has steps."""
    about = square(8 * sigma + 3)
    rows, columns = np.nonzero(cv2.dilate(inside.astype(np.uint8), about))
    box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    here, near = inside[box], np.ascontiguousarray(colour[box], np.float32)
    outside = (~here).astype(np.float32)
    fraction = cv2.GaussianBlur(outside, (0, 0), sigma)
    lips = cv2.GaussianBlur(near * outside[..., None], (0, 0), sigma) / np.maximum(fraction, 1e-4)[..., None]
    share = np.where(here, np.clip(2 * fraction, 0, 1), 0)[..., None]
    softened = colour.copy()
    softened[box] = near + share * (lips - near)
    return softened


def _choose_photo(
    sources: Sources, requested: Lips, model: HeadModel, settings: WarpSettings
) -> tuple[int, Lips] | None:
    """Choose the photo that counts most for the mouth, of those that show it open from a similar side."""
    side = sources.crops.shape[1]
    lips = [
        Lips.of(landmarks, head, side, model, settings)
        for landmarks, head in zip(sources.landmarks, sources.heads, strict=True)
    ]
    best = choose_lips(lips, sources.mouth_weights, requested, settings)
    return None if best is None else (best, lips[best])


def choose_lips(lips: Sequence[Lips], weights: Array, requested: Lips, settings: WarpSettings) -> int | None:
    """Choose, of N photos' lips with weights (N,), those that are open and seen from a similar side."""
    mouth, (least, most) = settings.mouth, settings.mouth.turned_halves
    turned = np.array([(each.halves / requested.halves).min() for each in lips])
    is_open = [each.opening > mouth.min_opening for each in lips]
    shows = np.clip((turned - least) / (most - least), 0, 1) * is_open
    fit = weights * shows
    best = int(fit.argmax())
    return best if fit[best] > 0 else None


def _front_brightness(colours: Array, opening: Opening, width: float) -> float:
    """Median brightness of colours (P, 3) where upper front teeth are: so many millimetres to either side."""
    down = opening.below / (opening.below + opening.above)
    here = (np.abs(opening.aside) < width) & (down > 0.15) & (down < 0.45)
    return float(np.median(colours[here])) if here.any() else 0.0


def _coarse_at(coarse: Array, where: Array) -> Array:
    """Values (P, 3) of a coarse picture (h, w, 3) at places (H, W)."""
    rows, columns = np.nonzero(where)
    height, width = where.shape
    return np.asarray(coarse[rows * coarse.shape[0] // height, columns * coarse.shape[1] // width])
