"""Photos of the variety "world": real places and light, headwear, more garments, beards, walls and styles.

Each ``draw_...`` function draws one such thing and gives the fields of a photo that hold it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hifi_portrait.head.arrays import RGB
from hifi_portrait.scenery.backdrops import BACKDROPS
from hifi_portrait.scenery.environment import Environment
from hifi_portrait.scenery.lights import LIGHTINGS
from hifi_portrait.scenery.walls import COLOURED_WALLS, WALL_COLOURS, WALLS
from hifi_portrait.synthetic import colours
from hifi_portrait.synthetic.dyes import PATTERNS, Dyes
from hifi_portrait.synthetic.headwear import HEADWEAR
from hifi_portrait.synthetic.outfits import OUTFITS
from hifi_portrait.synthetic.person import BEARDS, GLASSES, Person

VARIETIES = ("studio", "world")
"""How much photos vary: lamps and painted backdrops only, or all that this file adds."""
STYLES: dict[str, float] = {
    "photo": 0.74,
    "black and white photo": 0.055,
    "sepia photo": 0.025,
    "pencil sketch": 0.045,
    "watercolour": 0.045,
    "oil painting": 0.045,
    "comic": 0.045,
}
"""Styles of picture and how often each is chosen."""
_HEADWEAR_FRACTION = 0.24
_NO_HAT_OVER = ("afro", "ponytail", "bun", "spiky")
"""Hair that no cap, beanie or hat fits over."""
_BACKGROUND_KINDS = {"place": 0.50, "wall": 0.20, "studio": 0.30}
_STUDIO_KINDS = ("plain", "gradient", "studio backdrop")
_HAT_COLOURS: dict[str, RGB] = {
    name: colours.CLOTH[name]
    for name in (
        "black",
        "white",
        "grey",
        "red",
        "navy",
        "blue",
        "green",
        "yellow",
        "pink",
        "brown",
        "beige",
        "burgundy",
        "olive",
        "orange",
        "purple",
        "teal",
    )
}


@dataclass(frozen=True, eq=False)
class Wide:
    """What only a photo of the variety "world" has."""

    environment: Environment | None = field(default=None, repr=False)
    """The place that lights the person and lies behind; None for lamps and a backdrop."""
    camera_yaw: float = 0.0
    """How far the camera is turned right from the panorama's middle, degrees."""
    camera_pitch: float = 0.0
    """How far the camera looks up, degrees."""
    background_fov: float = 30.0
    """Angle of the place that is seen behind the person, degrees."""
    blur: float = 0.03
    """Radius of the disc that a point of the background becomes, as a fraction of the picture."""
    headwear: str = "none"
    """"none" or one of ``headwear.HEADWEAR``."""
    headwear_colour: str = ""
    """Its colour's name."""
    headwear_rgb: RGB = (0.1, 0.1, 0.1)
    """Its colour, linear."""
    ribbon_rgb: RGB = (0.02, 0.02, 0.02)
    """Colour of a hat's ribbon, linear."""
    pattern: str = "plain"
    """One of ``dyes.PATTERNS``, of the clothing."""
    pattern_width: float = 0.02
    """Distance from one stripe to the next, metres."""
    second_colour: str = ""
    """Name of the pattern's second colour."""
    second_rgb: RGB = (0.5, 0.5, 0.5)
    """The pattern's second colour, linear."""
    shirt_rgb: RGB = (0.7, 0.7, 0.7)
    """Colour of what is worn under a jacket, linear."""
    tie_colour: str = ""
    """Name of the tie's colour."""
    tie_rgb: RGB = (0.1, 0.02, 0.03)
    """Colour of the tie, linear."""
    beard: str | None = None
    """A beard other than the person's own, one of ``person.BEARDS``; None for the person's own."""

    def dyes(self) -> Dyes:
        """Colours of cloth beside the clothing's own, in the order of their numbers."""
        further = (self.headwear_rgb, self.ribbon_rgb, self.shirt_rgb, self.tie_rgb)
        return Dyes(further, self.pattern, self.second_rgb, self.pattern_width)


def _choose(rng: np.random.Generator, weights: dict[str, float]) -> str:
    p = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=p / p.sum()))


def _colour(rng: np.random.Generator, table: dict[str, RGB]) -> tuple[str, RGB]:
    name = str(rng.choice(list(table)))
    return name, colours.linear(table[name], rng, 0.12)


def draw_wide(
    person: Person, environments: Sequence[Environment], rng: np.random.Generator
) -> dict[str, Any]:
    """Fields of a photo, ``wide`` among them, for a person who may have been anywhere.

    Parameters
    ----------
    person
        Who is photographed.
    environments
        Real places; none for painted backdrops alone.
    rng
        Draws everything.
    """
    values: dict[str, Any] = {"wide": Wide()}
    for draw in (draw_scene, draw_headwear, draw_clothing, draw_style):
        values = draw(person, environments, rng, values)
    return values


