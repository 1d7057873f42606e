"""All that one call holds while it draws, as one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, SchedulerMixin
from diffusers.image_processor import VaeImageProcessor
from torch import Tensor

from hifi_portrait.models.conditioning import FaceConditioner
from hifi_portrait.models.face_refiner import FaceRefiner
from hifi_portrait.models.guides import Guide
from hifi_portrait.models.latents import encode_picture
from hifi_portrait.pipeline.encode import Device, mask_scene
from hifi_portrait.pipeline.inpaint import LatentInpainting
from hifi_portrait.pipeline.new_background import replace_background
from hifi_portrait.pipeline.request import Request
from hifi_portrait.pipeline.subjects import EncodedSubjects
from hifi_portrait.pipeline.turn_into_style import turn_into_style
from hifi_portrait.pipeline.warp_start import WarpStart
from hifi_portrait.prompts.already_shown import has_other_words, select_all_shown_words


@dataclass(frozen=True, eq=False, kw_only=True)
class CallState:
    """One call under way.

    It is made before the first draw. A later round has a state of its own, in which the picture so far stands
    in the place of the warp. Nothing of it outlives the call.
    """

    request: Request
    """What the call asks for."""
    subjects: EncodedSubjects
    """The people with their warps, as they were encoded."""
    shown: EncodedSubjects
    """The people as the networks read them in this round: the picture so far in the place of the warp."""
    loop_arguments: Mapping[str, Any]
    """Arguments of diffusers' pipeline that all draws share."""
    unprompted: Mapping[str, Any] | None
    """The prompts reduced to the words that the warp shows already, for a second draw: the difference of the
    two draws is what the prompts change. At a prompt scale of 0 it is the only one. None if the warp shows
    all words; then one draw is enough."""
    generators: Sequence[torch.Generator]
    """The sources of noise, which every draw starts from the same state."""
    guides: Sequence[tuple[Guide, Tensor]]
    """Other networks that steer the picture, each with the picture (1, C, H, W) that it reads."""
    inpainting: LatentInpainting | None
    """What of a given scene stays as it is."""
    start: WarpStart | None
    """The start from the warp; None for one from noise."""
    so_far: Tensor | None = None
    """Pictures (B, 3, H, W) in [-1, 1] of the round before; None in the first."""
    round: int = 1
    """Which round of a prompt's changes this is, from 1."""

    @property
    def draws(self) -> list[dict[str, Any]]:
        """Arguments that each draw of this round has for itself; the first one is that with the prompt.

        The user's callback hears that of the first round only.
        """
        heard = dict(self.request.callback) if self.round == 1 else {}
        first = dict(self.request.prompts) | heard
        if self.unprompted is None:
            return [first]
        if self.request.settings.prompt_scale == 0:
            return [dict(self.unprompted) | heard]
        return [first, dict(self.unprompted)]

    def timesteps(self, scheduler: SchedulerMixin) -> Tensor:
        """Return the timesteps that the draw under way takes."""
        if self.start is None:
            timesteps: Tensor = scheduler.timesteps
            return timesteps
        return self.start.remaining_timesteps()

    def start_latents(self, scheduler: SchedulerMixin, latents: Tensor) -> Tensor:
        """Return the latents from which a draw starts, given diffusers' own: scaled noise (B, C, h, w)."""
        if self.inpainting is None and self.start is None:
            return latents
        noise = latents / scheduler.init_noise_sigma
        if self.inpainting is not None:
            self.inpainting.noise = noise
        return latents if self.start is None else self.start.add_noise(scheduler, noise)

    def merges_faces(self, face_refiner: FaceRefiner) -> bool:
        """Whether the person's faces belong into the prompt, with this face refiner."""
        return face_refiner.in_prompt and self.request.settings.face_scale > 0

    def with_scene_callback(self, draw: dict[str, Any], scheduler: SchedulerMixin) -> dict[str, Any]:
        """Return a draw's arguments with the callback that keeps a scene as it is, if there is one."""
        if self.inpainting is None:
            return draw
        callback = draw.get("callback_on_step_end")
        tensors = draw.get("callback_on_step_end_tensor_inputs", ["latents"])
        own = getattr(callback, "tensor_inputs", tensors)
        blending = self.inpainting.make_callback(callback, own, lambda: self.timesteps(scheduler))
        return draw | {
            "callback_on_step_end": blending,
            "callback_on_step_end_tensor_inputs": sorted({"latents", *own}),
        }

    def composite(self, drawn: Sequence[Any]) -> Any:
        """Make this round's pictures of its draws.

        Parameters
        ----------
        drawn
            What diffusers' pipeline gave for each of `draws`: pictures (B, 3, H, W) in [0, 1] if anything
            happens to them here, otherwise of the output type requested. An interrupted one may be missing.

        Returns
        -------
        Any
            Pictures (B, 3, H, W) in [-1, 1]; diffusers' own output if nothing happens to it here.
        """
        settings = self.request.settings
        if not self.request.is_finished_here:
            return drawn[0]
        if not self.request.shows_warp:
            pictures = 2 * drawn[0].float() - 1
        elif self.so_far is None:
            without = drawn[-1]  # the first itself, where one draw is enough
            pictures = self.subjects.composite_warp(
                drawn[0], without, settings.warp_share, settings.prompt_scale
            )
        elif len(drawn) < 2:
            return self.so_far
        else:
            pictures = self.shown.add_change(self.so_far, drawn[0], drawn[1], settings.prompt_scale)
        return pictures if self.inpainting is None else self.inpainting.paste(pictures)

    def next_round(
        self, pictures: Any, drawn: Sequence[Any], conditioner: FaceConditioner
    ) -> CallState | None:
        """Make the state of the next round, which looks for a prompt's changes in the pictures so far.

        Parameters
        ----------
        pictures, drawn
            This round's pictures (B, 3, H, W) in [-1, 1], and its draws.
        conditioner
            Reads those pictures in the place of the warps; what it read in the photos stays.

        Returns
        -------
        CallState | None
            None if this was the last one, there is nothing to change, or a draw was interrupted.
        """
        changes = self.request.shows_warp and len(drawn) > 1
        if not changes or self.round == self.request.settings.prompt_rounds:
            return None
        inputs = [each.show_pictures(pictures) for each in self.subjects.inputs]
        conditionings = [
            conditioner(each, features=known.repeat(len(each.warp)), separate_warp=True)
            for each, known in zip(inputs, self.subjects.features, strict=True)
        ]
        shown = replace(self.subjects, inputs=inputs, conditionings=conditionings)
        return replace(
            self,
            shown=shown,
            start=_make_start(self.request, shown),
            so_far=pictures,
            round=self.round + 1,
        )

    def finish(self, pictures: Any, processor: VaeImageProcessor, device: Device) -> Any:
        """Enlarge the last round's pictures, replace their background, and turn them into a style.

        Parameters
        ----------
        pictures
            From `composite`.
        processor
            diffusers' own, which makes PIL images, say, of tensors.
        device
            On which the networks run.

        Returns
        -------
        Any
            The pictures, as the requested output type.
        """
        request = self.request
        if not request.is_finished_here:
            return pictures
        if request.is_enlarged:
            fraction = request.settings.warp_share if request.shows_warp else 0.0
            pictures = self.subjects.add_detail(pictures, fraction)
        if request.is_enlarged and request.scene is not None:
            pictures = mask_scene(request.scene, self.subjects.large_heads[0], device).paste(pictures)
        if request.changes_surroundings:
            head = (self.subjects.large_heads or self.subjects.heads)[0]
            pictures = replace_background(
                pictures, request.background, request.light, *request.subjects[0], head
            )
        if request.style != "photo":
            pictures = turn_into_style(pictures, request.style)
        return processor.postprocess(pictures, output_type=request.output_type)


