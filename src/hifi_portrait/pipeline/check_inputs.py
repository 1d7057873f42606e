"""What is checked before a pipeline is made and before it draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import SchedulerMixin, UNet2DConditionModel

from hifi_portrait.errors import ArgumentError, ModelError
from hifi_portrait.head.numerics import as_number, as_whole
from hifi_portrait.models.face_attention import FaceAttention
from hifi_portrait.models.face_encoder import FaceEncoder
from hifi_portrait.models.face_refiner import FaceRefiner
from hifi_portrait.models.files import HIFI_PARTS
from hifi_portrait.models.guides import Guide
from hifi_portrait.models.hifi_net import HiFiNet
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.options import LARGEST_SIDE
from hifi_portrait.pipeline.request import Request
from hifi_portrait.pipeline.scene import Scene
from hifi_portrait.scenery.studio import check_light
from hifi_portrait.scenery.styles import STYLES


def check_fit(
    unet: UNet2DConditionModel,
    hifi_net: HiFiNet,
    face_encoder: FaceEncoder,
    face_refiner: FaceRefiner,
    face_attention: FaceAttention,
) -> None:
    """Check that HiFi-Net and the face networks were made for a base model.

    Raises
    ------
    ModelError
        If it is no SDXL model, or widths differ; the message names them.
    """
    if unet.config.addition_embed_type != "text_time":
        raise ModelError("the base model's UNet is not an SDXL one: HiFi-Portrait needs an SDXL base")
    width = unet.config.cross_attention_dim
    widths = {
        "hifi_net.cross_attention_dim": hifi_net.config.cross_attention_dim,
        "face_refiner.token_dim": face_refiner.config.token_dim,
        "face_attention.token_dim": face_attention.config.token_dim,
    }
    for name, value in widths.items():
        if value != width:
            raise ModelError(f"{name} is {value}, but the base model's cross-attention is {width} wide")
    if face_encoder.config.output_dim != face_refiner.config.encoder_dim:
        raise ModelError(
            f"face_refiner.encoder_dim is {face_refiner.config.encoder_dim}, but the face encoder's tokens "
            f"are {face_encoder.config.output_dim} wide"
        )


def check_complete(components: Mapping[str, Any]) -> None:
    """Check that a pipeline has all parts that draw, some of which may be left out to encode prompts alone.

    Raises
    ------
    ModelError
        If one is missing; the message names it.
    """
    missing = [name for name in ("vae", "unet", "scheduler", *HIFI_PARTS) if components.get(name) is None]
    if missing:
        raise ModelError(f"this pipeline has no {', '.join(missing)}, without which it draws nothing")


def check_request(request: Request, step: int) -> None:
    """Check what a call asks for.

    Parameters
    ----------
    request
        The call's inputs.
    step
        What height and width must be multiples of, in pixels.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or out of range; the message names it.
    """
    settings = request.settings
    for identity, target in request.subjects:
        if not isinstance(identity, Identity):
            raise TypeError(
                f"`identity` must be an Identity, but is {type(identity)}: see Identity.from_photos"
            )
        if not isinstance(target, Target):
            raise TypeError(f"`target` must be a Target, but is {type(target)}: see Target.preset")
    height, width = settings.height, settings.width
    if request.output_type not in ("pil", "np", "pt", "latent"):
        raise ArgumentError(
            f"`output_type` must be 'pil', 'np', 'pt' or 'latent', but is {request.output_type!r}"
        )
    _check_prompts(request)
    if settings.guidance_scale < 0:
        raise ArgumentError(f"`guidance_scale` must be 0 or more, but is {settings.guidance_scale!r}")
    if height % step or width % step:
        raise ArgumentError(f"`height` and `width` must be multiples of {step}, but are {height} and {width}")
    _check_not_negative(
        hifi_scale=settings.hifi_scale, face_scale=settings.face_scale, prompt_scale=settings.prompt_scale
    )
    if settings.face_guidance_scale is not None:
        _check_not_negative(face_guidance_scale=settings.face_guidance_scale)
        if settings.guidance_scale <= 1:
            raise ArgumentError(
                "`face_guidance_scale` needs guidance, a `guidance_scale` above 1, but that is "
                f"{settings.guidance_scale}"
            )
    if not 0 <= settings.warp_until < 1:
        raise ArgumentError(f"`warp_until` must be in [0, 1), but is {settings.warp_until!r}")
    if not 0 < settings.warp_strength <= 1:
        raise ArgumentError(f"`warp_strength` must be in (0, 1], but is {settings.warp_strength!r}")
    _check_fractions(
        warp_grain=settings.warp_grain,
        warp_share=settings.warp_share,
        guidance_rescale=settings.guidance_rescale,
    )
    _check_scene(request.scene, len(request.subjects), height, width)
    _check_surroundings(request)
    _check_style(request)
    _check_parts(request)
    check_counts(
        hifi_every=settings.hifi_every, prompt_rounds=settings.prompt_rounds, upscale=settings.upscale
    )


def check_design(
    hifi_net: HiFiNet, face_refiner: FaceRefiner, scheduler: SchedulerMixin, subjects: int
) -> None:
    """Check that a model can draw so many people, with its scheduler.

    Raises
    ------
    ModelError
        If its design holds one person only, or its scheduler predicts something else than its prior needs.
    """
    if not hasattr(scheduler, "alphas_cumprod") or "prediction_type" not in scheduler.config:
        raise ModelError(
            f"{type(scheduler).__name__} does not fit an SDXL model: its noise is not on SDXL's schedule. Use"
            " another, such as EulerDiscreteScheduler.from_config(pipe.scheduler.config)"
        )
    if subjects > 1 and face_refiner.in_prompt:
        raise ModelError("this design has its faces in the prompt, which holds one person only")
    predicted = scheduler.config.prediction_type
    if hifi_net.prior is not None and predicted != "v_prediction":
        raise ModelError(
            f"this HiFi-Net has a `latent_prior` and needs a scheduler with "
            f"prediction_type='v_prediction', but the scheduler's is {predicted!r}"
        )


def check_precision(parts: Mapping[str, Any]) -> None:
    """Check that the networks' weights are numbers of one kind.

    Raises
    ------
    ModelError
        If they are not; the message names the parts.
    """
    kinds: dict[str, list[str]] = {}
    for name, part in parts.items():
        kind = getattr(part, "dtype", None) if isinstance(part, torch.nn.Module) else None
        if kind is not None and kind.is_floating_point:
            kinds.setdefault(str(kind).removeprefix("torch."), []).append(name)
    if len(kinds) > 1:
        told = "; ".join(f"{', '.join(names)}: {kind}" for kind, names in kinds.items())
        raise ModelError(
            f"the model's parts are of different precision ({told}): put all in one, by"
            " pipe.to(torch.float16) or pipe.to(torch.float32)"
        )


def _check_prompts(request: Request) -> None:
    """Check that prompts are words, one or a list of them, and that a list is not empty."""
    for name, words in request.prompts.items():
        if words is None or "embeds" in name:
            continue
        listed = [words] if isinstance(words, str) else words
        if not isinstance(listed, list | tuple) or not all(isinstance(each, str) for each in listed):
            raise TypeError(f"`{name}` must be a text or a list of texts, but is {words!r}")
        if not listed:
            raise ArgumentError(f"`{name}` is an empty list: leave it out, or give a text")
        if any(text.encode("utf-8", "replace").decode() != text for text in listed):
            raise ArgumentError(f"`{name}` holds letters that are no Unicode: {words!r:.80}")


def check_counts(**counts: int) -> None:
    """Check what is to be counted.

    Raises
    ------
    ValueError
        If one is no whole number of 1 or more; the message names it.
    """
    for name, count in counts.items():
        whole = as_whole(count)
        if whole is None or whole < 1:
            raise ArgumentError(f"`{name}` must be a whole number of 1 or more, but is {count!r}")


def check_side(size: Any) -> None:
    """Check the side of a square picture, in pixels.

    Raises
    ------
    ValueError
        If it is no whole number, or too large a one.
    """
    check_counts(size=size)
    if as_whole(size) > LARGEST_SIDE:  # type: ignore[operator]  # a whole number, as was checked
        raise ArgumentError(f"`size` must be {LARGEST_SIDE} or less, but is {size}")


def _check_not_negative(**scales: float) -> None:
    for name, value in scales.items():
        number = as_number(value)
        if number is None or number < 0:
            raise ArgumentError(f"`{name}` must be a number of 0 or more, but is {value!r}")


def _check_fractions(**fractions: float) -> None:
    for name, value in fractions.items():
        number = as_number(value)
        if number is None or not 0 <= number <= 1:
            raise ArgumentError(f"`{name}` must be in [0, 1], but is {value!r}")


def check_is_scene(scene: Any) -> None:
    """Check that something is a scene.

    Raises
    ------
    TypeError
        If it is none, such as the picture itself.
    """
    if not isinstance(scene, Scene):
        raise TypeError(f"`scene` must be a Scene, but is {type(scene)}: see Scene.from_photo")


def _check_parts(request: Request) -> None:
    """Check that regions and guides are several of each."""
    if request.regions is not None and not isinstance(request.regions, list | tuple):
        raise TypeError(f"`regions` must be a list, one a person, but is {type(request.regions)}")
    guides: Any = request.settings.guides
    if not isinstance(guides, list | tuple) or not all(isinstance(guide, Guide) for guide in guides):
        raise TypeError(f"`guides` must be a list of Guide, but is {guides!r:.80}")


def _check_surroundings(request: Request) -> None:
    """Check that background and light can be replaced, where they are not the photo's."""
    check_light(request.light)
    if not request.changes_surroundings:
        return
    name = "background" if request.background.kind != "photo" else "light"
    if request.scene is not None:
        raise ArgumentError(f"`{name}` must be 'photo' with a `scene`, which keeps its own {name}")
    if len(request.subjects) != 1:
        raise ArgumentError(f"`{name}` must be 'photo' for several people, who have no common cut-out")
    if not request.starts_from_warp:
        raise ArgumentError(
            f"`{name}` must be 'photo' for pictures from noise (warp_strength 1): it is replaced where the"
            " warp shows no person. Start from the warp: `start` 'faithful', or a smaller `warp_strength`"
        )
    if request.output_type == "latent":
        raise ArgumentError(f"`{name}` must be 'photo' for `output_type='latent'`: only pixels are replaced")


def _check_style(request: Request) -> None:
    """Check that pictures can be turned into the style."""
    if request.style not in ("photo", *STYLES):
        known = ", ".join(map(repr, ("photo", *STYLES)))
        raise ArgumentError(f"`style` must be one of {known}, but is {request.style!r:.80}")
    if request.style == "photo":
        return
    if request.scene is not None:
        raise ArgumentError("`style` must be 'photo' with a `scene`, the rest of which stays as it is")
    if request.output_type == "latent":
        raise ArgumentError(
            "`style` must be 'photo' for `output_type='latent'`: only pixels are painted over"
        )


def _check_scene(scene: Scene | None, subjects: int, height: int, width: int) -> None:
    """Check that a given picture can be redrawn as requested."""
    if scene is None:
        return
    check_is_scene(scene)
    if subjects != 1:
        raise ArgumentError("a scene's face is one person's: redraw one after another for several")
    if height != width:
        raise ArgumentError(
            f"a scene is redrawn in a square, but `height` and `width` are {height} and {width}"
        )
