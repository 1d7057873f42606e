"""The colour of clothes that words name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hifi_portrait.prompts.denial import NOT_BUT
from hifi_portrait.prompts.others import is_of_somebody_else, is_put_aside
from hifi_portrait.prompts.vocabulary import CLASS_WORDS, find_first, get_matched_name, join_patterns

CLOTHES_COLOURS: Mapping[str, tuple[int, int, int]] = {
    "white": (228, 228, 226),
    "black": (40, 40, 43),
    "grey": (128, 128, 130),
    "red": (184, 52, 50),
    "burgundy": (107, 36, 50),
    "orange": (210, 120, 48),
    "yellow": (222, 182, 62),
    "green": (60, 132, 74),
    "olive": (100, 104, 62),
    "teal": (42, 125, 128),
    "light-blue": (140, 184, 220),
    "blue": (50, 92, 172),
    "navy": (34, 44, 78),
    "purple": (104, 58, 144),
    "pink": (222, 134, 158),
    "beige": (196, 174, 148),
    "brown": (104, 74, 50),
}
"""Usual sRGB colours (0 to 255) of clothes in photos, by their names."""

_COLOURS = {
    "light-blue": r"(?:light|pale|sky)[ -]blue",
    "navy": r"navy(?:[ -]blue)?|dark[ -]blue",
    "burgundy": r"burgundy|maroon|wine[ -]red|dark[ -]red",
    "grey": r"(?:dark |light )?gr[ea]y",
    "green": r"(?:dark |bright |light )?green",
    "blue": r"(?:bright |royal )?blue",
    "red": r"(?:bright )?red",
    "pink": r"(?:light |hot )?pink",
    "purple": r"purple|violet",
    "beige": r"beige|cream",
    "teal": r"teal|turquoise",
} | {name: name for name in ("white", "black", "orange", "yellow", "olive", "brown")}
_GARMENT = (
    r"t-?\s?shirts?|tees?|shirts?|tops?|blouses?|hood(?:ie|y)s?|sweatshirts?|sweaters?|jumpers?|pullovers?|"
    r"cardigans?|turtlenecks?|v-necks?|crew necks?|roll-necks?|jackets?|coats?|blazers?|suits?|dress(?:es)?|"
    r"polos?|vests?|gowns?|tuxedos?|robes?|uniforms?|clothes|clothing"
)
_COLOUR = join_patterns(_COLOURS)
_SHADE = "|".join(_COLOURS.values())
_MORE_COLOURS = rf"(?:(?:, (?:{_SHADE}))*,? (?:and|&) (?:{_SHADE})|[-/](?:{_SHADE}))?"
_CUT = (
    r"(?:,? (?!(?:and|or|with|in|on|hair|eyes?|skin|man|woman|person|wearing|background|backdrop|wall|"
    rf"{_SHADE})\b)[a-z-]+){{0,2}}"
)
_NO_GARMENT = r"(?! (?:hat|knot|bun|shoes?|case|rack|pocket|hanger|shop)\b)"
_WEARERS = "|".join(word for word in CLASS_WORDS if word != "face")
_END = (
    rf"(?=$|[,.;]| with\b| and\b(?! (?:{_SHADE})\b)(?!.*\b(?:light|lights|lighting|tones?|hues?|shades?)\b))"
)
_MENTIONS = (
    re.compile(rf"\b(?:{_COLOUR}){_MORE_COLOURS}{_CUT} (?:{_GARMENT})\b{_NO_GARMENT}"),
    re.compile(rf"\b(?:{_GARMENT})(?: is| are| in| to|:){NOT_BUT}(?: all)? (?:{_COLOUR}){_END}"),
    re.compile(rf"\bmake (?:the|his|her|their) (?:{_GARMENT}) (?:{_COLOUR}){_END}"),
    re.compile(
        rf"\b(?:(?:wearing|wears|dressed in|clad in)(?: all)?|(?:all )?in all|all in) (?:{_COLOUR}){_END}"
    ),
    re.compile(rf"\b(?:{_WEARERS}) in (?:{_COLOUR}){_END}"),
)
_PUT_ON = re.compile(r"\b(?:in|wearing|wears|wore)(?: (?:an?|the|his|her|their))?(?: [\w-]+){0,2} $")


def find_clothes(words: str) -> str | None:
    """Find the colour of clothes that a prompt or caption names, one of `CLOTHES_COLOURS`; None if none.

    The first mention counts.
    """
    mention = _find_mention(words)
    return None if mention is None else get_matched_name(mention)


def find_clothes_words(words: str) -> str:
    """Find the words that make `find_clothes` answer as it does; empty where it answers None."""
    mention = _find_mention(words)
    return "" if mention is None else mention[0]


def describe_clothes(words: str) -> str:
    """Name what a prompt says is worn, such as "red coat" or "black clothes"; empty if it names none."""
    mention = _find_mention(words)
    if mention is None:
        return ""
    if mention.re is _MENTIONS[0]:  # colour and garment: they name it
        return mention[0]
    return f"{get_matched_name(mention).replace('-', ' ')} clothes"


def _find_mention(words: str) -> re.Match[str] | None:
    return find_first(_MENTIONS, words, _is_worn)


def _is_worn(found: re.Match[str]) -> bool:
    """Tell whether the person wears what a match mentions."""
    if is_of_somebody_else(found):
        return False
    put_on = found.re is not _MENTIONS[0] or _PUT_ON.search(found.string[: found.start()])
    return bool(put_on) or not is_put_aside(found)
