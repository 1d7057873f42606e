"""Draws in diffusers' denoising loop, each bound to what the networks read of the people in the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hifi_portrait.cast import Cast
from hifi_portrait.kept import Kept
from hifi_portrait.models.conditioning import Conditioning
from hifi_portrait.models.guidance import rescaled
from hifi_portrait.models.guides import Guide, guided
from hifi_portrait.models.latent_prior import prior_added
from hifi_portrait.pipeline_loading import LoadablePipeline
from hifi_portrait.prompt_faces import with_faces
from hifi_portrait.warp_start import WarpStart


@dataclass(frozen=True, eq=False)
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


class DrawingPipeline(LoadablePipeline):
    """What `HiFiPortraitPipeline` does between the people and the pictures."""

    _start: WarpStart | None = None
    _in_prompt: Conditioning | None = None
    _kept: Kept | None = None

    def _draws(self, cast: Cast, drawing: Drawing, *draws: dict[str, Any]) -> list[Any]:
        """What diffusers' own pipeline gives for each of several draws of a cast, all from the same noise.

        Each of ``draws`` holds what it has for itself: its prompts, and its ``callback_on_step_end`` with
        ``callback_on_step_end_tensor_inputs``, if somebody listens. An interrupted one is the last.
        """
        states = [each.get_state() for each in drawing.generators]
        drawn: list[Any] = []
        with self._bound(cast, drawing), self.hifi_net.reusing(drawing.hifi_every):
            for draw in draws:
                if drawn and self.interrupt:
                    break
                for each, state in zip(drawing.generators, states, strict=True):
                    each.set_state(state)
                drawn.append(super().__call__(**drawing.call, **self._listening(draw))[0])
        return drawn

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
