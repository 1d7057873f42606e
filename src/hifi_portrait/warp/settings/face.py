"""Settings of the face's parts that need more than the mesh: eyes, mouth, teeth, ears."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class GazeSettings:
    """When an eye is painted because no photo shows it looking as the target does; `warp/face/eyes.py`."""

    gaze_scale: float = 12.0
    """Degrees between two gazes at which the likeness of a photo's eyes falls to 1 / e."""

    own_likeness: tuple[float, float] = (0.48, 0.72)
    """Likeness of a gaze at which a photo's own eye begins to show, and from which on it shows alone."""


@dataclass(frozen=True, kw_only=True)
class EyeReadingSettings:
    """How the colours of a person's eyes are read from photos; read by `warp/face/eyes.py`.

    Distances from the pupil are fractions of the eyeball's radius. Brightness is a fraction of the skin's
    unless it is said to be of 255.
    """

    grid: int = 48
    """Points across an eyeball at which photos are read."""

    min_visibility: float = 0.3
    """Visibility from which on a point is read."""

    min_opening: float = 0.75
    """Fraction of the widest eyes' visibility that a photo's eyes must have for their colours to be read."""

    min_points: int = 12
    """Points that tell a colour."""

    iris_ring: tuple[float, float] = (0.18, 0.32)
    """Distances between which the iris is read."""

    white_ring: tuple[float, float] = (0.55, 0.85)
    """Distances between which the white is read."""

    iris_percentiles: tuple[float, float] = (25.0, 60.0)
    """Percentiles of brightness between which points are the iris': neither pupil nor mirrored lights."""

    white_percentiles: tuple[float, float] = (80.0, 98.0)
    """Percentiles of brightness between which points are the white's: neither lashes nor mirrored lights."""

    edge_rings: tuple[float, float, float] = (0.2, 0.62, 0.03)
    """First distance, end and step of the rings among which the edge of the iris is looked for."""

    ring_width: float = 0.06
    """Width of such a ring."""

    iris_radius: tuple[float, float] = (0.34, 0.47)
    """Least and greatest radius of an iris."""

    default_iris: tuple[float, float, float] = (0.36, 0.25, 0.19)
    """Brightness of the three channels of an iris that no photo shows."""

    default_white: tuple[float, float, float] = (1.05, 1.08, 1.1)
    """Brightness of the three channels of a white that no photo shows."""

    white_tint: float = 0.3
    """Fraction of the white's colour, as it is read, that is kept: photos mix whites with lids."""

    iris_vividness: float = 1.3
    """Factor on the iris' colour, as it is read: photos mix irises with whites."""

    white_brightness: tuple[float, float] = (0.9, 1.35)
    """Least and greatest brightness of a white."""

    max_white: float = 150.0
    """Of 255, the brightness up to which a white may be brighter than that, where skin is dark."""

    max_iris_brightness: float = 0.8
    """Fraction of the white's brightness above which what is read is no iris."""

    lens_brightness: float = 0.5
    """Brightness below which what is in a white's place is a dark lens."""

    brightest: float = 235.0
    """Of 255, the brightest that iris and white are drawn."""


@dataclass(frozen=True, kw_only=True)
class EyePaintingSettings:
    """How eyeballs are painted; read by `warp/face/eyes.py`.

    Lengths are fractions of the eyeball's radius.
    """

    pupil_radius: float = 0.4
    """Radius of the pupil, as a fraction of the iris'."""

    pupil_brightness: float = 0.15
    """Brightness of the pupil, as a fraction of the iris'."""

    iris_middle: float = 1.15
    """Brightness of the iris in its middle."""

    iris_fall: float = 0.15
    """By how much it is less at the iris' edge."""

    rim_brightness: float = 0.65
    """Brightness that the rim of the iris is darkened to."""

    rim_from: float = 0.72
    """Fraction of the iris' radius at which its rim begins."""

    spark_strength: float = 0.9
    """Brightness of the mirrored light, as a fraction of the white's."""

    spark_place: tuple[float, float] = (0.1, 0.16)
    """Place of the mirrored light, to the right of and above the middle."""

    spark_radius: float = 0.07
    """Radius of the mirrored light."""

    lid_light: float = 0.7
    """Fraction of the light that an upper lid leaves just below it."""

    lid_shadow: float = 0.35
    """How far down the shadow of an upper lid reaches."""

    corner_light: float = 0.8
    """Fraction of the light that is left in an eye's corners."""

    corner_shadow: float = 0.16
    """Length over which corners are in the shade."""

    edge_gain: float = 1.2
    """How soon an eye is itself inside the edge of its lids, which is jagged."""

    edge_softness: float = 0.7
    """Standard deviation of that edge's blur, in pixels."""

    light_reach: float = 0.9
    """Length about an eye within which the light on it is measured."""

    light_range: tuple[float, float] = (0.6, 1.2)
    """Least and greatest light on an eye, as a fraction of that on the face."""


