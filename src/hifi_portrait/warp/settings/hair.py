"""Settings of hair: where it grows, how thick it is, where a picture shows it, and strands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ScalpSettings:
    """Where hair grows on the head model; read by `warp/hair/shell.py`. Lengths are in metres."""

    ear_clearance: float = 0.004
    """Length about the ears within which no hair grows."""

    rise: float = 0.045
    """Length inside the hairline from which on hair may have its full thickness."""

    smoothing: float = 0.02
    """Standard deviation of the Gaussian weights by which measurements at one vertex count at another."""


@dataclass(frozen=True, kw_only=True)
class ThicknessSettings:
    """How far hair stands off the scalp; read by `warp/hair/shell.py`. Lengths are metres."""

    max_thickness: float = 0.1
    """Greatest thickness."""

    step: float = 0.002
    """Length of the steps in which it is measured."""

    skull_radius: float = 0.09
    """Radius of a skull, by which a thickness seen from the side becomes one along the surface's normal."""

    max_facing: float = 0.4
    """Vertices that face the camera more than this (cosine of normal and camera) are not on the outline, and
    are not measured."""

    others_weight: float = 1e-3
    """Weight of the other photos' measurements there."""

    usual_fraction: float = 0.3
    """Fraction of an outline along which hair is at most as thick as where no outline is near."""

    usual_weight: float = 0.1
    """Weight of that thickness."""

    person_matte: float = 0.5
    """Matte below which a place is outside the person."""


@dataclass(frozen=True, kw_only=True)
class HairSegmentSettings:
    """Where a drawn head shows hair; read by `warp/hair/segment.py`.

    Colours are compared by `colour_distance`. Fullness is the fraction of its thickness that hair may have.
    """

    full: float = 0.8
    """Fullness from which on a head shows hair, if it has any."""

    bald: float = 4.0
    """Distance of the scalp's colour from the cheeks' below which there is no hair."""

    clear: float = 10.0
    """Such a distance from which on each place of hair is told from skin."""

    min_pixels: int = 40
    """Pixels that tell the colours of hair and of skin."""

    above_eyes: float = 0.02
    """Metres above the eyes from which on hair may hang over the forehead."""

    beside_eyes: float = 0.012
    """Metres beside the eyes from which on long hair may hang over the face."""

    edge: tuple[float, float] = (0.35, 0.65)
    """Fractions of the way from the colour of the skin nearby to hair's between which hair begins."""

    coarse_side: int = 128
    """Longer side, in pixels, of the picture in which colours of hair and skin are followed."""

    local_lightness: float = 0.5
    """Weight of CIELAB's lightness beside a and b, where colours are those nearby: less of it is light's."""

    rounds: int = 6
    """Rounds in which they are followed, by four coarse pixels each."""

    sure_skin: float = 0.3
    """Fraction of the way to hair's colour up to which a place is skin; from 1 minus it on, it is hair."""

    shade: float = 40.0
    """Largest distance in CIELAB from the skin nearby of what is followed as skin."""

    sure_alpha: float = 0.9
    """Alpha of hair off the mesh from which on it is surely hair."""

    beyond: float = 0.03
    """Length, as a fraction of the picture's side, by which hair off the mesh may reach beyond its alpha."""

    on_clothes: float = 0.5
    """Fraction of the distances from skin and clothes below which what hangs over the shoulders is hair."""

    long_fraction: float = 0.005
    """Fraction of the picture's area that loose hair below the ears takes if it is long."""

    softness: float = 0.003
    """Standard deviation of the edge's blur, as a fraction of the picture's side."""


@dataclass(frozen=True, kw_only=True)
class HairDyeSettings:
    """How hair is dyed; read by `warp/hair/dye.py`.

    Lengths are fractions of the picture's side, lightness is CIELAB's, in [0, 100]. The numbers were chosen
    by looking at four real people dyed black, blond, red and grey.
    """

    solid_alpha: float = 0.95
    """Alpha from which on a pixel is wholly the person's."""

    least_alpha: float = 0.05
    """Alpha that a pixel must have to be hair."""

    edge_width: float = 0.016
    """Width, to either side of where hair was roughly found to end, of where its colour decides."""

    colour_reach: float = 0.03
    """Standard deviation of the blur by which the colours of hair and of skin nearby are found."""

    near: float = 0.01
    """Fraction of such a neighbourhood that must be hair, or skin, for it to be near."""

    contrast: tuple[float, float] = (25, 70)
    """Difference of hair and skin, of 255, between which the colour comes to decide."""

    strand: tuple[float, float] = (0.12, 0.75)
    """Place between the colours of skin (0) and hair (1) from which to which a pixel becomes hair."""

    patch: tuple[float, float] = (0.15, 0.4)
    """Mean such place of surroundings that are all skin, such as an ear, and of those that are not."""

    softness: float = 0.005
    """Standard deviation of the blur of an edge that the colour does not decide."""

    strand_width: float = 0.012
    """Standard deviation of the blur that parts strands from wide shades."""

    strands: tuple[float, float] = (2.5, 0.07)
    """Usual deviation of lightness between strands: for black hair, and what each unit of lightness adds."""

    strand_gain: tuple[float, float] = (0.35, 5)
    """Least and greatest factor on the hair's own strands."""

    noise: float = 0.6
    """Deviation of lightness that is noise, which is not made more of."""

    shades: tuple[float, float] = (2.0, 0.13)
    """As `strands`, of wide shades."""

    shade_gain: tuple[float, float] = (0.3, 1.5)
    """Least and greatest factor on wide shades."""

    root_length: float = 0.02
    """Length of the roots that are darker."""

    root_shade: float = 0.16
    """By which fraction of the requested lightness they are."""

    own_hue: float = 0.125
    """Fraction of the differences in hue within the hair that is kept."""


