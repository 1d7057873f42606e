"""Other networks beside HiFi-Net: ControlNets and T2I-Adapters, each with a picture of its own.

They act on the UNet just as in diffusers' own pipelines: a ControlNet on both halves of a guided step, by
residuals that are added to HiFi-Net's; a T2I-Adapter by features that do not depend on the timestep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import torch
from diffusers import ControlNetModel, MultiAdapter, T2IAdapter, UNet2DConditionModel
from torch import Tensor

from hifi_portrait.errors import ModelError


@dataclass(frozen=True)
class Guide:
    """A ControlNet or T2I-Adapter that also steers a portrait.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or out of range.
    """

    model: ControlNetModel | T2IAdapter
    """Made for SDXL: a `diffusers.ControlNetModel` or a `diffusers.T2IAdapter`."""
    image: Any
    """What it reads, such as a depth map: whatever diffusers takes for a picture."""
    scale: float = 1.0
    """Its strength, 0 or more."""
    start: float = 0.0
    """Fraction, in [0, 1], of the denoising steps after which it begins to act."""
    end: float = 1.0
    """Fraction, in [0, 1], of the denoising steps after which it acts no more."""

    def __post_init__(self) -> None:
        if isinstance(self.model, MultiAdapter) or not isinstance(self.model, ControlNetModel | T2IAdapter):
            raise TypeError(
                f"a Guide's `model` must be a ControlNetModel or a T2IAdapter, but is {type(self.model)}: "
                "for several, give several guides"
            )
        if self.scale < 0:
            raise ValueError(f"a Guide's `scale` must be 0 or more, but is {self.scale}")
        if not 0 <= self.start < self.end <= 1:
            raise ValueError(
                "a Guide's `start` and `end` must be in [0, 1] and in order, but are "
                f"{self.start} and {self.end}"
            )


@contextmanager
def apply_guides(
    unet: UNet2DConditionModel,
    guides: Sequence[tuple[Guide, Tensor]],
    scheduler: Any,
    timesteps: Callable[[], Tensor],
) -> Iterator[None]:
    """Within this context the UNet is steered by guides, too.

    Parameters
    ----------
    unet
        Of an SDXL pipeline.
    guides
        Each with its picture (1, C, H, W), as its model reads it.
    scheduler
        Whose calls tell which step is under way: nothing is read back from a GPU for that.
    timesteps
        Gives those that the call takes, once the scheduler has set them.

    Raises
    ------
    ModelError
        If a guide was made for a model of other widths.
    """
    if not guides:  # a UNet without hooks compiles as one graph
        yield
        return
    for guide, _ in guides:
        _check_fit(guide.model, unet)
    features = {
        index: guide.model(picture.to(guide.model.device, guide.model.dtype))
        for index, (guide, picture) in enumerate(guides)
        if isinstance(guide.model, T2IAdapter)
    }
    acting: list[bool] = [False] * len(guides)

    def steer(
        _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        sample, timestep = args[0], args[1]
        for index, (guide, picture) in enumerate(guides):
            if not acting[index]:
                continue
            if index in features:
                kwargs = kwargs | _with_features(kwargs, features[index], guide.scale, sample)
            else:
                kwargs = kwargs | _with_residuals(kwargs, guide, picture, sample, timestep)
        return args, kwargs

    def enter_step(done: int) -> None:
        fraction = done / len(timesteps())
        acting[:] = [guide.scale > 0 and guide.start <= fraction < guide.end for guide, _ in guides]

    hook = unet.register_forward_pre_hook(steer, with_kwargs=True)
    try:
        with count_steps(scheduler, enter_step):
            yield
    finally:
        hook.remove()


@contextmanager
def count_steps(scheduler: Any, enter_step: Callable[[int], None]) -> Iterator[None]:
    """Within this context `enter_step` hears how many steps of a draw are done, before each next one.

    Parameters
    ----------
    scheduler
        A diffusers scheduler: a draw begins where its timesteps are set, and each of its steps ends one.
    enter_step
        Is given 0, 1, ...; after the last step, too.
    """
    set_timesteps, step = scheduler.set_timesteps, scheduler.step
    own = {name: vars(scheduler)[name] for name in ("set_timesteps", "step") if name in vars(scheduler)}
    done = 0

    @wraps(set_timesteps)
    def begin(*args: Any, **kwargs: Any) -> None:
        nonlocal done
        set_timesteps(*args, **kwargs)
        done = 0
        enter_step(done)

    @wraps(step)
    def end_step(*args: Any, **kwargs: Any) -> Any:
        nonlocal done
        output = step(*args, **kwargs)
        done += 1
        enter_step(done)
        return output

    scheduler.set_timesteps, scheduler.step = begin, end_step
    try:
        yield
    finally:
        for name in ("set_timesteps", "step"):
            delattr(scheduler, name)
        vars(scheduler).update(own)


def _with_residuals(
    kwargs: dict[str, Any], guide: Guide, picture: Tensor, sample: Tensor, timestep: Any
) -> dict[str, Any]:
    model: Any = guide.model
    like_weights = {"device": model.device, "dtype": model.dtype}
    added = kwargs.get("added_cond_kwargs") or {}
    down, middle = model(
        sample.to(**like_weights),
        torch.as_tensor(timestep).to(model.device),
        encoder_hidden_states=kwargs["encoder_hidden_states"].to(**like_weights),
        controlnet_cond=picture.to(**like_weights).expand(len(sample), -1, -1, -1),
        conditioning_scale=guide.scale,
        added_cond_kwargs={name: added[name].to(**like_weights) for name in ("text_embeds", "time_ids")},
        return_dict=False,
    )
    before = kwargs.get("down_block_additional_residuals")
    if before is not None:
        down = [old + new.to(old) for old, new in zip(before, down, strict=True)]
        middle = kwargs["mid_block_additional_residual"] + middle.to(sample)
    return {
        "down_block_additional_residuals": [each.to(sample) for each in down],
        "mid_block_additional_residual": middle.to(sample),
    }


def _with_features(
    kwargs: dict[str, Any], features: Sequence[Tensor], scale: float, sample: Tensor
) -> dict[str, Any]:
    added = [(feature * scale).to(sample).expand(len(sample), -1, -1, -1) for feature in features]
    before = kwargs.get("down_intrablock_additional_residuals")
    if before is not None:
        added = [old + new for old, new in zip(before, added, strict=True)]
    return {"down_intrablock_additional_residuals": added}


def _check_fit(model: ControlNetModel | T2IAdapter, unet: UNet2DConditionModel) -> None:
    config: Any = model.config
    expected = {"widths of its levels": list(unet.config.block_out_channels)}
    if isinstance(model, T2IAdapter):
        found = {"widths of its levels": list(config.channels)[: len(unet.config.block_out_channels)]}
    else:
        found = {"widths of its levels": list(config.block_out_channels)}
        for name in ("cross_attention_dim", "addition_embed_type"):
            expected[f"`{name}`"], found[f"`{name}`"] = unet.config[name], config[name]
    for name, value in found.items():
        if value != expected[name]:
            raise ModelError(
                f"the guide {type(model).__name__} does not fit the base model: {name} {value}, expected "
                f"{expected[name]}. Use one that was made for SDXL"
            )
