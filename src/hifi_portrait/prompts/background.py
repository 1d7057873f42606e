"""What words say is behind the person: a place, a wall, a backdrop of some colour, or a blur."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hifi_portrait.prompts.denial import NOT_BUT, is_denied
from hifi_portrait.prompts.vocabulary import get_matched_name, join_patterns
from hifi_portrait.prompts.wording import tidy
from hifi_portrait.scenery.backdrop import WALLS

KINDS_OF_WALL = ("brick wall", "wooden wall", "tiled wall", "concrete wall", "bookshelf", "bokeh")
"""Walls without a colour of their own; those of `WALLS` are more."""

_PHOTO = r"(?:portrait|photo(?:graph|shoot)?|shot|picture|headshot)"
_PLANTS = r"(?:(?:wild|sun) ?)?(?:flowers|grass|wheat|corn|barley|poppies|lavender|tulips|daisies|roses)"
_PLACES = {
    "park": rf"(?:(?:public|city|sunny|green) )?parks?|(?:green )?(?:lawn|field"
    rf"|meadow)s?(?! of (?!{_PLANTS}\b))"
    rf"|nature(?! of\b)|countryside|outdoors|outside|outdoor {_PHOTO}",
    "forest": r"(?:(?:green|pine|dense) )?forests?(?! of\b)|woods|woodlands?|(?<!christmas )(?<!palm )trees",
    "garden": r"gardens?|path among trees",
    "courtyard": r"courtyards?|patio|backyard",
    "old-town": r"(?:old )?(?:town|town square|city square|piazza|plaza)",
    "city": r"(?:(?:busy|modern|big|european) )?(?:city|cities)(?: street| centre| center| skyline)?"
    r"|skyline|skyscrapers"
    r"|(?:busy )?streets?|downtown|tall buildings|urban (?:street|setting|scene)",
    "seaside": r"(?:sandy |sunny )?beach(?:es)?|seaside|sea ?shore|(?:sea|ocean)(?! of\b)|coast|waterfront"
    r"|harbou?r|lake|palm trees",
    "sunset": r"sunset|golden hour",
    "sunrise": r"sunrise|(?!^)dawn|dawn(?=$)",  # at the beginning it may be a name
    "dusk": r"dusk|twilight|blue hour",
    "night": r"night|night ?time|(?<=the )dark|moon ?light|moonlit night",
    "desert": r"deserts?(?! of\b)|(?:the )?mountains?|rocks|canyon",
    "studio": rf"(?:photo(?:graphy|graphic)? )?studio|studio {_PHOTO}",
    "bedroom": r"(?:hotel|bed) ?room",
    "room": r"(?:(?:bright|empty|cosy|cozy|white|living) ?)*room|apartment|flat|(?:house|home)(?! of\b)"
    r"|indoors|inside"
    rf"|kitchen|indoor {_PHOTO}",
    "lobby": r"lobby|waiting room|(?:modern )?office|reception|school|hospital",
    "hall": r"(?:large |big |white |concert )*hall(?! of\b)|theat(?:re|er)|ball ?room",
    "shopping-mall": r"(?:shopping )?(?:mall|cent(?:re|er))|shop|store|restaurant|bar(?! of\b)|caf[eé]",
    "corridor": r"(?:white )?(?:corridor|hallway)|(?:glass|covered) bridge|airport|(?:train "
    r"|railway )?station",
    "laboratory": r"lab(?:oratory)?",
    "warehouse": r"warehouse|garage|parking (?:lot|garage)",
    "workshop": r"workshop|factory",
}
_TIME = r"sunset|golden hour|sunrise|dawn|dusk|twilight|blue hour|night(?: ?time)?|moon ?light"
_TIMES_OF_DAY = ("sunset", "sunrise", "dusk")
_TIMES = (*_TIMES_OF_DAY, "night")
_STOPS = " ,.;:|"
_OPEN_AIR = ("park", "garden", "seaside", "desert", "old-town", "city", "forest", "courtyard")
_BUILT = ("city", "old-town", "courtyard")

_COLOURS = {
    "light-grey": r"(?:light|pale) gr[ea]y|light|bright|neutral",
    "dark-grey": r"(?:dark|charcoal) gr[ea]y|dark|charcoal|moody|gloomy",
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
    r"(?:plain|solid|simple|smooth|clean|flat|uniform|seamless|minimal(?:ist)?|empty|studio|matte|painted"
    r"|moody|gloomy|gradient|textured|mottled)"
)
_SOMEONE = r"(?:him|her|them|me|the (?:man|woman|person|girl|boy))"
_BEHIND = (
    rf"(?: (?:visible )?in (?:the|her|his) (?:[a-z]+ )?back(?:ground|drop)| (?:right )?behind {_SOMEONE}"
    r"| as (?:an?|the|his|her) back(?:ground|drop)| in the distance)"
)
_PAPER = r"(?:background|backdrop|studio(?: wall)?|walls?|seamless paper)"
_WALL = {
    "brick-wall": r"bricks?(?: walls?| background)|bricks",
    "wooden-wall": r"wood(?:en)? (?:walls?|panels?|planks|background)",
    "tiled-wall": r"til(?:ed|e) walls?|tiles",
    "concrete-wall": r"concrete(?: walls?)?|(?:stone|cement) walls?",
    "bookshelf": r"book ?shel(?:f|ves)|bookcases?|library|book ?(?:shop|store)"
    rf"|books(?={_BEHIND})|(?:walls?|shelves|rows) (?:full )?of books",
    "bokeh": r"bokeh lights|(?:city|street|fairy|blurred|christmas|neon|night) lights|lights out of focus"
    r"|neon|night city|city at night",
}
_WALL_COLOURS = "dark brown|light brown|blue|golden|green|pink|purple|red|white|teal|brown|grey|black|yellow"

_POSTURE = r"(?:standing|sitting|posing|walking)"
_NO_PART = r"(?!(?:with|and|in|on|of|by|or|who|wearing|holding|smiling|man|woman|person|girl|boy)\b)"
_SEEN_WORD = rf"\b{_NO_PART}[a-zé-]{{1,30}}\b"
_LEAD = (
    rf"(?:\b(?:{_POSTURE} )?(?:in front of|in|inside|at|on|by|near|next to|close to|before|against"
    rf"|among|across"
    r"|beside|through|along|amid|under)(?: the middle of)? (?:an? |the |some |his |her |their )?"
    rf"|\bbehind {_SOMEONE}(?: there)?(?: is| are|,)? (?:an? |the )?"
    r"|\b(?:background|backdrop)(?: is| of| with| shows| showing| to| into) (?:an? |the )?"
    rf"|\b(?:with |and )?(?:an? |the |some )?(?={_SEEN_WORD}(?: {_SEEN_WORD}){{0,3}}{_BEHIND})"
    rf"|\b{_POSTURE} (?=(?:out|in)(?:doors|side)\b)"
    r"|(?:^|[,.;:|] ?)(?:an? |the )?)"
)
_MORE = (
    r"(?:(?!(?:and|or|of|by|with|without|no|not|outside|wearing|holding|in|on|a|an|the|man|woman|person)\b)"
    r"[a-zé-]+ ){0,2}?"
)
_SETTING = rf"(?: (?:background|backdrop|scene|setting|environment|interior)|{_BEHIND})?"
_END = (
    r"(?=\s*$|\s*[,.;:|)]|\s+(?:at|in|on|with|and|by|during|while|near|behind|under|who|from|to|for|as"
    r"|where|full"
    r"|filled|surrounded|but|not|instead|rather|(?!(?:light|cloth|paint|draw)ing\b)[a-z]+ing)\b"
    r"|\s+of (?!work\b|study\b|physics\b|view\b))"
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
    rf"(?:\b(?:in front of|against|on|with|before|over|next to) (?:an? "
    rf"|the )?)?(?:{_PLAINNESS},? )*\b(?:{_COLOUR})"
    rf"(?:,?(?: and)? {_PLAINNESS})* {_PAPER}{_END}"
)
_IS_PAPER = re.compile(
    rf"\b(?:background|backdrop|wall)(?: is| behind {_SOMEONE} is|:| to| with)?{NOT_BUT}"
    rf"(?: an?| all| plain| solid)* (?:{_COLOUR})(?: one)?{_END}"
)
_STUDIO_PAPER = re.compile(
    rf"(?:\b(?:in front of|against|on|with) (?:an? |the )?)?(?:{_PLAINNESS} )+(?:background|backdrop)\b"
)
_AT_PLACE = re.compile(
    rf"{_LEAD}{_MORE}(?:{_PLACE}){_SETTING}(?:(?: of [a-z]+)? (?:at|during|in|by"
    rf"|under)(?: the)? (?P<time>{_TIME}))?{_END}"
)
_FROM_OUTSIDE = re.compile(
    rf"(?:{_POSTURE} )?(?:in front of|by|near|next to|close to|before|against|across|beside|among|amid"
    rf"|under)\b"
)
_INTERIORS = (
    *("studio", "bedroom", "room", "lobby", "hall", "shopping-mall", "corridor", "laboratory", "warehouse"),
    "workshop",
)
_BUILDING_BEHIND = re.compile(
    rf"\b(?:house|home|school|hospital|factory|warehouse|airport|station|theat(?:re|er)){_BEHIND}"
)
_FIGURATIVE = re.compile(
    r"(?:\b(?:his|her|their|my|your|its|medical|scientific|academic|legal|artistic) (?:[a-z]+ )?fields?"
    r"|\b(?:expert|leader|leading|specialist|pioneer|authority|career|work(?:s|ing)?|famous|renowned)"
    r" (?:[a-z]+ )?in (?:the|an?) (?:[a-z]+ )?fields?|\b(?:mrs?|ms|dr)\. [a-z]+)$"
)
_SHOWN = re.compile(r"(?<!view )\bof (?:(?:an?|the|some) )?(?:[\w-]+ )?$")  # a picture of the sea, say
_SIGHT = re.compile(rf"(?!with |and )[a-z].*{_BEHIND}")
_VAGUE = re.compile(r"\b(?:(?:out|in)door|outside$|inside$|nature|studio)")
_MENTIONS = (_ON_WALL, _ON_PAPER, _IS_PAPER, _BLURRED, _STUDIO_PAPER, _AT_PLACE)


def find_background(words: str) -> str | None:
    """Find what a prompt says is behind the person; None if it says nothing of it.

    The first mention counts; a blur, a time of day and "outdoors" only where nothing else is named.

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
    """Find what words say of the background and do not deny: what says most first, else in their order.

    A time of day before a place counts with the place, and so stands before it.
    """
    found = [
        (mention.start(), place, mention)
        for place, pattern in enumerate(_MENTIONS)
        for mention in pattern.finditer(tidy(words))
        if not is_denied(mention) and _is_meant(mention)
    ]
    mentions = [mention for _, _, mention in sorted(found, key=lambda each: each[:2])]
    return sorted(mentions, key=lambda mention: _rank(mention, mentions))