def prepare_call(
    request: Request,
    subjects: EncodedSubjects,
    vae: AutoencoderKL,
    control_image_processor: VaeImageProcessor,
    device: Device,
    *,
    encodes_text: bool = True,
) -> CallState:
    """Make the state of a call's first round.

    Parameters
    ----------
    request, subjects
        The call's inputs, and the encoded people.
    vae
        Encodes a given scene.
    control_image_processor
        diffusers' reader of the pictures that guides are given.
    device
        On which the networks run.
    encodes_text
        Whether there are text encoders.
    """
    settings = request.settings
    inpainting = None
    if request.scene is not None:
        mask = mask_scene(request.scene, subjects.heads[0], device)
        inpainting = LatentInpainting(
            mask.picture, mask.redrawn, encode_picture(vae, mask.picture), request.noise_scale
        )
    generator = request.generator
    if request.shows_warp and generator is None:  # one that can be wound back
        generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
    arguments = {
        "image": torch.from_numpy(subjects.heads[0].image.copy()).permute(2, 0, 1)[None] / 255,
        "height": settings.height,
        "width": settings.width,
        "num_inference_steps": settings.num_inference_steps,
        "guidance_scale": settings.guidance_scale,
        "num_images_per_prompt": settings.num_images_per_prompt,
        "controlnet_conditioning_scale": float(settings.hifi_scale),
        # HiFi-Net runs on the conditional half only, if the other has nothing to read.
        "guess_mode": not subjects.reads_nobody,
        "output_type": "pt" if request.is_finished_here else request.output_type,
        "return_dict": False,
        "generator": generator,
        **request.passed_on,
    }
    return CallState(
        request=request,
        subjects=subjects,
        shown=subjects,
        loop_arguments=arguments,
        unprompted=_find_unprompted(request, encodes_text) if request.shows_warp else None,
        generators=generator if isinstance(generator, list) else [generator] if generator else [],
        guides=[
            (guide, _read_guide_image(guide, control_image_processor, settings.height, settings.width))
            for guide in settings.guides
        ],
        inpainting=inpainting,
        start=_make_start(request, subjects),
    )


