"""What words say is behind the person: a place, a wall, a backdrop of some colour, or a blur."""

from __future__ import annotations

import re

from hifi_portrait.prompts.vocabulary import find_first, join_patterns
from hifi_portrait.scenery.backdrop import WALLS

KINDS_OF_WALL = ("brick wall", "wooden wall", "tiled wall", "concrete wall", "bookshelf", "bokeh")
"""Walls without a colour of their own; those of `WALLS` are more."""

_PLACES = {
    "park": r"(?:(?:public|city|sunny|green) )?parks?|(?:green )?(?:lawn|field|meadow)s?|nature|countryside"
    r"|outdoors|outside",
    "forest": r"(?:(?:green|pine|dense) )?forests?|woods|woodlands?",
    "garden": r"gardens?|path among trees",
    "courtyard": r"courtyards?|patio|backyard",
    "old-town": r"(?:old )?(?:town|town square|city square|piazza|plaza)",
    "city": r"(?:(?:busy|modern|big|european) )?(?:city|cities)(?: street| centre| center)?"
    r"|(?:busy )?streets?|downtown|tall buildings|urban (?:street|setting|scene)",
    "seaside": r"(?:sandy |sunny )?beach(?:es)?|seaside|sea ?shore|sea|ocean|coast|waterfront|harbou?r|lake",
    "sunset": r"sunset|golden hour",
    "sunrise": r"sunrise|dawn",
    "dusk": r"dusk|twilight|blue hour",
    "night": r"night|night ?time|(?<=the )dark",
    "desert": r"deserts?|(?:the )?mountains?|rocks|canyon",
    "studio": r"(?:photo(?:graphy|graphic)? )?studio",
    "bedroom": r"(?:hotel|bed) ?room",
    "room": r"(?:(?:bright|empty|cosy|cozy|white|living) ?)*room|apartment|flat|house|home|indoors|inside"
    r"|kitchen",
    "lobby": r"lobby|waiting room|(?:modern )?office|reception|school|hospital",
    "hall": r"(?:large |big |white |concert )*hall|theat(?:re|er)|ball ?room",
    "shopping-mall": r"(?:shopping )?(?:mall|cent(?:re|er))|shop|store|restaurant|bar|caf[eé]",
    "corridor": r"(?:white )?(?:corridor|hallway)|(?:glass )?bridge|airport|(?:train |railway )?station",
    "laboratory": r"lab(?:oratory)?",
    "warehouse": r"warehouse|garage|parking (?:lot|garage)",
    "workshop": r"workshop|factory",
}
_TIMES = r"sunset|golden hour|sunrise|dawn|dusk|twilight|blue hour|night(?: ?time)?"
_TIMES_OF_DAY = ("sunset", "sunrise", "dusk")
_OPEN_AIR = ("park", "garden", "seaside", "desert", "old-town", "city", "forest", "courtyard")
_BUILT = ("city", "old-town", "courtyard")

_COLOURS = {
    "light-grey": r"(?:light|pale) gr[ea]y|light|bright|neutral",
    "dark-grey": r"(?:dark|charcoal) gr[ea]y|dark|charcoal",
    "grey": r"gr[ea]y",
    "light-blue": r"(?:light|pale|sky|baby)[ -]blue",
    "navy": r"navy(?:[ -]blue)?|(?:dark|deep|midnight)[ -]blue",
    "dark-green": r"(?:dark|deep|forest)[ -]green",
    "burgundy": r"burgundy|maroon|wine[ -]red|(?:dark|deep)[ -]red",
    "green": r"(?:bright |light |pale )?green",
    "blue": r"(?:bright |royal )?blue",
    "red": r"(?:bright )?red",
    "pink": r"(?:light |pale |hot |bright )?pink",
    "purple": r"(?:dark |light )?(?:purple|violet|lilac|lavender)",
    "beige": r"beige|cream(?:-coloured)?|tan",
    "teal": r"teal|turquoise|cyan",
    "orange": r"(?:bright )?orange",
    "yellow": r"(?:bright |pale )?yellow|golden",
    "white": r"(?:pure |off-)?white",
    "black": r"(?:pure |pitch[ -])?black",
} | {name: name for name in ("olive", "brown")}
_BRIGHTNESS = (
    r"(?:plain|solid|simple|smooth|clean|flat|uniform|seamless|minimal(?:ist)?|empty|studio|matte|painted)"
)
_PAPER = r"(?:background|backdrop|studio(?: wall)?|walls?|seamless paper|paper)"
_WALL = {
    "brick-wall": r"brick(?:s| walls?)",
    "wooden-wall": r"wood(?:en)? (?:walls?|panels?|planks)",
    "tiled-wall": r"til(?:ed|e) walls?|tiles",
    "concrete-wall": r"concrete(?: walls?)?",
    "bookshelf": r"book ?shel(?:f|ves)|bookcases?|books|library",
    "bokeh": r"bokeh lights|(?:city|street|fairy|blurred|christmas|neon|night) lights|lights out of focus"
    r"|neon",
}
_PATTERNED = "dark brown|light brown|blue|golden|green|pink|purple|red|white|teal|brown|grey|black|yellow"

