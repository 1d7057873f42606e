"""Whether words deny what they are about to name."""

from __future__ import annotations

import re

_NEGATED = re.compile(r"\b(?:no|not|without|never|instead of)\b|n't\b")
_CLAUSE = re.compile(r"[,;.:]|\bbut\b|\bwith\b|\band\b")


def denied(before: str) -> bool:
    """Whether the clause that words (lower case) end with denies what comes next."""
    return _NEGATED.search(_CLAUSE.split(before)[-1]) is not None
