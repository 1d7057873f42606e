"""Settings of glasses: detected in photos, removed from them, drawn."""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]
"""Least and greatest value."""


@dataclass(frozen=True, kw_only=True)
class GlassesDetectionSettings:
    """Whether a photo shows glasses; read by `warp/glasses/detect.py`."""

    detail_size: float = 3.0
    """Standard deviation, in millimetres on the face, of the blur beyond which something is detail."""

    min_visibility: float = 0.25
    """Least visibility, in [0, 1], of a place that is used to detect glasses."""

    min_seen: float = 0.8
    """Fraction of a column that must be seen for it to count."""

    min_columns: int = 6
    """Columns of a band that must count."""

    rim_distance: float = 18.0
    """CIELAB distance, as 8 bits scale it, of the strongest detail in half of a band's columns."""


@dataclass(frozen=True, kw_only=True)
class GlassesRemovalSettings:
    """How clear glasses are taken out of a photo; read by `warp/glasses/remove.py`.

    Lengths are metres on the mean head, places are measured from the middle of the eyes as in `FacePlaces`.
    """

    rim_zone: tuple[Range, Range, Range] = ((-0.062, 0.062), (-0.020, 0.040), (-0.031, 0.026))
    """Ranges to the left, forwards and up in which rims are."""

    bar_zone: tuple[Range, Range, Range] = ((-0.100, 0.100), (-0.070, 0.005), (-0.004, 0.026))
    """Ranges to the left, forwards and up in which bars are."""

    eye_axes: tuple[float, float] = (0.018, 0.0095)
    """Half axes, across and up, of the ellipse that is eye and lashes."""

    brow_height: tuple[float, float] = (0.010, 0.024)
    """Heights between which brows are."""

    rim_width: float = 0.0075
    """Width up to which a line is a rim."""

    brow_rim_fraction: float = 0.5
    """Fraction of that width up to which a line among brows is a rim."""

    rim_distance: float = 13.0
    """CIELAB distance, as 8 bits scale it, of a rim from what is around it."""

    rim_margin: float = 0.0016
    """How far a detected rim is widened, because only its middle stands out from the skin."""


@dataclass(frozen=True, kw_only=True)
class GlassesDrawingSettings:
    """How glasses are drawn; read by `warp/glasses/draw.py`.

    Brightness is linear, in [0, 1]. Lengths are fractions of the picture's height unless said to be metres.
    """

    min_side: int = 1024
    """Side, in pixels, at which glasses are drawn at least: twice as fine as the picture, or finer."""

    frame_brightness: float = 0.02
    """Brightness of black acetate."""

    shine: float = 0.45
    """Strength of the frame's highlights."""

    gloss: float = 20.0
    """Exponent of the frame's highlights: how narrow they are (Blinn, 1977)."""

    lamp: tuple[float, float, float] = (0.25, -0.72, 0.65)
    """Direction to the light on the frame in camera space, of any length."""

    sky_brightness: float = 0.25
    """Brightness of what lenses mirror, in full light."""

    skin_brightness: float = 0.35
    """Brightness of skin in full light, by which the light on a face is measured."""

    light_reach: float = 0.08
    """Standard deviation of the blur of the light on the face."""

    depth_tolerance: float = 0.003
    """Metres behind the skin at which a frame is still seen."""

    covering_alpha: float = 0.5
    """Alpha of hair off the mesh from which on it hides a bar."""

    shadow_depth: float = 0.4
    """Fraction of the light that the frame's shadow takes."""

    shadow_softness: float = 0.006
    """Standard deviation of the shadow's blur."""

    shadow_offset: float = 0.008
    """Length by which the shadow lies below the frame."""
