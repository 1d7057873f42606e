"""The pipeline: an identity and a target in, portraits out.

It is diffusers' SDXL ControlNet pipeline with HiFi-Net as the ControlNet. What depends on the person and the
target is computed once, bound to the networks, and diffusers' own denoising loop does the rest.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    DiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.image_processor import VaeImageProcessor
from diffusers.pipelines.stable_diffusion_xl.pipeline_output import StableDiffusionXLPipelineOutput
from diffusers.schedulers import KarrasDiffusionSchedulers
from diffusers.utils.import_utils import is_invisible_watermark_available
from PIL import Image
from transformers import (
    CLIPImageProcessor,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionModelWithProjection,
)

from hifi_portrait.errors import ModelError
from hifi_portrait.models.face_attention import FaceAttention
from hifi_portrait.models.face_encoder import FaceEncoder
from hifi_portrait.models.face_refiner import FaceRefiner
from hifi_portrait.models.guides import Guide
from hifi_portrait.models.hifi_net import HiFiNet
from hifi_portrait.models.regions import Region
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.check_inputs import check_call, check_counts, check_fit, check_known, check_scene
from hifi_portrait.pipeline.denoise import Changes, Drawing
from hifi_portrait.pipeline.encode import CastingPipeline, head_of
from hifi_portrait.pipeline.multi_prompt import prompt_by_prompt
from hifi_portrait.pipeline.scene import Scene
from hifi_portrait.pipeline.subjects import common, paired
from hifi_portrait.prompts.already_shown import has_other_words, select_all_shown_words

_LITTLE = 0.05  # redrawn share of a pixel from which on all of it is taken from what was drawn


class HiFiPortraitPipeline(CastingPipeline):
    """Portraits of one person with a wished expression, head pose and gaze.

    Everything that works with `StableDiffusionXLControlNetPipeline` works here: schedulers, LoRA, textual
    inversion, prompt embeddings, callbacks, offload. Parts beside SDXL's own:

    Parameters
    ----------
    hifi_net
        The ControlNet that reads faces and landmarks.
    face_encoder, face_refiner
        What the references say of the person.
    face_attention
        The UNet's own attention to faces.
    default_steps, default_guidance, default_warp_strength, default_warp_grain, default_upscale
        Denoising steps, guidance scale, warp strength, warp grain and upscaling of a call that does not say;
        saved with the model.
    """

    # HiFi-Net is left out on purpose: it takes turns with the UNet.
    model_cpu_offload_seq = (
        "text_encoder->text_encoder_2->image_encoder->face_encoder->face_refiner->face_attention->unet->vae"
    )

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
    ) -> None:
        # Not the parent's: it would register the ControlNet under a name of its own.
        DiffusionPipeline.__init__(self)
        check_fit(unet, hifi_net, face_encoder, face_refiner, face_attention)
        self.register_modules(
            vae=vae,
            text_encoder=text_encoder,
            text_encoder_2=text_encoder_2,
            tokenizer=tokenizer,
            tokenizer_2=tokenizer_2,
            unet=unet,
            hifi_net=hifi_net,
            face_encoder=face_encoder,
            face_refiner=face_refiner,
            face_attention=face_attention,
            scheduler=scheduler,
            feature_extractor=feature_extractor,
            image_encoder=image_encoder,
        )
        self.register_to_config(
            force_zeros_for_empty_prompt=force_zeros_for_empty_prompt,
            default_steps=default_steps,
            default_guidance=default_guidance,
            default_warp_strength=default_warp_strength,
            default_warp_grain=default_warp_grain,
            default_upscale=default_upscale,
        )
        self.vae_scale_factor = 2 ** (len(vae.config.block_out_channels) - 1)
        scale = {"vae_scale_factor": self.vae_scale_factor, "do_convert_rgb": True}
        self.image_processor = VaeImageProcessor(**scale)
        self.control_image_processor = VaeImageProcessor(**scale, do_normalize=False)
        self.watermark = _watermarker(add_watermarker)

    @property
    def controlnet(self) -> HiFiNet:
        """HiFi-Net, under the name by which diffusers' loop calls it."""
        return self.hifi_net

    @prompt_by_prompt
    @torch.no_grad()
    def __call__(
        self,
        identity: Identity | Sequence[Identity],
        target: Target | Sequence[Target],
        prompt: str | list[str] = "",
        *,
        regions: Sequence[Region] | None = None,
        scene: Scene | None = None,
        negative_prompt: str | list[str] | None = None,
        height: int | None = None,
        width: int | None = None,
        upscale: int | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        num_images_per_prompt: int = 1,
        generator: torch.Generator | list[torch.Generator] | None = None,
        hifi_scale: float = 1.0,
        hifi_every: int = 1,
        face_scale: float = 1.0,
        warp_strength: float | None = None,
        warp_grain: float | None = None,
        warp_share: float = 1.0,
        prompt_scale: float = 1.0,
        prompt_rounds: int = 2,
        guidance_rescale: float = 0.0,
        guides: Sequence[Guide] = (),
        callback_on_step_end: Callable[..., Any] | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
        **kwargs: Any,
    ) -> StableDiffusionXLPipelineOutput | tuple[Any]:
        """Draw portraits.

        Parameters
        ----------
        identity
            The person, or a list of several who are in one picture.
        target
            Expression, head pose, gaze and framing; one a person.
        regions
            Which part of the picture is whose, one a person: boxes (left, top, right, bottom) as shares of
            width and height, or masks (height, width) in [0, 1]. What is near each head, if not given; for
            one person, all.
        scene
            A given picture of which only a face is redrawn; `target` is usually the scene's. Pictures are
            square, and `scene.paste` puts one into the whole picture; see `redraw`.
        prompt, negative_prompt
            What else the picture shows, and what it does not. What a person's prompt says of glasses, hair
            and clothes holds for the `target` too, if it says nothing of them itself; prompts that differ in
            this are drawn one after the other.
        height, width
            That the networks draw, in pixels, multiples of 16 for an eight-fold autoencoder; the model's own
            size by default.
        upscale
            How many times as high and wide the finished pictures are. Where they show the warp, they have the
            detail that the photographs have at that size; see `warp_detail`. Latents stay as they are. The
            model's own `default_upscale` if not given.
        num_inference_steps, guidance_scale
            As in diffusers; the model's own `default_steps` and `default_guidance` if not given.
            Classifier-free guidance strengthens prompt and faces together.
        num_images_per_prompt, generator, output_type, return_dict
            As in diffusers.
        hifi_scale
            Strength of HiFi-Net's residuals; 0 leaves the base model as it is.
        hifi_every
            Run HiFi-Net at every so-many-th step only and take its residuals for the steps between: 2 saves
            about half of its cost.
        face_scale
            Strength of the UNet's own attention to faces.
        warp_strength
            1 starts from noise. A number in (0, 1) starts from the plain warp, noised that far, as
            image-to-image does, and takes that share of the steps: small values stay close to it. The
            model's own `default_warp_strength` if not given.
        warp_grain
            Share, in [0, 1], of the schedule's noise that a start from the warp adds to it: at 0 nothing of
            the warp is lost to noise and every seed gives the same picture; at 1 it is plain image-to-image.
            The model's own `default_warp_grain` if not given.
        warp_share
            How much of the plain warp, in [0, 1], stands in the portrait where the warp is sure: off the
            outline of the head, and where references see the person. A prompt's changes are found by
            drawing without it too, and are added. It counts for starts from the warp only; 0 gives the
            networks' own picture.
        prompt_scale
            How much of these changes is added, 0 or more; above 1 exaggerates them.
        prompt_rounds
            How often changes are found and added, each time in the picture so far: a small network goes a
            part of the way at a time. Every round draws twice.
        guidance_rescale
            Share, in [0, 1], by which guided predictions are brought back to the spread of unguided ones.
        guides
            ControlNets and T2I-Adapters that steer the picture too.
        callback_on_step_end
            As in diffusers; it hears the first draw, that with the prompt.
        kwargs
            Anything else that `StableDiffusionXLControlNetPipeline` takes, such as `prompt_embeds`.

        Raises
        ------
        TypeError, ValueError
            If an argument is unknown, of another kind or out of range.
        """
        height, width = height or self.default_size, width or self.default_size
        sampling = self.sampling(num_inference_steps, guidance_scale, warp_strength, warp_grain, upscale)
        warp_strength, warp_grain = sampling.pop("warp_strength"), sampling.pop("warp_grain")
        upscale = sampling.pop("upscale")
        scales = {"hifi_scale": hifi_scale, "face_scale": face_scale, "prompt_scale": prompt_scale}
        shares = {"warp_grain": warp_grain, "warp_share": warp_share, "guidance_rescale": guidance_rescale}
        check_known(kwargs, type(self).__call__)
        heard = kwargs.pop("callback_on_step_end_tensor_inputs", None)
        step = self.vae_scale_factor * 2 ** (len(self.unet.config.block_out_channels) - 1)
        people = paired(identity, target)
        for one, wish in people:
            check_call(one, wish, height, width, step, scales, warp_strength, shares)
        check_scene(scene, len(people), height, width)
        check_counts(hifi_every=hifi_every, prompt_rounds=prompt_rounds, upscale=upscale)
        self._check_model(len(people))
        if len(people) == 1 and "prompt_embeds" not in kwargs:
            people = [(one, wish.with_prompt(prompt)) for one, wish in people]
        drawn = [head_of(one, wish, height, width) for one, wish in people]
        larger = upscale > 1 and output_type != "latent"
        large = [head_of(*each, upscale * height, upscale * width) for each in people] if larger else []
        cast = self._cast(people, drawn, regions, scene, large)
        grain = warp_grain if warp_strength < 1 else 1.0
        kept = None if scene is None else self._kept_of(scene, drawn[0], grain)
        composed = warp_strength < 1 and warp_share > 0 and output_type != "latent"
        finished_here = composed or larger or (kept is not None and output_type != "latent")
        given = {name: value for name, value in kwargs.items() if "prompt" in name}
        prompts = given.get("prompt_embeds", prompt)
        copies = num_images_per_prompt * (1 if isinstance(prompts, str) else len(prompts))
        if composed and generator is None:  # one that can be wound back
            generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
        call: dict[str, Any] = {
            "image": torch.from_numpy(drawn[0].image.copy()).permute(2, 0, 1)[None] / 255,
            "height": height,
            "width": width,
            "num_images_per_prompt": num_images_per_prompt,
            "controlnet_conditioning_scale": float(hifi_scale),
            # HiFi-Net runs on the conditional half only, if the other has nothing to read.
            "guess_mode": not cast.reads_nobody,
            "output_type": "pt" if finished_here else output_type,
            "return_dict": False,
            "generator": generator,
            **sampling,
            **{name: value for name, value in kwargs.items() if name not in given},
        }
        drawing = Drawing(
            copies=copies,
            hifi_scale=hifi_scale,
            hifi_every=hifi_every,
            face_scale=face_scale,
            warp_strength=warp_strength,
            grain=grain,
            guidance_rescale=guidance_rescale,
            guides=[(guide, self._picture(guide, height, width)) for guide in guides],
            kept=kept,
            generators=generator if isinstance(generator, list) else [generator] if generator else [],
            call=call,
        )
        asked = given | {
            "prompt": None if "prompt_embeds" in given else prompt,
            "negative_prompt": negative_prompt,
        }
        hearing = {"callback_on_step_end": callback_on_step_end}
        if heard is not None:
            hearing["callback_on_step_end_tensor_inputs"] = heard
        if composed:
            by_the_warp = ("glasses", "hair", "clothes") if scene is None else ("glasses",)
            besides = has_other_words(asked, guided=sampling["guidance_scale"] > 1)
            shown = select_all_shown_words(prompts, *common(people, *by_the_warp), other_words=besides)
            shown_words = None if shown is None else {"prompt": shown}
            changes = Changes(asked, shown_words, prompt_rounds, prompt_scale)
            pictures = self._composed(cast, drawing, hearing, changes, warp_share)
        else:
            pictures = self._draws(cast, drawing, asked | hearing)[0]
            if finished_here:
                pictures = drawing.restored(2 * pictures.float() - 1)
        if larger:
            pictures = cast.with_detail(pictures, warp_share if composed else 0.0)
            if scene is not None:
                pictures = self._kept_picture(scene, large[0]).onto(pictures)
        if finished_here:
            pictures = self.image_processor.postprocess(pictures, output_type=output_type)
        return StableDiffusionXLPipelineOutput(images=pictures) if return_dict else (pictures,)

    def redraw(
        self, identity: Identity, scene: Scene, prompt: str | list[str] = "", **kwargs: Any
    ) -> list[Image.Image]:
        """A given picture with the scene's face redrawn as a person's, all else left as it is.

        Parameters
        ----------
        identity
            The person.
        scene
            The picture, and which face of it; see `Scene.from_photo`.
        prompt
            As in a call.
        kwargs
            As in a call; `target` is the scene's if not given. `height` is the side of the square about the
            face that the networks draw, the model's own size by default.

        Raises
        ------
        TypeError, ValueError
            As a call; and for arguments that are the scene's.
        """
        for name in ("width", "output_type", "return_dict", "regions"):
            if name in kwargs:
                raise TypeError(
                    f"`redraw` takes no argument `{name}`: call the pipeline with a `scene` for it"
                )
        target = kwargs.pop("target", scene.target)
        size = kwargs.pop("height", None) or self.default_size
        drawn: Any = self(identity, target, prompt, scene=scene, height=size, width=size, **kwargs)
        ((person, wish),) = paired(identity, target)
        side, each = drawn.images[0].height, kwargs.get("num_images_per_prompt", 1)
        texts = prompt if isinstance(prompt, list | tuple) else [prompt if isinstance(prompt, str) else ""]
        within = {}
        for glasses in {wish.with_prompt(text).glasses for text in texts}:
            redrawn = scene.mask(head_of(person, wish.replace(glasses=glasses), side, side))
            # Where little was redrawn the crop holds that little already.
            within[glasses] = np.minimum(1, redrawn / _LITTLE)
        shown = [wish.with_prompt(text).glasses for text in texts for _ in range(each)]
        return [
            Image.fromarray(scene.paste(np.asarray(picture.convert("RGB")), within[glasses]))
            for picture, glasses in zip(drawn.images, shown, strict=False)  # fewer, if interrupted
        ]

    def sampling(
        self,
        steps: int | None = None,
        guidance: float | None = None,
        warp_strength: float | None = None,
        warp_grain: float | None = None,
        upscale: int | None = None,
    ) -> dict[str, Any]:
        """Arguments of a call for which a model has defaults; these in the place of None."""
        config = self.config
        return {
            "num_inference_steps": config.default_steps if steps is None else steps,
            "guidance_scale": config.default_guidance if guidance is None else guidance,
            "warp_strength": config.default_warp_strength if warp_strength is None else warp_strength,
            "warp_grain": config.default_warp_grain if warp_grain is None else warp_grain,
            "upscale": config.default_upscale if upscale is None else upscale,
        }

    def _check_model(self, people: int) -> None:
        if people > 1 and self.face_refiner.in_prompt:
            raise ModelError("this design has its faces in the prompt, which holds one person only")
        predicted = self.scheduler.config.prediction_type
        if self.hifi_net.prior is not None and predicted != "v_prediction":
            raise ModelError(
                f"this HiFi-Net has a `latent_prior` and needs a scheduler with "
                f"prediction_type='v_prediction', but the scheduler's is {predicted!r}"
            )


def _watermarker(wanted: bool | None) -> Any:
    if wanted is None:
        wanted = is_invisible_watermark_available()
    if not wanted:
        return None
    from diffusers.pipelines.stable_diffusion_xl.watermark import StableDiffusionXLWatermarker

    return StableDiffusionXLWatermarker()
