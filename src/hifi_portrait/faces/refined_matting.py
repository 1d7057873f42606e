"""A network's matte made exact by the picture's colours: strands of hair, and edges to the pixel."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from hifi_portrait.faces.matting import MediaPipeMatting
from hifi_portrait.faces.protocols import Matting
from hifi_portrait.faces.pull_push import inpaint
from hifi_portrait.head.arrays import BoolArray, ByteArray, FloatArray


@dataclass(frozen=True, kw_only=True)
class RefinementSettings:
    """How a matte is refined. Lengths are fractions of the picture's longer side, colours are of 255."""

    inner_band: float = 0.015
    """Length inside a person's edge in which the matte is found anew."""

    outer_band: float = 0.07
    """Length outside it, as far as strands of hair reach. The background is known from farther out."""

    edge_reach: float = 0.0075
    """Length from the network's matte within which the person may have any colour, as ears and earrings do.
    Farther out only strands are believed: colours between the background's and the person's."""

    coarse_side: int = 128
    """Longer side, in pixels, at which the colours of person and background go on into the band."""

    background_smoothness: float = 1 / 8
    """Length over which a plain background may change its colour without counting as patterned."""

    noise: float = 2.0
    """Standard deviation of a photo's noise."""

    texture_reach: int = 9
    """Side, in coarse pixels, of the square about a pattern of the background in which it is expected."""

    faintest: tuple[float, float] = (1.0, 3.0)
    """Standard deviations of the background from which on a difference from it counts, and counts in full."""

    covering: tuple[float, float] = (0.75, 0.35)
    """Fraction of the way from the background's colour to the person's mean one where it is covered, at the
    network's edge and inside. Some hair is lighter than the mean; ears and sheen inside are more so."""

    line_tolerance: float = 0.35
    """Distance of a strand's colour from the line between the two colours, as a fraction of its length, at
    which the strand is believed by 1 / e."""

    other_material: float = 40.0
    """Distance from that line from which on, at the edge, a colour is another material's, and covers."""

    distinct: tuple[float, float] = (8.0, 32.0)
    """Standard deviations of the background that person and background must differ by for the colours to
    count, and to count alone; up to the first the network's matte stays as it is."""

    strand_alpha: float = 0.05
    """Alpha from which on a strand holds together."""

    strand_gap: int = 5
    """Side, in pixels, of the square that bridges gaps in a strand. What then hangs on nobody is dropped."""


@dataclass(frozen=True)
class RefinedMatting:
    """A matting network, and its matte corrected by the colours beside the person's edge.

    In a band about the edge, wider outside where strands reach, each pixel's alpha is how far its colour has
    gone from the background's, known from farther out, towards the person's, known from farther in (the
    compositing equation solved for alpha, as in Chuang et al., A Bayesian Approach to Digital Matting, 2001).
    That is exact before a plain background. Where the background is patterned, or of the person's colour, it
    tells little, and the network's matte stays.
    """

    network: Matting = field(default_factory=MediaPipeMatting)
    settings: RefinementSettings = field(default_factory=RefinementSettings)

    def __call__(self, image: ByteArray) -> FloatArray:
        """Make the matte (H, W) in [0, 1], 1 on the person, of a uint8 RGB picture (H, W, 3)."""
        return refine_matte(image, self.network(image), self.settings)


def refine_matte(image: ByteArray, matte: FloatArray, settings: RefinementSettings) -> FloatArray:
    """Refine a matte (H, W) in [0, 1] of a uint8 RGB picture (H, W, 3); see ``RefinedMatting``."""
    side = max(matte.shape)
    matte = np.asarray(matte, np.float32)
    inside = _erode(matte > 0.95, settings.inner_band * side)
    nearby = ~_erode(matte <= 0.5, settings.outer_band * side)
    if not inside.any() or nearby.all():
        return matte
    # Band and channels are taken apart: B places of the band are far fewer than all, and sums over rows of
    # three numbers take NumPy several times as long as sums of three arrays.
    band = np.flatnonzero(~inside & (nearby | (matte > 0.02)))
    colours = _continue_colours(image, inside, nearby, settings)
    person, behind, variance = (
        np.stack(
            [cv2.resize(plane, matte.shape[::-1]).ravel()[band] for plane in cv2.split(each)],
            dtype=np.float32,
        )
        for each in colours
    )
    direction = person - behind
    length = np.asarray(np.sqrt(_sum_of_squares(direction)) + 1e-3, np.float32)
    direction /= length
    deviation = np.sqrt(_sum(variance * direction * direction) + np.float32(settings.noise**2))
    begin, end = settings.distinct
    trust = np.clip((length / deviation - begin) / (end - begin), 0, 1)
    at_edge, deep = (each.ravel()[band] for each in _depth(matte, settings.edge_reach * side))
    off = np.stack([plane.ravel()[band] for plane in cv2.split(image)]) - behind
    gone, covered = _distances(off, direction, length, variance, at_edge, deep, settings)
    begin, end = settings.faintest
    real = np.clip((gone / deviation - begin) / (end - begin), 0, 1)
    alpha = real * np.clip(gone / covered, 0, 1) * nearby.ravel()[band]
    refined = matte.copy()
    flat = refined.reshape(-1)
    flat[band] += trust * (alpha - flat[band])
    return _drop_loose_pieces(refined, matte, settings)


