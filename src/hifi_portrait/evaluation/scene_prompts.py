"""Prompts for a background, a light, a style of picture and a beard that no reference shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hifi_portrait.evaluation.asked import AskedAttribute, Prompt, Sitter
from hifi_portrait.evaluation.attributes.classes import (
    BACKGROUND,
    BEARD,
    LIGHT,
    STYLE,
    Head,
    kind_of_background,
)
from hifi_portrait.evaluation.protocol import TARGETS
from hifi_portrait.scenery.backdrops import BACKDROPS
from hifi_portrait.scenery.environment import PANORAMAS, load_environments
from hifi_portrait.scenery.lights import LIGHTINGS
from hifi_portrait.scenery.walls import WALL_COLOURS, WALLS
from hifi_portrait.synthetic import Person, PhotoSetup, colours
from hifi_portrait.synthetic.caption import BEARD_PHRASES, article
from hifi_portrait.synthetic.photograph import describe
from hifi_portrait.synthetic.wide import Wide
from hifi_portrait.synthetic.wide_caption import OPENINGS, background_phrase

_BEARDS = ("full beard", "goatee", "moustache")
"""Those that a picture shows clearly."""


def scene_prompts(sitter: Sitter, rng: np.random.Generator) -> tuple[Prompt, ...]:
    """Make a prompt for a background, a light and a style each, and of men for a beard.

    True photos are of the variety "world", with the panoramas that come with the package.
    """
    drawn = [_of_background, _of_light, _of_style]
    if sitter.person.gender == "man":
        drawn.append(_of_beard)
    return tuple(draw(sitter, place % TARGETS, rng) for place, draw in enumerate(drawn))


def _of_background(sitter: Sitter, request: int, rng: np.random.Generator) -> Prompt:
    kind = str(rng.choice(sitter.unseen(BACKGROUND)))
    photo = _before(kind, _as_world(sitter, request), rng)
    phrase = background_phrase(describe(sitter.person, photo), rng, colourless=False)
    return _prompt(
        sitter.person, photo, request, f"a photo of a {sitter.person.gender}, {phrase}", BACKGROUND, kind
    )


def _before(kind: str, photo: PhotoSetup, rng: np.random.Generator) -> PhotoSetup:
    """Set a photo before a background of a kind: a panorama, or else a wall or a painted backdrop."""
    places = [each for each in load_environments(PANORAMAS) if kind_of_background(each.place.name) == kind]
    if places:
        environment = places[int(rng.integers(len(places)))]
        wide = Wide(environment, camera_yaw=float(rng.uniform(-180, 180)), background_fov=40.0, blur=0.02)
        return replace(photo, wide=wide, background="place", light=environment.place.light)
    names = [name for name in (*WALLS, *BACKDROPS) if kind_of_background(name) == kind]
    name = str(rng.choice(names))
    table = WALL_COLOURS.get(name, colours.WALL)
    colour = str(rng.choice(list(table)))
    rgb = colours.linear(table[colour], rng, 0.12)
    return replace(photo, background=name, background_colour=colour, background_rgb=rgb)


def _of_light(sitter: Sitter, request: int, rng: np.random.Generator) -> Prompt:
    light = str(rng.choice([name for name in sitter.unseen(LIGHT) if name in LIGHTINGS]))
    photo = replace(_as_world(sitter, request), light=light)
    return _prompt(
        sitter.person, photo, request, f"a photo of a {sitter.person.gender}, {light}", LIGHT, light
    )


def _of_style(sitter: Sitter, request: int, rng: np.random.Generator) -> Prompt:
    style = str(rng.choice(sitter.unseen(STYLE)))
    photo = replace(_as_world(sitter, request), style=style)
    words = f"{OPENINGS[style][0]} {article(sitter.person.gender)}"
    return _prompt(sitter.person, photo, request, words, STYLE, style)


def _of_beard(sitter: Sitter, request: int, rng: np.random.Generator) -> Prompt:
    beard = str(rng.choice([name for name in sitter.unseen(BEARD) if name in _BEARDS]))
    person = replace(sitter.person, beard=beard)
    words = f"a photo of a man with {BEARD_PHRASES[beard][0]}"
    return _prompt(person, _as_world(sitter, request), request, words, BEARD, beard)


def _as_world(sitter: Sitter, request: int) -> PhotoSetup:
    return replace(sitter.targets[request], wide=Wide())


def _prompt(person: Person, photo: PhotoSetup, request: int, words: str, head: Head, value: str) -> Prompt:
    return Prompt(words, (AskedAttribute(head.name, value, changed=True),), request, person, photo)
