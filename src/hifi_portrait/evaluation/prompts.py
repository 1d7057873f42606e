"""The fixed list of prompts: what each unseen synthetic person is asked to look like.

Each prompt asks for one attribute or several, which the references show (kept) or do not (changed). The true
photo of a prompt is the person of the request it is drawn for, rendered with what was asked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import lru_cache

import numpy as np

from hifi_portrait.errors import DatasetError
from hifi_portrait.evaluation.asked import AskedAttribute, Prompt, Sitter
from hifi_portrait.evaluation.attributes.classes import CLOTHING_COLOUR, GLASSES, HAIR_COLOUR, Head
from hifi_portrait.evaluation.attributes.recoloured import change_clothing_colour, change_hair_colour
from hifi_portrait.evaluation.protocol import TARGETS, Case
from hifi_portrait.evaluation.scene_prompts import scene_prompts
from hifi_portrait.synthetic.caption import HAIR_PHRASES, article
from hifi_portrait.synthetic.person import GLASSES as FRAMES

LOOKS = (HAIR_COLOUR, GLASSES, CLOTHING_COLOUR)
"""What the first five prompts ask for: each of these, two at once, and all as the references have it."""


@lru_cache(maxsize=1024)
def make_prompts(number: int) -> tuple[Prompt, ...]:
    """Make the prompts of a synthetic case from its number; equal numbers give equal prompts.

    They ask for looks, and then for what `scene_prompts` lists. Someone bald is asked for clothing and
    glasses where others are asked for hair.
    """
    sitter = Sitter.of_case(number)
    rng = np.random.default_rng([103, number])
    has_hair = sitter.person.hair.style != "bald"
    first = HAIR_COLOUR if has_hair else CLOTHING_COLOUR
    second = (HAIR_COLOUR, CLOTHING_COLOUR) if has_hair else (GLASSES, CLOTHING_COLOUR)
    changes: tuple[tuple[Head, ...], ...] = ((first,), (GLASSES,), (CLOTHING_COLOUR,), second)
    wanted = [
        [AskedAttribute(head.name, _unseen(sitter, head, rng), True) for head in heads] for heads in changes
    ]
    wanted.append(
        [
            AskedAttribute(head.name, shown.most_common(1)[0][0], False)
            for head in LOOKS
            if (shown := sitter.shown(head)) and (head is not GLASSES or shown.most_common(1)[0][0] != "none")
        ]
    )
    looks = [
        _prompt(sitter, tuple(asked), place % TARGETS, int(rng.integers(len(FRAMES[1:]))), rng)
        for place, asked in enumerate(wanted)
    ]
    return (*looks, *scene_prompts(sitter, np.random.default_rng([104, number])))


def check_case(case: Case, number: int) -> None:
    """Refuse a case whose photos are not those that the prompts were made for.

    Raises
    ------
    DatasetError
        If its targets are not those of the protocol's person with this number.
    """
    targets = Sitter.of_case(number).targets
    for request, photo in zip(case.requests, targets, strict=True):
        if not np.allclose(request.target.expression_vector(), np.clip(photo.expression, 0, 1), atol=1e-5):
            raise DatasetError(
                f"the photos of person {case.name} were taken by another version of the protocol: "
                "give another --out"
            )


def _unseen(sitter: Sitter, head: Head, rng: np.random.Generator) -> str:
    """Choose a class whose group no reference shows; of glasses, what most references do not show."""
    if head is GLASSES:
        return _other_glasses(sitter.shown(head), rng)
    return str(rng.choice(sitter.unseen(head)))


def _other_glasses(shown: Counter[str], rng: np.random.Generator) -> str:
    if "glasses" not in shown:
        return "glasses" if rng.random() < 0.8 else "sunglasses"
    return "sunglasses" if "none" in shown else "none"


def _prompt(
    sitter: Sitter, asked: tuple[AskedAttribute, ...], request: int, frame: int, rng: np.random.Generator
) -> Prompt:
    person, photo = sitter.person, sitter.targets[request]
    features, clothes = [], ""
    for one in asked:
        if one.attribute == HAIR_COLOUR.name:
            features.append(_with_article(HAIR_PHRASES[person.hair.style][0], one.value))
            person = change_hair_colour(person, one.value, rng)
        elif one.attribute == GLASSES.name:
            shape = person.glasses if person.glasses != "none" else FRAMES[1:][frame]
            features.append({"none": "no glasses", "glasses": f"{shape} glasses"}.get(one.value, one.value))
            person = replace(person, glasses=shape)
            dark = one.value == "sunglasses"
            photo = replace(photo, wears_glasses=one.value != "none", sunglasses=dark)
        else:
            clothes = f", wearing {article(f'{one.value} {photo.clothing}')}"
            photo = change_clothing_colour(photo, one.value, rng)
    having = f" with {' and '.join(features)}" if features else ""
    return Prompt(f"a photo of a {person.gender}{having}{clothes}", asked, request, person, photo)


def _with_article(phrase: str, colour: str) -> str:
    words = phrase.format(colour=colour)
    return article(words[2:]) if words.startswith("a ") else words
