"""Captions: sentences that say some of what is in the picture. Head pose is never said."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

HAIR_PHRASES = {
    "bald": ("a bald head",),
    "buzz cut": ("a {colour} buzz cut", "very short {colour} hair"),
    "short": ("short {colour} hair",),
    "side-parted": ("side-parted {colour} hair", "short side-parted {colour} hair"),
    "slicked back": ("slicked back {colour} hair",),
    "spiky": ("spiky {colour} hair", "short spiky {colour} hair"),
    "curly": ("curly {colour} hair",),
    "afro": ("a {colour} afro", "a short {colour} afro"),
    "bob": ("a {colour} bob", "chin-length {colour} hair"),
    "bob with a fringe": ("a {colour} bob with a fringe", "{colour} hair with a fringe"),
    "long": ("long {colour} hair", "long straight {colour} hair"),
    "long wavy": ("long wavy {colour} hair", "wavy {colour} hair"),
    "ponytail": ("{colour} hair in a ponytail", "a {colour} ponytail"),
    "bun": ("{colour} hair in a bun", "a {colour} bun"),
}
EXPRESSION_PHRASES = {
    "neutral": ("with a neutral expression", "looking calm"),
    "smile": ("smiling", "with a smile"),
    "laugh": ("laughing", "with a big laugh"),
    "surprise": ("looking surprised", "with a surprised expression"),
    "sad": ("looking sad", "with a sad expression"),
    "angry": ("looking angry", "with an angry expression"),
    "disgust": ("looking disgusted", "with a disgusted expression"),
    "fear": ("looking afraid", "with a frightened expression"),
    "wink": ("winking", "with a wink"),
    "kiss": ("blowing a kiss", "with pursed lips"),
    "talk": ("talking", "speaking"),
    "eyes closed": ("with closed eyes",),
}
BEARD_PHRASES = {
    "stubble": ("stubble", "light stubble"),
    "full beard": ("a full beard", "a beard"),
    "goatee": ("a goatee",),
    "moustache": ("a moustache",),
}
PLACE_PHRASES = {
    "room": ("in a room", "indoors"),
    "park": ("in a park", "outdoors"),
    "city lights": ("in front of city lights", "in a city at night"),
    "sky": ("under a blue sky", "against the sky"),
}
_OPENINGS = {
    "photo": ("a portrait photo of", "a photo of", "a portrait of", "a headshot of", "a close-up photo of"),
    "black and white photo": ("a black and white photo of", "a black and white portrait of"),
    "sepia photo": ("a sepia photo of", "an old sepia photo of"),
    "pencil sketch": ("a pencil sketch of", "a pencil drawing of"),
    "watercolour": ("a watercolour of", "a watercolour painting of"),
}


def article(phrase: str) -> str:
    """Put "a" or "an" before a phrase."""
    return ("an " if phrase[0].lower() in "aeiou" else "a ") + phrase


def caption(attributes: Mapping[str, Any], rng: np.random.Generator, *, named: Collection[str] = ()) -> str:
    """Write a caption that mentions a random part of the attributes.

    Parameters
    ----------
    attributes
        As ``photograph`` gives them.
    rng
        Chooses what is said and in which words.
    named
        Attributes that are said in any case: of ``hair_colour``, ``glasses``, ``clothing_colour`` and
        ``background_colour``.
    """
    colourless = attributes["style"] in ("black and white photo", "sepia photo", "pencil sketch")
    opening = _one(rng, _OPENINGS[attributes["style"]])
    features = _features(attributes, rng, colourless, named)
    said = [opening + " " + article(_subject(attributes, rng)) + _joined_with(features)]
    rest = []
    if rng.random() < 0.75 or "clothing_colour" in named:
        rest.append(_clothes(attributes, colourless))
    if rng.random() < (0.45 if attributes["expression"] == "neutral" else 0.85):
        rest.append(_one(rng, EXPRESSION_PHRASES[attributes["expression"]]))
    rng.shuffle(rest)
    if rng.random() < 0.65 or "background_colour" in named:
        rest.append(_place(attributes, rng, colourless))
    if rng.random() < 0.50:
        rest.append(attributes["light"])
    return ", ".join(said + rest)


def _one(rng: np.random.Generator, phrases: tuple[str, ...]) -> str:
    return phrases[rng.integers(len(phrases))]


def _subject(attributes: Mapping[str, Any], rng: np.random.Generator) -> str:
    subject = str(attributes["gender"])
    if rng.random() < 0.65:
        subject = f"{attributes['age_group']} {subject}"
    return subject


def _features(
    attributes: Mapping[str, Any], rng: np.random.Generator, colourless: bool, named: Collection[str]
) -> list[str]:
    features = []
    if rng.random() < 0.78 or "hair_colour" in named:
        phrase = _one(rng, HAIR_PHRASES[attributes["hair_style"]])
        with_colour = rng.random() < 0.9 or "hair_colour" in named
        colour = attributes["hair_colour"] if with_colour and not colourless else ""
        phrase = phrase.format(colour=colour).replace("  ", " ").strip()
        features.append(
            ("an " if phrase.startswith("a a") else "a ") + phrase[2:] if phrase.startswith("a ") else phrase
        )
    if attributes["beard"] != "none" and rng.random() < 0.8:
        features.append(_one(rng, BEARD_PHRASES[attributes["beard"]]))
    if attributes["glasses"] == "none" and "glasses" in named:
        features.append("no glasses")
    if attributes["glasses"] != "none" and (rng.random() < 0.85 or "glasses" in named):
        kind = attributes["glasses"]
        plain = kind != "sunglasses" and rng.random() < 0.35
        features.append("glasses" if plain else kind if kind == "sunglasses" else f"{kind} glasses")
    if rng.random() < 0.22:
        features.append(f"{attributes['skin_tone']} skin")
    if not colourless and attributes["glasses"] != "sunglasses" and rng.random() < 0.25:
        features.append(f"{attributes['eye_colour']} eyes")
    if attributes["freckles"] and rng.random() < 0.5:
        features.append("freckles")
    return features


def _joined_with(features: list[str]) -> str:
    if not features:
        return ""
    if len(features) == 1:
        return " with " + features[0]
    return " with " + ", ".join(features[:-1]) + " and " + features[-1]


def _clothes(attributes: Mapping[str, Any], colourless: bool) -> str:
    name = str(attributes["clothing"])
    return "wearing " + article(name if colourless else f"{attributes['clothing_colour']} {name}")


def _place(attributes: Mapping[str, Any], rng: np.random.Generator, colourless: bool) -> str:
    kind = attributes["background"]
    if kind in PLACE_PHRASES:
        return _one(rng, PLACE_PHRASES[kind])
    if colourless:
        return "against a plain background"
    colour = attributes["background_colour"]
    return _one(
        rng,
        (
            f"against {article(colour)} background",
            f"in front of {article(colour)} wall",
            f"{colour} background",
        ),
    )
