"""Settings of clothes: split from hair, extended below photos, found in a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ClothesSplitSettings:
    """What off the mesh goes with the shoulders; read by `warp/clothing/split.py`.

    Lengths are fractions of the side of the photo or the picture.
    """

    neck_height: float = 0.3
    """Fraction of the head's height, from the chin up, beside which there may be neck and collar."""

    cheek_rim: float = 0.035
    """Length by which cheeks may stand out of the mesh."""

    window: float = 0.012
    """Half the width of the window in which the greater part decides."""

    solid_alpha: float = 0.7
    """Alpha above which what is off the mesh tells the colour of hair."""


@dataclass(frozen=True, kw_only=True)
class ClothesExtendSettings:
    """How clothes go on below a photo's end; read by `warp/clothing/extend.py`.

    Lengths are fractions of the picture's side. Colours are compared by `colour_distance`.
    """

    fold_length: float = 0.05
    """Length below the end over which clothes lose their folds."""

    streak_width: float = 0.012
    """Standard deviation of the blur that what ends there is smoothed by at once."""

    plain_width: float = 0.06
    """Standard deviation of the blur that clothes are smoothed by farther down."""

    mixed: float = 0.008
    """Width of the edge of clothes and of skin in which their colours are mixed."""

    joint: float = 0.008
    """Length above the end over which clothes pass into what goes on."""

    lower_end: float = 0.1
    """Length above the end in which clothes are told from skin."""

    clothes_percent: float = 80.0
    """Percentile of the distance from skin above which colours are the clothes'."""

    skin_distance: float = 15.0
    """Distance up to which something may be skin."""

    hue_fraction: float = 0.5
    """Fraction of the distance of hue from clothes up to which something is skin, in another light."""

    neck_reach: float = 0.06
    """Length from the body within which skin is the neck's."""

    min_neck: float = 0.02
    """Fraction of all skin that the neck's must be to tell its colour."""

    seam: float = 0.02
    """Length above the end by which a column is told skin from clothes."""

    min_neckline: float = 0.03
    """Width below which skin between clothes is no neckline."""

    neckline_depth: float = 0.25
    """Depth below the end at which a neckline closes, as a fraction of its width."""

    neckline_softness: float = 0.0025
    """Standard deviation of the blur of a neckline's edge."""


@dataclass(frozen=True, kw_only=True)
class ClothesSegmentSettings:
    """Where a drawn person shows clothes; read by `warp/clothing/segment.py`.

    Lengths are fractions of the picture's side. Colours are compared by `colour_distance`.
    """

    low_percent: float = 50.0
    """Percent of the shoulders' rows, from the top, below which clothes are told by their colour."""

    unlike_percent: float = 60.0
    """Percent of that which may be skin."""

    skin_distance: float = 12.0
    """Distance up to which something may be skin."""

    min_fraction: float = 0.0015
    """Fraction of the picture's area that must be told to be clothes."""

    min_pixels: int = 40
    """Pixels that must be, at least."""

    lit_fraction: float = 0.6
    """Fraction of the distance of hue from clothes up to which something is skin, in another light."""

    shaded_fraction: float = 0.35
    """Fraction of the distance of hue from skin up to which something is clothes, in another light."""

    sheen: float = 0.03
    """Width below which what is like clothes is sheen on skin."""

    collar: float = 0.1
    """Length below the head where skin may show, if clothes have its colour."""

    loose_alpha: float = 0.3
    """Alpha above which what is off the mesh may be clothes."""

    softness: float = 0.003
    """Standard deviation of the edge's blur."""
