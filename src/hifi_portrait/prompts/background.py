"""What words say is behind the person: a place, a wall, a backdrop of some colour, or a blur."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hifi_portrait.prompts.vocabulary import get_matched_name, is_denied, join_patterns
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
    "city": r"(?:(?:busy|modern|big|european) )?(?:city|cities)(?: street| centre| center| skyline)?"
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
_TIME = r"sunset|golden hour|sunrise|dawn|dusk|twilight|blue hour|night(?: ?time)?"
_TIMES_OF_DAY = ("sunset", "sunrise", "dusk")
_TIMES = (*_TIMES_OF_DAY, "night")
_STOPS = " ,.;:|"
_PREPOSITION = re.compile(
    r"(?:standing |sitting |posing |walking )?(?:in|at|on|by|near|before|against|among|inside)\b"
)
_NEGATION_BEFORE = re.compile(r"\b(?:no|not|never|without|instead of)\s*(?:standing |sitting )?$|n't\s*$")
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
_PLAINNESS = (
    r"(?:plain|solid|simple|smooth|clean|flat|uniform|seamless|minimal(?:ist)?|empty|studio|matte|painted)"
)
_PAPER = r"(?:background|backdrop|studio(?: wall)?|walls?|seamless paper)"
_WALL = {
    "brick-wall": r"bricks?(?: walls?| background)|bricks",
    "wooden-wall": r"wood(?:en)? (?:walls?|panels?|planks|background)",
    "tiled-wall": r"til(?:ed|e) walls?|tiles",
    "concrete-wall": r"concrete(?: walls?)?",
    "bookshelf": r"book ?shel(?:f|ves)|bookcases?|library",
    "bokeh": r"bokeh lights|(?:city|street|fairy|blurred|christmas|neon|night) lights|lights out of focus"
    r"|neon|night city|city at night",
}
_WALL_COLOURS = "dark brown|light brown|blue|golden|green|pink|purple|red|white|teal|brown|grey|black|yellow"

_LEAD = (
    r"(?:\b(?:standing |sitting |posing |walking )?(?:in front of|in|inside|outside|at|on|by|near|before"
    r"|against|among|across|beside|amid|under)(?: the middle of)? (?:an? |the |some |his |her |their )?|"
    r"(?:^|[,.;:|] ?)(?:an? |the )?)"
)
_MORE = (
    r"(?:(?!(?:and|or|of|by|with|without|no|not|wearing|holding|in|on|a|an|the|man|woman|person)\b)"
    r"[a-zé-]+ ){0,2}?"
)
_SETTING = r"(?: (?:background|backdrop|scene|setting|environment|behind (?:him|her|them)))?"
_END = (
    r"(?=\s*$|\s*[,.;:|)]|\s+(?:at|in|on|with|and|by|during|while|near|behind|under|who|from|to|for|as|where|full"
    r"|filled|surrounded|[a-z]+ing)\b|\s+of (?!work\b|study\b|physics\b|view\b))"
)
_PLACE = join_patterns(_PLACES)
_COLOUR = join_patterns(_COLOURS)
_WALLED = join_patterns(_WALL)

_BLURRED = re.compile(
    r"\b(?:(?:(?:softly )?blurr(?:ed|y)|out[ -]of[ -]focus|soft|defocuss?ed) background"
    r"|background (?:is )?(?:blurred|out of focus)|bokeh(?! lights)|blur background"
    r"|(?:shallow )?depth of field)\b"
)
_ON_WALL = re.compile(rf"{_LEAD}{_MORE}(?:(?P<shade>{_WALL_COLOURS}) )?(?:{_WALLED}){_SETTING}{_END}")
_ON_PAPER = re.compile(
    rf"(?:\b(?:in front of|against|on|with|before|over) (?:an? |the )?)?(?:{_PLAINNESS},? )*\b(?:{_COLOUR})"
    rf"(?: {_PLAINNESS})* {_PAPER}{_END}"
)
_IS_PAPER = re.compile(
    rf"\b(?:background|backdrop|wall)(?: is| behind (?:him|her|them) is|:)? (?:{_COLOUR}){_END}"
)
_STUDIO_PAPER = re.compile(
    rf"(?:\b(?:in front of|against|on|with) (?:an? |the )?)?(?:{_PLAINNESS} )+(?:background|backdrop)\b"
)
_AT_PLACE = re.compile(
    rf"{_LEAD}{_MORE}(?:{_PLACE}){_SETTING}(?: (?:at|during|in)(?: the)? (?P<time>{_TIME}))?{_END}"
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
    mentions = _find_mentions(words)
    return _name(mentions) if mentions else None


def find_background_words(words: str) -> str:
    """Find the words that make `find_background` answer as it does; empty where it answers None."""
    mentions = _find_mentions(words)
    return mentions[0][0].strip(_STOPS) if mentions else ""


def find_named_background(words: str) -> str | None:
    """Find a background in words that say nothing else; None if they are not that."""
    mentions = _find_mentions(words)
    if not mentions or mentions[0][0].strip(_STOPS) != re.sub(r"\s+", " ", words.strip().lower()):
        return None
    return _name(mentions[:1])


def _find_mentions(words: str) -> list[re.Match[str]]:
    """Find what words say of the background and do not deny, in their order.

    "Without glasses in a park" denies the glasses, "not in a park" the park.
    """
    words = re.sub(r"\s+", " ", words.lower())
    found = [
        (mention.start(), place, mention)
        for place, pattern in enumerate(_MENTIONS)
        for mention in pattern.finditer(words)
        if not _is_denied(words[: mention.start()], mention[0])
    ]
    return [mention for _, _, mention in sorted(found, key=lambda each: each[:2])]


def _is_denied(before: str, mention: str) -> bool:
    if _PREPOSITION.match(mention):
        return _NEGATION_BEFORE.search(before) is not None
    return is_denied(before)


def _name(mentions: Sequence[re.Match[str]]) -> str:
    """Name what is mentioned first; a time of day without a place takes place in the next one."""
    mention, later = mentions[0], mentions[1:]
    if mention.re is _AT_PLACE and _kind(mention) in _TIMES:
        places = [each for each in later if each.re is _AT_PLACE and each.start() >= mention.end() - 1]
        if places and _kind(places[0]) not in _TIMES:
            return _combine(_kind(places[0]), _kind(mention))
    return _name_one(mention)


def _kind(mention: re.Match[str]) -> str:
    return get_matched_name(mention, ("shade", "time"))


def _name_one(mention: re.Match[str]) -> str:
    if mention.re is _BLURRED:
        return "blur"
    if mention.re is _STUDIO_PAPER:
        return "grey backdrop"
    found = _kind(mention)
    if mention.re in (_ON_PAPER, _IS_PAPER):
        return f"{found} backdrop"
    name = found.replace("-", " ")
    if mention.re is _ON_WALL:
        shaded = f"{mention['shade']} {name}"
        return shaded if shaded in WALLS else name
    return name if mention["time"] is None else _combine(found, mention["time"])


def _combine(place: str, time: str) -> str:
    """Name a place at a time of day, as far as there is one."""
    if place not in _OPEN_AIR:
        return place.replace("-", " ")
    if "night" in time:
        return "bokeh" if place in _BUILT else "night"
    if place in _BUILT:
        return "old town"
    return next(name for name in _TIMES_OF_DAY if re.fullmatch(_PLACES[name], time))
