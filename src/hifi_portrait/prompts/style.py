"""The style of picture that words name: a painting, a drawing, a photo without colours."""

from __future__ import annotations

import re

from hifi_portrait.prompts.vocabulary import find_first, get_matched_name, join_patterns

_STYLES = {
    "black-and-white-photo": r"(?:black[ -](?:and|&)[ -]white|monochrome|b ?[&/]? ?w|gr[ea]y ?scale)"
    r"(?: (?:photo(?:graph(?:y)?)?|film|picture|portrait|image))?",
    "sepia-photo": r"sepia(?:[ -]toned?)?(?: (?:photo(?:graph)?|picture|portrait|image))?",
    "oil-painting": r"oil[ -]?painting|oil on canvas|(?:painted|painting) in oils?|oil portrait"
    r"|(?:impressionist |classical )?painting|painted portrait",
    "watercolour": r"water[ -]?colou?r(?:s| painting)?",
    "pencil-sketch": r"(?:pencil|charcoal|graphite)(?: (?:sketch|drawing|portrait))|sketch(?:ed)?"
    r"|line drawing|in (?:pencil|charcoal|graphite)",
    "comic": r"comics?(?:[ -]?book)?(?: (?:style|art|drawing|illustration))?|pop[ -]art|cartoon",
}
_BEFORE = (
    r"(?:(?:^|[,.;:|] ?)(?:an? |the )?"
    r"(?:(?!\b(?:of|with|and|in|man|woman|holding|face|wearing|not|no)\b)[a-z]+ ){0,2}?"
    r"|\b(?:as|like|in|into)(?: the style of)?(?: an?)? )"
)
_AFTER = r"(?: style| portrait| art)?(?=\s*$|\s*[,.;:|]| (?:of|in|from|with|style|portrait|photo)\b)"
_MENTION = re.compile(rf"{_BEFORE}(?P<words>(?:{join_patterns(_STYLES)}){_AFTER})")


def find_style(words: str) -> str | None:
    """Find the style of picture that a prompt names, one of `scenery.styles.STYLES`; None if it names none.

    The first mention counts.
    """
    mention = find_first((_MENTION,), words)
    if mention is None:
        return None
    return get_matched_name(mention, ("words",)).replace("-", " ")


def find_style_words(words: str) -> str:
    """Find the words that make `find_style` answer as it does; empty where it answers None."""
    mention = find_first((_MENTION,), words)
    return "" if mention is None else mention["words"]
