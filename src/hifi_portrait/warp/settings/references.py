"""Settings of how references are read: cleaned, registered, and weighed against each other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PhotoSettings:
    """How each photo is cleaned before it is looked up; read by `warp/photos.py`.

    Lengths are fractions of a crop's side.
    """

    shrink_from: float = 1.5
    """Crops this many times as large as the picture, or larger, are shrunk to its size against aliasing."""

    matte_margin: float = 0.008
    """Length by which mattes are eroded: a head fitted a little too large would show background."""

    matte_softness: float = 0.006
    """Standard deviation of the blur by which an eroded matte fades out."""

    pure_matte: float = 0.97
    """Matte above which a colour is taken to be the person's alone."""


@dataclass(frozen=True, kw_only=True)
class HoleSettings:
    """Background that mattes take for the person; read by `warp/holes.py`. Colours are of 255.

    Lengths are fractions of the crop's side.
    """

    empty_matte: float = 0.02
    """Matte below which a place is background for sure."""

    least_empty: float = 0.05
    """Part of a crop that must be, for its colours to be known."""

    edge: float = 0.02
    """Width beside the person in which it is not: light and strands of the person are there."""

    covered: tuple[float, float] = (0.1, 0.5)
    """Fractions of the way from the background's colour to that of most hair between which a person covers
    it."""

    strand_covered: tuple[float, float] = (0.08, 0.85)
    """The same where hair does, at its outline: less would leave strands a rim of the background's colour."""

    covered_in_hair: tuple[float, float] = (0.05, 0.6)
    """The same within hair, where it may also be lighter than most."""

    strand_reach: float = 0.03
    """Width of what is beside hair in which there are strands of it."""

    skin_reach: float = 0.008
    """Width of what is beside skin in which there are none."""

    hair_on_top: float = 0.06
    """Height above the fitted head, which is bald, up to which nothing is seen through hair."""

    sheen_margin: float = 0.004
    """Width of the person's outer edge, within which no hole in the matte is closed."""

    pattern: float = 0.03
    """Size of patterns of the background: coarser differences are those of its light."""

    plain: tuple[float, float] = (4.0, 10.0)
    """Difference that a tenth of the background is off by between which it ceases to be plain."""

    distinct: tuple[float, float] = (200.0, 280.0)
    """Distances of the colours of hair and background between which the two can be told apart ever better."""

    no_sheen: tuple[float, float] = (200.0, 260.0)
    """The same for hair that no background was parsed in: lighter hair may shine as a background does."""

    reach: tuple[float, float] = (0.006, 0.06)
    """Lengths about parsed background within which there may be more of it: anywhere, and in hair before a
    plain background."""


@dataclass(frozen=True, kw_only=True)
class RegistrationSettings:
    """How far a fitted head is moved towards detected landmarks; read by `warp/registration.py`."""

    followed_fraction: float = 0.5
    """Fraction of a landmark's residual by which the lower face is moved. The rest is the person's shape."""

    lip_reach: float = 0.01
    """Metres from the lips' inner edges, which follow in full, to where no more than that does."""

    bending_weight: float = 1.0
    """Weight of the squared Laplacian of the shift, against a squared residual of weight 1."""

    shift_weight: float = 1e-3
    """Weight of the squared shift itself, which makes it vanish far from landmarks."""

    max_residual: float = 0.012
    """Metres to which residuals are limited: longer ones are errors of the detector, not of the fit."""


@dataclass(frozen=True, kw_only=True)
class WeightSettings:
    """How much each reference counts; read by `warp/weights.py`."""

    pose_scale: float = 40.0
    """Degrees between two heads' rotations over which a reference's weight falls to 1 / e."""

    lid_weight: float = 1.5
    """How much lids that are open instead of closed count, where `pose_scale` counts 1."""

    quality_floor: float = 0.05
    """What is added to a reference's quality, so that none counts nothing."""

    other_weight: float = 0.06
    """Weight of all references but the main one: a mean of several photos is softer than any of them."""

    other_glasses_weight: float = 0.4
    """Factor on a reference that wears glasses where none are requested, or the other way round."""

    glasses_reach: float = 0.012
    """Metres about the eyes within which glasses may hide the face."""

    hidden_eyes_weight: float = 0.02
    """Factor on such a reference within `glasses_reach`."""

    jaw_weight: float = 16.0
    """How much the coefficient of the jaw's opening, which is small, counts in the mouth's distance."""

    smile_weight: float = 2.0
    """How much the coefficients of smiles count in the mouth's distance."""

    pucker_weight: float = 2.0
    """How much the coefficient of puckered lips counts in the mouth's distance."""

    mouth_reach: tuple[float, float] = (0.03, 0.05)
    """Metres from the upper teeth within which a place is the mouth's, and from which on it is not."""

    open_eyes_power: int = 4
    """Exponent of how much of its eyes a reference shows: those with open eyes decide how eyes look."""

    min_gaze_weight: float = 1e-4
    """Least factor on the eyes of a reference that looks elsewhere."""

    min_body_fraction: float = 0.3
    """Fraction of the best shown shoulders that a reference must show for its clothes to be worn."""
