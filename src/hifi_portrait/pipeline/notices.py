"""What of a call has no effect, said in the log: a line each."""

from __future__ import annotations

import logging
from typing import Any

from hifi_portrait.pipeline.request import Request
from hifi_portrait.pipeline.warp_start import steps_taken
from hifi_portrait.prompts.background import find_background
from hifi_portrait.prompts.effects import split_by_effect
from hifi_portrait.prompts.light import find_light

logger = logging.getLogger(__name__)

_OF_PROMPTS: tuple[str, ...] = ("prompt_scale", "prompt_rounds")
_OF_WARP_STARTS: tuple[str, ...] = ("warp_grain", "warp_share", *_OF_PROMPTS)
"""Keywords of a call that change starts from the warp alone."""

_SHOWN = 200
"""At most so many letters of a prompt are shown in a message."""


def tell(request: Request, tokenizer: Any, *, is_bundled: bool) -> None:
    """Log a warning for each thing that a call asks for in vain.

    Parameters
    ----------
    request
        The call's inputs.
    tokenizer
        Of the pipeline's first text encoder, which bounds the length of prompts; None if there is none.
    is_bundled
        Whether the model is the one that comes with the package, which draws colours and glasses of prompts
        and nothing else.
    """
    for notice in [*find_options_in_vain(request), *find_words_in_vain(request, tokenizer, is_bundled)]:
        logger.warning("%s", notice)


def find_options_in_vain(request: Request) -> list[str]:
    """Find options that change nothing beside the others."""
    settings, found = request.settings, []
    if _texts(request.prompts.get("negative_prompt")) and settings.guidance_scale <= 1:
        found.append(
            f"the negative prompt has no effect at guidance {settings.guidance_scale:g}: it takes a guidance"
            " (guidance_scale, --guidance) above 1"
        )
    if settings.num_images_per_prompt > 1 and request.noise_scale == 0:
        found.append(
            f"the {settings.num_images_per_prompt} pictures of a prompt are the same: there is no noise to"
            " differ by at warp_grain 0 (--warp-grain)"
        )
    taken = settings.num_inference_steps
    if request.starts_from_warp:
        taken = steps_taken(taken, settings.warp_strength)
    if settings.hifi_every > taken:
        found.append(
            f"hifi_every {settings.hifi_every} is more than the {taken} steps that are taken:"
            " HiFi-Net runs at the first one only"
        )
    if "guidance_rescale" in request.given and settings.guidance_scale <= 1:
        found.append(
            f"guidance_rescale has no effect at guidance {settings.guidance_scale:g}: it takes a guidance"
            " (guidance_scale, --guidance) above 1"
        )
    return [*found, *_find_warp_options_in_vain(request)]


def _find_warp_options_in_vain(request: Request) -> list[str]:
    """Find options of starts from the warp, and of what prompts change in them, that change nothing."""
    settings = request.settings
    if not request.starts_from_warp:
        why = "on a start from noise (start 'imagined'); it is for those from the warp (start 'faithful')"
        named = _OF_WARP_STARTS
    elif not _texts(request.prompts.get("prompt")) and "prompt_embeds" not in request.prompts:
        why, named = "without a prompt", _OF_PROMPTS
    elif settings.prompt_scale == 0:
        why, named = (
            "at prompt_scale 0, which adds nothing that the networks make of a prompt",
            _OF_PROMPTS[1:],
        )
    else:
        return []
    return [
        f"{name} (--{name.replace('_', '-')}) has no effect {why}" for name in named if name in request.given
    ]


def find_words_in_vain(request: Request, tokenizer: Any, is_bundled: bool) -> list[str]:
    """Find words of prompts that are not read, or that the bundled model does not draw."""
    found = []
    for name, prompts in request.prompts.items():
        for text in _texts(prompts):
            if cut := find_cut_words(text, tokenizer):
                words = name.replace("_", " ")
                found.append(f"the {words} is too long: the model does not read {cut[:_SHOWN]!r}")
    for text in _texts(request.prompts.get("prompt_2")):
        if is_bundled:
            found.append(f"the bundled model does not draw {text[:_SHOWN]!r} of prompt_2")
    for text in _texts(request.prompts.get("prompt")):
        if is_bundled and len(request.subjects) == 1:
            _, target = request.subjects[0]
            from_noise = not request.starts_from_warp
            fixed = {"keeps_colours": request.scene is not None, "from_noise": from_noise}
            drawn, in_vain = split_by_effect(text, target, **fixed)
            if in_vain:
                also = f" (it draws {', '.join(map(repr, drawn))})" if drawn else ""
                words = ", ".join(map(repr, in_vain))
                message = f"the bundled model does not draw {words} of the prompt{also}"
                if from_noise and (find_background(text) or find_light(text)):
                    message += (
                        "; a start from the warp (--start faithful) has the place and light of the prompt"
                    )
                found.append(message)
    return found


def find_cut_words(text: str, tokenizer: Any) -> str:
    """Find the words at a prompt's end that the text encoder has no room for; empty if it reads all."""
    if tokenizer is None:
        return ""
    longest = int(tokenizer.model_max_length)
    tokens = tokenizer(text, truncation=False).input_ids
    if len(tokens) <= longest:
        return ""
    return str(tokenizer.decode(tokens[longest - 1 : -1])).strip()


def _texts(prompts: Any) -> list[str]:
    """List the prompts that are texts and not empty."""
    listed = prompts if isinstance(prompts, list | tuple) else [prompts]
    return [text for text in listed if isinstance(text, str) and text.strip()]
