"""Settings of what is off the mesh: cut out of photos, drawn around the target, ended softly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CutoutSettings:
    """What of a photo's person is off the mesh; read by `warp/off_mesh/cutout.py`.

    Lengths are fractions of the photo's side. Colours are compared by `colour_distance`.
    """

    solid_matte: float = 0.9
    """Matte from which on a colour is the person's alone."""

    long_fraction: float = 0.015
    """Fraction of the photo's area that hair below the ears takes if it is long."""

    reach_percent: float = 95.0
    """Percentile of the distance of short hair from the head that is its reach."""

    cheek_rim: float = 0.035
    """Length by which a cheek may stand out of the mesh."""

    sure_skin: float = 0.5
    """Fraction of the distance from hair's colour below which a colour is skin's for sure."""

    backdrop_matte: float = 0.05
    """Matte below which there is nothing of a person."""

    distinct_backdrop: float = 20.0
    """Distance from which on hair is told from what is behind it."""

    backdrop_edge: tuple[float, float] = (0.12, 0.3)
    """Fractions of the way from the backdrop's colour to hair's between which hair begins."""


@dataclass(frozen=True, kw_only=True)
class OffMeshSettings:
    """How hair and clothes are drawn around the mesh; read by `warp/off_mesh/draw.py`.

    Lengths are fractions of the picture's side.
    """

    clearance: float = 0.012
    """Length by which hair's colour is looked up farther out than its place, clear of the mesh."""

    strand_width: float = 0.035
    """Width below which a piece of hair is a strand, and left out."""

    corner: float = 0.04
    """Width to which corners of necks and collars are rounded."""

    curtain: float = 0.12
    """Length up to which long hair may hang away from a neck."""

    hair_taper: float = 0.4
    """Thickness of hair and necks for a distance along the outline from where they end."""

    collar_taper: float = 2.0
    """The same of collars."""

    collar_reach: float = 0.12
    """Length from a head within which clothes are a collar."""

    fullness_gain: float = 2.0
    """How many times the fullness of the scalp beside it the alpha of short hair may be."""


@dataclass(frozen=True, kw_only=True)
class EdgeSettings:
    """How what is off the mesh ends; read by `warp/off_mesh/edges.py`.

    Lengths are fractions of the picture's side unless they are said to be pixels.
    """

    strand_alpha: float = 0.35
    """Alpha from which on hair counts as a piece."""

    max_crumb: float = 0.0025
    """Fraction of the picture's area below which a loose piece is a crumb."""

    crumb_alpha: float = 0.1
    """Alpha below which there is no piece."""

    fuzz: float = 0.02
    """Length by which an edge may be frayed."""

    touching: float = 1.5
    """Pixels from the mesh within which an outline ends at it."""

    taper_softness: float = 0.004
    """Length over which a tapered edge fades."""
