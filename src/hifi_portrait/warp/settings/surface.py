"""Settings of the surface: how references are blended on the mesh, lit alike, and filled in where unseen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SurfaceSettings:
    """How colours are looked up and blended on the mesh; read by `warp/kernels.py` and `warp/surface.py`."""

    faint_visibility: float = 0.08
    """Visibility, in [0, 1], up to which a reference is not trusted with the colour of a place."""

    crossfade: float = 4.0
    """Multiples of `faint_visibility` beyond it over which a way to look a place up takes over in full."""

    frame_fade: float = 0.01
    """Fraction of a crop's side beyond its edge over which its last pixels, which are streaks, fade out."""

    matte_from: float = 0.5
    """Matte at which a reference begins to count."""

    matte_fade: float = 0.45
    """Further matte from there to where it counts in full."""


@dataclass(frozen=True, kw_only=True)
class LightSettings:
    """How references are brought to the main one's light; read by `warp/light.py`.

    Differences of light are natural logarithms of ratios of brightness; lengths are fractions of the
    picture's side.
    """

    coarse_side: int = 128
    """Largest side, in pixels, of the pictures in which ratios are taken."""

    dark_offset: float = 8.0
    """Of 255, added to colours before a logarithm is taken, which noise of dark pixels would rule."""

    min_visibility: float = 0.4
    """Visibility from which on a place counts in a photo's mean brightness."""

    max_gain: float = 0.35
    """Largest difference by which a whole photo is made brighter or darker."""

    transition: float = 0.02
    """Length over which the difference of two photos is averaged."""

    well_seen: float = 0.2
    """Visibility from which on a place tells the difference of two photos in full."""

    max_correction: float = 0.9
    """Largest difference that is corrected: greater ones are not of light."""

    max_mirror_brightening: float = 0.2
    """Largest difference by which a mirror image, which may lie in the shade, is made brighter."""

    shade_scale: float = 0.015
    """Mean brightening beyond that at which a mirror image's weight falls to 1 / e."""

    min_mirror_weight: float = 0.0005
    """Least weight of a mirror image."""

    max_tint: float = 0.15
    """Largest difference of one channel from the mean of the three."""

    tint_reach: float = 0.04
    """Length about places that two photos both see within which a tint is believed."""

    hidden_by_hair: tuple[float, float] = (0.7, 1.1)
    """Differences, beyond a photo's usual one, between which a darker place turns out to be hair."""

    other_light: tuple[float, float] = (0.3, 0.5)
    """Mean differences between which the light of a photo falls from another side than the main one's."""


@dataclass(frozen=True, kw_only=True)
class UnseenSettings:
    """How surface that no reference sees is filled in; read by `warp/surface.py`.

    Fullness is the fraction of its thickness that hair may have at a place of the scalp.
    """

    grazed_visibility: float = 0.2
    """Visibility below which a surface is seen too much from the side: turned to the camera it smears."""

    edge_visibility: tuple[float, float] = (0.1, 0.45)
    """Visibility between which skin changes over from that of its surroundings to its own."""

    plain_visibility: tuple[float, float] = (0.35, 0.7)
    """Visibility between which skin comes to have its own colour, without the shade of the head's edge."""

    grazed_hair_visibility: float = 0.3
    """The same of hair."""

    max_eye_brightness: float = 235.0
    """Of 255, the brightest that the white of an unseen eye is drawn."""

    hair_fullness: float = 0.8
    """Fullness from which on what is seen is hair and hardly skin."""

    bald: float = 0.1
    """Hair that is seen, as a fraction of the scalp that is, below which a head is bald."""

    skin_fullness: float = 0.02
    """Fullness up to which what is unseen is skin and hardly hair."""

    dense_fullness: float = 0.3
    """Fullness from which on what is unseen is taken to be hair."""


@dataclass(frozen=True, kw_only=True)
class SkinSettings:
    """How skin that was seen from the side is evened; read in `warp/face/`.

    Lengths are fractions of the picture's side. The numbers were chosen by looking at four real people.
    """

    reliable: tuple[float, float] = (0.45, 0.8)
    """Visibility between which skin comes to keep its own shade."""

    turned: tuple[float, float] = (1.5, 2.4)
    """Times that skin faces the camera more than in the photos, between which it is evened."""

    own_degrees: float = 6.0
    """Degrees of a turn of the head up to which skin keeps its own shade, to 1 / e."""

    least_seen: float = 0.05
    """Visibility that a place is taken to have at least, for that."""

    solid_alpha: float = 0.9
    """Alpha from which on a pixel is the person's skin."""

    min_pixels: float = 200.0
    """Pixels of reliable skin that there must be."""

    least_weight: float = 0.01
    """Weight below which nothing is changed."""

    shade_width: float = 0.012
    """Standard deviation of the blur that parts shades from detail."""

    softness: float = 0.004
    """The same of the edge of what is evened."""

    ear_margin: float = 0.006
    """The same of ears, which keep their own shades."""

    pore_width: float = 0.003
    """The same of the blur that parts pores from what is wider."""

    smoothing: float = 0.6
    """Fraction of the detail that is drawn out, and that pores replace."""

    pores_per_metre: float = 1400.0
    """Texels of the tile of pores in a metre of skin."""
