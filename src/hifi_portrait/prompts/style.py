"""The style of picture that words name: a painting, a drawing, a photo without colours."""

from __future__ import annotations

import re

from hifi_portrait.prompts.vocabulary import find_first, get_matched_name, join_patterns

_STYLES = {
    "black-and-white-photo": r"(?:black[ -](?:and|&)[ -]white|monochrome|b ?& ?w|gr[ea]y ?scale)"
    r"(?: (?:photo(?:graph(?:y)?)?|film|picture|portrait|image))?(?! (?:stripe|check|striped|checked|polka"
    r"|dress|shirt|t-?shirt|top|sweater|suit|hair|scarf|hat|cat|dog|background|tile))",
    "sepia-photo": r"sepia(?:[ -]toned?)?(?: (?:photo(?:graph)?|picture|portrait|image))?",
    "oil-painting": r"oil[ -]?painting|oil on canvas|(?:painted|painting) in oils?|oil portrait"
    r"|(?<!of a )(?:impressionist |classical )?(?<!of an impressionist )(?<!of a classical )"
    r"painting(?! (?:on|behind|in the background|hang))",
    "watercolour": r"water[ -]?colou?r(?:s| painting)?",
    "pencil-sketch": r"(?:pencil|charcoal|graphite)(?: (?:sketch|drawing|portrait))?(?! skirt)|sketch(?:ed)?"
    r"|line drawing",
    "comic": r"comic(?:[ -]?book)?(?: (?:style|art|drawing|illustration))?|pop[ -]art|cartoon",
}
_MENTION = re.compile(rf"\b(?:{join_patterns(_STYLES)})(?: style)?\b")


def find_style(words: str) -> str | None:
    """Find the style of picture that a prompt names, one of `scenery.styles.STYLES`; None if it names none.

    The first mention counts.
    """
    mention = find_first((_MENTION,), words)
    return None if mention is None else get_matched_name(mention).replace("-", " ")


def find_style_words(words: str) -> str:
    """Find the words that make `find_style` answer as it does; empty where it answers None."""
    mention = find_first((_MENTION,), words)
    return "" if mention is None else mention[0]
