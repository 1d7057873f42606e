"""The colour of hair that words name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hifi_portrait.prompts.denial import NOT_BUT
from hifi_portrait.prompts.others import is_of_somebody_else
from hifi_portrait.prompts.vocabulary import find_first, get_matched_name, join_patterns

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
"""Usual sRGB colours (0 to 255) of hair in photos, by their names."""

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
_COLOUR = join_patterns(_COLOURS)
_LOOKS = (
    "short|long|curly|wavy|straight|very|thick|thin|messy|spiky|slicked|back|sleek|frizzy|coily|braided|loose|box|"
    "shiny|silky|natural|dyed|cropped|tied|and|(?:side|middle|centre)[ -]parted|slicked-back|"
    "(?:chin|shoulder|medium)[ -]length"
)
_HAIR = (
    r"hair(?![ -]?(?:bands?|clips?|ties?|bows?|ribbons?|pins?|nets?|dryer|salon))|bob|buzz cut|ponytails?|"
    "pigtails|bun|curls|locks|bangs|braids|dreadlocks|afro|pixie cut"
)
_NO_BEARD = (
    r"(?!(?:,? (?:short|long|thick|thin|full|trimmed|bushy|grey|and))* "
    r"(?:beards?|moustaches?|mustaches?|goatees?|stubble|whiskers|sideburns|(?:eye)?brows?|(?:eye)?lashes)\b)"
)
_MENTIONS = (
    re.compile(rf"\b(?:{_COLOUR})(?:[ -]haired\b|(?:,? (?:{_LOOKS}))* (?:{_HAIR})\b)"),
    re.compile(
        rf"\bhair(?: colou?r)?:?(?: is| are| dyed| colou?red| to)*{NOT_BUT}(?: now)? (?:{_COLOUR})"
        r"(?=$|[,.;]| (?:and|with|not|but|instead|in)\b)"
    ),
    re.compile(
        r"\b(?:(?P<light_blond>platinum blonde?)|(?P<blond>blonde?)|(?P<brown>brunette)|"
        rf"(?P<red>red[ -]?head(?:ed|s)?|ginger(?= (?:man|woman|boy|girl|person)\b)))\b{_NO_BEARD}"
    ),
)


def find_hair(words: str) -> str | None:
    """Find the colour of hair that a prompt or caption names, one of `HAIR_COLOURS`; None if it names none.

    The first mention counts. "Blond" and "brunette" count when they describe a person, too; other colours
    only when they describe hair.
    """
    mention = _find_mention(words)
    return None if mention is None else get_matched_name(mention)


def find_hair_words(words: str) -> str:
    """Find the words that make `find_hair` answer as it does; empty where it answers None."""
    mention = _find_mention(words)
    return "" if mention is None else mention[0]


def _find_mention(words: str) -> re.Match[str] | None:
    return find_first(_MENTIONS, words, lambda found: not is_of_somebody_else(found))


def describe_hair(colour: str) -> str:
    """Write words in which `find_hair` finds a colour."""
    return f"{colour.replace('-', ' ')} hair"
