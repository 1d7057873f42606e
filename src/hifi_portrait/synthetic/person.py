"""A synthetic person: shape of the head and all that does not change from photo to photo."""

from dataclasses import dataclass, field, replace

import numpy as np

from hifi_portrait.head import ShapeModel, ShapeSample, sample_shape
from hifi_portrait.head.arrays import RGB
from hifi_portrait.synthetic import colours

BEARDS = ("none", "stubble", "full beard", "goatee", "moustache")
GLASSES = ("none", "round", "rectangular", "square", "browline", "cat-eye")

_HAIR_STYLES_MEN = {
    "bald": 0.09,
    "buzz cut": 0.13,
    "short": 0.26,
    "side-parted": 0.15,
    "slicked back": 0.10,
    "spiky": 0.09,
    "curly": 0.09,
    "afro": 0.04,
    "long": 0.03,
    "bun": 0.02,
}
_HAIR_STYLES_WOMEN = {
    "short": 0.07,
    "side-parted": 0.04,
    "bob": 0.17,
    "bob with a fringe": 0.08,
    "long": 0.19,
    "long wavy": 0.17,
    "curly": 0.08,
    "afro": 0.04,
    "ponytail": 0.09,
    "bun": 0.07,
}


@dataclass(frozen=True)
class SkinTraits:
    """How the skin is painted; strengths are in [0, 1] where nothing else is said."""

    melanin: float
    """0 very fair to 6 very dark."""
    redness: float
    freckles: float
    moles: int
    lines: float
    """Age lines."""
    lipstick: RGB | None
    eyeshadow: RGB | None
    shine: float
    """Strength of the highlights, about 1."""


@dataclass(frozen=True)
class HairTraits:
    """Head hair."""

    style: str
    colour: str
    rgb: RGB
    length: float
    """Factor on the style's own length, about 1."""
    parting: float
    """Side of the parting in metres from the middle (x)."""
    hairline: float
    """How far the hairline sits back from the usual place, metres."""


@dataclass(frozen=True)
class BrowTraits:
    """Eyebrows; metres."""

    thickness: float
    arch: float
    tilt: float
    height: float
    density: float
    length: float


@dataclass(frozen=True, eq=False)
class Person:
    """Who is photographed. Equal seeds give equal people."""

    seed: int
    shape: ShapeSample = field(repr=False)
    gender: str
    """"man" or "woman"."""
    years: float
    skin: SkinTraits
    hair: HairTraits
    brows: BrowTraits
    eye_colour: str
    eye_rgb: RGB
    beard: str
    """One of ``BEARDS``."""
    glasses: str
    """The frame this person owns, one of ``GLASSES``; a photo's set-up tells whether it is worn."""

    @classmethod
    def sample(cls, seed: int, *, balanced: bool = False) -> "Person":
        """Draw a person.

        Parameters
        ----------
        seed
            Any non-negative integer; the same seed always gives the same person.
        balanced
            Whether skin tones from very fair to very dark, and kinds of beard, are all about as frequent.
        """
        rng = np.random.default_rng([71, seed])
        shape = _pleasant(sample_shape(np.random.default_rng([72, seed])))
        tone = None
        if balanced:
            shape, tone = _balance_ancestry(shape, np.random.default_rng([78, seed]))
        man = shape.gender < 0.5
        years = 18 + 62 * (shape.age - 0.62) / 0.38
        african, asian, caucasian = shape.ancestry.values()
        mean_tone, spread = (_melanin(african, asian, caucasian), 0.5) if tone is None else (tone, 0.1)
        melanin = float(np.clip(mean_tone + rng.normal(0, spread), 0, 6))
        hair = _sample_hair(rng, man, years, caucasian, african)
        eye_colour = _sample_eye_colour(rng, caucasian)
        frequencies = _BALANCED_BEARDS if balanced else (0.42, 0.24, 0.16, 0.10, 0.08)
        beard = str(rng.choice(BEARDS, p=frequencies)) if man else "none"
        return cls(
            seed=seed,
            shape=shape,
            gender="man" if man else "woman",
            years=float(years),
            skin=_sample_skin(rng, man, years, melanin),
            hair=hair,
            brows=_sample_brows(rng, man),
            eye_colour=eye_colour,
            eye_rgb=colours.linear(colours.EYE[eye_colour], rng, 0.12),
            beard=beard,
            glasses=str(rng.choice(GLASSES, p=(0.55, 0.11, 0.12, 0.08, 0.07, 0.07))),
        )

    @property
    def age_group(self) -> str:
        """The group of ages: "young", "middle-aged" or "elderly"."""
        return "young" if self.years < 34 else "middle-aged" if self.years < 58 else "elderly"


# Local changes that would make a face at rest look tired or cross: name, shift, lowest value.
_PLEASANT = (
    ("mouth-angles-up", 0.18, -0.05),
    ("eye-height1-incr", 0.08, -0.20),
    ("eye-height2-incr", 0.10, -0.18),
    ("eye-height3-incr", 0.08, -0.20),
    ("eye-scale-incr", 0.10, -0.25),
    ("eyebrows-angle-up", 0.05, -0.25),
    ("eye-bag-incr", -0.10, -0.6),
    ("mouth-laugh-lines-out", 0.0, -0.3),
)