Draw = Callable[[Person, Sequence[Environment], np.random.Generator, dict[str, Any]], dict[str, Any]]
"""From the fields drawn so far to those with one thing drawn anew."""


def draw_scene(
    person: Person, environments: Sequence[Environment], rng: np.random.Generator, values: dict[str, Any]
) -> dict[str, Any]:
    """Draw a place with its light, or a backdrop with lamps."""
    wide: Wide = values["wide"]
    kinds = dict(_BACKGROUND_KINDS)
    kind = _choose(rng, kinds)
    light = _choose(rng, {name: lighting.fraction for name, lighting in LIGHTINGS.items()})
    name, rgb = _colour(rng, colours.WALL)
    chosen: dict[str, Any] = {"light": light, "background_colour": name, "background_rgb": rgb}
    if kind == "place" and environments:
        weights = np.array([place.place.weight for place in environments])
        environment = environments[int(rng.choice(len(environments), p=weights / weights.sum()))]
        wide = replace(
            wide,
            environment=environment,
            camera_yaw=float(rng.uniform(-180, 180)),
            camera_pitch=float(np.clip(rng.normal(1, 5), -10, 12)),
            background_fov=float(rng.uniform(26, 62)),
            blur=float(rng.uniform(0.010, 0.040)),
        )
        return {**values, **chosen, "light": environment.place.light, "background": "place", "wide": wide}
    wide = replace(wide, environment=None)
    if kind == "place":
        weights_of_painted = {k: w for k, w in BACKDROPS.items() if k not in _STUDIO_KINDS}
        chosen["background"] = _choose(rng, weights_of_painted)
    elif kind == "wall":
        chosen["background"] = _choose(rng, WALLS)
        if chosen["background"] in COLOURED_WALLS:
            wall_name, wall_rgb = _colour(rng, WALL_COLOURS[chosen["background"]])
            chosen |= {"background_colour": wall_name, "background_rgb": wall_rgb}
    else:
        chosen["background"] = _choose(rng, {k: BACKDROPS[k] for k in _STUDIO_KINDS})
    return {**values, **chosen, "wide": wide}


def draw_headwear(
    person: Person,
    environments: Sequence[Environment],
    rng: np.random.Generator,
    values: dict[str, Any],
    fraction: float = _HEADWEAR_FRACTION,
) -> dict[str, Any]:
    """Headwear that goes over the person's hair, or none."""
    name, rgb = _colour(rng, _HAT_COLOURS)
    _, ribbon = _colour(rng, colours.CLOTH)
    possible = dict(HEADWEAR)
    if person.gender == "man":
        del possible["headscarf"]
    if person.hair.style in _NO_HAT_OVER:
        for kind in ("baseball cap", "beanie", "wide-brim hat"):
            del possible[kind]
    kind = _choose(rng, possible)
    kind = kind if rng.random() < fraction else "none"
    chosen = replace(
        values["wide"],
        headwear=kind,
        headwear_colour=name if kind != "none" else "",
        headwear_rgb=rgb,
        ribbon_rgb=ribbon,
    )
    return _with_hood({**values, "wide": chosen})


def _with_hood(values: dict[str, Any]) -> dict[str, Any]:
    """Make a hood over the head that of the hoodie that is worn, and of its colour."""
    wide: Wide = values["wide"]
    if wide.headwear != "hood" or "clothing_rgb" not in values:
        return values
    hood = replace(
        wide,
        headwear_rgb=values["clothing_rgb"],
        headwear_colour=values["clothing_colour"],
        pattern="plain",
        second_colour="",
        tie_colour="",
    )
    return {**values, "clothing": "hoodie", "wide": hood}


