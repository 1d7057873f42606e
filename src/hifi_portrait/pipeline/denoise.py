"""Draws in diffusers' denoising loop, each bound to what the networks read of the people in the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hifi_portrait.models.conditioning import Conditioning, FaceConditioner, FaceInputs
from hifi_portrait.models.guidance import rescaled
from hifi_portrait.models.guides import Guide, guided
from hifi_portrait.models.latent_prior import prior_added
from hifi_portrait.pipeline.inpaint import Kept
from hifi_portrait.pipeline.loading import LoadablePipeline
from hifi_portrait.pipeline.photomaker_prompt import with_faces
from hifi_portrait.pipeline.subjects import Cast
from hifi_portrait.pipeline.warp_start import WarpStart


@dataclass(frozen=True, eq=False, kw_only=True)
class Drawing:
    """What all draws of one call have in common.

    Attributes
    ----------
    copies
        Pictures of a draw.
    hifi_scale, hifi_every, face_scale, warp_strength, guidance_rescale
        As the pipeline's call takes them.
    grain
        Share of the schedule's noise that the draw starts with.
    guides
        Other networks that steer, each with the picture that it reads.
    kept
        What of a given picture stays as it is.
    generators
        Of the noise, one or one a picture.
    call
        Arguments of diffusers' pipeline, but for the prompts.
    """

    copies: int
    hifi_scale: float
    hifi_every: int
    face_scale: float
    warp_strength: float
    grain: float
    guidance_rescale: float
    guides: Sequence[tuple[Guide, Tensor]]
    kept: Kept | None
    generators: Sequence[torch.Generator]
    call: dict[str, Any]

    def restored(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) in [-1, 1] with what is kept as it was."""
        return pictures if self.kept is None else self.kept.onto(pictures)


@dataclass(frozen=True, eq=False)
class Changes:
    """What prompts are to change in a picture.

    Attributes
    ----------
    asked
        Arguments of diffusers' pipeline: the prompts.
    shown
        The same with what of them is shown already; None if they ask for nothing.
    rounds
        How often their difference is found and added.
    scale
        How much of it.
    """

    asked: dict[str, Any]
    shown: dict[str, Any] | None
    rounds: int
    scale: float


