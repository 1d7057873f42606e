"""Every number by which the warp decides, in one frozen value, with units.

A group belongs to one stage or to one way of reading photos, and its docstring names the file that reads it.
Numbers without a source were chosen by eye, on synthetic and on real people. `scripts/warp_sensitivity.py`
measures how much each of them changes the warp; `hifi-portrait evaluate`'s row "plain warp" (docs/results.md)
measures what a change does to likeness, pose and expression.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hifi_portrait.warp.settings.picture import (
    BackgroundSettings,
    ColourSettings,
    GapSettings,
    OutlineSettings,
    RecolourSettings,
)
from hifi_portrait.warp.settings.references import PhotoSettings, RegistrationSettings, WeightSettings
from hifi_portrait.warp.settings.surface import LightSettings, SurfaceSettings, UnseenSettings

__all__ = [
    "BackgroundSettings",
    "ColourSettings",
    "GapSettings",
    "LightSettings",
    "OutlineSettings",
    "PhotoSettings",
    "RecolourSettings",
    "RegistrationSettings",
    "SurfaceSettings",
    "UnseenSettings",
    "WarpSettings",
    "WeightSettings",
]


@dataclass(frozen=True, kw_only=True)
class WarpSettings:
    """All settings of a warp, in the order in which a photo meets them."""

    photos: PhotoSettings = field(default_factory=PhotoSettings)
    """How photos are cleaned."""

    registration: RegistrationSettings = field(default_factory=RegistrationSettings)
    """How far fitted heads are moved towards landmarks."""

    weights: WeightSettings = field(default_factory=WeightSettings)
    """How much each reference counts."""

    outline: OutlineSettings = field(default_factory=OutlineSettings)
    """Where the mesh's shoulders are cut to the person's."""

    light: LightSettings = field(default_factory=LightSettings)
    """How references are brought to one light."""

    surface: SurfaceSettings = field(default_factory=SurfaceSettings)
    """How references are blended on the mesh."""

    unseen: UnseenSettings = field(default_factory=UnseenSettings)
    """How surface that no reference sees is filled in."""

    gaps: GapSettings = field(default_factory=GapSettings)
    """What background between head, hair and neck is closed."""

    colour: ColourSettings = field(default_factory=ColourSettings)
    """How colours are compared."""

    recolour: RecolourSettings = field(default_factory=RecolourSettings)
    """How hair and clothes are given another colour."""

    background: BackgroundSettings = field(default_factory=BackgroundSettings)
    """What is drawn behind the person."""
