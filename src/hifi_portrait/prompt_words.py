"""What of a prompt a picture of the person shows before any network has read it."""

from __future__ import annotations

import re

from hifi_portrait.head.glasses_named import glasses_in, glasses_phrase
from hifi_portrait.models.class_word import CLASS_WORDS

_SUBJECT = re.compile(rf"\b({'|'.join(CLASS_WORDS)})\b", re.IGNORECASE)


def shown_already(prompt: str, glasses: str | None) -> str:
    """The words for whose picture it is, and for its glasses, if the prompt names those that are worn.

    They belong in the draw that a prompt's changes are told from: "a man" is no wish for another person.
    """
    subject = _SUBJECT.search(prompt)
    worn = glasses if glasses is not None and glasses_in(prompt) == glasses else None
    if subject is None and worn is None:
        return ""
    person = f"a photo of a {'person' if subject is None else subject[1].lower()}"
    return person if worn is None else f"{person} with {glasses_phrase(worn)}"