@dataclass(frozen=True, kw_only=True)
class MouthSettings:
    """How a photo's open mouth is laid between a target's lips; read by `warp/face/mouth.py`."""

    min_opening: float = 0.002
    """Metres by which lips are parted where a photo shows what is between them."""

    turned_halves: tuple[float, float] = (0.35, 0.6)
    """Fractions of a half of the target's mouth between which a photo begins to show that half."""

    max_stretch: float = 1.3
    """How much longer than they are teeth are drawn, at most, that reach the lower lip."""

    full_teeth: float = 0.8
    """Fraction of the way down from which on the upper teeth reach the lower lip."""

    dark_fade: float = 0.15
    """Fraction of the opening that a photo shows over which it passes into the dark below."""

    lip_inset: float = 0.04
    """Fraction of the opening at either lip that is the lip's edge."""

    bared_teeth: float = 0.002
    """Metres of upper teeth, beyond those that a photo bares, from which on they are drawn over it."""

    toothless_brightness: float = 0.7
    """Fraction of the teeth's brightness below which a photo shows none in their place."""

    front_width: float = 10.0
    """Millimetres to either side of the middle where that is measured."""

    well_seen: float = 0.2
    """Visibility from which on skin and eyes tell how light it is."""

    tooth_to_skin: float = 1.15
    """Brightness of teeth, as a fraction of the skin's; it is 1.05 to 1.3 of light skin in photos."""

    tooth_to_eye: float = 1.3
    """The same as a fraction of the white of the eyes; what is lighter counts."""

    edge_smoothing: float = 0.0025
    """Fraction of the picture's side over which the steps of the lips' edges are smoothed."""

    edge_softness: float = 0.0009
    """Standard deviation, as a fraction of the picture's side, of the blur where lips' edges pass into what
    is between them."""

    white_percent: float = 95.0
    """Percentile of the brightness of eyes that is their white's."""


@dataclass(frozen=True, kw_only=True)
class LipSettings:
    """How the dark between a photo's parted lips is found; read by `warp/face/lips.py`."""

    front_fraction: float = 0.4
    """Fraction of the mouth's width, about its middle, in which upper and lower teeth are told apart."""

    dark_brightness: float = 0.45
    """Brightness of the dark between them, at most, as a fraction of the lightest."""

    min_dark: float = 0.15
    """Fraction of the way down that the dark takes, at least."""

    min_corner_distance: float = 0.25
    """Fraction of their true distance below which two corners do not tell how a mouth leans."""


