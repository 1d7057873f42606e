"""Several prompts in one call, of which each names other glasses or colours."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_output import StableDiffusionXLPipelineOutput

from hifi_portrait.target import Target

Call = Callable[..., Any]


def prompt_by_prompt(call: Call) -> Call:
    """A pipeline's call that draws prompts one after the other where the warp must draw each otherwise.

    What prompts say of glasses, hair and clothes is drawn by the warp, which all pictures of one draw share.
    Prompts that agree, prompts for several people, and embeddings are left to one call.
    """

    @functools.wraps(call)
    def draw(pipe: Any, identity: Any, target: Any, prompt: str | list[str] = "", **settings: Any) -> Any:
        if not isinstance(target, Target) or not _differ(target, prompt):
            return call(pipe, identity, target, prompt, **settings)
        as_dict, each = settings.pop("return_dict", True), settings.get("num_images_per_prompt", 1)
        drawn: list[Any] = []
        for number, text in enumerate(prompt):
            of_prompt = {name: _part(value, number, each) for name, value in settings.items()}
            drawn.append(call(pipe, identity, target, text, **of_prompt).images)
            if pipe.interrupt:
                break
        pictures = _joined(drawn)
        return StableDiffusionXLPipelineOutput(images=pictures) if as_dict else (pictures,)

    return draw


def _differ(target: Target, prompts: str | Sequence[str]) -> bool:
    """Whether prompts name different glasses, hair or clothes for a target that names none itself."""
    if isinstance(prompts, str) or not all(isinstance(text, str) for text in prompts):
        return False
    wishes = [target.prompted(text) for text in prompts]
    return len({(wish.glasses, wish.hair, wish.clothes) for wish in wishes}) > 1


def _part(value: Any, number: int, each: int) -> Any:
    """What a setting is for one of several prompts: lists of generators and of words are taken apart."""
    if not isinstance(value, list) or not value:
        return value
    if isinstance(value[0], torch.Generator):
        return value[number * each : (number + 1) * each]
    return value[number] if isinstance(value[0], str) else value


def _joined(pictures: Sequence[Any]) -> Any:
    if isinstance(pictures[0], torch.Tensor):
        return torch.cat(list(pictures))
    if isinstance(pictures[0], np.ndarray):
        return np.concatenate(pictures)
    return [picture for part in pictures for picture in part]
