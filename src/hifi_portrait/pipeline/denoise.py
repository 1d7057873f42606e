"""Draws in diffusers' own denoising loop, with the networks bound to one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import SchedulerMixin, UNet2DConditionModel

from hifi_portrait.models.face_attention import FaceAttention
from hifi_portrait.models.guidance import rescale_guidance, split_guidance
from hifi_portrait.models.guides import apply_guides
from hifi_portrait.models.hifi_net import HiFiNet
from hifi_portrait.models.latent_prior import add_prior
from hifi_portrait.pipeline.call_state import CallState


@dataclass(frozen=True, eq=False)
class Denoiser:
    """Runs diffusers' loop over networks that are bound to a call, and unbound after it."""

    loop: Callable[..., Any]
    """diffusers' pipeline: a call's state, and its arguments, to its output."""
    interrupted: Callable[[], bool]
    """Whether the user has stopped the call."""
    unet: UNet2DConditionModel
    """The base model's UNet."""
    scheduler: SchedulerMixin
    """The pipeline's scheduler."""
    hifi_net: HiFiNet
    """Steers the UNet by residuals."""
    face_attention: FaceAttention
    """Lets the UNet read faces."""

    def draw(self, state: CallState) -> list[Any]:
        """Denoise and decode each of a round's draws, all from the same noise.

        Returns what diffusers' pipeline gives for each of `state.draws`. An interrupted draw is the last, and
        is left out unless it is the only one.
        """
        noise_states = [generator.get_state() for generator in state.generators]
        condition = state.shown.make_condition(state.request.copies)
        every, until = state.request.settings.hifi_every, state.request.settings.warp_until
        last = self.scheduler.config.num_train_timesteps
        fading = (last, until * last) if until > 0 else None
        drawn: list[Any] = []
        with self._bound(state):
            for draw in state.draws:
                for generator, noise_state in zip(state.generators, noise_states, strict=True):
                    generator.set_state(noise_state)
                arguments = state.with_scene_callback(draw, self.scheduler)
                with self.hifi_net.bound(condition, every=every, warp_fading=fading):
                    pictures = self.loop(state, **state.loop_arguments, **arguments)
                if not (drawn and self.interrupted()):
                    drawn.append(pictures)
                if self.interrupted():
                    break
        return drawn

    @contextmanager
    def _bound(self, state: CallState) -> Iterator[None]:
        """Within this context UNet, face attention and scheduler serve a call; all are restored after it."""
        settings, subjects, copies = state.request.settings, state.shown, state.request.copies
        with ExitStack() as stack:
            stack.enter_context(_restore_attributes(self.scheduler))
            self._add_prior(stack, state)
            stack.enter_context(self.face_attention.attached(self.unet))
            stack.enter_context(
                self.face_attention.bound_to_several(
                    subjects.tokens,
                    subjects.regions,
                    settings.face_scale,
                    copies // len(subjects.tokens[0]),
                    subjects.unconditional_tokens,
                )
            )
            if state.start is not None:
                stack.enter_context(state.start.shorten_schedule(self.scheduler))
            guides = apply_guides(
                self.unet, state.guides, self.scheduler, lambda: state.timesteps(self.scheduler)
            )
            stack.enter_context(guides)
            scale = settings.face_guidance_scale
            ratio = None if scale is None else scale / settings.guidance_scale
            stack.enter_context(split_guidance(self.unet, copies, ratio))
            stack.enter_context(rescale_guidance(self.unet, self.scheduler, settings.guidance_rescale))
            yield

    def _add_prior(self, stack: ExitStack, state: CallState) -> None:
        """Add the latents' prior to what the UNet predicts, if HiFi-Net has one."""
        known, prior = state.shown.prior_mean(state.request.copies), self.hifi_net.prior
        if known is None or prior is None:
            return
        mean = torch.lerp(prior.mean_alone(known), known, min(state.request.settings.hifi_scale, 1.0))
        alphas = self.scheduler.alphas_cumprod
        stack.enter_context(add_prior(self.unet, prior, mean, alphas, state.request.noise_scale))


@contextmanager
def _restore_attributes(scheduler: SchedulerMixin) -> Iterator[None]:
    """Give a scheduler all the attributes back after this context that it has before."""
    before = dict(vars(scheduler))
    try:
        yield
    finally:
        vars(scheduler).clear()
        vars(scheduler).update(before)
