"""Several prompts in one call, of which each names other glasses or colours."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_output import StableDiffusionXLPipelineOutput

from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.subjects import paired

Call = Callable[..., Any]

_PER_PROMPT = (
    "prompt_2",
    "negative_prompt",
    "negative_prompt_2",
    "negative_prompt_embeds",
    "negative_pooled_prompt_embeds",
)
_PER_PICTURE = ("generator", "latents")


def prompt_by_prompt(call: Call) -> Call:
    """A pipeline's call that draws prompts one after the other where the warp must draw each otherwise.

    What prompts say of glasses, hair and clothes is drawn by the warp, which all pictures of one draw share.
    Prompts that agree, prompts for several people, and embeddings are left to one call.
    """

    @functools.wraps(call)
    def draw(pipe: Any, identity: Any, target: Any, prompt: str | list[str] = "", **settings: Any) -> Any:
        people = paired(identity, target)
        if len(people) > 1 or not _differ(people[0][1], prompt):
            return call(pipe, identity, target, prompt, **settings)
        as_output, each = settings.pop("return_dict", True), settings.get("num_images_per_prompt", 1)
        parts = _parts(settings, len(prompt), each)
        drawn: list[Any] = []
        for text, part in zip(prompt, parts, strict=True):
            drawn.append(call(pipe, identity, target, [text], **part).images)
            if pipe.interrupt:
                break
        pictures = _joined(drawn)
        return StableDiffusionXLPipelineOutput(images=pictures) if as_output else (pictures,)

    return draw


def _differ(target: Any, prompts: Any) -> bool:
    """Whether prompts name different glasses, hair or clothes for a target that names none itself."""
    if not isinstance(target, Target) or not isinstance(prompts, list | tuple):
        return False
    if not all(isinstance(text, str) for text in prompts):
        return False
    wishes = [target.with_prompt(text) for text in prompts]
    return len({(wish.glasses, wish.hair, wish.clothes) for wish in wishes}) > 1


def _parts(settings: dict[str, Any], prompts: int, each: int) -> list[dict[str, Any]]:
    """The settings of each of several prompts, with ``each`` pictures; what is given one each is taken apart.

    Raises
    ------
    ValueError
        There are not as many of something as prompts, or pictures.
    """
    parts = [dict(settings) for _ in range(prompts)]
    for names, of_one in ((_PER_PROMPT, 1), (_PER_PICTURE, each)):
        for name in names:
            value = settings.get(name)
            if not isinstance(value, list | tuple | torch.Tensor):
                continue
            if len(value) != prompts * of_one:
                raise ValueError(f"`{name}` must be {prompts * of_one}, but are {len(value)}")
            for number, part in enumerate(parts):
                part[name] = value[number * of_one : (number + 1) * of_one]
    return parts


def _joined(pictures: Sequence[Any]) -> Any:
    if isinstance(pictures[0], torch.Tensor):
        return torch.cat(list(pictures))
    if isinstance(pictures[0], np.ndarray):
        return np.concatenate(pictures)
    return [picture for part in pictures for picture in part]
