"""The light on a person that words name."""

from __future__ import annotations

import re

from hifi_portrait.prompts.vocabulary import find_first, get_matched_name, join_patterns
from hifi_portrait.scenery.studio import LIGHT_NAMES

_LIT = r"(?:light(?:ing|s)?|lit)"
_LIGHTS = {
    "evening-light": rf"(?:golden[ -]hour|sunset|evening|warm)(?: (?:evening|sun))? ?{_LIT}"
    r"|golden[ -]hour portrait",
    "low-key-light": rf"low[ -]key(?: {_LIT})?|(?:dramatic|moody|cinematic|rembrandt|dark|side|hard) {_LIT}"
    r"|side-?lit|chiaroscuro|film noir",
    "window-light": rf"window {_LIT}|(?:soft )?(?:natural|day) ?{_LIT}",
    "sunlight": rf"(?:bright |direct |harsh )?sun[ -]?{_LIT}|sunny day|midday sun",
    "soft-studio-light": rf"(?:soft |bright |professional )?studio {_LIT}|(?:soft(?:box)?"
    rf"|(?:soft )?diffuse[dr]?) {_LIT}"
    rf"|high[ -]key(?: {_LIT})?|beauty {_LIT}",
    "neon-light": rf"(?:pink |blue |purple |red |cyberpunk )?neon {_LIT}|cyberpunk {_LIT}",
}
_NO_LIGHT = (
    r"green|blue|brown|gr[ea]y|pink|red|purple|yellow|orange|beige|blonde?|colou?red|weight|wood|hair"
    r"|skin|make-?up"
    r"|bulb|switch|guy"
)
"""What makes of light a word for something else: "soft light blue"."""
_NAMES = {name.replace(" ", "-"): name for name in LIGHT_NAMES}
_MENTION = re.compile(
    rf"\b(?:{join_patterns(_LIGHTS)})\b"
    rf"(?!-|[ -](?:{_NO_LIGHT})\b)"
)


def find_light(words: str) -> str | None:
    """Find the light that a prompt names, one of `scenery.studio.LIGHT_NAMES`; None if it names none.

    The first mention counts.
    """
    mention = find_first((_MENTION,), words)
    return None if mention is None else _NAMES[get_matched_name(mention)]


def find_light_words(words: str) -> str:
    """Find the words that make `find_light` answer as it does; empty where it answers None."""
    mention = find_first((_MENTION,), words)
    return "" if mention is None else mention[0]
