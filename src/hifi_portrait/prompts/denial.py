"""What words deny: "no glasses", "doesn't wear a hat, glasses or scarf", "glasses removed"."""

from __future__ import annotations

import re
from functools import lru_cache

NOT_BUT = r"(?:(?: not|n't)(?: [a-z-]+){1,2},? but(?: rather)?)?"
"""What may stand between "hair is" and its colour: "hair is not blond but red"."""

_AFFIRMED = (
    r"\b(?:not|never|cannot|[a-z]+n't)(?: [a-z]+){0,2} without\b|\bnot (?:only|just|merely|simply)\b"
    r"|\bnothing but\b|\bwhy not\b"
)
_LISTED = (
    r"\bnegative(?: prompts?)?: .*|--no\b(?:(?! --)[^|])*"
    r"|\b(?:avoid|exclude|without|no|none of|remove|don't (?:add|include|use|draw)): [^.;|]*"
    r"|\bfrom(?: [\w-]+){1,3}(?= to\b)"
    r"|\b(?:replac|swap|chang)[a-z]*(?: (?!(?:sun)?glasses\b)[\w-]+){1,4}?(?= (?:to|into|with|by|for)\b)"
    r"|\b(?:replac|swap)[a-z]*(?: [\w-]+){1,4}?(?= (?:with|by|for)\b)"
)
_NEGATION = (
    r"(?:\b(?:no|not|never|neither|nor|without|w/o|minus|sans|lack(?:s|ing)?|cannot|instead of|rather than|"
    r"other than|(?:anything|everything) but|free (?:of|from)|rid of|avoid(?:s|ing)?|used to|stop(?:s|ped)?|"
    r"quit|non(?=-)|remove|exclud(?:e|es|ing)|omit(?:s|ting)?|delete|hide|(?:take|takes|took|taken) (?:off|"
    r"away)|(?:do|does|did|is|are|was|were|has|have|wo|ca|should|would|could)nt)|\b[a-z]+n't)(?![\w'])"
)
_LEADING = (
    r"be|being|been|is|are|to|wear|wears|wearing|worn|dressed|clad|stand|standing|sit|sitting|posing|posed|"
    r"walking|set|shot|taken|photographed|placed|lit|put|putting|have|having|done|drawn|made|painted|"
    r"rendered|it|her|him|them|make|turn|draw|paint|anything|someone|something|any|kind|of"
)
_PREPOSITIONS = (
    r"in front of|in|inside|outside|at|on|by|near|next to|before|against|among|under|behind|beside|with|as|"
    r"like|into|from"
)
_STOPS = (
    rf"{_PREPOSITIONS}|and|but|or|nor|who|which|that|whose|wearing|wears|while|because|holding|instead|rather"
    r"|without|then|just"
)
_WORD = rf"(?:[ -](?!(?:{_STOPS})\b|--)[^\s,.;:|\"]+)"
_WORN = (
    r"hats?|caps?|scar(?:f|ves)|beanies?|glasses|sunglasses|spectacles|eyeglasses|jewell?e?ry|earrings|"
    r"make-?up|gloves|masks?|ties?|headphones"
)
_DENIED = re.compile(
    rf"(?P<affirmed>{_AFFIRMED})|(?P<listed>{_LISTED})"
    rf"|{_NEGATION}(?:[ -](?:{_LEADING})\b)*(?: (?:{_PREPOSITIONS})\b)?"
    rf"(?:(?: (?:an?|any))? (?:{_WORN}) and (?:{_WORN})\b|{_WORD}*)"
    rf"(?:(?:,{_WORD}{{1,4}})*,? (?:or|nor)\b(?: (?:{_PREPOSITIONS})\b)?{_WORD}+)*"
)
_TAKEN_AWAY = re.compile(
    r"-free\b| free(?=$|[,.;])|: (?:none|no|off)\b|(?: (?:is|are|was|were|being|has been|have been))?"
    r" (?:(?:(?:taken|put|pulled) )?(?:off|away)(?=$|[,.;:]| (?:in|at|on|with|and|while|by|for)\b)"
    r"|(?:removed|omitted|not (?:worn|wanted|needed|allowed|visible|there|present))\b"
    r"|(?:missing|absent|gone)(?=$|[,.;]))"
)


def is_denied(found: re.Match[str]) -> bool:
    """Tell whether words deny what a match in them (tidy; see `wording.tidy`) mentions.

    "No" and its like deny the words up to the next clause, and a list that ends in "or". "Without glasses in
    a park" denies the glasses, "not in a park" the park.
    """
    return bool(get_denial(found))


def get_denial(found: re.Match[str]) -> str:
    """Give the words that deny what a match mentions, with it; empty where none do."""
    words = found.string
    named = [found.start(group) for group, text in found.groupdict().items() if text] or [found.start()]
    for first, last in _find_denied(words):
        if any(first <= start < last for start in named):
            return words[first : found.end()]
    taken_away = _TAKEN_AWAY.match(words, found.end())
    return "" if taken_away is None else found[0] + taken_away[0]


@lru_cache(maxsize=64)
def _find_denied(words: str) -> tuple[tuple[int, int], ...]:
    """Find what is denied: its first letter and the one behind its last."""
    return tuple(found.span() for found in _DENIED.finditer(words) if not found["affirmed"])
