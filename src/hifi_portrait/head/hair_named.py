"""What words say of the colour of hair."""

from __future__ import annotations

import re
from collections.abc import Mapping

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
_COLOUR = "|".join(f"(?P<{name.replace('-', '_')}>{words})" for name, words in _COLOURS.items())
_LOOKS = (
    "short|long|curly|wavy|straight|very|thick|thin|messy|spiky|slicked|back|sleek|frizzy|coily|braided|loose|"
    "shiny|silky|natural|dyed|cropped|tied|(?:side|middle|centre)-parted|slicked-back|(?:chin|shoulder|medium)-length"
)
_HAIR = "hair|bob|buzz cut|ponytail|bun|curls|locks|braids|dreadlocks|afro|fringe|pixie cut"
_PEOPLE = "man|woman|person|boy|girl|lady|guy|male|female"
_SAID = [
    re.compile(pattern)
    for pattern in (
        rf"\b(?:{_COLOUR})(?:[ -]haired\b|(?:,? (?:{_LOOKS}))* (?:{_HAIR})\b)",
        rf"\bhair(?: is| in| dyed| coloured| colored)? (?:{_COLOUR})\b",
        rf"\b(?:{_COLOUR}) (?:{_PEOPLE})\b",
    )
]
_OF_PEOPLE = ("light-blond", "blond", "brown")  # a black man is no man with black hair
_NEGATED = re.compile(r"\b(?:no|not|without|never)(?: an?)? $")


def hair_in(words: str) -> str | None:
    """The colour of hair that a prompt or caption names, one of `HAIR_COLOURS`; None if it names none.

    The first mention counts. "Brunette" and "blonde" say it of people, other colours only of hair.
    """
    words = re.sub(r"\s+", " ", words.lower())
    found = [
        (match.start(), name)
        for index, pattern in enumerate(_SAID)
        for match in pattern.finditer(words)
        for name in [next(name for name in _COLOURS if match[name.replace("-", "_")])]
        if not _NEGATED.search(words[: match.start()])
        and (index < 2 or (name in _OF_PEOPLE and not match[0].startswith("brown")))
    ]
    return min(found)[1] if found else None


def hair_phrase(colour: str) -> str:
    """Words from which `hair_in` reads a colour."""
    return f"{colour.replace('-', ' ')} hair"