def draw_clothing(
    person: Person, environments: Sequence[Environment], rng: np.random.Generator, values: dict[str, Any]
) -> dict[str, Any]:
    """Draw an outfit, its colour and pattern."""
    outfits = {name: o.weight for name, o in OUTFITS.items() if person.gender in o.worn_by}
    clothing = _choose(rng, outfits)
    name, rgb = _colour(rng, colours.CLOTH)
    second = str(rng.choice([c for c in colours.CLOTH if _contrast(colours.CLOTH[c], rgb) > 0.9]))
    pattern = _choose(rng, PATTERNS)
    if not OUTFITS[clothing].patterned:
        pattern = "plain"
    if clothing in ("suit", "suit and tie"):
        table = {
            c: colours.CLOTH[c]
            for c in ("black", "navy", "grey", "brown", "beige", "blue", "burgundy", "white", "green")
        }
        name, rgb = _colour(rng, table)
    shirts = {c: colours.CLOTH[c] for c in ("white", "light blue", "pink", "grey", "black", "beige")}
    shirt_weights = {"white": 0.5, "light blue": 0.2, "pink": 0.1, "grey": 0.08, "black": 0.06, "beige": 0.06}
    shirt = colours.linear(shirts[_choose(rng, shirt_weights)], rng, 0.1)
    tie, tie_rgb = _colour(rng, colours.CLOTH)
    wide = replace(
        values["wide"],
        pattern=pattern,
        pattern_width=float(rng.uniform(0.016, 0.034)),
        second_colour=second if pattern != "plain" else "",
        second_rgb=colours.linear(colours.CLOTH[second], rng, 0.1),
        shirt_rgb=shirt,
        tie_colour=tie if OUTFITS[clothing].tie else "",
        tie_rgb=tie_rgb,
    )
    chosen = {"clothing": clothing, "clothing_colour": name, "clothing_rgb": rgb, "wide": wide}
    return _with_hood({**values, **chosen})


def _contrast(a: RGB, b: RGB) -> float:
    """Difference of two linear colours' logarithms."""
    return float(np.abs(np.log(np.asarray(a) + 0.02) - np.log(np.asarray(b) + 0.02)).mean())


def draw_style(
    person: Person, environments: Sequence[Environment], rng: np.random.Generator, values: dict[str, Any]
) -> dict[str, Any]:
    """Draw a style of picture."""
    return {**values, "style": _choose(rng, STYLES)}


def draw_beard(
    person: Person, environments: Sequence[Environment], rng: np.random.Generator, values: dict[str, Any]
) -> dict[str, Any]:
    """Draw a beard other than the person's own, for a man."""
    beard = str(rng.choice([b for b in BEARDS if b != person.beard]))
    return {**values, "wide": replace(values["wide"], beard=beard if person.gender == "man" else None)}


def draw_hair_colour(
    person: Person, environments: Sequence[Environment], rng: np.random.Generator, values: dict[str, Any]
) -> dict[str, Any]:
    """Dyed hair."""
    return {**values, "hair_dye": _colour(rng, colours.HAIR)}


def draw_glasses(
    person: Person, environments: Sequence[Environment], rng: np.random.Generator, values: dict[str, Any]
) -> dict[str, Any]:
    """Glasses of any frame, dark ones among them, or none."""
    wears, dark = bool(rng.random() < 0.6), bool(rng.random() < 0.25)
    frame = str(rng.choice(GLASSES[1:]))
    return {**values, "frame": frame, "wears_glasses": wears, "sunglasses": wears and dark}


def draw_some_headwear(
    person: Person, environments: Sequence[Environment], rng: np.random.Generator, values: dict[str, Any]
) -> dict[str, Any]:
    """Headwear three times of four."""
    return draw_headwear(person, environments, rng, values, 0.75)


RESTYLES: dict[str, tuple[float, Draw]] = {
    "clothing": (0.55, draw_clothing),
    "scene": (0.50, draw_scene),
    "glasses": (0.40, draw_glasses),
    "hair_colour": (0.35, draw_hair_colour),
    "headwear": (0.35, draw_some_headwear),
    "beard": (0.40, draw_beard),
    "style": (0.25, draw_style),
}
"""What may change from photo to photo of a restyled sitting, and how often it does."""
_FIRST_LOOK_FRACTION = 0.35
"""Fraction of a restyled sitting's photos that show an attribute as the first one does."""


def restyle_widely(
    person: Person, sitting: Sequence[Any], environments: Sequence[Environment], rng: np.random.Generator
) -> list[Any]:
    """Photos of a sitting in which what captions name changes from photo to photo, and the rest does not."""
    possible = dict(RESTYLES)
    if person.gender != "man":
        del possible["beard"]
    if person.hair.style == "bald":
        del possible["hair_colour"]
    changing = [name for name, (fraction, _) in possible.items() if rng.random() < fraction] or ["scene"]
    restyled = []
    fields = (
        "light",
        "background",
        "background_colour",
        "background_rgb",
        "clothing",
        "clothing_colour",
        "clothing_rgb",
        "style",
        "wide",
        "frame",
        "wears_glasses",
        "sunglasses",
        "hair_dye",
    )
    for photo in sitting:
        values = {name: getattr(photo, name) for name in fields}
        for name in changing:
            if rng.random() >= _FIRST_LOOK_FRACTION:
                values = possible[name][1](person, environments, rng, values)
        restyled.append(replace(photo, **values, named=tuple(changing)))
    return restyled
