"""The kind of glasses that words name."""

from __future__ import annotations

import re

from hifi_portrait.head.glasses import FRAMES

_UNNAMED_SHAPE = "rectangular"
"""What glasses mean where no shape is named."""

_NOUN = re.compile(r"\b(sun[- ]?glasses|(?<!cat[- ])eye[- ]?glasses|glasses|spectacles)\b")
_SHAPE = re.compile(rf"(?<![\w-])({'|'.join(FRAMES).replace('-', '[- ]')})(?![\w-])")
_NEGATED = re.compile(r"\b(no|not|never|nor|without|isn't|off|removed?)\b")
_OTHER_THINGS = re.compile(
    r"\b(wine|champagne|cocktail|martini|beer|whisky|water|drinking|shot|magnifying|opera|\d+|two|three|four)\s+$"
)
_PLACES = (
    r"table|desk|counter|shelf|chair|bed|floor|ground|plate|book|head|hair|forehead|hat|cap|shirt|collar|neck|"
    r"chain|cord|hands?|fingers|pocket|case|box|bag"
)
_NOT_WORN = re.compile(
    r"\s+(?:of\b|(?:(?:are|is|lying|lie|lies|laid|placed|left|resting|tucked|held|pushed up)\s+)*"
    rf"(?:on|onto|in|into)\s+(?:top of\s+)?(?:an?|the|his|her|their|one)\s+(?:\w+\s+)?(?:{_PLACES})\b|"
    r"hanging\b)"
)
_HELD = re.compile(r"\b(?:holding|holds|carrying|taking off|putting on|cleaning|polishing)\b[^,.;]*$")
_CLAUSE = re.compile(r"[,;.:]|\b(with|and|but|in|on|who|wearing|wears)\b")


def find_glasses(words: str) -> str | None:
    """Find the glasses that a prompt or caption names: "none" or one of `FRAMES`; None if it names none.

    The first mention counts, with the adjectives before it. Glasses without a named shape are rectangular.
    """
    mention = _find_mention(words)
    return None if mention is None else mention[0]


def find_glasses_words(words: str) -> str:
    """Find the words that make `find_glasses` answer as it does; empty where it answers None."""
    mention = _find_mention(words)
    return "" if mention is None else mention[1]


def _find_mention(words: str) -> tuple[str, str] | None:
    """Find the kind that is mentioned first, and the words that mention it."""
    words = words.lower()
    for found in _NOUN.finditer(words):
        before, after = words[: found.start()], words[found.end() :]
        if _OTHER_THINGS.search(before) or _NOT_WORN.match(after) or _HELD.search(before):
            continue
        clause = re.split(r"[,;.:]|\b(?:with|and|but|who)\b", before)[-1]
        if negated := _NEGATED.search(clause):
            return "none", clause[negated.start() :] + found[0]
        if dark := re.search(r"\bdark\s+$", before):
            return "sunglasses", dark[0] + found[0]
        if found[0].startswith("sun"):
            return "sunglasses", found[0]
        adjectives = _CLAUSE.split(before)[-1]
        if shape := _SHAPE.search(adjectives):
            return shape[1].replace(" ", "-"), adjectives[shape.start() :] + found[0]
        if shape := re.match(rf"\s+with\s+(?:a\s+)?{_SHAPE.pattern}", after):
            return shape[1].replace(" ", "-"), found[0] + shape[0]
        return _UNNAMED_SHAPE, found[0]
    return None


def describe_glasses(kind: str) -> str:
    """Write words in which `find_glasses` finds a kind."""
    return {"none": "no glasses", "sunglasses": "sunglasses"}.get(kind, f"{kind} glasses")
