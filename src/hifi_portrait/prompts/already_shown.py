"""Which words of a prompt a picture of the person fulfils before any network has read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hifi_portrait.prompts.clothes import describe_clothes, find_clothes, find_clothes_words
from hifi_portrait.prompts.glasses import describe_glasses, find_glasses, find_glasses_words
from hifi_portrait.prompts.hair import describe_hair, find_hair, find_hair_words
from hifi_portrait.prompts.vocabulary import CLASS_WORDS
from hifi_portrait.prompts.wording import tidy

_CLASS_WORD = re.compile(rf"\b({'|'.join(CLASS_WORDS)})\b", re.IGNORECASE)
_FILLERS = re.compile(
    rf"\b(?:{'|'.join(CLASS_WORDS)}|an?|the|some|of|with|and|in|is|has|who|wear(?:ing|s)|dressed|his"
    rf"|her|their|"
    r"photo(?:graph)?|picture|portrait|image|head-?shot|close-?up)\b|[\W_]"
)


def select_all_shown_words(
    prompts: Any,
    glasses: str | None,
    hair: str | None = None,
    clothes: str | None = None,
    *,
    other_words: bool = False,
) -> list[str] | None:
    """Select from each prompt the words for what the picture shows already.

    Parameters
    ----------
    prompts
        One prompt or several; of embeddings, whose text is not known, no words are selected.
    glasses, hair, clothes
        What the picture shows of them, as for `select_shown_words`.
    other_words
        Whether words besides the prompts ask for something, such as a negative prompt.

    Returns
    -------
    shown
        The words of each prompt; None where the prompts ask for nothing else and no other words do.
    """
    texts = [prompts] if isinstance(prompts, str) else list(prompts)
    shown = [
        select_shown_words(text, glasses, hair, clothes) if isinstance(text, str) else "" for text in texts
    ]
    asking = [not isinstance(text, str) or text != part for text, part in zip(texts, shown, strict=True)]
    return shown if other_words or any(asking) else None


def has_other_words(arguments: Mapping[str, Any], *, guided: bool) -> bool:
    """Tell whether a call's arguments hold a second or, where guidance reads it, a negative prompt."""
    return any(
        bool(words) and (guided or not name.startswith("negative"))
        for name, words in arguments.items()
        if name != "prompt" and isinstance(words, str | list)
    )


def select_shown_words(
    prompt: str, glasses: str | None, hair: str | None = None, clothes: str | None = None
) -> str:
    """Select the words that name the person, and glasses, hair and clothes as the picture shows them.

    The change that a prompt makes to a picture is measured from a second draw with the selected words,
    because "a man" is no request for another person.

    Parameters
    ----------
    prompt
        The whole prompt.
    glasses, hair, clothes
        What the picture shows of each, as a `Target` names it; None where it does not matter.

    Returns
    -------
    shown
        "a photo of ..." with these words; the prompt itself where it has no others; empty where it has none
        of these.
    """
    if prompt and not _remove_shown_words(prompt, glasses, hair, clothes):
        return prompt
    subject = _CLASS_WORD.search(prompt)
    features = []
    if hair is not None and find_hair(prompt) == hair:
        features.append(describe_hair(hair))
    if glasses is not None and find_glasses(prompt) == glasses:
        features.append(describe_glasses(glasses))
    worn = describe_clothes(prompt) if clothes is not None and find_clothes(prompt) == clothes else ""
    if subject is None and not features and not worn:
        return ""
    person = f"a photo of a {'person' if subject is None else subject[1].lower()}"
    person += f" with {' and '.join(features)}" if features else ""
    article = "" if worn.endswith(("clothes", "clothing")) else "an " if worn[:1] in "aeiou" else "a "
    return f"{person}, wearing {article}{worn}" if worn else person


def _remove_shown_words(prompt: str, glasses: str | None, hair: str | None, clothes: str | None) -> str:
    """Give what is left of a prompt without the person, and glasses, hair and clothes as they are shown."""
    rest = tidy(prompt)
    for shown, find, find_words in (
        (glasses, find_glasses, find_glasses_words),
        (hair, find_hair, find_hair_words),
        (clothes, find_clothes, find_clothes_words),
    ):
        if shown is not None and find(prompt) == shown:
            rest = rest.replace(find_words(rest), " ", 1)
    return remove_fillers(rest)


def remove_fillers(text: str) -> str:
    """Remove from a text in lower case all that asks for nothing: "a photo of a woman with", say."""
    return _FILLERS.sub("", text)
