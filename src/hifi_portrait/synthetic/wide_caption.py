"""Captions of photos of the variety "world", which name what varies there and seldom leave it out."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from hifi_portrait.scenery.place_names import PLACES
from hifi_portrait.synthetic.caption import (
    BEARD_PHRASES,
    EXPRESSION_PHRASES,
    HAIR_PHRASES,
    PLACE_PHRASES,
    article,
)

OPENINGS = {
    "photo": ("a portrait photo of", "a photo of", "a portrait of", "a headshot of", "a close-up photo of"),
    "black and white photo": ("a black and white photo of", "a black and white portrait of"),
    "sepia photo": ("a sepia photo of", "an old sepia photo of"),
    "pencil sketch": ("a pencil sketch of", "a pencil drawing of"),
    "watercolour": ("a watercolour of", "a watercolour painting of"),
    "oil painting": ("an oil painting of", "an oil portrait of"),
    "comic": ("a comic drawing of", "a comic book picture of"),
}
_COLOURLESS = ("black and white photo", "sepia photo", "pencil sketch")
_BEARD_PHRASES = {"none": ("a clean-shaven face", "no beard"), **BEARD_PHRASES}
_HEADWEAR_PHRASES = {
    "baseball cap": ("{colour} baseball cap", "{colour} cap"),
    "beanie": ("{colour} beanie", "{colour} knitted beanie"),
    "wide-brim hat": ("{colour} wide-brim hat", "{colour} hat with a wide brim"),
    "headscarf": ("{colour} headscarf", "{colour} hijab"),
}
_PATTERN_PHRASES = {
    "striped": ("{first} and {second} striped {garment}", "{first} {garment} with {second} stripes"),
    "checked": ("{first} and {second} checked {garment}",),
    "dotted": ("{first} {garment} with {second} dots", "{first} and {second} dotted {garment}"),
}
_LIGHT_IS_SAID = 0.5


def wide_caption(
    attributes: Mapping[str, Any], rng: np.random.Generator, *, named: Collection[str] = ()
) -> str:
    """Write a caption that mentions most of what is in the picture.

    Parameters
    ----------
    attributes
        As ``photograph`` gives them.
    rng
        Chooses what is said and in which words.
    named
        What is said in any case: of the names of ``wide.RESTYLES``.
    """
    colourless = attributes["style"] in _COLOURLESS

    def mentions(name: str, probability: float) -> bool:
        return bool(rng.random() < probability) or name in named

    opening = _one(rng, OPENINGS[attributes["style"]])
    subject = attributes["gender"]
    if rng.random() < 0.7:
        subject = f"{attributes['age_group']} {subject}"
    sentence = f"{opening} {article(subject)}" + _with(_features(attributes, rng, colourless, mentions))
    rest = []
    worn = _worn(attributes, rng, colourless, mentions)
    if worn:
        rest.append("wearing " + " and ".join(worn))
    if rng.random() < (0.45 if attributes["expression"] == "neutral" else 0.85):
        rest.append(_one(rng, EXPRESSION_PHRASES[attributes["expression"]]))
    rng.shuffle(rest)
    if mentions("scene", 0.85):
        rest.append(background_phrase(attributes, rng, colourless=colourless))
    if rng.random() < _LIGHT_IS_SAID or "scene" in named:
        rest.append(attributes["light"])
    return ", ".join([sentence, *rest])


def _one(rng: np.random.Generator, phrases: tuple[str, ...]) -> str:
    return phrases[rng.integers(len(phrases))]


def _with(features: list[str]) -> str:
    if len(features) < 2:
        return "".join(f" with {feature}" for feature in features)
    return " with " + ", ".join(features[:-1]) + " and " + features[-1]


def _features(
    attributes: Mapping[str, Any], rng: np.random.Generator, colourless: bool, mentions: Any
) -> list[str]:
    features = []
    if mentions("hair_colour", 0.85) and attributes["hair_style"] != "covered":
        colour = "" if colourless else attributes["hair_colour"]
        phrase = " ".join(_one(rng, HAIR_PHRASES[attributes["hair_style"]]).format(colour=colour).split())
        features.append(article(phrase[2:]) if phrase.startswith("a ") else phrase)
    if attributes["beard"] != "none" and mentions("beard", 0.93):
        features.append(_one(rng, _BEARD_PHRASES[attributes["beard"]]))
    elif attributes["beard"] == "none" and attributes["gender"] == "man" and mentions("beard", 0.25):
        features.append(_one(rng, _BEARD_PHRASES["none"]))
    kind = attributes["glasses"]
    if kind == "none" and mentions("glasses", 0.05):
        features.append("no glasses")
    elif kind == "sunglasses" and mentions("glasses", 0.95):
        features.append("sunglasses")
    elif kind != "none" and mentions("glasses", 0.92):
        features.append("glasses" if rng.random() < 0.35 else f"{kind} glasses")
    if rng.random() < 0.40:
        features.append(f"{attributes['skin_tone']} skin")
    if not colourless and kind != "sunglasses" and rng.random() < 0.25:
        features.append(f"{attributes['eye_colour']} eyes")
    if attributes["freckles"] and rng.random() < 0.5:
        features.append("freckles")
    return features


def _worn(
    attributes: Mapping[str, Any], rng: np.random.Generator, colourless: bool, mentions: Any
) -> list[str]:
    worn = []
    headwear = attributes["headwear"]
    if headwear == "hood" and mentions("headwear", 0.97):
        colour = "" if colourless else attributes["clothing_colour"] + " "
        return [article(f"{colour}hoodie with the hood up")]
    if headwear in _HEADWEAR_PHRASES and mentions("headwear", 0.97):
        colour = "" if colourless else attributes["headwear_colour"]
        worn.append(article(_one(rng, _HEADWEAR_PHRASES[headwear]).format(colour=colour).strip()))
    elif headwear == "none" and mentions("headwear", 0.0):
        worn.append("no hat")
    if mentions("clothing", 0.85):
        worn.append(_garment(attributes, rng, colourless))
    return worn


def _garment(attributes: Mapping[str, Any], rng: np.random.Generator, colourless: bool) -> str:
    garment, pattern = str(attributes["clothing"]), attributes["pattern"]
    if colourless:
        return article(garment if pattern == "plain" else f"{pattern} {garment}")
    first, second = attributes["clothing_colour"], attributes["second_colour"]
    if pattern != "plain":
        return article(
            _one(rng, _PATTERN_PHRASES[pattern]).format(first=first, second=second, garment=garment)
        )
    if attributes["tie_colour"]:
        return f"{article(first + ' suit')} and {article(attributes['tie_colour'] + ' tie')}"
    return article(f"{first} {garment}")


def background_phrase(attributes: Mapping[str, Any], rng: np.random.Generator, *, colourless: bool) -> str:
    """Say what is behind the person, with its preposition, as captions do; parameters as in `wide_caption`.

    ``colourless`` leaves its colour out, for pictures that have none.
    """
    kind = attributes["background"]
    if kind == "place":
        known = PLACES.get(attributes["environment"])
        return _one(rng, known.phrases) if known else f"in {article(attributes['place'])}"
    if kind in PLACE_PHRASES:
        return _one(rng, PLACE_PHRASES[kind])
    colour = "" if colourless else f"{attributes['background_colour']} "
    if kind == "bokeh":
        return f"in front of {colour}lights out of focus"
    if kind == "bookshelf":
        return "in front of a bookshelf"
    if kind == "concrete wall":
        return "in front of a concrete wall"
    if kind.endswith("wall"):
        return f"in front of {article(colour + kind)}"
    if colourless:
        return "against a plain background"
    phrases = {
        "plain": ("against {} background", "in front of {} wall", "against {} plain background"),
        "gradient": ("against {} gradient background", "against {} background"),
        "studio backdrop": ("in front of {} studio backdrop", "against {} backdrop"),
    }[kind]
    return _one(rng, phrases).format(article(attributes["background_colour"]))
