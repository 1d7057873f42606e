"""A call's keywords: whether each is known, and whether diffusers can use the values that it reads."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from hifi_portrait.errors import ArgumentError, ModelError
from hifi_portrait.head.numerics import as_number, as_whole
from hifi_portrait.pipeline.options import KEYWORDS
from hifi_portrait.pipeline.request import Request
from hifi_portrait.pipeline.signature import PASSED_ON

_MEANT = {
    **dict.fromkeys(("seed", "seeds", "random_seed", "manual_seed", "noise_seed", "rng"), "generator"),
    **dict.fromkeys(("steps", "num_steps", "sampling_steps"), "num_inference_steps"),
    **dict.fromkeys(("guidance", "cfg", "cfg_scale"), "guidance_scale"),
    **dict.fromkeys(("strength", "denoise", "denoising_strength"), "warp_strength"),
    **dict.fromkeys(("negative", "neg_prompt"), "negative_prompt"),
    **dict.fromkeys(("count", "num_images", "n", "n_samples", "batch_size"), "num_images_per_prompt"),
    **dict.fromkeys(("image", "images", "photos", "references"), "identity"),
    **dict.fromkeys(("expression", "yaw", "pitch", "roll", "pose", "gaze", "glasses", "framing"), "target"),
    **dict.fromkeys(("control_image", "controlnet"), "guides"),
    "callback": "callback_on_step_end",
    "scale": "upscale",
    "lora_scale": "cross_attention_kwargs",
}
"""What other programs call an argument, or what is part of one -> what it is called here."""


def check_known(keywords: Mapping[str, Any], call: Callable[..., Any]) -> None:
    """Refuse keywords that diffusers' own pipeline, which takes any, would silently ignore.

    Parameters
    ----------
    keywords
        Those of a call that are none of its named parameters.
    call
        The pipeline's, one of whose named parameters may have been meant.

    Raises
    ------
    TypeError
        If one is unknown; the message says which may have been meant.
    """
    named = set(inspect.signature(call).parameters) - {"self", "keywords"}
    for name in keywords:
        if name not in KEYWORDS and name not in PASSED_ON:
            near = difflib.get_close_matches(name, sorted({*named, *KEYWORDS, *PASSED_ON}), 1)
            near = [_MEANT[name]] if name in _MEANT else near
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise TypeError(f"a portrait takes no argument `{name}`{hint}")


def check_passed_on(request: Request, unet: Any, text_encoder: Any) -> None:
    """Check values that are handed on to diffusers, which takes some that are none and draws nothing of them.

    Parameters
    ----------
    request
        The call's inputs.
    unet, text_encoder
        The pipeline's; the latter may be None.

    Raises
    ------
    TypeError, ValueError
        If one cannot be used; the message names it.
    ModelError
        If it is for something that is not loaded.
    """
    layers = 1 if text_encoder is None else int(text_encoder.config.num_hidden_layers)
    for name, value in {**request.passed_on, **_embeddings(request)}.items():
        if name in ("ip_adapter_image", "ip_adapter_image_embeds"):
            if value is not None and getattr(unet, "encoder_hid_proj", None) is None:
                raise ModelError(f"`{name}` needs an IP-Adapter: call load_ip_adapter first")
        elif value is None and name not in _NEEDED:
            continue
        elif name == "clip_skip":
            _check(name, value, _is_count(value, layers - 1), f"a whole number in [0, {layers - 1}]")
        elif name == "latents":
            _check_latents(value, request, unet)
        elif name in _RULES:
            is_fine, wanted = _RULES[name]
            _check(name, value, is_fine(value), wanted)
    _check_callback(request.callback.get("callback_on_step_end"))


def _embeddings(request: Request) -> dict[str, Any]:
    return {name: value for name, value in request.prompts.items() if name.endswith("_embeds")}


def _check(name: str, value: Any, is_fine: bool, wanted: str) -> None:
    if not is_fine:
        raise ArgumentError(f"`{name}` must be {wanted}, but is {_short(value)}")


def _short(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)} of {value.dtype}"
    return repr(value)[:200]


def _check_latents(value: Any, request: Request, unet: Any) -> None:
    """Check latents (N, C, h, w) of finite numbers, as the autoencoder makes them."""
    wanted = (request.copies, int(unet.config.in_channels))
    is_fine = _is_finite(value) and value.ndim == 4 and tuple(value.shape[:2]) == wanted
    _check("latents", value, is_fine, f"a tensor ({wanted[0]}, {wanted[1]}, H, W) of finite numbers")


def _check_callback(value: Any) -> None:
    if value is not None and not callable(value):
        raise TypeError(f"`callback_on_step_end` must be a function, but is {_short(value)}")


def _is_finite(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and bool(torch.isfinite(value).all())


def _is_count(value: Any, most: int) -> bool:
    whole = as_whole(value)
    return isinstance(value, int) and whole is not None and 0 <= whole <= most


def _is_fraction(value: Any) -> bool:
    number = as_number(value)
    return number is not None and 0 <= number <= 1


def _are_fractions(value: Any) -> bool:
    return all(map(_is_fraction, value)) if isinstance(value, list) else _is_fraction(value)


def _is_pair(value: Any) -> bool:
    whole = [as_whole(each) for each in value] if isinstance(value, tuple | list) else []
    return len(whole) == 2 and all(each is not None and each >= 0 for each in whole)


def _are_numbers(value: Any) -> bool:
    listed = list(value) if isinstance(value, list | tuple) or hasattr(value, "__array__") else []
    return bool(listed) and all(as_number(each) is not None for each in listed)


_PAIR = (
    lambda value: isinstance(value, tuple) and _is_pair(value),
    "a tuple of two whole numbers, (height, width)",
)
_EMBEDDING = (_is_finite, "a tensor of finite numbers")

_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "eta": (_is_fraction, "a number in [0, 1]"),
    "denoising_end": (
        lambda value: isinstance(value, float) and 0 < value < 1,  # diffusers ignores all else
        "a float between 0 and 1",
    ),
    "cross_attention_kwargs": (lambda value: isinstance(value, dict), "a dictionary, such as {'scale': 0.5}"),
    "control_guidance_start": (_are_fractions, "a number in [0, 1]"),
    "control_guidance_end": (_are_fractions, "a number in [0, 1]"),
    "timesteps": (_are_numbers, "a list of numbers"),
    "sigmas": (_are_numbers, "a list of numbers"),
    **dict.fromkeys(("original_size", "target_size", "crops_coords_top_left"), _PAIR),
    **dict.fromkeys(
        ("negative_original_size", "negative_target_size", "negative_crops_coords_top_left"), _PAIR
    ),
    **dict.fromkeys(("prompt_embeds", "negative_prompt_embeds"), _EMBEDDING),
    **dict.fromkeys(("pooled_prompt_embeds", "negative_pooled_prompt_embeds"), _EMBEDDING),
}
"""Keyword that diffusers reads -> whether a value will do, and what will."""

_NEEDED = frozenset({"eta", "control_guidance_start", "control_guidance_end", "crops_coords_top_left"})
"""Keywords whose value must not be None."""
