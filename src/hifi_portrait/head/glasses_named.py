"""What words say of glasses."""

from __future__ import annotations

import re

from hifi_portrait.head.glasses import FRAMES

_PLAIN = "rectangular"  # what is meant if no shape is named
_NAMED = re.compile(r"(?P<before>(?:[\w-]+\s+){0,4})\b(?P<word>sunglasses|eyeglasses|glasses|spectacles)\b")
_SHAPES = "|".join(FRAMES).replace("-", "[- ]")
_NEGATED = re.compile(rf"\b(no|without)\s+((any|a|the|his|her|their|pair|of|{_SHAPES})\s+)*$")
_OTHER_THINGS = re.compile(r"\b(wine|champagne|cocktail|beer|water|drinking|shot|magnifying)\s+$")


def glasses_in(words: str) -> str | None:
    """What a prompt or caption says of glasses: "none", one of `FRAMES`, or nothing (None).

    The first mention counts. Glasses of no named shape are rectangular ones.
    """
    for found in _NAMED.finditer(words.lower()):
        before = found["before"]
        if _OTHER_THINGS.search(before):
            continue
        if _NEGATED.search(before):
            return "none"
        if found["word"] == "sunglasses" or re.search(r"\b(dark|sun)\s+$", before):
            return "sunglasses"
        shapes = (shape for shape in FRAMES if re.search(rf"\b{shape.replace('-', '[- ]')}\b", before))
        return next(shapes, _PLAIN)
    return None


def glasses_phrase(kind: str) -> str:
    """Words from which `glasses_in` reads a kind."""
    return {"none": "no glasses", "sunglasses": "sunglasses"}.get(kind, f"{kind} glasses")
