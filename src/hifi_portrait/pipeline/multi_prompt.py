"""Several prompts in one call, of which each names other glasses, hair or clothes.

What a person's prompt names of these is drawn by the warp, which all pictures of one draw share. Prompts that
differ in it are drawn one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.request import Request

_PER_PROMPT = (
    "prompt_2",
    "negative_prompt",
    "negative_prompt_2",
    "negative_prompt_embeds",
    "negative_pooled_prompt_embeds",
)


def split_by_prompt(request: Request) -> list[Request]:
    """Split a request into such as the warp can draw at once, each with its prompt's words in the targets.

    Prompts that agree on glasses, hair and clothes, prompts for several people, and embeddings stay together.

    Raises
    ------
    ValueError
        If there are not as many of something that is given one a prompt or one a picture.
    """
    texts = request.texts
    if len(request.subjects) > 1 or "prompt_embeds" in request.prompts:
        return [request]
    if not _differ(request.subjects[0][1], texts):
        return [_read_prompt(request)]
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
            )
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


def _read_prompt(request: Request) -> Request:
    """Give the target of a request for one person the glasses, hair and clothes that its prompt names."""
    ((identity, target),) = request.subjects
    return replace(request, subjects=[(identity, target.with_prompt(request.texts))])


def _differ(target: Target, prompts: Any) -> bool:
    """Whether prompts name different glasses, hair or clothes for a target that names none itself."""
    if not isinstance(prompts, list | tuple) or not all(isinstance(text, str) for text in prompts):
        return False
    targets = [target.with_prompt(text) for text in prompts]
    return len({(each.glasses, each.hair, each.clothes) for each in targets}) > 1


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
            raise ValueError(f"`{name}` must have {prompts * each} entries, but has {len(value)}")
        for number, part in enumerate(parts):
            part[name] = value[number * each : (number + 1) * each]
    return parts
