"""Settings of the photo's own pixels, drawn again as a grid in space."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SpaceSettings:
    """Where in space each place of a photo is; read by `warp/photo_grid/space.py` and `hair_back.py`.

    Lengths named as fractions are of the photo's side.
    """

    side: int = 400
    """Places along a side of the grid."""

    inflation_side: int = 96
    """Side in pixels of the picture in which silhouettes are inflated."""

    steepest: float = 1.6
    """Greatest depth of inflated hair for a distance from its outline: steeper hair would be drawn out."""

    outline_smoothing: float = 0.025
    """Standard deviation of the blur of the depth between front and back, a fraction."""

    hair_fullness: tuple[float, float] = (0.15, 0.6)
    """Fullness of the scalp between which hair begins on the mesh."""

    hair_alpha: float = 0.2
    """Alpha of hair off the mesh from which on a place counts as hair."""

    person_matte: float = 0.02
    """Matte from which on a place may be the person's."""

    hanging_back: float = 0.07
    """Metres by which hair that hangs beside the neck is behind the outline of the face."""

    hanging_from: tuple[float, float] = (-0.05, 0.07)
    """Fractions below the ears' end between which hair begins to hang."""

    least_hanging: float = 0.05
    """Height over which hair hangs on both sides of a neck behind which hair hangs too, a fraction."""

    hanging_smoothing: float = 0.03
    """Standard deviation of the blur of the depth of hair beside the head, a fraction."""

    in_front: float = 0.006
    """Metres by which hair that lies on the body is in front of it."""

    swing: tuple[float, float] = (0.35, 0.2)
    """Fraction of the head's motion that hanging hair loses, and metres below the chin where it has."""

    hair_band: tuple[float, float] = (0.02, 0.12)
    """Least and greatest width of a band of hair that is repeated at the back, fractions."""

    back_from: tuple[float, float] = (-0.14, -0.06)
    """Fractions below the ears' end between which the back of hanging hair begins."""


@dataclass(frozen=True, kw_only=True)
class GridSettings:
    """How the grid is drawn, and where what was drawn before stays; read by `warp/photo_grid/`."""

    margin: float = 0.1
    """Width of the empty surroundings of a person that are drawn too, a fraction of the photo's side."""

    stretch_skin: tuple[float, float] = (3.0, 5.5)
    """Times that skin is drawn out between which the mesh replaces it where no photo sees it better."""

    stretch_seen: tuple[float, float] = (1.6, 3.0)
    """The same where another photo sees it better."""

    stretch_hair: tuple[float, float] = (2.2, 3.5)
    """The same of hair."""

    tear: float = 3.0
    """Times that a side of the grid is drawn out at which head and body, or what is far apart, part."""

    widest_tear: float = 0.15
    """Widest tear within a person that is closed, a fraction of the picture's height."""

    edge_met: float = 0.012
    """Distance from a photo's left or right edge, a fraction of its side, up to which it cuts a body off."""

    edge_inset: float = 0.008
    """Width of the photo's last columns that are left out where a body goes on beyond them, a fraction of the
    picture's width."""

    lower_edge_leans: float = 0.1
    """Height by which an end of a photo's lower edge may be above the other, a fraction of the picture's."""

    least_cut_off: float = 0.01
    """Height along which a body is cut off, a fraction of the picture's, from which on it goes on."""

    outline_span: float = 0.06
    """Width beside the edge that tells how steep a body's outline is, a fraction of the picture's."""

    steepest_outline: float = 1.2
    """Rows by which an outline falls with each column at most."""

    apart: float = 0.05
    """Metres of depth between neighbours that are parts of different things."""

    apart_motion: float = 0.25
    """The same of the fraction of the head's motion."""

    empty_degrees: float = 6.0
    """Degrees of a turn of the head at which what was empty beside it counts to 1 / e."""

    carved_degrees: float = 5.0
    """The same of the mesh's head where it stands out of the photo's person."""

    changed: tuple[float, float] = (0.0005, 0.002)
    """Metres by which mouth or eyes move between which they are drawn by the mesh."""

    share: tuple[float, float] = (0.5, 1.0)
    """Weight, beside that of the photo that counts most at a place, between which a photo is shown there."""

    mouth: tuple[float, float] = (0.035, 0.05)
    """Metres from the teeth between which the mouth's surroundings end."""

    eyes: tuple[float, float] = (0.012, 0.022)
    """Metres from an eyeball between which an eye's surroundings end."""

    rim: tuple[float, float] = (0.7, 1.0)
    """Alpha between which a person's edge is not mixed with the photo's background."""

    behind: float = 0.015
    """Metres by which the grid may be behind what is drawn already and still be its surface."""

    behind_hair: float = 0.04
    """The same of hair that hangs behind the neck, against the mesh's nape."""
