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
    said = _first_said(words)
    return None if said is None else said[0]


def glasses_words(words: str) -> str:
    """The words themselves in which `glasses_in` reads it; nothing if it reads none."""
    said = _first_said(words)
    return "" if said is None else said[1]


def _first_said(words: str) -> tuple[str, str] | None:
    words = words.lower()
    for found in _NOUN.finditer(words):
        before, after = words[: found.start()], words[found.end() :]
        if _OTHER_THINGS.search(before) or re.match(r"\s+of\b", after):
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
        return _PLAIN, found[0]
    return None


def glasses_phrase(kind: str) -> str:
    """Words from which `glasses_in` reads a kind."""
    return {"none": "no glasses", "sunglasses": "sunglasses"}.get(kind, f"{kind} glasses")
