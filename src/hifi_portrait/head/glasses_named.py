"""What words say of glasses."""

from __future__ import annotations

import re

from hifi_portrait.head.glasses import FRAMES

_PLAIN = "rectangular"  # what is meant if no shape is named
_NOUN = re.compile(r"\b(sun[- ]?glasses|(?<!cat[- ])eye[- ]?glasses|glasses|spectacles)\b")
_SHAPE = re.compile(rf"(?<![\w-])({'|'.join(FRAMES).replace('-', '[- ]')})(?![\w-])")
_NEGATED = re.compile(r"\b(no|not|never|nor|without|isn't|off|removed?)\b")
_OTHER_THINGS = re.compile(
    r"\b(wine|champagne|cocktail|martini|beer|whisky|water|drinking|shot|magnifying|opera|\d+|two|three|four)\s+$"
)
_CLAUSE = re.compile(r"[,;.:]|\b(with|and|but|in|on|who|wearing|wears)\b")


def glasses_in(words: str) -> str | None:
    """What a prompt or caption says of glasses: "none", one of `FRAMES`, or nothing (None).

    The first mention counts, with the adjectives before it. Glasses of no named shape are rectangular ones.
    """
    words = words.lower()
    for found in _NOUN.finditer(words):
        before, after = words[: found.start()], words[found.end() :]
        if _OTHER_THINGS.search(before) or re.match(r"\s+of\b", after):
            continue
        if _NEGATED.search(re.split(r"[,;.:]|\b(?:with|and|but|who)\b", before)[-1]):
            return "none"
        if found[0].startswith("sun") or re.search(r"\bdark\s+$", before):
            return "sunglasses"
        adjectives = _CLAUSE.split(before)[-1]
        shape = _SHAPE.search(adjectives) or re.match(rf"\s+with\s+(?:a\s+)?{_SHAPE.pattern}", after)
        return _PLAIN if shape is None else shape[1].replace(" ", "-")
    return None


def glasses_phrase(kind: str) -> str:
    """Words from which `glasses_in` reads a kind."""
    return {"none": "no glasses", "sunglasses": "sunglasses"}.get(kind, f"{kind} glasses")
