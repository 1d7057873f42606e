"""What a call of the pipeline takes, as its signature names it: keywords and their types."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypedDict, TypeVar

from diffusers import StableDiffusionXLControlNetPipeline
from torch import Tensor

from hifi_portrait.models.guides import Guide

_NOT_PASSED_ON = {"self", "image", "controlnet_conditioning_scale", "guess_mode", "kwargs"}
PASSED_ON = frozenset(
    set(inspect.signature(StableDiffusionXLControlNetPipeline.__call__).parameters) - _NOT_PASSED_ON
)
"""Arguments of diffusers' pipeline that a call takes and hands on."""


class CallKeywords(TypedDict, total=False):
    """Types of a call's keywords, for type checkers and editors; see `KEYWORDS` and diffusers' pipeline."""

    height: int | None
    width: int | None
    upscale: int | None
    num_inference_steps: int | None
    guidance_scale: float | None
    face_guidance_scale: float | None
    guidance_rescale: float
    num_images_per_prompt: int
    hifi_scale: float
    hifi_every: int
    face_scale: float
    guides: Sequence[Guide]
    start: str | None
    warp_strength: float | None
    warp_grain: float | None
    warp_until: float
    warp_share: float
    prompt_scale: float | None
    prompt_rounds: int
    callback_on_step_end_tensor_inputs: list[str]
    prompt_2: str | list[str] | None
    negative_prompt_2: str | list[str] | None
    prompt_embeds: Tensor | None
    negative_prompt_embeds: Tensor | None
    pooled_prompt_embeds: Tensor | None
    negative_pooled_prompt_embeds: Tensor | None
    timesteps: list[int] | None
    sigmas: list[float] | None
    denoising_end: float | None
    eta: float
    latents: Tensor | None
    ip_adapter_image: Any
    ip_adapter_image_embeds: list[Tensor] | None
    cross_attention_kwargs: dict[str, Any] | None
    control_guidance_start: float | list[float]
    control_guidance_end: float | list[float]
    original_size: tuple[int, int] | None
    crops_coords_top_left: tuple[int, int]
    target_size: tuple[int, int] | None
    negative_original_size: tuple[int, int] | None
    negative_crops_coords_top_left: tuple[int, int]
    negative_target_size: tuple[int, int] | None
    clip_skip: int | None


_Call = TypeVar("_Call", bound=Callable[..., Any])


def lists_keywords(call: _Call) -> _Call:
    """Let the signature of a call that takes `CallKeywords` name each of them, for tools that read it.

    diffusers looks there for what a pipeline takes, and notebooks for what they complete.
    """
    signature = inspect.signature(call)
    named, keywords = list(signature.parameters.values())[:-1], list(signature.parameters.values())[-1]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in CallKeywords.__annotations__.items()
    ]
    call.__signature__ = signature.replace(parameters=[*named, *added, keywords])  # type: ignore[attr-defined]
    return call