@dataclass(frozen=True, kw_only=True)
class TeethSettings:
    """Teeth, tongue and the dark of a mouth that no photo shows; read by `warp/face/teeth.py`.

    Lengths are in millimetres.
    """

    arch_radius: float = 30.0
    """Radius of the arch in which teeth stand."""

    resting_length: float = 2.5
    """Length of the upper row that lips leave bare when the jaw opens."""

    smiling_length: float = 6.5
    """Further length that lips raised in full leave bare."""

    smile_raise: float = 0.5
    """How far each coefficient of a smile raises the upper lip."""

    lip_raise: float = 1.0
    """How far each coefficient of the upper lip itself raises it."""

    max_fill: float = 0.75
    """Fraction of the opening that upper teeth fill at most."""

    row_curve: float = 0.35
    """Fraction of their length by which the row is shorter at the corners than in the middle."""

    rounding: float = 0.9
    """Length by which a tooth's corners are shorter than its middle."""

    shortness: tuple[float, ...] = (0.0, 0.9, 0.2, 0.9, 1.2)
    """Lengths by which teeth are shorter than the first, from the middle; the last goes for all others."""

    edge_brightness: float = 0.88
    """Brightness at a tooth's lower edge, which light passes through, as a fraction of its middle's."""

    edge_length: float = 1.8
    """Length above the edge from which on it is as light as its middle."""

    enamel: tuple[float, float, float] = (1.04, 0.995, 0.945)
    """Colour of teeth, as fractions of their brightness: about the mean of 16 people in studio light."""

    gap_brightness: float = 0.74
    """Brightness between two teeth, as a fraction of a tooth's."""

    gap_width: float = 0.55
    """Length from a tooth's side to where it is as light as its middle."""

    lip_shadow_brightness: float = 0.7
    """Brightness just under the upper lip."""

    lip_shadow: float = 2.5
    """Length below the lip where its shadow ends."""

    dark_corners: tuple[float, float] = (14.0, 32.0)
    """Lengths along the arch between which teeth pass into the dark."""

    corner_darkening: float = 0.85
    """Fraction of the light that they lose there."""

    max_brightness: float = 225.0
    """Of 255, the brightest that teeth are drawn."""

    inner_light: float = 0.3
    """Least fraction of the light that reaches lower teeth and tongue."""

    inner_shadow: float = 0.012
    """Fraction of the picture's side over which lips shade what is behind them."""

    inner_gain: float = 1.4
    """Factor on how open the mouth is about a place, to the light that reaches it."""

    dark: tuple[float, float, float] = (0.25, 0.11, 0.1)
    """Colour of the dark, as fractions of the skin's brightness."""

    lower_teeth: tuple[float, float, float] = (0.95, 0.93, 0.88)
    """Colour of lower teeth, as fractions of the skin's brightness."""

    lower_teeth_light: float = 0.5
    """How lit lower teeth are."""

    tongue: tuple[float, float, float] = (0.75, 0.38, 0.38)
    """Colour of the tongue, as fractions of the skin's brightness."""

    tongue_light: float = 0.8
    """How lit the tongue is."""


@dataclass(frozen=True, kw_only=True)
class EarSettings:
    """Which of a photo's ears are kept out of the hair; read by `warp/face/ears.py`.

    Lengths are fractions of the photo's side.
    """

    reach: float = 0.07
    """Length by which an ear may stand out of the mesh's."""

    min_visibility: float = 0.4
    """Visibility from which on skin tells the skin's colour."""

    bare_fraction: float = 0.42
    """Mean of the fractions of skin in and beside an ear from which on hair does not cover it."""

    hanging_fraction: float = 0.4
    """Fraction of the area below an ear that is hair if it is long."""

    softness: float = 0.012
    """Length over which the decision fades."""

    max_hair_distance: float = 35.0
    """Distance from the hair's colour beyond which something is no hair; as `colour_distance` measures it."""


@dataclass(frozen=True, kw_only=True)
class EarShapeSettings:
    """How ears that no photo shows from the side are shaded; read by `warp/face/ear_shape.py`.

    The numbers were chosen by looking at real people.
    """

    turned: tuple[float, float] = (1.2, 1.8)
    """Times that an ear faces the camera more than in the photos, between which it comes to be shaded."""

    own_degrees: float = 12.0
    """Degrees that a head looks aside of the photo's way up to which ears stay as they are, to 1 / e."""

    well_seen: tuple[float, float] = (0.4, 0.65)
    """Visibility between which a photo's own ear comes to stay."""

    softness: float = 0.01
    """Fraction of the picture's side over which that fades."""

    reach: tuple[float, float] = (0.002, 0.012)
    """Metres about an ear between which its shading ends."""

    beneath: tuple[float, float] = (-0.001, 0.004)
    """Metres above the ears' lower ends between which the shading comes in, without their crease."""

    lamp: tuple[float, float, float] = (0.0, -1.0, 0.45)
    """Way to the lamp in camera space: from the camera, and from above."""

    lamp_share: float = 0.35
    """Fraction of the light that is the lamp's; the rest comes from all around."""

    shade_width: float = 0.03
    """Standard deviation, as a fraction of the picture's side, of the blur of the skin's colour."""

    detail: float = 0.0012
    """The same of the shading, whose triangles would show."""

    least_weight: float = 0.01
    """Weight below which nothing is changed."""

    least_area: float = 1.5e-4
    """Fraction of the picture that a bare ear must show."""
