"""The pipeline: an identity and a target in, portraits out.

It is diffusers' SDXL ControlNet pipeline with HiFi-Net as the ControlNet. What depends on the person and the
target is computed once, bound to the networks, and diffusers' own denoising loop does the rest.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Unpack

import torch
from diffusers import (
    AutoencoderKL,
    DiffusionPipeline,
    StableDiffusionXLControlNetPipeline,
    UNet2DConditionModel,
)
from diffusers.image_processor import VaeImageProcessor
from diffusers.pipelines.stable_diffusion_xl.pipeline_output import StableDiffusionXLPipelineOutput
from diffusers.schedulers import KarrasDiffusionSchedulers
from PIL import Image
from torch import Tensor
from transformers import (
    CLIPImageProcessor,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionModelWithProjection,
)

from hifi_portrait.head.arrays import ByteArray
from hifi_portrait.models.conditioning import Conditioning, FaceConditioner, FaceInputs
from hifi_portrait.models.face_attention import FaceAttention
from hifi_portrait.models.face_encoder import FaceEncoder
from hifi_portrait.models.face_refiner import FaceRefiner
from hifi_portrait.models.files import BUNDLED
from hifi_portrait.models.hifi_net import HiFiNet
from hifi_portrait.models.latents import reduction
from hifi_portrait.models.regions import Region
from hifi_portrait.person.background import BackgroundLike
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline import loading, notices, options
from hifi_portrait.pipeline.call_state import CallState, prepare_call
from hifi_portrait.pipeline.check_inputs import (
    check_complete,
    check_design,
    check_fit,
    check_is_scene,
    check_precision,
    check_request,
    check_side,
)
from hifi_portrait.pipeline.denoise import Denoiser
from hifi_portrait.pipeline.encode import draw_head, encode_request
from hifi_portrait.pipeline.exclusive import exclusive_use
from hifi_portrait.pipeline.keywords import check_known, check_passed_on
from hifi_portrait.pipeline.multi_prompt import join_pictures, split_by_prompt
from hifi_portrait.pipeline.photomaker_prompt import merge_faces
from hifi_portrait.pipeline.pipeline_files import LoadablePipeline
from hifi_portrait.pipeline.redraw import paste_portraits, square_arguments
from hifi_portrait.pipeline.request import make_request, pair_subjects
from hifi_portrait.pipeline.scene import Scene
from hifi_portrait.pipeline.several_targets import draw_each_target
from hifi_portrait.pipeline.signature import CallKeywords, lists_keywords


class HiFiPortraitPipeline(LoadablePipeline):
    """Portraits of one person with a requested expression, head pose and gaze.

    Everything that works with `StableDiffusionXLControlNetPipeline` works here: schedulers, LoRA, textual
    inversion, prompt embeddings, callbacks, offload. A pipeline draws one call at a time: a second one on
    another thread, or over the same parts, is refused with a `PipelineBusyError`. Its own parameters:

    Parameters
    ----------
    hifi_net
        The ControlNet that reads faces and landmarks.
    face_encoder, face_refiner
        The networks that read the references.
    face_attention
        The UNet's own attention to faces.
    default_steps, default_guidance, default_warp_strength, default_warp_grain, default_upscale,
    default_prompt_scale, default_imagined_steps, default_imagined_guidance
        What a call takes for the options of these names that it leaves out; saved with the model.
    """

    # HiFi-Net is left out on purpose: it takes turns with the UNet.
    model_cpu_offload_seq = (
        "text_encoder->text_encoder_2->image_encoder->face_encoder->face_refiner->face_attention->unet->vae"
    )
    _state: CallState | None = None  # of the draw under way

    def __init__(
        self,
        vae: AutoencoderKL,
        text_encoder: CLIPTextModel,
        text_encoder_2: CLIPTextModelWithProjection,
        tokenizer: CLIPTokenizer,
        tokenizer_2: CLIPTokenizer,
        unet: UNet2DConditionModel,
        hifi_net: HiFiNet,
        face_encoder: FaceEncoder,
        face_refiner: FaceRefiner,
        face_attention: FaceAttention,
        scheduler: KarrasDiffusionSchedulers,
        force_zeros_for_empty_prompt: bool = True,
        add_watermarker: bool | None = None,
        feature_extractor: CLIPImageProcessor | None = None,
        image_encoder: CLIPVisionModelWithProjection | None = None,
        default_steps: int = 20,
        default_guidance: float = 2.0,
        default_warp_strength: float = 1.0,
        default_warp_grain: float = 1.0,
        default_upscale: int = 1,
        default_prompt_scale: float = 1.0,
        default_imagined_steps: int = 20,
        default_imagined_guidance: float = 2.0,
    ) -> None:
        # Not the parent's: it would register the ControlNet under a name of its own.
        DiffusionPipeline.__init__(self)
        fitting = (unet, hifi_net, face_encoder, face_refiner, face_attention)
        if None not in fitting:  # some may be left out, to encode prompts
            check_fit(*fitting)
        self.register_modules(
            vae=vae, text_encoder=text_encoder, text_encoder_2=text_encoder_2, tokenizer=tokenizer,
            tokenizer_2=tokenizer_2, unet=unet, hifi_net=hifi_net, face_encoder=face_encoder,
            face_refiner=face_refiner, face_attention=face_attention, scheduler=scheduler,
            feature_extractor=feature_extractor, image_encoder=image_encoder,
        )  # fmt: skip
        self.register_to_config(
            force_zeros_for_empty_prompt=force_zeros_for_empty_prompt,
            default_steps=default_steps,
            default_guidance=default_guidance,
            default_warp_strength=default_warp_strength,
            default_warp_grain=default_warp_grain,
            default_upscale=default_upscale,
            default_prompt_scale=default_prompt_scale,
            default_imagined_steps=default_imagined_steps,
            default_imagined_guidance=default_imagined_guidance,
        )
        self.vae_scale_factor = reduction(vae) if vae is not None else 8
        scale = {"vae_scale_factor": self.vae_scale_factor, "do_convert_rgb": True}
        self.image_processor = VaeImageProcessor(**scale)
        self.control_image_processor = VaeImageProcessor(**scale, do_normalize=False)
        self.watermark = loading.make_watermarker(add_watermarker)

    @lists_keywords
    @torch.no_grad()
    def __call__(
        self,
        identity: Identity | Sequence[Identity],
        target: Target | Sequence[Target],
        prompt: str | list[str] | None = "",
        *,
        negative_prompt: str | list[str] | None = None,
        scene: Scene | None = None,
        regions: Sequence[Region] | None = None,
        background: BackgroundLike = "photo",
        light: str = "photo",
        style: str = "photo",
        size: options.SizeOptions | None = None,
        sampling: options.SamplingOptions | None = None,
        steering: options.SteeringOptions | None = None,
        warp: options.WarpOptions | None = None,
        prompting: options.PromptOptions | None = None,
        generator: torch.Generator | int | Sequence[torch.Generator | int] | None = None,
        callback_on_step_end: Callable[..., Any] | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
        **keywords: Unpack[CallKeywords],
    ) -> StableDiffusionXLPipelineOutput | tuple[Any]:
        """Draw portraits.

        Options come in groups, whose classes document them, and have keywords of their own, too:
        `warp=WarpOptions(strength=0.3)` is `warp_strength=0.3`; the keyword counts where both are given. What
        is left out is the model's own default (`default_steps`, `default_guidance`, `default_warp_strength`,
        `default_warp_grain`, `default_upscale`, `default_prompt_scale`) or the class's.

        Parameters
        ----------
        identity
            The person, or a list of several who are in one picture.
        target
            Expression, head pose, gaze and framing; one a person. For one person, a list of targets gives
            pictures of each, one after the other.
        prompt, negative_prompt
            What else the picture shows, and what it does not. Glasses, hair and clothes that a person's
            prompt names hold for the `target` too, if it names none itself; a place, light or style for
            `background`, `light` and `style`, if these are "photo". Prompts that differ in this are drawn one
            after the other.
        scene
            A given picture of which only a face is redrawn; `target` is usually the scene's. Pictures are
            square; `redraw` puts them into the whole picture.
        regions
            Which part of the picture is whose, one a person: boxes (left, top, right, bottom) as fractions of
            width and height, or masks (height, width) in [0, 1]. What is near each head, if not given; for
            one person, all.
        background
            What is behind the person: "photo", as in the photo that decides the look; "blur", the same out of
            focus; "transparent", for pictures with an alpha channel; a colour ("teal", "#204060"); a place,
            whose light falls on the person, or a wall ("park", "white brick wall"); or a picture (path, PIL
            image or array). For one person, in starts from the warp; see `Background.of`.
        light
            "photo", for that of the photos, or of a place that is the background; or another that falls on
            the person, one of `scenery.studio.LIGHT_NAMES` ("low-key light", "evening light", ...). For one
            person, in starts from the warp.
        style
            "photo", or one of `scenery.styles.STYLES` ("black and white photo", "oil painting", ...), into
            which finished pictures are turned.
        size
            `SizeOptions`: `height`, `width` of what the networks draw, in pixels; `upscale`, how many times
            as large finished pictures are.
        sampling
            `SamplingOptions`: `steps` (keyword `num_inference_steps`), `guidance` (`guidance_scale`),
            `images_per_prompt` (`num_images_per_prompt`), as in diffusers; `guidance_rescale`;
            `face_guidance` (`face_guidance_scale`), a scale of their own for faces and warp.
        steering
            `SteeringOptions`: `hifi_scale`, `face_scale`, strengths of HiFi-Net and of attention to faces;
            `hifi_every`, at how many-th step HiFi-Net runs; `guides`, ControlNets and T2I-Adapters.
        warp
            `WarpOptions`: `start`, "faithful" (from the warp) or "imagined" (from noise); `strength`
            (`warp_strength`), `noise_scale` (`warp_grain`) of a start from the warp;
            `until` (`warp_until`), where in the schedule it ceases to guide; `fraction` (`warp_share`), how
            much of it the portrait shows.
        prompting
            `PromptOptions`, for starts from the warp: `scale` (`prompt_scale`) and `rounds`
            (`prompt_rounds`) of what prompts change.
        generator
            The source of noise: a generator or a seed, or a list with one a picture.
        output_type, return_dict
            As in diffusers.
        callback_on_step_end
            As in diffusers; it hears the first draw, that with the prompt.
        keywords
            The options above, and anything else that `StableDiffusionXLControlNetPipeline` takes, such as
            `prompt_embeds`.

        Raises
        ------
        TypeError, ValueError, ModelError
            If an argument is unknown, of another kind, out of range or not what the model can draw.
        PipelineBusyError
            If another call is drawing with the same parts.
        """
        check_known(keywords, type(self).__call__)
        check_complete(self.components)
        if isinstance(identity, Identity) and isinstance(target, list | tuple) and len(target) != 1:
            drawn = draw_each_target(
                self,
                identity,
                target,
                keywords
                | {"prompt": prompt, "negative_prompt": negative_prompt, "scene": scene}
                | {"regions": regions, "background": background, "light": light, "style": style}
                | {"size": size, "sampling": sampling, "steering": steering}
                | {"warp": warp, "prompting": prompting, "output_type": output_type}
                | {"callback_on_step_end": callback_on_step_end},
                generator,
            )
            return StableDiffusionXLPipelineOutput(images=drawn) if return_dict else (drawn,)
        step = self.vae_scale_factor * 2 ** (len(self.unet.config.block_out_channels) - 1)
        groups = (size, sampling, steering, warp, prompting)
        request = make_request(
            pair_subjects(identity, target),
            {"prompt": prompt, "negative_prompt": negative_prompt},
            options.settle(groups, keywords, self.config, self.default_size, step),
            given=options.find_given(groups, keywords, self.config),
            scene=scene,
            regions=regions,
            background=background,
            light=light,
            style=style,
            generator=generator,
            callback=callback_on_step_end,
            output_type=output_type,
            keywords=keywords,
        )
        check_request(request, step)
        check_passed_on(request, self.unet, self.text_encoder)
        check_precision(self.components)
        notices.tell(request, self.tokenizer, is_bundled=self.name_or_path == str(BUNDLED))
        check_design(self.hifi_net, self.face_refiner, self.scheduler, len(request.subjects))
        networks = (self.unet, self.scheduler, self.hifi_net, self.face_attention)
        denoiser = Denoiser(self._run_loop, lambda: self.interrupt, *networks)
        finished, device = [], self._execution_device
        with exclusive_use(self.components):
            for part in split_by_prompt(request):
                subjects = encode_request(part, self._conditioner, device)
                texts, processor = self.text_encoder_2 is not None, self.control_image_processor
                state = prepare_call(part, subjects, self.vae, processor, device, encodes_text=texts)
                drawn = denoiser.draw(state)  # diffusers' loop denoises and decodes
                pictures = state.composite(drawn)
                while following := state.next_round(pictures, drawn, self._conditioner):
                    state = following
                    drawn = denoiser.draw(state)
                    pictures = state.composite(drawn)
                finished.append(state.finish(pictures, self.image_processor, device))
                if self.interrupt:
                    break
        joined = join_pictures(finished)
        return StableDiffusionXLPipelineOutput(images=joined) if return_dict else (joined,)

    def redraw(
        self,
        identity: Identity,
        scene: Scene,
        prompt: str | list[str] | None = "",
        *,
        target: Target | None = None,
        **arguments: Any,
    ) -> list[Image.Image]:
        """Redraw the scene's face in a given picture as a person's, and leave all else as it is.

        Parameters
        ----------
        identity
            The person.
        scene
            The picture, and which face of it; see `Scene.from_photo`.
        target
            What the person shows; the scene's own target if not given.
        prompt, arguments
            As in a call. `height` is the side of the square about the face that the networks draw.

        Raises
        ------
        TypeError, ValueError
            As a call; and for arguments that are the scene's.
        """
        check_is_scene(scene)
        target = target or scene.target
        arguments = square_arguments(arguments, self.default_size, self.config.default_upscale)
        drawn: Any = self(identity, target, prompt, scene=scene, **arguments)
        return paste_portraits(drawn.images, *pair_subjects(identity, target)[0], scene, prompt, arguments)

    @property
    def default_size(self) -> int:
        """Side in pixels of the pictures the base model was trained for."""
        return int(self.unet.config.sample_size) * int(self.vae_scale_factor)

    def landmarks(self, identity: Identity, target: Target, size: int | None = None) -> ByteArray:
        """Draw the landmark image (size, size, 3) that a portrait would follow.

        Raises
        ------
        ValueError
            If the size is no whole number of 1 to 16,384.
        """
        check_side(self.default_size if size is None else size)
        side = self.default_size if size is None else int(size)
        return draw_head(identity, target, side, side).image

    @torch.no_grad()
    def condition(self, inputs: FaceInputs) -> Conditioning:
        """Compute all that the networks read of a person and a drawn target, whatever the timestep."""
        return self._conditioner(inputs)

    @property
    def _conditioner(self) -> FaceConditioner:
        return FaceConditioner(self.face_encoder, self.face_refiner, self.hifi_net, self.vae)

    def sampling(
        self,
        steps: int | None = None,
        guidance: float | None = None,
        warp_strength: float | None = None,
        warp_grain: float | None = None,
        upscale: int | None = None,
        prompt_scale: float | None = None,
        start: str | None = None,
    ) -> dict[str, Any]:
        """Return arguments of a call for which a model has defaults; these in the place of None."""
        given = (steps, guidance, warp_strength, warp_grain, upscale, prompt_scale)
        values = dict(zip(options.WITH_DEFAULTS, given, strict=True))
        return options.fill_defaults(values, self.config, start)

    @property
    def controlnet(self) -> HiFiNet:
        """HiFi-Net, under the name by which diffusers' loop calls it."""
        return self.hifi_net  # type: ignore[no-any-return]  # diffusers' attributes have no types

    @wraps(StableDiffusionXLControlNetPipeline.encode_prompt, assigned=())
    def encode_prompt(self, prompt: str | list[str] | None, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """As the parent's; with the faces in the prompt, for a design that has them there."""
        embeddings, *others = super().encode_prompt(prompt, *args, **kwargs)
        if self._state is None or not self._state.merges_faces(self.face_refiner):
            return embeddings, *others
        faces = self._state.shown.conditionings[0]
        return merge_faces(embeddings, prompt, self.tokenizer, self.face_refiner, faces), *others

    def prepare_latents(self, batch_size: int, *args: Any, **kwargs: Any) -> Tensor:
        """As the parent's; or the noised warp, where a call starts from it."""
        latents: Tensor = super().prepare_latents(batch_size, *args, **kwargs)
        return latents if self._state is None else self._state.start_latents(self.scheduler, latents)

    def progress_bar(self, iterable: Any = None, total: int | None = None) -> Any:
        """As the parent's; a bar of the steps that are taken, which a start from the warp makes fewer."""
        if total is not None and self._state is not None and self._state.start is not None:
            total = len(self._state.timesteps(self.scheduler)) // self.scheduler.order
        return super().progress_bar(iterable, total)

    def _run_loop(self, state: CallState, **arguments: Any) -> Any:
        """Draw by diffusers' own pipeline, which finds a call's state in the methods above."""
        self._state = state
        try:
            return super().__call__(**arguments)[0]
        finally:
            self._state = None
