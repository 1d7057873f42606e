"""How garments are cut: their necklines, edges and sleeves. To close a neckline differently, look here.

Cuts are given over template points: metres, centred on the head joint, x sideways, y backwards, z up.
"""

from dataclasses import dataclass

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray

_TILT_DEPTH = 0.06
"""Distance before and behind the neck's middle at which a tilted ring is lowest and highest, metres."""
_SHOULDER_X, _SHOULDER_HEIGHT = 0.085, -0.10
"""Beyond this x a sleeved garment reaches at least this high, in metres: no neckline runs down an arm."""


@dataclass(frozen=True)
class Opening:
    """A cut downwards from the neck: a V with ``slope``, a scoop with ``curve``; metres."""

    end: float
    """Height of its lowest point."""
    slope: float = 0.0
    """How much it rises for each metre away from the middle."""
    curve: float = 0.0
    """How much it rises for each square metre away from ``curve_x``, 1 / metres."""
    curve_x: float = 0.0
    """Where the curve is lowest."""
    before: float = 0.0
    """It is cut before this y only."""
    behind: float = 0.0
    """Height of the edge behind that y."""


@dataclass(frozen=True)
class Neckline:
    """Height of a garment's upper edge around the neck: a tilted ring, the opening, or the lower of both."""

    side: float | None = None
    """Height of the ring beside the neck, metres; None for no ring."""
    tilt: float = 0.020
    """How much lower it is in front, and higher behind, metres."""
    lowered: float = 0.0
    """How much lower it lies than ``side`` says, metres."""
    opening: Opening | None = None
    """Cut downwards in front; None for none."""

    def height(self, x: Array, y: Array) -> Array:
        """Height of the edge at template x (not negative) and y."""
        ring = opened = None
        if self.side is not None:
            ring = self.side - self.tilt * np.clip(-y / _TILT_DEPTH, -1, 1)
            ring = ring - self.lowered if self.lowered else ring
        if self.opening is not None:
            cut = self.opening
            line = cut.end + cut.slope * x if cut.slope else cut.end
            line = line + cut.curve * (x - cut.curve_x) ** 2 if cut.curve else line
            opened = np.where(y < cut.before, line, cut.behind)
        if ring is None or opened is None:
            return np.asarray(opened if ring is None else ring)
        return np.minimum(opened, ring)


@dataclass(frozen=True)
class Straps:
    """Two straps over the shoulders; metres."""

    x: float
    """Distance of their middle from the body's."""
    half_width: float
    """Half their width."""
    top: float
    """Height below which they are, so that none stands on the neck."""


@dataclass(frozen=True)
class Garment:
    """A kind of clothing."""

    fraction: float
    """How often it is worn in the variety "studio"; 0 for what only outfits are made of."""
    neckline: Neckline
    """Its upper edge."""
    rim: float
    """Radius of the rolled edge, metres."""
    edge: str = "rim"
    """"rim", "collar", "hood", "lapel" or "none"."""
    sleeve_x: float | None = None
    """Distance from the middle at which it ends where it has no sleeves, metres; None for sleeves."""
    straps: Straps | None = None
    """What holds up a garment that ends over the chest; None for nothing."""
    subdivisions: int = 2
    """How often its mesh is made finer near its edge."""
    fine_within: float = 0.035
    """Within this distance of its edge its mesh is made finer, metres."""

    def field(self, template: Array) -> FloatArray:
        """Height (N,) below the edge at template points (N, 3), metres; the cloth is where it is positive."""
        x, y, z = np.abs(template[:, 0]), template[:, 1], template[:, 2]
        line = self.neckline.height(x, y)
        if self.sleeve_x is None:
            line = np.where(x > _SHOULDER_X, np.maximum(line, _SHOULDER_HEIGHT), line)
            return (line - z).astype(np.float32)
        body = np.minimum(line - z, self.sleeve_x - x)
        if self.straps is None:
            return np.asarray(body, np.float32)
        strap = np.minimum(self.straps.half_width - np.abs(x - self.straps.x), self.straps.top - z)
        return np.asarray(np.maximum(body, strap), np.float32)


_CREW = Neckline(-0.116)
JACKET_OPENING = Opening(end=-0.262, slope=2.55)

GARMENTS: dict[str, Garment] = {
    "t-shirt": Garment(0.34, _CREW, 0.0032),
    "v-neck": Garment(0.16, Neckline(-0.116, lowered=0.002, opening=Opening(-0.195, slope=1.30)), 0.0026),
    "top": Garment(0.10, Neckline(-0.112, opening=Opening(-0.170, curve=9.0, before=0.01)), 0.0022),
    "collared shirt": Garment(
        0.18, Neckline(-0.104, opening=Opening(-0.150, slope=2.6, before=-0.01)), 0.0, "collar"
    ),
    "turtleneck": Garment(0.10, Neckline(-0.086, tilt=0.016), 0.0060),
    "hoodie": Garment(0.12, _CREW, 0.0, "hood"),
}
"""What is worn in the variety "studio", by the name that captions give it."""

CUTS: dict[str, Garment] = {
    **GARMENTS,
    "jacket": Garment(
        0.0,
        Neckline(-0.108, opening=JACKET_OPENING),
        0.0026,
        "lapel",
        subdivisions=3,
        fine_within=0.110,
    ),
    "dress shirt": Garment(0.0, Neckline(-0.104, tilt=0.022), 0.0, "collar"),
    "sweater": Garment(0.0, _CREW, 0.0062),
    "straps": Garment(
        0.0,
        Neckline(opening=Opening(-0.188, curve=0.8, curve_x=0.06, before=0.03, behind=-0.165)),
        0.0,
        "none",
        sleeve_x=0.190,
        straps=Straps(x=0.100, half_width=0.008, top=-0.085),
        subdivisions=3,
        fine_within=0.030,
    ),
    "tank top": Garment(
        0.0,
        Neckline(opening=Opening(-0.165, curve=6.0, before=0.02, behind=-0.125)),
        0.0,
        "none",
        sleeve_x=0.160,
        subdivisions=3,
        fine_within=0.030,
    ),
}
"""Garments, and pieces that outfits are made of."""
