"""What words say of somebody else than the person, or of clothes and glasses that nobody wears."""

from __future__ import annotations

import re

_PEOPLE = (
    r"(?:wo)?m[ae]n|persons?|people|boys?|girls?|lad(?:y|ies)|guys?|child(?:ren)?|kids?|bab(?:y|ies)|"
    r"toddlers?|wi(?:fe|ves)|husbands?|partners?|boyfriends?|girlfriends?|friends?|sons?|daughters?|"
    r"brothers?|sisters?|(?:grand)?(?:mother|father|ma|pa|child|son|daughter)s?|mums?|moms?|dads?|parents?|"
    r"twins?|couples?|bride|groom|colleagues?|strangers?|teenagers?|blondes?|brunettes?|redheads?"
)
_ANIMALS = r"cats?|dogs?|pupp(?:y|ies)|horses?|dolls?|teddy bears?|mannequins?"
_SOMEBODY = re.compile(rf"\b(?:{_PEOPLE}|s?he)\b")
_THINGS_OF_MEN = r"(?!'s|[- ](?:bun|cave|purse|like|cut|scout|face|smile|look|style|fashion))"
_ADJECTIVES = r"(?:(?!(?:with|in|and|of|who|hair|wearing|on|at)\b)[a-z-]+,? ){0,3}"
_CONNECTED = (
    r"(?:with|and|by|beside|behind|near|next to|alongside|in front of|over|[a-z]+ing(?: at| to| with)?)"
    r" (?:his|her|their|an?|the|another|some|two|one)"
)
_ANOTHER = re.compile(
    rf"\b(?:{_CONNECTED}|(?:{_PEOPLE}) of (?:an?|the|two)|whose|his|her|their)"
    rf" {_ADJECTIVES}(?:(?:{_PEOPLE})\b{_THINGS_OF_MEN}[^,.;:|]*"
    rf"|(?:{_ANIMALS})\b(?:(?! wearing)[^,.;:|])*)"
)
_OWNER = re.compile(
    rf" {_ADJECTIVES}(?:{_PEOPLE})'s? (?!(?:\w+ )?(?:portrait|photo|photograph|picture|image|face|head"
    r"|headshot)\b)"
)

_FURNITURE = (
    r"table|desk|counter|shelf|chair|bed|floor|ground|plate|book|head|hair|forehead|hat|cap|shirt|collar|"
    r"neck|chain|cord|hands?|fingers|pocket|case|box|bag|hanger|hook|rack|mannequin|door|peg|stand|sofa|"
    r"wall|line"
)
_LYING = re.compile(
    r"(?: and (?![a-z]+ing\b)[a-z]+)?\s+(?:(?:(?:are|is|lying|lie|lies|laid|placed|left|resting|tucked"
    r"|held|pushed up|hung|folded|thrown|draped)\s+)*"
    r"(?:on|onto|in|into)\s+(?:top of\s+)?(?:an?|the|his|her|their|one)\s+(?:\w+\s+)?"
    rf"(?:{_FURNITURE})\b|(?:is |are )?hanging\b|"
    r"(?:draped |thrown |hung )?over (?:an?|the|his|her|their|one) (?:\w+ )?(?:arm|chair|sofa|door|bed)\b|"
    rf"(?:right )?behind (?:him|her|them|(?:an?|the) (?:{_PEOPLE}))\b|in the background\b|for sale\b)"
)
_HANDLED = re.compile(
    r"(?:\b|(?=n't))(?:holding|holds|carrying|carries|taking off|removing|cleaning|polishing|selling|sells|"
    r"buying|buys|washing|ironing|folding|hanging|repairing|designing|designs|collecting|collects|hates?|"
    r"dislikes?|needs?|los(?:es?|t)|forgot|broke|breaking|looking for|searching for|advertising|"
    r"looking at(?! (?:the )?(?:camera|viewer|lens|us|you|me)\b)|"
    r"next to|beside|surrounded by|keep|keeps|keeping|with or without|(?:not|never|n't) (?:remove|take off|"
    r"forget|lose|hide))(?: (?!(?:with|wearing|wears|who|but|while|has|in)\b)[\w'-]+){0,4} $"
)


def is_of_somebody_else(found: re.Match[str]) -> bool:
    """Tell whether a match in tidy words is about another person: "a man with his blond wife"."""
    words, start = found.string, found.start()
    others = (
        another for another in _ANOTHER.finditer(words) if _SOMEBODY.search(words[: _rest_start(another)])
    )
    if any(another.start() <= start < another.end() for another in others):
        return True
    return _OWNER.match(words, found.end()) is not None


def is_put_aside(found: re.Match[str]) -> bool:
    """Tell whether a match in tidy words is about a thing not worn: "a jacket hanging behind a man"."""
    before = found.string[: found.start()]
    return _LYING.match(found.string, found.end()) is not None or _HANDLED.search(before) is not None


def _rest_start(another: re.Match[str]) -> int:
    """Give the place up to which somebody must have been named for this to be another."""
    of = re.match(rf"(?:{_PEOPLE}) of ", another[0])
    return another.start() + (of.end() if of else 0)