_LEAD = (
    r"(?:\b(?:standing |sitting |posing |walking )?(?:in front of|in|inside|outside|at|on|by|near|before"
    r"|against|among|across|beside|amid|under|with)(?: the middle of)? (?:an? |the |some |his |her |their )?|"
    r"(?:^|[,.;:|] ?)(?:an? |the )?)"
)
_MORE = r"(?:(?!(?:and|or|with|without|no|not|wearing|in|on|a|an|the|man|woman|person)\b)[a-zé-]+ ){0,2}?"
_SETTING = r"(?: (?:background|backdrop|scene|setting|environment|behind (?:him|her|them)))?"
_END = (
    r"(?=\s*$|\s*[,.;:|)]|\s+(?:at|in|on|with|and|by|during|wearing|while|near|behind|looking|smiling|under|of|who)"
    r"\b)"
)
_PLACE = join_patterns(_PLACES)
_COLOUR = join_patterns(_COLOURS)
_WALLED = join_patterns(_WALL)

_BLURRED = re.compile(
    r"\b(?:(?:(?:softly )?blurr(?:ed|y)|out[ -]of[ -]focus|soft|defocuss?ed) background"
    r"|background (?:is )?(?:blurred|out of focus)|bokeh(?! lights)|shallow depth of field)\b"
)
_ON_WALL = re.compile(rf"{_LEAD}{_MORE}(?:(?P<shade>{_PATTERNED}) )?(?:{_WALLED}){_SETTING}{_END}")
_ON_PAPER = re.compile(
    rf"(?:\b(?:in front of|against|on|with|before|over) (?:an? |the )?)?(?:{_BRIGHTNESS},? )*\b(?:{_COLOUR})"
    rf"(?: {_BRIGHTNESS})* {_PAPER}\b(?! light)"
)
_IS_PAPER = re.compile(
    rf"\b(?:background|backdrop|wall)(?: is| behind (?:him|her|them) is|:)? (?:{_COLOUR}){_END}"
)
_STUDIO_PAPER = re.compile(
    rf"(?:\b(?:in front of|against|on|with) (?:an? |the )?)?(?:{_BRIGHTNESS} )+(?:background|backdrop)\b"
)
_AT_PLACE = re.compile(
    rf"{_LEAD}{_MORE}(?:{_PLACE}){_SETTING}(?: (?:at|during|in)(?: the)? (?P<time>{_TIMES}))?{_END}"
)
_MENTIONS = (_ON_WALL, _ON_PAPER, _IS_PAPER, _BLURRED, _STUDIO_PAPER, _AT_PLACE)


def find_background(words: str) -> str | None:
    """Find what a prompt says is behind the person; None if it says nothing of it.

    The first mention counts.

    Returns
    -------
    str | None
        One of `PLACE_VIEWS` or `WALLS`, a colour of `BACKDROP_COLOURS` and "backdrop", or "blur".
    """
    mention = find_first(_MENTIONS, words)
    return None if mention is None else _name(mention)


def find_background_words(words: str) -> str:
    """Find the words that make `find_background` answer as it does; empty where it answers None."""
    mention = find_first(_MENTIONS, words)
    return "" if mention is None else mention[0].strip(" ,.;:|")


def find_named_background(words: str) -> str | None:
    """Find a background in words that say nothing else; None if they are not that."""
    mention = find_first(_MENTIONS, words)
    if mention is None or mention[0].strip(" ,.;:|") != re.sub(r"\s+", " ", words.strip().lower()):
        return None
    return _name(mention)


def _name(mention: re.Match[str]) -> str:
    if mention.re is _BLURRED:
        return "blur"
    if mention.re is _STUDIO_PAPER:
        return "grey backdrop"
    groups = mention.groupdict()
    shade, time = groups.pop("shade", None), groups.pop("time", None)
    found = next(name for name, text in groups.items() if text).replace("_", "-")
    if mention.re in (_ON_PAPER, _IS_PAPER):
        return f"{found} backdrop"
    name = found.replace("-", " ")
    if mention.re is _ON_WALL:
        return f"{shade} {name}" if f"{shade} {name}" in WALLS else name
    if time is None or found not in _OPEN_AIR:
        return name
    if "night" in time:
        return "bokeh" if found in _BUILT else "night"
    if found in _BUILT:
        return "old town"
    return next(time_of for time_of in _TIMES_OF_DAY if re.fullmatch(_PLACES[time_of], time))
