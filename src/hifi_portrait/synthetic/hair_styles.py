"""Hair styles: length, comb and curl of each, by name."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class HairStyle:
    """Settings of one style; lengths in metres, the rest are fractions."""

    length: float
    comb: str
    """"out", "loose", "forward", "side", "back", "down" or "gather"."""
    count: int = 9000
    segments: int = 8
    sides: float = 1.0
    """Length at the sides and back as a fraction of that on top."""
    lift: float = 0.4
    layer: tuple[float, float] = (0.001, 0.008)
    """Height above the skin that the strands are spread over."""
    gravity: float = 0.3
    comb_fade: float = 0.0
    stiffness: float = 0.55
    scatter: float = 0.10
    clumping: float = 0.12
    cling: float = 0.0
    """How closely the strands stay in their layer, 0 (stand off freely) to 1."""
    wave: float = 0.0
    wave_turns: float = 2.0
    curl: float = 0.0
    curl_turns: float = 3.0
    gather: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tail: float = 0.0
    """Length of the ponytail."""
    bun: float = 0.0
    """Radius of the bun."""
    fringe: float = 0.0
    """Length of a fringe over the forehead."""
    frames_face: bool = False
    """Hangs down beside the face."""
    width: float = 0.00048


_BOB = HairStyle(
    length=0.205,
    comb="down",
    count=9500,
    segments=14,
    lift=0.5,
    layer=(0.002, 0.011),
    gravity=1.0,
    comb_fade=2.2,
    cling=0.22,
    frames_face=True,
)
_LONG = replace(_BOB, length=0.33, segments=18, comb_fade=2.4)
_TIED = HairStyle(length=0.2, comb="gather", segments=12, lift=0.15, layer=(0.001, 0.006), gravity=0.0)

STYLES: dict[str, HairStyle | None] = {
    "bald": None,
    "buzz cut": HairStyle(length=0.006, comb="out", count=13000, segments=3, layer=(-1, -1), gravity=0.1),
    "short": HairStyle(
        length=0.034, comb="forward", segments=6, sides=0.42, lift=0.45, layer=(0.001, 0.011), scatter=0.16
    ),
    "side-parted": HairStyle(
        length=0.058, comb="side", sides=0.36, lift=0.5, layer=(0.001, 0.014), cling=0.45, gravity=0.4
    ),
    "slicked back": HairStyle(
        length=0.095, comb="back", segments=10, sides=0.6, lift=0.35, layer=(0.001, 0.010), cling=0.4
    ),
    "spiky": HairStyle(
        length=0.030,
        comb="out",
        count=12000,
        segments=6,
        sides=0.36,
        lift=0.85,
        layer=(-1, -1),
        scatter=0.13,
        clumping=0.30,
    ),
    "curly": HairStyle(
        length=0.075,
        comb="loose",
        segments=16,
        sides=0.75,
        lift=0.8,
        layer=(0.003, 0.024),
        gravity=0.5,
        comb_fade=0.8,
        cling=0.3,
        curl=0.0055,
        curl_turns=3.0,
        scatter=0.28,
        clumping=0.35,
    ),
    "afro": HairStyle(
        length=0.036,
        comb="out",
        count=12000,
        segments=8,
        lift=1.0,
        layer=(-1, -1),
        gravity=0.0,
        curl=0.0035,
        curl_turns=2.5,
        scatter=0.25,
    ),
    "bob": _BOB,
    "bob with a fringe": replace(_BOB, length=0.195, layer=(0.002, 0.012), fringe=0.052),
    "long": _LONG,
    "long wavy": replace(_LONG, segments=22, layer=(0.002, 0.014), wave=0.0075, wave_turns=3.2, clumping=0.2),
    "ponytail": replace(_TIED, gather=(0.0, 0.082, 0.075), tail=0.20),
    "bun": replace(_TIED, gather=(0.0, 0.062, 0.122), bun=0.033),
}