def _pleasant(shape: ShapeSample) -> ShapeSample:
    """Give a person corners of mouth and eyes that do not droop."""
    local = shape.local.copy()
    for i, name in enumerate(ShapeModel.load().local_names):
        for feature, shift, lowest in _PLEASANT:
            if name.removeprefix("l-").removeprefix("r-") == feature:
                local[i] = max(local[i] + shift, lowest)
    return replace(shape, local=local)


_BALANCED_BEARDS = (0.32, 0.18, 0.20, 0.15, 0.15)


def _melanin(african: float, asian: float, caucasian: float) -> float:
    """Mean skin tone of an ancestry, 0 very fair to 6 very dark."""
    return african * 5.1 + asian * 1.8 + caucasian * 0.6


def _balance_ancestry(shape: ShapeSample, rng: np.random.Generator) -> tuple[ShapeSample, float]:
    """Give a head a skin tone drawn evenly, and an ancestry in which that tone is frequent."""
    tone = float(rng.uniform(0, 6))
    candidates = rng.dirichlet([0.5, 0.5, 0.5], 48)
    nearest = min(candidates, key=lambda mixture: abs(_melanin(*mixture) - tone))
    names = tuple(shape.ancestry)
    phenotype = dict(shape.phenotype) | {name: float(v) for name, v in zip(names, nearest, strict=True)}
    return replace(shape, phenotype=phenotype), tone


def _pick(rng: np.random.Generator, weights: dict[str, float]) -> str:
    p = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=p / p.sum()))


def _sample_hair(
    rng: np.random.Generator, man: bool, years: float, caucasian: float, african: float
) -> HairTraits:
    weights = dict(_HAIR_STYLES_MEN if man else _HAIR_STYLES_WOMEN)
    if african > 0.5:
        weights["afro"] *= 4
        weights["curly"] *= 2
        weights["buzz cut"] = weights.get("buzz cut", 0.04) * 2
    if man and years > 50:
        weights["bald"] *= 2.5
    names = list(colours.HAIR)
    light = (0.08, 0.17, 0.22, 0.09, 0.19, 0.09, 0.10, 0.04, 0.02)
    dark = (0.42, 0.34, 0.13, 0.03, 0.02, 0.01, 0.01, 0.03, 0.01)
    colour = str(rng.choice(names, p=light if caucasian > 0.5 else dark))
    if years > 52 and rng.random() < 0.65:
        colour = "white" if rng.random() < (years - 45) / 60 else "grey"
    elif years < 34 and colour in ("grey", "white"):
        colour = "brown"
    return HairTraits(
        style=_pick(rng, weights),
        colour=colour,
        rgb=colours.linear(colours.HAIR[colour], rng, 0.14),
        length=float(np.exp(rng.normal(0, 0.12))),
        parting=float(rng.choice([-0.03, 0.0, 0.03])),
        hairline=float(rng.uniform(0, 0.004) + (man and years > 40) * rng.uniform(0, 0.014)),
    )


def _sample_eye_colour(rng: np.random.Generator, caucasian: float) -> str:
    light = (0.26, 0.10, 0.15, 0.13, 0.26, 0.10)
    dark = (0.38, 0.50, 0.07, 0.02, 0.02, 0.01)
    return str(rng.choice(list(colours.EYE), p=light if caucasian > 0.5 else dark))


def _sample_skin(rng: np.random.Generator, man: bool, years: float, melanin: float) -> SkinTraits:
    lipsticks = [(0.42, 0.030, 0.045), (0.33, 0.055, 0.095), (0.46, 0.130, 0.115), (0.24, 0.022, 0.045)]
    shadows = [(0.11, 0.055, 0.065), (0.06, 0.075, 0.14), (0.17, 0.090, 0.055), (0.07, 0.060, 0.060)]
    lipstick = lipsticks[rng.integers(4)]
    shadow = shadows[rng.integers(4)]
    return SkinTraits(
        melanin=melanin,
        redness=float(rng.uniform(0.4, 1.2)),
        freckles=float(rng.uniform(0.4, 1.0)) if rng.random() < 0.24 and melanin < 2.4 else 0.0,
        moles=int(rng.choice([0, 0, 0, 1, 1, 2, 3])),
        lines=float(np.clip((years - 32) / 45 + rng.normal(0, 0.1), 0, 1)),
        lipstick=lipstick if not man and rng.random() < 0.40 else None,
        eyeshadow=shadow if not man and rng.random() < 0.30 else None,
        shine=float(rng.uniform(0.6, 1.15)),
    )


def _sample_brows(rng: np.random.Generator, man: bool) -> BrowTraits:
    return BrowTraits(
        thickness=float(rng.uniform(0.0032, 0.0050) * (1.12 if man else 0.88)),
        arch=float(rng.uniform(0.0, 0.004) if man else rng.uniform(0.001, 0.006)),
        tilt=float(rng.normal(0, 0.0012)),
        height=float(rng.uniform(-0.0005, 0.0025)),
        density=float(rng.uniform(0.75, 1.0)),
        length=float(rng.uniform(0.046, 0.052)),
    )