def _sum(channels: FloatArray) -> FloatArray:
    """Add up the channels of (3, B)."""
    return np.asarray(channels[0] + channels[1] + channels[2])


def _sum_of_squares(channels: FloatArray) -> FloatArray:
    return _sum(channels * channels)


def _continue_colours(
    picture: ByteArray, inside: BoolArray, nearby: BoolArray, settings: RefinementSettings
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Colours of person and background as they go on into the band, and the latter's variance.

    All (h, w, 3), at most `RefinementSettings.coarse_side` a side.
    """
    height, width = inside.shape
    scale = min(1.0, settings.coarse_side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    pure = [
        (cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99).astype(np.float32)
        for mask in (inside, ~nearby)
    ]
    person, behind = inpaint(small, pure[0]), inpaint(small, pure[1])
    window = (int(settings.background_smoothness * max(size)) | 1,) * 2
    plain = inpaint(cv2.blur(cv2.blur(behind, window), window), pure[1])
    deviation = (small - plain) ** 2 * pure[1][..., None]
    variance = inpaint(cv2.dilate(deviation, np.ones((settings.texture_reach,) * 2, np.uint8)), pure[1])
    return np.asarray(person), np.asarray(behind), np.asarray(variance)


def _depth(matte: FloatArray, reach: float) -> tuple[FloatArray, FloatArray]:
    """How far each place (H, W) is at or inside the network's edge, and how far it is well inside."""
    masks = ~_erode(matte <= 0.3, reach), _erode(matte > 0.95, reach / 2)
    at_edge, deep = (cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(reach / 2, 0.5)) for mask in masks)
    return np.asarray(at_edge), np.asarray(deep)


def _distances(
    off: FloatArray,
    direction: FloatArray,
    length: FloatArray,
    variance: FloatArray,
    at_edge: FloatArray,
    deep: FloatArray,
    settings: RefinementSettings,
) -> tuple[FloatArray, FloatArray]:
    """How far colours have gone from the background's, (B,), and how far it is to where they cover it.

    The colours are ``off`` (3, B) the background's; ``direction`` (3, B) and ``length`` (B,) lead from there
    to the person's.
    """
    along = _sum(off * direction)
    noise = 3 * np.sqrt(_sum(variance) + np.float32(settings.noise**2))
    aside = np.maximum(np.sqrt(np.maximum(_sum_of_squares(off) - along**2, 0)) - noise, 0)
    along = np.maximum(along, 0)
    outer, inner = settings.covering
    covered = (outer + deep * (inner - outer)) * length
    strand = along * np.exp(-((aside / (settings.line_tolerance * length)) ** 2))
    # Another material than farther in, such as skin beside hair, covers by its own colour's distance.
    edge = np.maximum(along, covered * np.minimum(aside / settings.other_material, 1))
    return at_edge * edge + (1 - at_edge) * strand, covered


def _drop_loose_pieces(alpha: FloatArray, matte: FloatArray, settings: RefinementSettings) -> FloatArray:
    """Leave out what the network did not see and what hangs on nobody it saw."""
    pieces = (alpha > settings.strand_alpha).astype(np.uint8)
    bridged = cv2.dilate(pieces, np.ones((settings.strand_gap,) * 2, np.uint8))
    count, labels = cv2.connectedComponents(bridged)
    kept = np.zeros(count, bool)
    kept[labels[matte > 0.5]] = True
    kept[0] = False
    return np.asarray(alpha * (kept.take(np.asarray(labels)) | (matte > 0.05)), np.float32)


def _erode(mask: BoolArray, radius: float) -> BoolArray:
    """Take off a mask (H, W) what is less than a radius in pixels, at least 1, from its outside."""
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(distance > max(1.0, radius))
