"""What words say of the colour of hair."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hifi_portrait.prompts.vocabulary import first_said, name_in, one_of

HAIR_COLOURS: Mapping[str, tuple[int, int, int]] = {
    "black": (45, 40, 37),
    "dark-brown": (71, 54, 45),
    "brown": (103, 77, 55),
    "auburn": (116, 62, 48),
    "blond": (170, 138, 92),
    "light-blond": (200, 178, 135),
    "red": (140, 68, 42),
    "grey": (155, 148, 144),
    "white": (205, 200, 198),
    "pink": (215, 120, 160),
    "blue": (60, 90, 185),
    "green": (60, 135, 80),
    "purple": (120, 70, 160),
}
"""Usual sRGB of hair in photos, by its name."""

_COLOURS = {
    "black": r"(?:jet[ -])?black|raven",
    "dark-brown": r"(?:dark|deep)[ -](?:brown|brunette)",
    "brown": r"(?:light |medium )?brown|brunette|chestnut",
    "auburn": r"auburn",
    "light-blond": r"(?:light|pale|platinum|ash|very light)[ -]blonde?|platinum",
    "blond": r"(?:golden |honey |dark )?blonde?",
    "red": r"(?:bright )?red|ginger|copper",
    "grey": r"(?:dark |light )?gr[ea]y|silver",
    "white": r"white",
    "pink": r"(?:light |hot )?pink",
    "blue": r"(?:dark |bright )?blue",
    "green": r"(?:dark |bright )?green",
    "purple": r"purple|violet|lilac",
}
_COLOUR = one_of(_COLOURS)
_LOOKS = (
    "short|long|curly|wavy|straight|very|thick|thin|messy|spiky|slicked|back|sleek|frizzy|coily|braided|loose|box|"
    "shiny|silky|natural|dyed|cropped|tied|and|(?:side|middle|centre)[ -]parted|slicked-back|"
    "(?:chin|shoulder|medium)[ -]length"
)
_HAIR = (
    r"hair(?![ -]?(?:bands?|clips?|ties?|bows?|ribbons?|pins?|nets?|dryer|salon))|bob|buzz cut|ponytails?|"
    "pigtails|bun|curls|locks|bangs|braids|dreadlocks|afro|pixie cut"
)
_SAID = (
    re.compile(rf"\b(?:{_COLOUR})(?:[ -]haired\b|(?:,? (?:{_LOOKS}))* (?:{_HAIR})\b)"),
    re.compile(rf"\bhair(?: is| dyed| coloured| colored)*(?: now)? (?:{_COLOUR})(?=$|[,.;]| and\b| with\b)"),
    re.compile(r"\b(?:(?P<light_blond>platinum blonde?)|(?P<blond>blonde?)|(?P<brown>brunette))\b"),
)


def hair_in(words: str) -> str | None:
    """The colour of hair that a prompt or caption names, one of `HAIR_COLOURS`; None if it names none.

    The first mention counts. "Blond" and "brunette" say it of people too, other colours only of hair.
    """
    said = _first_said(words)
    return None if said is None else name_in(said)


def hair_words(words: str) -> str:
    """The words themselves in which `hair_in` reads it; nothing if it reads none."""
    said = _first_said(words)
    return "" if said is None else said[0]


def _first_said(words: str) -> re.Match[str] | None:
    return first_said(_SAID, words)


def hair_phrase(colour: str) -> str:
    """Words from which `hair_in` reads a colour."""
    return f"{colour.replace('-', ' ')} hair"