def _make_start(request: Request, subjects: EncodedSubjects) -> WarpStart | None:
    if not request.starts_from_warp:
        return None
    return WarpStart(subjects.warp_latents, request.settings.warp_strength, request.noise_scale)


def _find_unprompted(request: Request, encodes_text: bool) -> dict[str, Any] | None:
    """Find what of the prompts the warp shows already; None if they ask for nothing else."""
    if not encodes_text:
        return _without_prompt(request.prompts)
    by_the_warp = ("glasses", "hair", "clothes") if request.scene is None else ("glasses",)
    shared = [{getattr(target, name) for _, target in request.subjects} for name in by_the_warp]
    besides = has_other_words(request.prompts, guided=request.settings.guidance_scale > 1)
    shown = select_all_shown_words(
        request.texts, *[each.pop() if len(each) == 1 else None for each in shared], other_words=besides
    )
    return None if shown is None else {"prompt": shown}


def _without_prompt(prompts: Mapping[str, Any]) -> dict[str, Any]:
    """Embeddings of no prompt, which for SDXL are zeros."""
    nothing = {name: torch.zeros_like(prompts[name]) for name in ("prompt_embeds", "pooled_prompt_embeds")}
    return dict(prompts) | nothing | {f"negative_{name}": value for name, value in nothing.items()}


def _read_guide_image(guide: Guide, processor: VaeImageProcessor, height: int, width: int) -> Tensor:
    """Make what a guide reads, (1, C, height, width) in [0, 1]."""
    picture = guide.image
    if isinstance(picture, np.ndarray) and picture.dtype == np.uint8:
        picture = picture / 255
    tensor: Tensor = processor.preprocess(picture, height=height, width=width)[:1]
    return tensor
