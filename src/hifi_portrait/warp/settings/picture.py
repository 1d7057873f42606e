"""Settings of the whole picture: outline, gaps, background, edges, colours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ColourSettings:
    """How colours are compared; read by `warp/image/colour.py`."""

    lightness_weight: float = 0.3
    """Weight of CIELAB's lightness beside a and b: ears, and skin below hair, lie in the shade."""

    min_sample: int = 40
    """Pixels that a sample needs to tell a colour; from fewer every distance is infinite."""

    usual_skin_brightness: float = 160.0
    """Of 255, the brightness of skin that no photo shows."""


@dataclass(frozen=True, kw_only=True)
class OutlineSettings:
    """Where the mesh's shoulders are cut to the person's; read by `warp/body_outline.py`.

    Lengths are fractions of the side of the photo or the picture.
    """

    person_matte: float = 0.5
    """Matte above which a place is the person's."""

    frame_margin: float = 0.015
    """Length about a photo's edge where its matte fades out and tells nothing."""

    widening: float = 1.0
    """Pixels by which a person is wider, on each side, for each pixel below a photo's end."""

    neck_transition: float = 0.04
    """Length from the head down over which the outline passes from the mesh's to the person's."""

    matte_hole: float = 0.06
    """Width from which on a part that the dressed photo alone lacks is taken for a hole of its matte."""


@dataclass(frozen=True, kw_only=True)
class GapSettings:
    """What background between head, hair and neck is closed; read by `warp/gaps.py`.

    Lengths are fractions of the picture's side.
    """

    head_gap: float = 1 / 24
    """Width of gaps in the head that are closed."""

    person_gap: float = 1 / 32
    """Width of gaps between the head and what hangs beside it that are closed."""

    beside_head: float = 1 / 16
    """Length about the head within which such gaps are looked for."""

    shown_alpha: float = 0.5
    """Alpha from which on hair hides what is behind it."""

    solid_alpha: float = 0.95
    """Alpha below which something shows through."""

    max_notch: float = 1 / 18
    """Gaps between jaw and neck that are narrower than this are closed with skin."""

    min_notch: float = 1 / 32
    """Gaps between jaw and neck are closed if they are wider than this."""

    same_skin: float = 25.0
    """Of 255, the mean difference of colour below which both sides of a notch are skin."""

    max_speck: float = 0.003
    """Fraction of the picture's area below which a hole is a speck, and closed."""


@dataclass(frozen=True, kw_only=True)
class BackgroundSettings:
    """What is drawn behind the person, and the edge before it; read by `warp/background.py`.

    Lengths are fractions of the side, differences of colours are of 255.
    """

    person_margin: float = 1 / 24
    """Length by which a person's matte is dilated: the background is read outside."""

    min_background: float = 0.02
    """Fraction of the photo that must show background for it to be used."""

    unknown_grey: float = 128.0
    """Of 255, the background where the photo shows none."""

    strand_width: float = 0.06
    """A structure beside the person is a strand of hair if it is at most half as wide as this."""

    strand_reach: float = 0.15
    """Length within which strands stand off a person."""

    strand_side: int = 256
    """Side, in pixels, of the picture in which strands are looked for."""

    strand_contrast: float = 8.0
    """Difference from what is around up to which something is noise and no strand."""

    plain_percent: float = 80.0
    """Percent of what is beside a person that must be alike for the background to be plain."""

    shown_matte: float = 0.5
    """Dilated matte above which a place is beside the person."""

    solid_matte: float = 0.95
    """A pixel is background where its matte is below 1 minus this."""

    max_noise: float = 5.0
    """Largest standard deviation of the photo's noise that is added to what is filled in."""

    edge_softness: float = 0.6
    """Standard deviation, in pixels at a height of 256, of the blur of the person's edge."""

    edge_gain: float = 1.2
    """Factor on the blurred alpha, which keeps the edge in its place."""

    layer_softness: float = 0.8
    """Standard deviation, in pixels at a height of 256, of the blur where parts of the mesh meet."""

    layer_reach: float = 0.7
    """Standard deviation, in pixels, of the mask of where they meet."""


@dataclass(frozen=True, kw_only=True)
class RecolourSettings:
    """How hair and clothes are given another colour; read by `warp/recolour.py`.

    Brightness is linear, and its differences are natural logarithms of ratios.
    """

    min_pixels: int = 40
    """Pixels that must show hair or clothes for them to be recoloured."""

    dark_offset: float = 0.004
    """Brightness added before a logarithm is taken."""

    max_contrast: float = 0.55
    """Largest standard deviation of brightness that is kept: a black coat's sheen would blind in white."""

    brightness_range: tuple[float, float] = (-1.3, 0.6)
    """Least and greatest difference from the median brightness."""

    same_colour: float = 8.0
    """Weighted Lab distance up to which a colour may already be the requested one."""

    beyond: float = 0.03
    """Standard deviation of the blur, as a fraction of the side, by which what is single hairs in the
    background takes part in the change of the hair beside it."""

    detail: float = 0.05
    """Largest width, as a fraction of the side, of what of the background is such hair."""

    least_contrast: float = 15.0
    """Difference of hair and background, of 255, below which single hairs stay as they are."""
