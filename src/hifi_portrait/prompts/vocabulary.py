"""Patterns of words: which of several names a prompt mentions, and whether it denies it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

CLASS_WORDS = ("man", "woman", "person", "boy", "girl", "lady", "guy", "face")
"""Words by which a prompt names the person."""

_NEGATION = re.compile(r"\b(?:no|not|without|never|instead of)\b|n't\b")
_CLAUSE = re.compile(r"[,;.:]|\bbut\b|\bwith\b|\band\b")


def is_denied(before: str) -> bool:
    """Tell whether the clause that words (in lower case) end with denies what comes next."""
    return _NEGATION.search(_CLAUSE.split(before)[-1]) is not None


def join_patterns(patterns: Mapping[str, str]) -> str:
    """Join patterns by name into one that matches any; `get_matched_name` tells which it was."""
    return "|".join(f"(?P<{name.replace('-', '_')}>{pattern})" for name, pattern in patterns.items())


def get_matched_name(found: re.Match[str], besides: Sequence[str] = ()) -> str:
    """Give the name whose pattern of `join_patterns` matched; ``besides`` are other named groups."""
    groups = found.groupdict().items()
    return next(name for name, text in groups if text and name not in besides).replace("_", "-")


def find_first(patterns: Sequence[re.Pattern[str]], words: str) -> re.Match[str] | None:
    """Find the first mention by any of several patterns that is not denied.

    Of two mentions at the same place that of the earlier pattern counts. The match is in the words in lower
    case, with single spaces.
    """
    words = re.sub(r"\s+", " ", words.lower())
    mentions = [
        (found.start(), index, found)
        for index, pattern in enumerate(patterns)
        for found in pattern.finditer(words)
        if not is_denied(words[: found.start()])
    ]
    return min(mentions, key=lambda each: each[:2])[2] if mentions else None
