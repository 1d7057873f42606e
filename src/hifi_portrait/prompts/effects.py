"""Which words of a prompt are drawn without the networks, and which are not.

The warp draws glasses and colours of hair and clothes; a place, a wall or a backdrop is put behind the
person, a light falls on them, and the finished picture is turned into a style.
"""

from __future__ import annotations

import re
from typing import Any

from hifi_portrait.prompts.already_shown import remove_fillers
from hifi_portrait.prompts.background import find_background_words
from hifi_portrait.prompts.clothes import find_clothes, find_clothes_words
from hifi_portrait.prompts.glasses import find_glasses, find_glasses_words
from hifi_portrait.prompts.hair import find_hair, find_hair_words
from hifi_portrait.prompts.light import find_light_words
from hifi_portrait.prompts.style import find_style_words
from hifi_portrait.prompts.wording import tidy

_OF_THE_PICTURE = (find_style_words, find_light_words, find_background_words)
_OF_ANY_START = (find_style_words,)
_READERS = {
    "glasses": (find_glasses, find_glasses_words),
    "hair": (find_hair, find_hair_words),
    "clothes": (find_clothes, find_clothes_words),
}
_BOUNDARY = re.compile(r"[,;.:|]|\b(?:with|and|wearing|who|in front of|standing|sitting)\b")


def split_by_effect(
    prompt: str, target: Any, *, keeps_colours: bool = False, from_noise: bool = False
) -> tuple[list[str], list[str]]:
    """Split a prompt into what is drawn of it and what is not.

    Parameters
    ----------
    prompt
        The prompt.
    target
        The person's `Target`: what it names itself holds, whatever the prompt says.
    keeps_colours
        Whether hair, clothes, background and style stay as they are, as in a given scene.
    from_noise
        Whether the picture starts from noise: background and light are the networks' then.

    Returns
    -------
    drawn, in_vain
        Words that are drawn, and phrases that are not, in their order.
    """
    rest = tidy(prompt)
    drawn = []
    for name, (find, find_words) in _READERS.items():
        mentioned, own = find(rest), getattr(target, name)
        if mentioned is None or own not in (None, mentioned) or (keeps_colours and name != "glasses"):
            continue
        words = find_words(rest)
        drawn.append(words.strip(" ,.;"))
        rest = rest.replace(words, ", ", 1)
    of_the_picture = _OF_ANY_START if from_noise else _OF_THE_PICTURE
    for find_words in () if keeps_colours else of_the_picture:
        words = find_words(prompt)
        if words:
            drawn.append(words.strip(" ,.;"))
            rest = rest.replace(words, ", ", 1)
    phrases = [phrase.strip() for phrase in _BOUNDARY.split(rest)]
    return drawn, [_strip_fillers(phrase) for phrase in phrases if remove_fillers(phrase)]


def _strip_fillers(phrase: str) -> str:
    """Remove words that ask for nothing from both ends of a phrase."""
    words = phrase.split()
    while words and not remove_fillers(words[0]):
        words.pop(0)
    while words and not remove_fillers(words[-1]):
        words.pop()
    return " ".join(words)