class DrawingPipeline(LoadablePipeline):
    """What `HiFiPortraitPipeline` does between the people and the pictures."""

    _start: WarpStart | None = None
    _in_prompt: Conditioning | None = None
    _kept: Kept | None = None

    def _draws(self, cast: Cast, drawing: Drawing, *draws: dict[str, Any]) -> list[Any]:
        """What diffusers' own pipeline gives for each of several draws of a cast, all from the same noise.

        Each of ``draws`` holds what it has for itself: its prompts, and its ``callback_on_step_end`` with
        ``callback_on_step_end_tensor_inputs``, if somebody listens. An interrupted one is the last, and is
        left out, unless it is the only one.
        """
        states = [each.get_state() for each in drawing.generators]
        drawn: list[Any] = []
        with self._bound(cast, drawing):
            for draw in draws:
                for each, state in zip(drawing.generators, states, strict=True):
                    each.set_state(state)
                with self.hifi_net.reusing(drawing.hifi_every):
                    pictures = super().__call__(**drawing.call, **self._listening(draw))[0]
                if not (drawn and self.interrupt):
                    drawn.append(pictures)
                if self.interrupt:
                    break
        return drawn

    def _composed(
        self, cast: Cast, drawing: Drawing, hearing: dict[str, Any], changes: Changes, warp_share: float
    ) -> Tensor:
        """Pictures (B, 3, H, W) in [-1, 1] with the warp where it is sure, and what prompts change.

        The first draw is the one that the callback of ``hearing`` hears of.
        """
        shown = [] if changes.shown is None else [changes.shown]
        first, *others = self._draws(cast, drawing, changes.asked | hearing, *shown)
        pictures = cast.on_warp(first, others[0] if others else first, warp_share, changes.scale)
        pictures = drawing.restored(pictures)
        for _ in range(changes.rounds - 1 if others else 0):
            again = self._showing(cast, pictures)
            prompted, *others = self._draws(again, drawing, changes.asked, *shown)
            if not others:
                break
            pictures = drawing.restored(again.changed(pictures, prompted, others[0], changes.scale))
        return pictures

    @torch.no_grad()
    def condition(self, inputs: FaceInputs) -> Conditioning:
        """All that the networks read of a person and a drawn target; it does not depend on the timestep."""
        networks = FaceConditioner(self.face_encoder, self.face_refiner, self.hifi_net, self.vae)
        return networks(inputs)

    def _showing(self, cast: Cast, pictures: Tensor) -> Cast:
        """The same people, as they are in pictures (B, 3, H, W), in the place of their warps."""
        inputs = [each.showing(pictures) for each in cast.inputs]
        return replace(cast, inputs=inputs, conditionings=[self.condition(each) for each in inputs])

    @contextmanager
    def _bound(self, cast: Cast, drawing: Drawing) -> Iterator[None]:
        """Within this context the networks read a cast."""
        copies, face_scale, grain = drawing.copies, drawing.face_scale, drawing.grain
        with ExitStack() as stack:
            stack.enter_context(self.hifi_net.bound(cast.hifi(copies)))
            known = cast.prior_mean(copies)
            if known is not None:
                prior, alphas = self.hifi_net.prior, self.scheduler.alphas_cumprod
                mean = torch.lerp(prior.mean_alone(known), known, min(drawing.hifi_scale, 1.0))
                stack.enter_context(prior_added(self.unet, prior, mean, alphas, grain))
            stack.enter_context(self.face_attention.attached(self.unet))
            each = copies // len(cast.tokens[0])
            reading = (cast.tokens, cast.regions, face_scale, each, cast.unconditional_tokens)
            stack.enter_context(self.face_attention.bound_to_several(*reading))
            stack.enter_context(self._merging(cast.conditionings[0] if face_scale > 0 else None))
            stack.enter_context(guided(self.unet, drawing.guides, self._timesteps))
            stack.enter_context(rescaled(self.unet, self.scheduler, drawing.guidance_rescale))
            if drawing.warp_strength < 1:
                stack.enter_context(self._starting_from(cast.warp_latents, drawing.warp_strength, grain))
            stack.enter_context(self._keeping(drawing.kept))
            yield

    def prepare_latents(self, batch_size: int, *args: Any, **kwargs: Any) -> Tensor:
        """As the parent's; or the noised warp, where a call starts from it."""
        latents: Tensor = super().prepare_latents(batch_size, *args, **kwargs)
        if self._kept is not None:
            self._kept.noise = latents / self.scheduler.init_noise_sigma
        if self._start is None:
            return latents
        return self._start.noised(self.scheduler, latents / self.scheduler.init_noise_sigma)

    def encode_prompt(self, prompt: str | list[str] | None, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """As the parent's; with the faces in the prompt, where the face refiner's tokens belong there."""
        embeddings, *others = super().encode_prompt(prompt, *args, **kwargs)
        if self._in_prompt is None:
            return embeddings, *others
        merged = with_faces(embeddings, prompt, self.tokenizer, self.face_refiner, self._in_prompt)
        return merged, *others

    @contextmanager
    def _merging(self, conditioning: Conditioning | None) -> Iterator[None]:
        """Within this context prompts are encoded with the faces in them, if the face refiner is for that."""
        self._in_prompt = conditioning if self.face_refiner.in_prompt else None
        try:
            yield
        finally:
            self._in_prompt = None

    @contextmanager
    def _keeping(self, kept: Kept | None) -> Iterator[None]:
        """Within this context a call leaves a given picture as it is where it is not redrawn."""
        self._kept = kept
        try:
            yield
        finally:
            self._kept = None

    def _listening(self, draw: dict[str, Any]) -> dict[str, Any]:
        """A draw's own arguments, with what keeps a scene after each step, if there is one to be kept."""
        if self._kept is None:
            return draw
        asked = draw.get("callback_on_step_end")
        heard = draw.get("callback_on_step_end_tensor_inputs", ["latents"])
        own = getattr(asked, "tensor_inputs", heard)
        return draw | {
            "callback_on_step_end": self._kept.after_step(asked, own, self._timesteps),
            "callback_on_step_end_tensor_inputs": sorted({"latents", *own}),
        }

    def _timesteps(self) -> Tensor:
        """Those that the call under way takes."""
        return self.scheduler.timesteps if self._start is None else self._start.taken()

    def _picture(self, guide: Guide, height: int, width: int) -> Tensor:
        """What a guide reads (1, C, height, width), in [0, 1]."""
        picture = guide.image
        if isinstance(picture, np.ndarray) and picture.dtype == np.uint8:
            picture = picture / 255
        return self.control_image_processor.preprocess(picture, height=height, width=width)[:1]

    @contextmanager
    def _starting_from(self, latents: Tensor, strength: float, grain: float) -> Iterator[None]:
        """Within this context a call starts from noised `latents` and leaves the first steps out."""
        self._start = WarpStart(latents, strength, grain)
        try:
            with self._start.shortening(self.scheduler):
                yield
        finally:
            self._start = None