def _is_meant(mention: re.Match[str]) -> bool:
    """Tell whether a place is meant: not a house seen from outside, nor somebody's field of work."""
    before = mention.string[: mention.start()]
    if _SIGHT.match(mention[0]) and _SHOWN.search(before):
        return False
    if mention.re is not _AT_PLACE:
        return True
    seen_from_outside = _FROM_OUTSIDE.match(mention[0]) or _BUILDING_BEHIND.search(mention[0])
    if _kind(mention) in _INTERIORS and seen_from_outside:
        return False
    return _FIGURATIVE.search(mention.string[: mention.end()]) is None


def _rank(mention: re.Match[str], mentions: Sequence[re.Match[str]]) -> int:
    """Rank how little a mention says of what is behind the person."""
    if mention.re is _BLURRED:
        return 3
    if mention.re is _STUDIO_PAPER or (mention.re is _AT_PLACE and _VAGUE.search(mention[0])):
        return 2
    is_time = mention.re is _AT_PLACE and _kind(mention) in _TIMES
    return 1 if is_time and not any(_is_place(each) for each in mentions) else 0


def _is_place(mention: re.Match[str]) -> bool:
    """Tell whether a mention is of a certain place, rather than of a time or any place."""
    return mention.re is _AT_PLACE and _kind(mention) not in _TIMES and not _VAGUE.search(mention[0])


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
    if "night" in time or "moon" in time:
        return "bokeh" if place in _BUILT else "night"
    if place in _BUILT:
        return "old town"
    return next(name for name in _TIMES_OF_DAY if re.fullmatch(_PLACES[name], time))
