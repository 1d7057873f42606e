"""Several prompts in one call, of which each names other glasses, hair, clothes, places or styles.

What a person's prompt names of these is drawn by the warp, or done to the finished picture, in the same way
for all pictures of one draw. Prompts that differ in it are drawn one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from hifi_portrait.errors import ArgumentError
from hifi_portrait.person.background import Background
from hifi_portrait.pipeline.request import Request
from hifi_portrait.prompts.background import find_background
from hifi_portrait.prompts.light import find_light
from hifi_portrait.prompts.style import find_style

_PER_PROMPT = (
    "prompt_2",
    "negative_prompt",
    "negative_prompt_2",
    "negative_prompt_embeds",
    "negative_pooled_prompt_embeds",
)


def split_by_prompt(request: Request) -> list[Request]:
    """Split a request into such as can be drawn at once, each with what its prompt names.

    Prompts that agree on this, prompts for several people, and embeddings stay together.

    Raises
    ------
    ValueError
        If there are not as many of something that is given one a prompt or one a picture.
    """
    texts = request.texts
    if len(request.subjects) > 1 or "prompt_embeds" in request.prompts:
        return [request]
    if not _differ(request, texts):
        return [_read_prompt(request, texts)]
    each = request.settings.num_images_per_prompt
    prompts = _split_lists(request.prompts, _PER_PROMPT, len(texts), 1)
    passed_on = _split_lists(request.passed_on, ("latents",), len(texts), each)
    generators = _split_lists({"generator": request.generator}, ("generator",), len(texts), each)
    return [
        _read_prompt(
            replace(
                request,
                prompts=words | {"prompt": [text]},
                passed_on=others,
                generator=source["generator"],
            ),
            [text],
        )
        for text, words, others, source in zip(texts, prompts, passed_on, generators, strict=True)
    ]


def join_pictures(pictures: Sequence[Any]) -> Any:
    """Join what several draws gave: tensors or arrays (B, ...), or lists."""
    if len(pictures) == 1:
        return pictures[0]
    if isinstance(pictures[0], torch.Tensor):
        return torch.cat(list(pictures))
    if isinstance(pictures[0], np.ndarray):
        return np.concatenate(pictures)
    return [picture for part in pictures for picture in part]


def _read_prompt(request: Request, texts: Any) -> Request:
    """Give a request for one person what its prompts, where they agree, name of target, place and style."""
    ((identity, target),) = request.subjects
    words = [texts] if isinstance(texts, str) else texts or [""]
    background, light, style = _read_picture(request, words[0])
    return replace(
        request,
        subjects=[(identity, target.with_prompt(words))],
        background=Background.named(background) if background else request.background,
        light=light or request.light,
        style=style or request.style,
    )


def _read_picture(request: Request, text: str) -> tuple[str | None, str | None, str | None]:
    """Find background, light and style that a prompt names, as far as the call leaves them to it."""
    if request.scene is not None or request.output_type == "latent":
        return None, None, None
    of_photo = request.background.kind == "photo" and request.starts_from_warp
    return (
        find_background(text) if of_photo else None,
        find_light(text) if request.light == "photo" and request.starts_from_warp else None,
        find_style(text) if request.style == "photo" else None,
    )


def _differ(request: Request, prompts: Any) -> bool:
    """Whether prompts name different things, where the call leaves these to them."""
    if not isinstance(prompts, list | tuple) or not all(isinstance(text, str) for text in prompts):
        return False
    target = request.subjects[0][1]
    targets = [target.with_prompt(text) for text in prompts]
    named = [
        (each.glasses, each.hair, each.clothes, *_read_picture(request, text))
        for each, text in zip(targets, prompts, strict=True)
    ]
    return len(set(named)) > 1


def _split_lists(values: Any, names: Sequence[str], prompts: int, each: int) -> list[dict[str, Any]]:
    """Split values between prompts; the named ones are lists of ``each`` entries a prompt.

    Raises
    ------
    ValueError
        If a list has another length.
    """
    parts = [dict(values) for _ in range(prompts)]
    for name in names:
        value = values.get(name)
        if not isinstance(value, list | tuple | torch.Tensor):
            continue
        if len(value) != prompts * each:
            raise ArgumentError(f"`{name}` must have {prompts * each} entries, but has {len(value)}")
        for number, part in enumerate(parts):
            part[name] = value[number * each : (number + 1) * each]
    return parts
