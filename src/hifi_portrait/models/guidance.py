"""Guidance beyond that of diffusers' SDXL ControlNet pipeline: rescaled, and split between faces and text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import rescale_noise_cfg
from torch import Tensor


@contextmanager
def rescale_guidance(unet: UNet2DConditionModel, scheduler: Any, amount: float) -> Iterator[None]:
    """Within this context guided predictions are brought back to the spread of the conditional ones.

    Against overexposed pictures: arXiv 2305.08891, section 3.4. `amount` in [0, 1] is the fraction of the
    rescaled prediction; at 0, or where the UNet runs on conditional samples alone, nothing changes. A
    scheduler serves one call at a time.
    """
    if amount == 0:
        yield
        return
    predicted: list[Tensor] = []

    def keep(_: Any, args: tuple[Any, ...], output: Any) -> None:
        predicted[:] = [output[0]]

    original, own = scheduler.step, vars(scheduler).get("step")

    @wraps(original)
    def step(model_output: Tensor, *args: Any, **kwargs: Any) -> Any:
        conditional = predicted[0][-len(model_output) :]
        if len(predicted[0]) == 2 * len(model_output):
            model_output = rescale_noise_cfg(model_output, conditional, guidance_rescale=amount)
        return original(model_output, *args, **kwargs)

    hook = unet.register_forward_hook(keep)
    scheduler.step = step
    try:
        yield
    finally:
        hook.remove()
        if own is None:
            del scheduler.step
        else:
            scheduler.step = own


@contextmanager
def split_guidance(unet: UNet2DConditionModel, pictures: int, ratio: float | None) -> Iterator[None]:
    """Within this context faces have a guidance scale of their own, `ratio` times the text's.

    The UNet runs on a third half, which reads the faces but not the prompt. With u, f and c for what it
    predicts without both, with faces alone, and with both, the guided prediction is
    u + face scale (f - u) + text scale (c - f), as for two conditions in arXiv 2211.09800, eq. 3. The third
    half has HiFi-Net's residuals, and those of guides, from the half with the prompt.

    Parameters
    ----------
    unet
        Whose caller takes u + text scale (x - u) of the two halves u and x that it gets back.
    pictures
        Samples of each half; a call for one half alone is left as it is.
    ratio
        Of the faces' scale to the text's, 0 or more. None does nothing.
    """
    if ratio is None:
        yield
        return

    def widen(
        _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if len(args[0]) != 2 * pictures:
            return args, kwargs
        with_faces = {name: _map(kwargs.get(name), _repeat_last) for name in _BESIDE_FACES}
        with_text = {name: _map(value, _repeat_first) for name, value in kwargs.items()}
        return _map(args, _repeat_last), with_text | {n: v for n, v in with_faces.items() if n in kwargs}

    def join(_: Any, args: tuple[Any, ...], output: Any) -> Any:
        if len(args[0]) != 3 * pictures:
            return output
        of_none, of_faces, of_both = output[0].chunk(3)
        guided = of_both - of_faces + of_none + ratio * (of_faces - of_none)
        joined = torch.cat([of_none, guided])
        return (joined, *output[1:]) if isinstance(output, tuple) else type(output)(sample=joined)

    def _map(value: Any, change: Any) -> Any:
        """Change each tensor of two halves in nested arguments."""
        if isinstance(value, torch.Tensor):
            return change(value) if value.dim() and len(value) == 2 * pictures else value
        if isinstance(value, list | tuple):
            return type(value)(_map(each, change) for each in value)
        if isinstance(value, dict):
            return {name: _map(each, change) for name, each in value.items()}
        return value

    hooks = [
        unet.register_forward_pre_hook(widen, with_kwargs=True),
        unet.register_forward_hook(join),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


_BESIDE_FACES = (
    "down_block_additional_residuals",
    "mid_block_additional_residual",
    "down_intrablock_additional_residuals",
)
"""Arguments of a UNet that the half with faces alone shares with the half that reads the prompt, too."""


def _repeat_last(value: Tensor) -> Tensor:
    """Halves (u, c) as (u, c, c)."""
    return torch.cat([value, value[len(value) // 2 :]])


def _repeat_first(value: Tensor) -> Tensor:
    """Halves (u, c) as (u, u, c)."""
    return torch.cat([value[: len(value) // 2], value])
