"""Guidance rescale, which diffusers' SDXL ControlNet pipeline leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

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
