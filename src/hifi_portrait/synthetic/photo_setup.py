"""One photo of a person: everything that changes from picture to picture."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head import DEFAULT_FACE_SHARE, EXPRESSION_NAMES, FIT_FOV, HeadPose
from hifi_portrait.head.arrays import RGB
from hifi_portrait.scenery.backdrops import BACKDROPS
from hifi_portrait.scenery.lights import LIGHTINGS
from hifi_portrait.synthetic import colours
from hifi_portrait.synthetic.expressions import KINDS, WEIGHTS, sample_expression
from hifi_portrait.synthetic.garment_cuts import GARMENTS
from hifi_portrait.synthetic.wide import STYLES as WIDE_STYLES
from hifi_portrait.synthetic.wide import Wide

STYLES = ("photo", "black and white photo", "sepia photo", "pencil sketch", "watercolour")
_STYLE_WEIGHTS = (0.86, 0.05, 0.03, 0.03, 0.03)


@dataclass(frozen=True, eq=False)
class PhotoSetup:
    """How one picture is taken. Equal seeds give equal photos."""

    seed: int
    kind: str
    """Name of the expression, one of ``expressions.KINDS``."""
    expression: NDArray[np.float32] = field(repr=False)
    """(52,) ARKit coefficients in [0, 1]."""
    pose: HeadPose
    gaze: tuple[float, float]
    """Yaw and pitch of both eyes in degrees, relative to the head."""
    face_share: float
    """Height of an average face as a fraction of the picture."""
    centre: tuple[float, float]
    """Where the face is off its usual place, fractions of the picture to the right and up."""
    fov: float
    """Vertical field of view in degrees."""
    light: str
    """One of ``lights.LIGHTINGS``."""
    background: str
    """One of ``backdrops.BACKDROPS``, ``walls.WALLS``, or "place"."""
    background_colour: str
    background_rgb: RGB
    clothing: str
    """One of ``garment_cuts.GARMENTS``, or of ``outfits.OUTFITS``."""
    clothing_colour: str
    clothing_rgb: RGB
    wears_glasses: bool
    """Whether a person who owns glasses wears them here."""
    sunglasses: bool
    style: str
    """One of ``STYLES``."""
    sitting: int
    """Seed of what the photos of one sitting share beyond these fields: lamps, backdrop, exposure."""
    frame: str | None = None
    """Glasses worn instead of the person's own, one of ``person.GLASSES``; None for the person's own."""
    hair_dye: tuple[str, RGB] | None = None
    """Name and linear RGB of a hair colour that is not the person's own."""
    named: tuple[str, ...] = ()
    """Attributes that the caption must say, because they change within the sitting."""
    wide: Wide | None = field(default=None, repr=False)
    """What a photo of the variety "world" has beyond this; None for one of the variety "studio"."""

    @classmethod
    def sample(
        cls,
        seed: int,
        *,
        expression: str | None = None,
        yaw: float | None = None,
        pitch: float | None = None,
        roll: float | None = None,
        **changes: Any,
    ) -> "PhotoSetup":
        """Draw a photo.

        Parameters
        ----------
        seed
            Any non-negative integer; the same seed and arguments always give the same photo.
        expression
            A kind of expression to take instead of a drawn one.
        yaw, pitch, roll
            Head pose in degrees to take instead of a drawn one.
        changes
            Any further fields, by name, to take instead of the drawn ones.

        Raises
        ------
        ValueError
            When ``expression`` or ``style`` is unknown.
        """
        rng = np.random.default_rng([81, seed])
        drawn_kind = str(rng.choice(KINDS, p=WEIGHTS))
        kind = drawn_kind if expression is None else expression
        drawn = _sample_pose(rng)
        requested = {"yaw": yaw, "pitch": pitch, "roll": roll}
        pose = replace(
            drawn, **{name: float(value) for name, value in requested.items() if value is not None}
        )
        background_colour = str(rng.choice(list(colours.WALL)))
        clothing_colour = str(rng.choice(list(colours.CLOTH)))
        setup = cls(
            seed=seed,
            kind=kind,
            expression=sample_expression(np.random.default_rng([82, seed]), kind, EXPRESSION_NAMES),
            pose=pose,
            gaze=_sample_gaze(rng),
            face_share=float(np.clip(DEFAULT_FACE_SHARE * np.exp(rng.normal(0, 0.08)), 0.34, 0.54)),
            centre=(float(rng.normal(0, 0.018)), float(rng.normal(0, 0.018))),
            fov=float(np.clip(FIT_FOV + rng.normal(0, 1.5), 16.0, 25.0)),
            light=str(rng.choice(list(LIGHTINGS), p=[entry.fraction for entry in LIGHTINGS.values()])),
            background=str(rng.choice(list(BACKDROPS), p=list(BACKDROPS.values()))),
            background_colour=background_colour,
            background_rgb=colours.linear(colours.WALL[background_colour], rng, 0.12),
            clothing=str(rng.choice(list(GARMENTS), p=[garment.fraction for garment in GARMENTS.values()])),
            clothing_colour=clothing_colour,
            clothing_rgb=colours.linear(colours.CLOTH[clothing_colour], rng, 0.12),
            wears_glasses=bool(rng.random() < 0.8),
            sunglasses=bool(rng.random() < 0.03),
            style=str(rng.choice(STYLES, p=_STYLE_WEIGHTS)),
            sitting=seed,
        )
        setup = replace(setup, **changes)
        known = tuple(dict.fromkeys((*STYLES, *WIDE_STYLES)))
        if setup.style not in known:
            raise ValueError(f"unknown picture style {setup.style!r}: take one of {', '.join(known)}")
        return setup

    def beside(self, other: "PhotoSetup") -> "PhotoSetup":
        """Move a photo to ``other``'s sitting: its light, backdrop, clothes, glasses, lens and style."""
        return replace(self, **{name: getattr(other, name) for name in _OF_A_SITTING})


_OF_A_SITTING = (
    "fov",
    "light",
    "background",
    "background_colour",
    "background_rgb",
    "clothing",
    "clothing_colour",
    "clothing_rgb",
    "wears_glasses",
    "sunglasses",
    "style",
    "sitting",
    "wide",
)


def _sample_pose(rng: np.random.Generator) -> HeadPose:
    frontal = rng.random() < 0.4
    yaw = float(np.clip(rng.normal(0, 6), -15, 15)) if frontal else float(rng.uniform(-45, 45))
    pitch = float(np.clip(rng.normal(0, 7 if frontal else 9), -20, 20))
    return HeadPose(yaw, pitch, float(np.clip(rng.normal(0, 4.5), -12, 12)))


def _sample_gaze(rng: np.random.Generator) -> tuple[float, float]:
    if rng.random() < 0.5:
        return float(rng.normal(0, 3)), float(rng.normal(0, 2))
    return float(np.clip(rng.normal(0, 11), -25, 25)), float(np.clip(rng.normal(0, 6), -14, 14))
