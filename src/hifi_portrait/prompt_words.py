"""What of a prompt a picture of the person shows before any network has read it."""

from __future__ import annotations

import re

from hifi_portrait.head.clothes_named import clothes_in, clothes_phrase
from hifi_portrait.head.glasses_named import glasses_in, glasses_phrase
from hifi_portrait.head.hair_named import hair_in, hair_phrase
from hifi_portrait.models.class_word import CLASS_WORDS

_SUBJECT = re.compile(rf"\b({'|'.join(CLASS_WORDS)})\b", re.IGNORECASE)


def shown_already(
    prompt: str, glasses: str | None, hair: str | None = None, clothes: str | None = None
) -> str:
    """The words for whose picture it is, and for what the prompt names of glasses, hair and clothes as shown.

    They belong in the draw that a prompt's changes are told from: "a man" is no wish for another person.
    """
    subject = _SUBJECT.search(prompt)
    features = []
    if hair is not None and hair_in(prompt) == hair:
        features.append(hair_phrase(hair))
    if clothes is not None and clothes_in(prompt) == clothes:
        features.append(clothes_phrase(clothes))
    if glasses is not None and glasses_in(prompt) == glasses:
        features.append(glasses_phrase(glasses))
    if subject is None and not features:
        return ""
    person = f"a photo of a {'person' if subject is None else subject[1].lower()}"
    return f"{person} with {' and '.join(features)}" if features else person