@dataclass(frozen=True, kw_only=True)
class StrandSettings:
    """Hair that no photo shows; read by `warp/hair/pieces.py` and `warp/hair/strands.py`.

    Lengths are fractions of the picture's side unless they are said to be others.
    """

    piece_radii: tuple[float, ...] = (0.035, 0.025, 0.017, 0.012, 0.008)
    """Radii of the pieces of a photo's hair that are repeated, fractions of its side: the first of which
    there are enough."""

    least_pieces: int = 12
    """How many are enough."""

    most_pieces: int = 200
    """How many are used at most."""

    evenness: float = 0.3
    """Standard deviation, in radii, of the blur that is taken off a piece, with coarser differences."""

    most_detail: float = 0.28
    """Largest difference that a piece repeats, of natural logarithms of brightness."""

    straight: tuple[float, float] = (0.45, 0.6)
    """How clear the direction of strands is, of 1, between which hair counts as ever straighter."""

    combed: float = 0.02
    """Standard deviation of the smoothing along the strands of straight hair."""

    most_gain: float = 2.5
    """Factor by which contrast is raised at most after that."""

    edge_width: float = 0.015
    """Width of the edge of shown hair that counts little for the colour of what is not shown."""

    reach: float = 0.06
    """Distance from shown hair at which the usual colour of all of it has taken over to 1 - 1 / e."""

    plain_width: float = 0.012
    """Standard deviation of the blur of the continued colours."""

    fray: float = 0.003
    """Depth to which the outline of hair that no photo shows is uneven."""

    lock_width: float = 0.003
    """Width of the locks that make it uneven."""

    dark_offset: float = 8.0
    """Of 255, added to brightness before a logarithm is taken."""


@dataclass(frozen=True, kw_only=True)
class LooseHairSettings:
    """What beside the mesh is hair; read by `warp/hair/beside_mesh.py`."""

    max_crumb: float = 0.0025
    """Fraction of the picture's area below which a loose piece is a crumb."""

    crumb_alpha: float = 0.1
    """Alpha below which there is no piece."""

    on_body: float = 0.5
    """Distance from hair's colour, beside that from the clothes', up to which hair lies on a body."""

    crown: float = 0.95
    """Fullness of the scalp from which on there is hair for sure, if there is any."""

    alike: tuple[float, float] = (0.35, 0.6)
    """Distance from the cheeks' colour, of that and the distance from hair's, between which hair begins."""

    chin_shadow: float = 0.035
    """Length below the chin in which there is its shadow, a fraction of the side."""

    min_sample: float = 0.0005
    """Fraction of the picture's area that hair must have for its colour to be known."""


@dataclass(frozen=True, kw_only=True)
class OverEarsSettings:
    """What hides ears, and where they are bare; read by `warp/hair/over_ears.py`. Lengths are metres."""

    reach: float = 0.03
    """Length about the ears to which hair that covers them goes on."""

    smoothing: float = 0.012
    """Standard deviation of the Gaussian weights by which what is seen at one vertex counts at another."""

    fade: float = 0.012
    """Height above the ears' lower ends from which on all may be covered."""

    depth: float = 0.05
    """Depth behind what a photo shows within which a vertex counts as covered by it."""

    least_seen: float = 0.2
    """Weight of such vertices about a place below which it does not count as covered."""

    bare: tuple[float, float] = (0.3, 0.6)
    """Fractions of ear in ear and what hides ears about a place between which it comes to be bare."""

    hiding: tuple[float, float] = (0.006, 0.014)
    """Widths of hair that stands off the head beside a place between which it is hidden from the side."""

    covered: tuple[float, float] = (0.45, 0.8)
    """Fractions of hair before a place between which it comes to be covered."""
