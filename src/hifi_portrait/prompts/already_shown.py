"""What of a prompt a picture of the person shows before any network has read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hifi_portrait.prompts.clothes import clothes_in, clothes_phrase, clothes_words
from hifi_portrait.prompts.glasses import glasses_in, glasses_phrase, glasses_words
from hifi_portrait.prompts.hair import hair_in, hair_phrase, hair_words
from hifi_portrait.prompts.vocabulary import CLASS_WORDS

_SUBJECT = re.compile(rf"\b({'|'.join(CLASS_WORDS)})\b", re.IGNORECASE)
_FILLING = re.compile(
    rf"\b(?:{'|'.join(CLASS_WORDS)}|an?|the|some|of|with|and|in|is|has|who|wear(?:ing|s)|dressed|his|her|their|"
    r"photo(?:graph)?|picture|portrait|image|head-?shot|close-?up)\b|[\W_]"
)


def all_shown(
    prompts: Any,
    glasses: str | None,
    hair: str | None = None,
    clothes: str | None = None,
    *,
    besides: bool = False,
) -> list[str] | None:
    """What of each prompt is shown already, nothing of embeddings, whose text is not known.

    None if they ask for nothing else, and nothing asks ``besides`` them.
    """
    texts = [prompts] if isinstance(prompts, str) else list(prompts)
    shown = [shown_already(text, glasses, hair, clothes) if isinstance(text, str) else "" for text in texts]
    asking = [not isinstance(text, str) or text != part for text, part in zip(texts, shown, strict=True)]
    return shown if besides or any(asking) else None


def asks_besides(asked: Mapping[str, Any], *, guided: bool) -> bool:
    """Whether other words than the prompt are given: a second or a negative prompt, which guidance reads."""
    return any(
        bool(words) and (guided or not name.startswith("negative"))
        for name, words in asked.items()
        if name != "prompt" and isinstance(words, str | list)
    )


def shown_already(
    prompt: str, glasses: str | None, hair: str | None = None, clothes: str | None = None
) -> str:
    """The words for whose picture it is, and for what the prompt names of glasses, hair and clothes as shown.

    They belong in the draw that a prompt's changes are told from: "a man" is no wish for another person. A
    prompt that says nothing else is shown as it is.
    """
    if prompt and not _rest(prompt, glasses, hair, clothes):
        return prompt
    subject = _SUBJECT.search(prompt)
    features = []
    if hair is not None and hair_in(prompt) == hair:
        features.append(hair_phrase(hair))
    if glasses is not None and glasses_in(prompt) == glasses:
        features.append(glasses_phrase(glasses))
    worn = clothes_phrase(prompt) if clothes is not None and clothes_in(prompt) == clothes else ""
    if subject is None and not features and not worn:
        return ""
    person = f"a photo of a {'person' if subject is None else subject[1].lower()}"
    person += f" with {' and '.join(features)}" if features else ""
    article = "" if worn.endswith(("clothes", "clothing")) else "an " if worn[:1] in "aeiou" else "a "
    return f"{person}, wearing {article}{worn}" if worn else person


def _rest(prompt: str, glasses: str | None, hair: str | None, clothes: str | None) -> str:
    """What a prompt says besides naming a person, and glasses, hair and clothes as they are shown."""
    rest = re.sub(r"\s+", " ", prompt.lower())
    for shown, read, words in (
        (glasses, glasses_in, glasses_words),
        (hair, hair_in, hair_words),
        (clothes, clothes_in, clothes_words),
    ):
        if shown is not None and read(prompt) == shown:
            rest = rest.replace(words(rest), " ", 1)
    return _FILLING.sub("", rest)
