"""Every number by which the warp decides, in one frozen value, with units.

A group belongs to one stage or to one way of reading photos, and its docstring names the file that reads it.
Numbers without a source were chosen by eye, on synthetic and on real people. `scripts/warp_sensitivity.py`
measures how much each of them changes the warp; `hifi-portrait evaluate`'s row "plain warp" (docs/results.md)
measures what a change does to likeness, pose and expression.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hifi_portrait.warp.settings.clothing import (
    ClothesExtendSettings,
    ClothesSegmentSettings,
    ClothesSplitSettings,
)
from hifi_portrait.warp.settings.face import (
    EarSettings,
    EarShapeSettings,
    EyePaintingSettings,
    EyeReadingSettings,
    GazeSettings,
    LipSettings,
    MouthSettings,
    TeethSettings,
)
from hifi_portrait.warp.settings.glasses import (
    GlassesDetectionSettings,
    GlassesDrawingSettings,
    GlassesRemovalSettings,
)
from hifi_portrait.warp.settings.hair import (
    HairDyeSettings,
    HairSegmentSettings,
    LooseHairSettings,
    OverEarsSettings,
    ScalpSettings,
    StrandSettings,
    ThicknessSettings,
)
from hifi_portrait.warp.settings.photo_grid import GridSettings, SpaceSettings
from hifi_portrait.warp.settings.picture import (
    BackgroundSettings,
    ColourSettings,
    GapSettings,
    OutlineSettings,
    RecolourSettings,
)
from hifi_portrait.warp.settings.references import (
    HoleSettings,
    PhotoSettings,
    RegistrationSettings,
    WeightSettings,
)
from hifi_portrait.warp.settings.surface import (
    LightSettings,
    SkinSettings,
    SurfaceSettings,
    UnseenSettings,
)

__all__ = [
    "BackgroundSettings",
    "ClothesExtendSettings",
    "ClothesSegmentSettings",
    "ClothesSplitSettings",
    "ColourSettings",
    "EarSettings",
    "EarShapeSettings",
    "EyePaintingSettings",
    "EyeReadingSettings",
    "GapSettings",
    "GazeSettings",
    "GlassesDetectionSettings",
    "GlassesDrawingSettings",
    "GlassesRemovalSettings",
    "GridSettings",
    "HairDyeSettings",
    "HairSegmentSettings",
    "HoleSettings",
    "LightSettings",
    "LipSettings",
    "LooseHairSettings",
    "MouthSettings",
    "OutlineSettings",
    "OverEarsSettings",
    "PhotoSettings",
    "RecolourSettings",
    "RegistrationSettings",
    "ScalpSettings",
    "SkinSettings",
    "SpaceSettings",
    "StrandSettings",
    "SurfaceSettings",
    "TeethSettings",
    "ThicknessSettings",
    "UnseenSettings",
    "WarpSettings",
    "WeightSettings",
]


@dataclass(frozen=True, kw_only=True)
class WarpSettings:
    """All settings of a warp, in the order in which a photo meets them."""

    photos: PhotoSettings = field(default_factory=PhotoSettings)
    """How photos are cleaned."""

    holes: HoleSettings = field(default_factory=HoleSettings)
    """Background that mattes take for the person."""

    registration: RegistrationSettings = field(default_factory=RegistrationSettings)
    """How far fitted heads are moved towards landmarks."""

    weights: WeightSettings = field(default_factory=WeightSettings)
    """How much each reference counts."""

    gaze: GazeSettings = field(default_factory=GazeSettings)
    """When an eye is painted."""

    glasses_detection: GlassesDetectionSettings = field(default_factory=GlassesDetectionSettings)
    """Whether a photo shows glasses."""

    glasses_removal: GlassesRemovalSettings = field(default_factory=GlassesRemovalSettings)
    """How glasses are taken out of a photo."""

    scalp: ScalpSettings = field(default_factory=ScalpSettings)
    """Where hair grows."""

    thickness: ThicknessSettings = field(default_factory=ThicknessSettings)
    """How far hair stands off the scalp."""

    outline: OutlineSettings = field(default_factory=OutlineSettings)
    """Where the mesh's shoulders are cut to the person's."""

    light: LightSettings = field(default_factory=LightSettings)
    """How references are brought to one light."""

    surface: SurfaceSettings = field(default_factory=SurfaceSettings)
    """How references are blended on the mesh."""

    mouth: MouthSettings = field(default_factory=MouthSettings)
    """How a photo's open mouth is drawn."""

    lips: LipSettings = field(default_factory=LipSettings)
    """How the dark between a photo's lips is found."""

    teeth: TeethSettings = field(default_factory=TeethSettings)
    """Teeth, tongue and the dark that no photo shows."""

    unseen: UnseenSettings = field(default_factory=UnseenSettings)
    """How surface that no reference sees is filled in."""

    over_ears: OverEarsSettings = field(default_factory=OverEarsSettings)
    """Hair that hangs over the ears."""

    strands: StrandSettings = field(default_factory=StrandSettings)
    """Strands of hair that no photo shows."""

    extend: ClothesExtendSettings = field(default_factory=ClothesExtendSettings)
    """How clothes go on below a photo's end."""

    eye_reading: EyeReadingSettings = field(default_factory=EyeReadingSettings)
    """How the colours of eyes are read from photos."""

    eye_painting: EyePaintingSettings = field(default_factory=EyePaintingSettings)
    """How eyeballs are painted."""

    ears: EarSettings = field(default_factory=EarSettings)
    """Which of a photo's ears are kept out of the hair."""

    ear_shape: EarShapeSettings = field(default_factory=EarShapeSettings)
    """How ears that no photo shows from the side are shaded."""

    split: ClothesSplitSettings = field(default_factory=ClothesSplitSettings)
    """What off the mesh goes with the shoulders."""

    loose_hair: LooseHairSettings = field(default_factory=LooseHairSettings)
    """What beside the mesh is hair."""

    space: SpaceSettings = field(default_factory=SpaceSettings)
    """Where in space each place of a photo is."""

    grid: GridSettings = field(default_factory=GridSettings)
    """How the photo's own pixels are drawn."""

    skin: SkinSettings = field(default_factory=SkinSettings)
    """How skin that was seen from the side is evened."""

    gaps: GapSettings = field(default_factory=GapSettings)
    """What background between head, hair and neck is closed."""

    colour: ColourSettings = field(default_factory=ColourSettings)
    """How colours are compared."""

    hair_segment: HairSegmentSettings = field(default_factory=HairSegmentSettings)
    """Where a drawn head shows hair."""

    clothes_segment: ClothesSegmentSettings = field(default_factory=ClothesSegmentSettings)
    """Where a drawn person shows clothes."""

    recolour: RecolourSettings = field(default_factory=RecolourSettings)
    """How hair and clothes are given another colour."""

    hair_dye: HairDyeSettings = field(default_factory=HairDyeSettings)
    """How hair is dyed."""

    background: BackgroundSettings = field(default_factory=BackgroundSettings)
    """What is drawn behind the person."""

    glasses_drawing: GlassesDrawingSettings = field(default_factory=GlassesDrawingSettings)
    """How glasses are drawn."""
