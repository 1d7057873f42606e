"""A prompt as the readers of this room take it: small letters, plain marks, commas between its parts."""

from __future__ import annotations

import re

_MARKS = str.maketrans({**dict.fromkeys("‘’", "'"), **dict.fromkeys("“”„«»", '"'), "…": "."})
_WRITTEN = (
    r'(\b(?:say(?:s|ing)|read(?:s|ing)|titled|text|words?|letters|lettering|slogan|logo|writing) ?")[^"]*"'
)
_REWRITTEN = (
    (r"\s+", " "),
    (r"<[^<>]*>", " "),  # a network that a prompt for Stable Diffusion loads
    (r"(?<=\w)_(?=\w)", " "),
    (r"(?<![(\[{])[(\[{]+([\w-]+)(?::[\d.]+)?[)\]}]+", r"\1"),  # a word and its weight: "a (red:1.2) dress"
    (r"(?::[\d.]+)? ?[()\[\]{}]+", ", "),
    (r"(?<![!?])[!?]+(?=[\s\"',]|$)", "."),
    (r" [-–]+ | ?[—―] ?| \+ | / |[•·\u2028]", ", "),
    (r",? +(?=--[a-z])", ", "),  # a setting of Midjourney
    (r"–", "-"),
    (r"(?<!\w)'|'(?!\w)", ""),
    (r"\s+", " "),
    (r" (?=[,.;](?: |$))", ""),
    (r",(?: ?,)+", ","),
    (r",(?=[.;])", ""),
)
_REWRITES = [(re.compile(pattern), instead) for pattern, instead in _REWRITTEN]
_QUOTES = re.compile(rf'{_WRITTEN}|"')


def tidy(words: str) -> str:
    """Write words in lower case, with plain marks and single spaces; tidy words stay as they are.

    Dashes and brackets become commas, exclamation and question marks full stops. Quotation marks go,
    and with them what is to be written in the picture (`a sign saying "park"`).
    """
    words = words.lower().translate(_MARKS)
    for pattern, instead in _REWRITES:
        words = pattern.sub(instead, words)
    return _QUOTES.sub(lambda found: f'{found[1]}"' if found[1] else "", words).strip(" ,")
