"""Patterns of words: which of several names a prompt mentions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from hifi_portrait.prompts.denial import is_denied
from hifi_portrait.prompts.wording import tidy

CLASS_WORDS = ("man", "woman", "person", "boy", "girl", "lady", "guy", "face")
"""Words by which a prompt names the person."""


def join_patterns(patterns: Mapping[str, str]) -> str:
    """Join patterns by name into one that matches any; `get_matched_name` tells which it was."""
    return "|".join(f"(?P<{name.replace('-', '_')}>{pattern})" for name, pattern in patterns.items())


def get_matched_name(found: re.Match[str], besides: Sequence[str] = ()) -> str:
    """Give the name whose pattern of `join_patterns` matched; ``besides`` are other named groups."""
    groups = found.groupdict().items()
    return next(name for name, text in groups if text and name not in besides).replace("_", "-")


def find_first(
    patterns: Sequence[re.Pattern[str]],
    words: str,
    is_meant: Callable[[re.Match[str]], bool] = lambda found: True,
) -> re.Match[str] | None:
    """Find the first mention by any of several patterns that is meant and not denied.

    Of two mentions at the same place that of the earlier pattern counts. The match is in the tidy words (see
    `wording.tidy`).
    """
    words = tidy(words)
    mentions = [
        (found.start(), index, found)
        for index, pattern in enumerate(patterns)
        for found in pattern.finditer(words)
        if not is_denied(found) and is_meant(found)
    ]
    return min(mentions, key=lambda each: each[:2])[2] if mentions else None
