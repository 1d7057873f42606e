"""The kind of glasses that words name."""

from __future__ import annotations

import re

from hifi_portrait.head.glasses import FRAMES
from hifi_portrait.prompts.denial import get_denial, is_denied
from hifi_portrait.prompts.others import is_of_somebody_else, is_put_aside
from hifi_portrait.prompts.wording import tidy

_UNNAMED_SHAPE = "rectangular"
"""What glasses mean where no shape is named."""

_NOUN = re.compile(r"\b(sun[- ]?glasses|(?<!cat[- ])eye[- ]?glasses|glasses|spectacles|bespectacled)\b")
_SHAPE = re.compile(
    rf"(?<![\w-])({'|'.join(FRAMES).replace('-', '[- ]')})(?:-(?:framed?|rimmed|shaped))?(?![\w-])"
)
_SHAPE_AFTER = re.compile(
    rf"(?: with(?: an?)?|:|,) {_SHAPE.pattern}(?=$|[,.;]| (?:frames?|rims?|lens(?:es)?)\b)"
    rf"|(?: on)?,? (?:with |in )?(?:an? )?(?:[a-z]+ )??{_SHAPE.pattern} (?:ones?|frames?|rims?"
    rf"|lens(?:es)?|shape)\b"
)
_DARK = re.compile(r"\b(?:dark|tinted|mirrored|aviator)\s+$")
_OTHER_THINGS = re.compile(
    r"\b(wine|champagne|cocktail|martini|beer|whisky|water|drinking|shot|magnifying|opera|\d+|two|three|four|"
    r"empty|full|filled|raising|clinking|3d|vr|ar|swimming|ski)\s+$"
)
_OF_GLASSES = re.compile(
    r"\s+of\b|[- ](?:cases?|shops?|stores?|stands?|racks?|cloth|cleaner|sellers?|makers?|brand|emoji|tattoo|"
    r"logo|holder)\b"
)
_CLAUSE = re.compile(r"[,;.:]|\b(with|and|but|in|on|who|wearing|wears)\b")


def find_glasses(words: str) -> str | None:
    """Find the glasses that a prompt or caption names: "none" or one of `FRAMES`; None if it names none.

    The first mention that is not denied counts, with the adjectives before it. Glasses without a named shape
    are rectangular.
    """
    mention = _find_mention(words)
    return None if mention is None else mention[0]


def find_glasses_words(words: str) -> str:
    """Find the words that make `find_glasses` answer as it does; empty where it answers None."""
    mention = _find_mention(words)
    return "" if mention is None else mention[1]


def _find_mention(words: str) -> tuple[str, str] | None:
    """Find the kind that is mentioned first, or else what is denied, and the words that say so."""
    denied = None
    for found in _NOUN.finditer(tidy(words)):
        if _names_other_things(found) or is_of_somebody_else(found):
            continue
        if not is_denied(found):
            return _read_kind(found)
        denied = denied or ("none", get_denial(found))
    return denied


def _names_other_things(found: re.Match[str]) -> bool:
    """Tell whether glasses are such as one drinks from, or lie about."""
    before, end = found.string[: found.start()], found.end()
    other = _OTHER_THINGS.search(before) or _OF_GLASSES.match(found.string, end)
    return other is not None or is_put_aside(found)


def _read_kind(found: re.Match[str]) -> tuple[str, str]:
    """Read the kind of glasses, and the words that name it."""
    before = found.string[: found.start()]
    if dark := _DARK.search(before):
        return "sunglasses", dark[0] + found[0]
    if found[0].startswith("sun"):
        return "sunglasses", found[0]
    adjectives = _CLAUSE.split(before)[-1]
    if shape := _SHAPE.search(adjectives):
        return shape[1].replace(" ", "-"), adjectives[shape.start() :] + found[0]
    if shape := _SHAPE_AFTER.match(found.string, found.end()):
        return (shape[1] or shape[2]).replace(" ", "-"), found[0] + shape[0]
    return _UNNAMED_SHAPE, found[0]


def describe_glasses(kind: str) -> str:
    """Write words in which `find_glasses` finds a kind."""
    return {"none": "no glasses", "sunglasses": "sunglasses"}.get(kind, f"{kind} glasses")
