"""Names of colours in words: which of several is meant, and whether it is denied."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

CLASS_WORDS = ("man", "woman", "person", "boy", "girl", "lady", "guy", "face")
"""Words by which a prompt names the person."""

_NEGATED = re.compile(r"\b(?:no|not|without|never|instead of)\b|n't\b")
_CLAUSE = re.compile(r"[,;.:]|\bbut\b|\bwith\b|\band\b")


def denied(before: str) -> bool:
    """Whether the clause that words (lower case) end with denies what comes next."""
    return _NEGATED.search(_CLAUSE.split(before)[-1]) is not None


def one_of(words: Mapping[str, str]) -> str:
    """A pattern for any of several names, by the pattern of each; `name_in` tells which was found."""
    return "|".join(f"(?P<{name.replace('-', '_')}>{pattern})" for name, pattern in words.items())


def name_in(found: re.Match[str]) -> str:
    """Which name of `one_of` was found."""
    return next(name for name, text in found.groupdict().items() if text).replace("_", "-")


def first_said(patterns: Sequence[re.Pattern[str]], words: str) -> re.Match[str] | None:
    """The first mention by any of several patterns, earlier ones first, that is not denied."""
    words = re.sub(r"\s+", " ", words.lower())
    said = [
        (found.start(), index, found)
        for index, pattern in enumerate(patterns)
        for found in pattern.finditer(words)
        if not denied(words[: found.start()])
    ]
    return min(said, key=lambda each: each[:2])[2] if said else None
